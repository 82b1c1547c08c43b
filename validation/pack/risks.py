"""The risk file as a pack prints it: before and after controls that a passing test shows. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from core.errors import Fault, Invalid
from core.qa_controls import QaControl, QaControls
from core.records.snapshot import Key, RecordView, Snapshot
from core.verdicts import Verdict
from qms.risks import evaluation
from qms.risks.evaluation import Level
from qms.risks.logged import HAZARD_LOG, ISSUED_FOR, NAMING, owners_in
from qms.risks.policies import policy_in_force
from qms.risks.residual import Assessment, Control, Position, assess
from qms.risks.service import RISK
from validation.pack.contents import LogIssue, RiskControl, RiskEstimate, RiskPolicy, RiskRow


def risk_policy(snapshot: Snapshot, project: str) -> RiskPolicy:
    """Return the policy of a project.

    A policy's own rows are likelihoods; the pack's are severities, so the table is turned.
    """
    policy, _ = policy_in_force(snapshot, project)
    highest = max(number for row in policy.cells for number in row)
    return RiskPolicy(
        name=_name(policy),
        severities=policy.severity,
        probabilities=policy.likelihood,
        levels=tuple(
            tuple(str(row[severity]) for row in policy.cells)
            for severity in range(len(policy.severity))
        ),
        order=tuple(str(number) for number in range(1, highest + 1)),
    )


def _name(policy: evaluation.RiskPolicy) -> str:
    return (
        f"{policy.identifier} {policy.title} (acceptable up to level {policy.acceptable_up_to}, "
        f"tolerable with a benefit-risk analysis up to {policy.tolerable_up_to})"
    )


def risk_rows(
    snapshot: Snapshot,
    project: str,
    verdicts: Mapping[Key, Verdict],
    qa: QaControls = MappingProxyType({}),
) -> tuple[RiskRow, ...]:
    """Return every risk of a project with its controls.

    Parameters
    ----------
    qa : mapping of Key to QaControls
        How the QA that watches the controls stood when the release was signed.

    Raises
    ------
    Invalid
        With every risk that has no place on the policy's scales.
    """
    policy, _ = policy_in_force(snapshot, project)
    risks = [one for one in snapshot.of_type(RISK, project) if not one.withdrawn]
    assessed = [assess(snapshot, risk, policy, verdicts, qa) for risk in risks]
    faults = [
        Fault("pack.risk", one.risk.uid, " ".join(one.problems), "Correct the risk.")
        for one in assessed
        if one.position_before is None
    ]
    if faults:
        raise Invalid("The pack was not built: some risks have no place in the matrix.", faults)
    return tuple(_row(snapshot, one) for one in assessed)


def log_issues(snapshot: Snapshot, project: str, release: Key) -> tuple[LogIssue, ...]:
    """Return the issues of the hazard log in force that were issued for a release."""
    issues = [
        one
        for one in snapshot.of_type(HAZARD_LOG, project)
        if one.in_force
        and any(link.target == release for link in snapshot.outgoing(one.key, ISSUED_FOR))
    ]
    return tuple(_issue(snapshot, one) for one in issues)


def _issue(snapshot: Snapshot, issue: RecordView) -> LogIssue:
    fields = issue.fields
    links = [link for role in NAMING.values() for link in snapshot.incoming(issue.key, role)]
    named = [snapshot.records[link.source] for link in links if link.source in snapshot.records]
    return LogIssue(
        uid=issue.uid,
        title=issue.title,
        revision=issue.revision,
        taken_at=str(fields.get("taken_at") or ""),
        hazards=len(fields.get("hazards") or ()),
        root=str(fields.get("root") or ""),
        signed=tuple(f"{one.signer}, {one.capacity}: {one.meaning}" for one in issue.signatures),
        named_by=tuple(f"{one.uid} {one.title}" for one in named if not one.withdrawn),
    )


def _row(snapshot: Snapshot, one: Assessment) -> RiskRow:
    fields = one.risk.fields
    after_position = one.position_after or one.position_before
    after_level = one.after if one.position_after else one.before
    return RiskRow(
        uid=one.risk.uid,
        title=one.risk.title,
        hazard=str(fields.get("hazard") or ""),
        sequence=", ".join(map(str, fields.get("sequence") or ())),
        situation=str(fields.get("situation") or ""),
        harm=str(fields.get("harm") or ""),
        before=_estimate(one.position_before, one.before),
        controls=(
            *(_control(control) for control in one.controls),
            *(_in_use(control) for control in one.not_effective),
        ),
        after=_estimate(after_position, after_level),
        benefit_risk=str(fields.get("benefit_risk") or ""),
        owner=", ".join(owner.title for owner in owners_in(snapshot, one.risk.key)),
    )


def _estimate(position: Position | None, level: Level | None) -> RiskEstimate:
    if position is None or level is None:
        raise ValueError("A risk without a place in the matrix cannot be printed.")
    return RiskEstimate(
        severity=position.severity, probability=position.likelihood, level=str(level.number)
    )


def _control(control: Control) -> RiskControl:
    passed = [test.uid for test, verdict in control.tests if verdict.passed]
    return RiskControl(
        uid=control.requirement.uid,
        title=control.requirement.title,
        kind=control.kind or "kind not stated",
        verified=control.verified,
        how=f"by {', '.join(passed)}" if control.verified else control.missing,
    )


def _in_use(control: QaControl) -> RiskControl:
    """Tell of QA that had stopped working when the release was signed: why no level is lowered."""
    return RiskControl(
        uid=control.procedure.uid,
        title=f"QA in use, of {control.procedure.project}",
        kind="QA",
        verified=False,
        how=f"{control.word}, {control.why}",
    )
