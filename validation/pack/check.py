"""The release check as a pack prints it. Pure."""

from core.records.snapshot import Snapshot
from qms.rules.facts import RuleInput
from qms.rules.findings import AskedQuestion, Beside, CheckResult, Level
from qms.rules.findings import Finding as Found
from qms.rules.findings import RuleResult as Ruled
from validation.pack.contents import (
    Finding,
    OpenQuestion,
    PersonsAnswer,
    ReleaseCheck,
    RuleResult,
    Waiver,
)
from validation.pack.frozen import FinalSignature


def release_check(result: CheckResult, given: RuleInput, signed: FinalSignature) -> ReleaseCheck:
    """Return every rule that applies to the project, with what it found and what lets it pass."""
    return ReleaseCheck(
        name=f"Release check of {result.release}",
        checked_at=signed.at,
        rules=tuple(
            _rule(rule, given.snapshot, result.project) for rule in result.rules if not rule.reason
        ),
        questions=tuple(_question(one) for one in result.questions),
    )


def _question(one: AskedQuestion) -> OpenQuestion:
    return OpenQuestion(
        code=one.question.code,
        asks=one.question.asks,
        clause="; ".join(one.question.clauses),
        beside=tuple(_beside(each) for each in one.beside),
        more=one.more,
        answers=tuple(
            PersonsAnswer(uid=each.record.uid, answer=each.answer, by=each.by, on=each.on)
            for each in one.considered
        ),
    )


def _beside(each: Beside) -> str:
    """Return what there was to look at; a sentence that begins with its record says it once."""
    uids = ", ".join(key.uid for key in each.records)
    named = not each.records or each.records[0].uid in each.told
    return each.told if named else f"{uids}: {each.told}"


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
