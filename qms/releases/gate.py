"""What stands before a gate: a release that is to be signed, a baseline that is to be frozen."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlmodel import Session

from core.errors import Fault, Invalid
from core.records.models import Project, Record
from core.records.queries import load_snapshot
from core.records.snapshot import Key, Snapshot
from qms.releases.gathering import gather
from qms.rules.check import check
from qms.rules.facts import RuleInput
from qms.rules.findings import Finding, Level
from qms.rules.packs import framework_pack
from qms.rules.release import SIGNING_CODES


def blocking_findings(session: Session, project: Project, record: Record) -> tuple[str, ...]:
    """Return, in sentences, what keeps a record from being signed; empty for what is no release.

    What only signatures can fulfil does not block the signatures.
    """
    if record.type != "release":
        return ()
    given = _with_latest(session, project, record)
    release = given.snapshot.records[Key(project.key, record.uid)]
    if release.fields.get("stage") == "planned":
        return (f"{record.uid} is planned; make it a candidate first.",)
    result = check(given, framework_pack())
    return tuple(
        f"{rule.code} {finding.sentence}"
        for rule in result.failing
        if rule.code not in SIGNING_CODES
        for finding in rule.findings
        if finding.blocks
    )


FREEZING = ("plan", "design")
"""The gates that are asked before a release's baseline is frozen."""

ONLY_A_RUN_TELLS = frozenset({"B14", "C05"})
"""What was built, and which files of the engine were in it, a run of the frozen release tells;
freezing cannot wait for it. The release check asks both."""


def gate_findings(session: Session, project: Project, gates: Sequence[str]) -> tuple[Finding, ...]:
    """Return everything that the rules of some gates find in the record, without any release."""
    return _found(gather(session, project, None), gates)


def freezing_findings(
    session: Session, project: Project, record: Record, commit: str
) -> tuple[Finding, ...]:
    """Return everything that is found before a release's baseline is frozen.

    Parameters
    ----------
    commit : str
        The commit that the release will name.
    """
    return _found(_with_latest(session, project, record, commit), FREEZING)


def _found(given: RuleInput, gates: Sequence[str]) -> tuple[Finding, ...]:
    pack = framework_pack()
    found: dict[Finding, None] = {}
    for gate in gates:
        for finding in check(given, pack, gate).findings:
            if not finding.waiver and finding.code not in ONLY_A_RUN_TELLS:
                found.setdefault(finding)
    return tuple(found)


def must_pass(what: str, found: Iterable[Finding]) -> None:
    """Refuse what a gate stands before, with everything that stops it.

    Raises
    ------
    Invalid
        If something does; each fault names the concession that could let it through.
    """
    faults = [
        Fault(one.code, one.record.uid, one.told, one.mend)
        for one in found
        if one.level is Level.ERROR
    ]
    if faults:
        raise Invalid(f"{what} until this is mended, or let through by a concession.", faults)


def _with_latest(session: Session, project: Project, record: Record, commit: str = "") -> RuleInput:
    """Judge the release as it is to be signed, not as an earlier revision may be in force.

    `commit` is the one that it is to name; what it states already counts otherwise.
    """
    latest = load_snapshot(session, [project.key], effective=False)
    key = Key(project.key, record.uid)
    release = latest.records[key]
    if commit:
        release = replace(release, fields={**release.fields, "commit": commit})
    given = gather(session, project, release)
    if not commit and given.snapshot.records[key].revision == release.revision:
        return given
    records = [release if one.key == key else one for one in given.snapshot.records.values()]
    links = [link for link in given.snapshot.links if link.source != key]
    return replace(given, snapshot=Snapshot(records, [*links, *latest.outgoing(key)]))
