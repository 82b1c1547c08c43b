"""Ask the rules of a gate and gather their answers, with the concessions that hold. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from core.records.snapshot import Key, RecordView
from qms.rules.facts import RuleInput
from qms.rules.findings import CheckResult, Finding, Flaw, Pack, PackEntry, RuleResult
from qms.rules.questions import asked
from qms.rules.registry import RULES
from qms.rules.view import Rule, View, day, is_in_force, text

RELEASE = "release"
"""The gate that asks every rule."""


def check(
    given: RuleInput,
    pack: Pack,
    gate: str = RELEASE,
    unanswerable: Mapping[str, str] = MappingProxyType({}),
) -> CheckResult:
    """Return what every rule of a gate says.

    Parameters
    ----------
    given : RuleInput
        Records and facts, as they stand now.
    pack : Pack
        Clauses, levels, gates and limits.
    gate : str
        Which rules are asked; "release" asks all.
    unanswerable : mapping
        Codes of rules that what is given cannot answer, each with why; they do not apply.
    """
    view = View(given, pack.limits)
    waivers = _waivers(view)
    device = view.device
    software_class = text(device, "software_class") if device else ""
    route = text(device, "regulatory_route") if device else ""
    results = []
    for code, rule in RULES.items():
        entry = pack.entries[code]
        if gate not in entry.gates:
            continue
        reason = unanswerable.get(code) or entry.reason_against(software_class, route)
        results.append(_result(view, rule, entry, waivers, reason))
    release = view.release
    return CheckResult(
        project=given.project,
        release=release.key.uid if release else "",
        version=text(release, "version") if release else "",
        commit=view.release_commit,
        gate=gate,
        today=given.facts.today,
        rules=tuple(results),
        changes=pack.changes,
        questions=tuple(asked(view, pack.questions)) if gate == RELEASE else (),
    )


def _result(
    view: View,
    rule: Rule,
    entry: PackEntry,
    waivers: Mapping[tuple[str, Key], str],
    reason: str,
) -> RuleResult:
    subjects = [] if reason else list(rule.subjects.select(view))
    flaws = [(record, flaw) for record in subjects for flaw in rule.judge(view, record)]
    absent = rule.subjects.absent
    if not reason and not subjects and absent is not None and view.release is not None:
        flaws.append((view.release, absent))
    findings = tuple(_finding(record, flaw, entry, waivers) for record, flaw in flaws)
    return RuleResult(
        code=rule.code,
        title=rule.title,
        clause="; ".join(entry.clauses),
        level=entry.level,
        gates=entry.gates,
        looked_at=len(subjects),
        findings=findings,
        reason=reason,
        remark=rule.remark(view) if rule.remark and subjects else "",
    )


def _finding(
    record: RecordView, flaw: Flaw, entry: PackEntry, waivers: Mapping[tuple[str, Key], str]
) -> Finding:
    at = flaw.at or record.key
    page = f"/p/{at.project}/releases/{at.uid}#steps" if flaw.step else f"/p/{at.project}/{at.uid}"
    return Finding(
        code=entry.code,
        record=record.key,
        sentence=f"{record.key.uid} {flaw.what}",
        mend=flaw.mend,
        address=flaw.address or page,
        level=flaw.level or entry.level,
        waiver=waivers.get((entry.code, record.key), "") if flaw.concedable else "",
    )


def _waivers(view: View) -> dict[tuple[str, Key], str]:
    """Return which concession lets which record through which rule, of those that hold today."""
    held: dict[tuple[str, Key], str] = {}
    for waiver in view.live("waiver"):
        if not _holds(view, waiver, view.facts.today):
            continue
        for link in view.snapshot.outgoing(waiver.key, "concerns"):
            held.setdefault((text(waiver, "rule"), link.target), waiver.key.uid)
    return held


def _holds(view: View, waiver: RecordView, today: date) -> bool:
    """Whether a concession is approved, has not expired, and is meant for this release."""
    expires = day(waiver, "expires")
    if not is_in_force(waiver) or expires is None or expires < today:
        return False
    releases = {link.target for link in view.snapshot.outgoing(waiver.key, "release")}
    return not releases or view.given.release in releases


def conceded(results: Iterable[RuleResult]) -> Iterator[Finding]:
    """Yield every finding that a concession lets through, for the page and the pack."""
    for result in results:
        yield from (finding for finding in result.findings if finding.waiver)
