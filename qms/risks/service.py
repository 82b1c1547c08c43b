"""Read the risk file of a project: the policy in force and every risk assessed under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core import ports
from core.exports import Sheet
from core.qa_controls import QaControls
from core.records.queries import load_snapshot
from core.records.snapshot import Key, RecordView, Snapshot
from core.verdicts import Verdict
from qms.releases.scope import ReleaseScope, choose_release, releases_of
from qms.risks.evaluation import Level, RiskPolicy
from qms.risks.logged import owners_in
from qms.risks.policies import policy_in_force
from qms.risks.residual import Assessment, assess

RISK = "risk"
EXPORT_HEADINGS = (
    "Risk", "Title", "State", "Hazard", "Sequence of events", "Situation", "Harm",
    "Severity before", "Likelihood before", "Level before", "Controls", "Verified controls",
    "Severity after", "Likelihood after", "Level after", "Level once verified", "Why not lower",
    "Benefit-risk", "Effectiveness", "QA procedures", "Owner",
)  # fmt: skip


@dataclass(frozen=True)
class RiskFile:
    """Every risk of a project, assessed under one policy against one release.

    Attributes
    ----------
    policy_record : RecordView or None
        The record the policy comes from; None when it is a matrix that ships with the product.
    owners : mapping of Key to RecordViews
        Who owns each risk.
    release : ReleaseScope or None
        Whose tests count; None for the latest runs.
    snapshot, verdicts : Snapshot, mapping of Key to Verdict
        What all of it was read from.
    """

    project: str
    policy: RiskPolicy
    policy_record: RecordView | None
    assessments: tuple[Assessment, ...]
    owners: Mapping[Key, tuple[RecordView, ...]]
    releases: tuple[ReleaseScope, ...]
    release: ReleaseScope | None
    snapshot: Snapshot
    verdicts: Mapping[Key, Verdict]


def risk_file(session: Session, project: str, release: str | None = None) -> RiskFile:
    """Return the risk file of a project.

    Parameters
    ----------
    release : str, optional
        Uid or version of the release whose tests verify the controls; the latest run of each
        test otherwise.

    Raises
    ------
    NotFound
        If there is no such release.
    Invalid
        If the policy in force is faulty.
    """
    snapshot = load_snapshot(session, [project])
    releases = releases_of(snapshot, project)
    chosen = choose_release(releases, release)
    verdicts = verdicts_by_key(session, project, chosen.uid if chosen else None)
    policy, policy_record = policy_in_force(snapshot, project)
    qa = ports.qa_controls(session, project)
    risks = [one for one in snapshot.of_type(RISK, project) if not one.withdrawn]
    return RiskFile(
        project=project,
        policy=policy,
        policy_record=policy_record,
        assessments=tuple(assess(snapshot, risk, policy, verdicts, qa) for risk in risks),
        owners={risk.key: owners_in(snapshot, risk.key) for risk in risks},
        releases=releases,
        release=chosen,
        snapshot=snapshot,
        verdicts=verdicts,
    )


def verdicts_by_key(session: Session, project: str, release: str | None) -> Mapping[Key, Verdict]:
    """Return the latest verdict of each test of a project."""
    found = ports.verdicts(session, project, release)
    return {Key(project, uid): verdict for uid, verdict in found.items()}


def assessments_around(
    snapshot: Snapshot,
    record: RecordView,
    policy: RiskPolicy,
    verdicts: Mapping[Key, Verdict],
    qa: QaControls,
) -> tuple[Assessment, ...]:
    """Return the assessment of a risk itself, or of the risks that a requirement controls."""
    if record.type == RISK:
        return (assess(snapshot, record, policy, verdicts, qa),)
    controlled = (
        snapshot.records.get(link.target) for link in snapshot.outgoing(record.key, "mitigates")
    )
    return tuple(
        assess(snapshot, risk, policy, verdicts, qa)
        for risk in controlled
        if risk is not None and risk.type == RISK and not risk.withdrawn
    )


def sheet(file: RiskFile, shown: Sequence[Assessment], shown_as: str) -> Sheet:
    """Return the table of the risk page, row by row as it is shown."""
    about = {
        "Project": file.project,
        "Policy": file.policy.title,
        "Release": file.release.label if file.release else "none: latest runs",
        "Shown": shown_as,
    }
    return Sheet(
        title=f"Risk file {file.project}",
        headings=EXPORT_HEADINGS,
        rows=[_export_row(file, one) for one in shown],
        about=about,
    )


def _export_row(file: RiskFile, one: Assessment) -> tuple[str | int | None, ...]:
    fields = one.risk.fields
    before, after = one.position_before, one.position_after
    return (
        one.risk.key.uid,
        one.risk.title,
        one.risk.state,
        _text(fields.get("hazard")),
        "\n".join(map(str, fields.get("sequence") or ())),
        _text(fields.get("situation")),
        _text(fields.get("harm")),
        before.severity if before else None,
        before.likelihood if before else None,
        _number(one.before),
        "\n".join(f"{c.requirement.key.uid} {c.kind}".strip() for c in one.controls),
        "\n".join(c.requirement.key.uid for c in one.controls if c.verified),
        after.severity if after else None,
        after.likelihood if after else None,
        _number(one.after),
        _number(one.claimed),
        "\n".join((*one.problems, *one.reasons)),
        _text(fields.get("benefit_risk")),
        "\n".join(f"{test.key.uid} {verdict.word}" for test, verdict in one.effectiveness),
        "\n".join(control.sentence for control in one.watched_by),
        ", ".join(owner.title for owner in file.owners[one.risk.key]),
    )


def _number(level: Level | None) -> int | None:
    return level.number if level else None


def _text(value: object) -> str:
    return "" if value is None else str(value)
