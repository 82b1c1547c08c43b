"""What an issue of the hazard log holds: every hazard as it stands, in words that stay. Pure.

The same rows are frozen into an issue, printed from it, and held against what stands later.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.canonical import digest
from core.records.snapshot import Key, RecordView, Snapshot
from qms.risks.evaluation import Level, RiskPolicy
from qms.risks.residual import Assessment, Control, Position

HAZARD_LOG = "hazard_log"
ISSUED_FOR = "issued_for"
NAMING: Mapping[str, str] = {"safety_case": "accompanied_by", "residual_risk_review": "reviews"}
"""What rests on an issue of the log, by type, and the link that names the issue."""

NO_LEVEL = "not evaluated"

Row = Mapping[str, Any]


def rows_of(
    assessments: Iterable[Assessment],
    policy: RiskPolicy,
    owners: Mapping[Key, Sequence[RecordView]],
) -> list[Row]:
    """Return one row for each risk, in the columns of the record type."""
    return [_row(one, policy, owners.get(one.risk.key, ())) for one in assessments]


def root_of(rows: Sequence[Row]) -> str:
    """Return the digest that an issue states of its rows."""
    return digest(list(rows))


def owners_in(snapshot: Snapshot, risk: Key) -> tuple[RecordView, ...]:
    """Return the people a risk is owned by."""
    links = snapshot.outgoing(risk, "owned_by")
    found = (snapshot.records.get(link.target) for link in links)
    return tuple(person for person in found if person is not None)


def policy_sentence(policy: RiskPolicy, record: RecordView | None) -> str:
    """Return which policy the levels are looked up in, and how far it tolerates them."""
    stated = f" ({record.key.uid} revision {record.revision})" if record else ""
    return (
        f"{policy.title}{stated}: acceptable up to {policy.acceptable_up_to}, with a benefit-risk "
        f"analysis up to {policy.tolerable_up_to}."
    )


def departures(
    rows: Sequence[Row], now: Iterable[Assessment], live: Collection[str]
) -> Iterator[str]:
    """Yield what an issue of the log no longer tells as it stands, as clauses.

    A level that the issue states too high is no departure: tests that passed since then only
    confirm its controls.

    Parameters
    ----------
    now : iterable of Assessment
        The risks in force.
    live : collection of str
        Uids of every risk that is not withdrawn: a draft may stand in the issue too.
    """
    stated = {str(row.get("risk")): row for row in rows}
    for one in now:
        uid, row = one.risk.key.uid, stated.pop(one.risk.key.uid, None)
        if row is None:
            yield f"does not hold {uid}"
        elif row.get("revision") != one.risk.revision:
            told = f"revision {row.get('revision')}, in force is {one.risk.revision}"
            yield f"holds {uid} as of {told}"
        elif one.after is not None and int(row.get("level") or 0) < one.after.number:
            told = f"{row.get('level', NO_LEVEL)}, it is at {one.after.number} now"
            yield f"states {uid} at level {told}"
    yield from (f"still holds {uid}, which is withdrawn" for uid in stated if uid not in live)


def _row(one: Assessment, policy: RiskPolicy, owners: Sequence[RecordView]) -> Row:
    fields = one.risk.fields
    row: dict[str, Any] = {
        "risk": one.risk.key.uid,
        "revision": one.risk.revision,
        "hazard": "\n".join(_story(one.risk)),
        "before": _place(one.position_before, one.before, policy),
        "controls": [_control(control) for control in one.controls],
        "after": "\n".join([_place(one.position_after, one.after, policy), *_told(one)]),
        "level": one.after.number if one.after else None,
        "benefit_risk": fields.get("benefit_risk"),
        "owner": ", ".join(person.title for person in owners),
    }
    return {name: value for name, value in row.items() if value not in (None, "", [])}


def _story(risk: RecordView) -> Iterator[str]:
    state = "" if risk.state == "approved" else f" ({risk.state.replace('_', ' ')})"
    yield f"{risk.title}{state}"
    fields = risk.fields
    sequence = [str(event) for event in fields.get("sequence") or ()]
    for label, said in (
        ("Hazard", fields.get("hazard")),
        ("Sequence of events", "; ".join(sequence)),
        ("Situation", fields.get("situation")),
        ("Harm", fields.get("harm")),
    ):
        if said:
            yield f"{label}: {said}"


def _place(position: Position | None, level: Level | None, policy: RiskPolicy) -> str:
    if position is None or level is None:
        return NO_LEVEL
    severity = policy.severity[position.severity - 1]
    likelihood = policy.likelihood[position.likelihood - 1]
    return f"{severity} x {likelihood}: level {level}"


def _control(control: Control) -> str:
    kind = control.kind or "kind not given"
    standing = "verified" if control.verified else f"not verified: {control.missing}"
    requirement = control.requirement
    return f"{requirement.key.uid} {requirement.title} ({kind}), {standing}"


def _told(one: Assessment) -> Iterator[str]:
    if one.claimed is not None and one.after is not None and one.claimed < one.after:
        yield f"Level {one.claimed.number} is expected once its controls are verified."
    if not one.controls:
        yield "No requirement controls this risk."
    yield from one.problems
    for control in one.not_effective:
        # Without the reason: it moves with every reading, and what is frozen is to stay.
        yield f"{control.procedure.uid} of {control.procedure.project}: {control.word}."
    for test, verdict in one.effectiveness:
        yield f"Effect shown by {test.key.uid}: {verdict.word}"
