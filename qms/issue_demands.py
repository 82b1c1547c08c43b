"""What quality work asks of an issue beside its type: due days by risk, and actions that were done.

Asked when an issue is opened, saved or moved, so that no rule has to find it afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Fault
from core.records.content import Content
from core.records.models import Link, Project, Record, Revision
from core.records.type_shape import RecordType
from qms.due_days import as_day, latest_capa_day
from qms.rules.packs import framework_pack

FOLLOWING = ("action", "capa", "change")
"""Types of what arises from an issue, or from a meeting, and is done about it."""

ARISES = "arises_from"


@dataclass(frozen=True)
class Following:
    """Something that is done about an issue."""

    uid: str
    type: str
    state: str
    fields: Mapping[str, Any]


def issue_demands(
    session: Session,
    _: Project,
    record_type: RecordType,
    record: Record | None,
    content: Content,
    to: str,
) -> Sequence[Fault]:
    """Return what keeps an issue from a state, as `core.records.demands` asks."""
    faults: list[Fault] = []
    if record_type.name == "capa" and to not in ("closed", "deferred"):
        faults += _late(session, record, content)
    if record is None or to != "closed":
        return faults
    if record_type.name == "capa":
        faults += _capa_undone(session, record, content)
    if record_type.name == "audit_finding" and not following(session, record):
        what = "leads to no action."
        faults.append(
            Fault("no-action", record.uid, what, "Write an action or a CAPA that arises from it.")
        )
    return faults


def notes(record_type: RecordType) -> Mapping[str, str]:
    """Return what a form says beside a field, of the limits that are asked."""
    limits: Mapping[str, Any] = framework_pack().limits
    if record_type.name == "capa":
        days = ", ".join(f"{risk} {days}" for risk, days in limits["capa_due_days"].items())
        return {"due": f"At most so many days after it is opened, by its risk: {days}."}
    if record_type.name == "waiver":
        return {"expires": f"At most {limits['concession_days']} days from now."}
    if record_type.name == "complaint":
        days = ", ".join(f"{what} {days}" for what, days in limits["reportability_days"].items())
        said = f"Sets how many days there are to tell an authority after it was received: {days}."
        return {"patient_effect": said}
    return {}


def following(session: Session, record: Record) -> list[Following]:
    """Return what arises from a record and was neither rejected nor withdrawn."""
    chosen = func.coalesce(col(Record.effective_id), col(Record.latest_id))
    rows = session.execute(
        select(col(Record.uid), col(Record.type), col(Revision.state), col(Revision.fields))
        .join(Revision, col(Revision.id) == chosen)
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .where(
            col(Link.target_id) == record.id,
            col(Link.role) == ARISES,
            col(Record.type).in_(FOLLOWING),
            col(Record.withdrawn_at).is_(None),
            col(Revision.state) != "rejected",
        )
        .order_by(col(Record.id))
    )
    return [Following(uid, kind, state, fields or {}) for uid, kind, state, fields in rows]


def days_opened(session: Session, project: Project) -> dict[str, date]:
    """Return the day on which each CAPA of a project was opened, by its uid."""
    rows = session.execute(
        select(col(Record.uid), func.min(col(Revision.created_at)))
        .join(Revision, col(Revision.record_id) == col(Record.id))
        .where(col(Record.project_id) == project.id, col(Record.type) == "capa")
        .group_by(col(Record.uid))
    )
    return {row[0]: row[1].date() for row in rows}


def opened_on(session: Session, record: Record | None) -> date:
    """Return the day on which an issue was opened; today for one that is being opened."""
    if record is None:
        return now().date()
    first = session.execute(
        select(func.min(col(Revision.created_at))).where(col(Revision.record_id) == record.id)
    ).scalar_one()
    return first.date() if first is not None else now().date()


def _late(session: Session, record: Record | None, content: Content) -> list[Fault]:
    due, opened = as_day(content.fields.get("due")), opened_on(session, record)
    risk = content.fields.get("risk")
    latest = latest_capa_day(framework_pack().limits, risk, opened)
    if due is None or latest is None or due <= latest:
        return []
    where = record.uid if record is not None else "Due"
    what = f"is due on {due}; with risk {risk} and opened on {opened}, it is due by {latest}."
    return [Fault("due", where, what, "Set an earlier day, or a risk that allows this one.")]


def _capa_undone(session: Session, record: Record, content: Content) -> list[Fault]:
    done_about = following(session, record)
    carried = [link.target for link in content.links if link.role == "changes"]
    if not done_about and not carried:
        what = "has no action."
        return [Fault("no-action", record.uid, what, "Link what was done: actions or changes.")]
    faults = [
        Fault("open-action", record.uid, f"waits for {one.uid}, which is {one.state}.", "Close it.")
        for one in done_about
        if one.state not in ("closed", "deferred")
    ]
    checked = as_day(content.fields.get("effectiveness_checked_on"))
    late = [
        f"{one.uid} ({day})"
        for one in done_about
        if checked and (day := as_day(one.fields.get("done_on"))) is not None and day > checked
    ]
    if late:
        what = f"was checked on {checked}, before it was done: {', '.join(late)}."
        faults.append(Fault("early-check", record.uid, what, "Check it again, and write the day."))
    if checked is not None and checked > now().date():
        what = f"is said to be checked on {checked}, which is still to come."
        faults.append(Fault("early-check", record.uid, what, "Write the day of the check."))
    return faults
