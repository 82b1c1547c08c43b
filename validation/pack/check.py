"""The release check as a pack prints it. Pure."""

from core.records.snapshot import Snapshot
from qms.rules.facts import RuleInput
from qms.rules.findings import CheckResult, Level
from qms.rules.findings import Finding as Found
from qms.rules.findings import RuleResult as Ruled
from validation.pack.contents import Finding, ReleaseCheck, RuleResult, Waiver
from validation.pack.frozen import FinalSignature


def release_check(result: CheckResult, given: RuleInput, signed: FinalSignature) -> ReleaseCheck:
    """Return every rule that applies to the project, with what it found and what lets it pass."""
    return ReleaseCheck(
        name=f"Release check of {result.release}",
        checked_at=signed.at,
        rules=tuple(
            _rule(rule, given.snapshot, result.project) for rule in result.rules if not rule.reason
        ),
    )


def _rule(rule: Ruled, snapshot: Snapshot, project: str) -> RuleResult:
    open_ones = [finding for finding in rule.findings if not finding.waiver]
    waived = [finding for finding in rule.findings if finding.waiver]
    # A rule may find something that only warns; it fails only by what blocks.
    only_warns = bool(open_ones) and not any(finding.blocks for finding in open_ones)
    warns = rule.level is Level.WARN or only_warns
    return RuleResult(
        code=rule.code,
        title=rule.title,
        clause=rule.clause,
        level="warning" if warns else "error",
        checked=rule.looked_at,
        findings=tuple(_finding(finding) for finding in open_ones),
        waivers=tuple(_waiver(finding, snapshot, project) for finding in waived),
        remark=rule.remark,
    )


def _finding(finding: Found) -> Finding:
    uid = finding.record.uid
    return Finding(record=uid, what=finding.sentence.removeprefix(f"{uid} "), mend=finding.mend)


def _waiver(finding: Found, snapshot: Snapshot, project: str) -> Waiver:
    record = snapshot.get(finding.waiver, project)
    # A concession that lets something through is in force, so it was approved.
    if record is None:
        raise LookupError(f"The concession {finding.waiver} is not in the record.")
    approved = record.signatures[-1]
    return Waiver(
        uid=record.uid,
        record=finding.record.uid,
        reason=str(record.fields.get("reason") or ""),
        signed_by=approved.signer,
        signed_at=approved.at,
        expires=str(record.fields.get("expires") or ""),
    )
