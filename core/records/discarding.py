"""Discard a proposed revision: what is in force stays, and the draft stays readable as dropped."""

from sqlmodel import Session

from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import FOUNDER, Actor
from core.records import lifecycle
from core.records.models import Project, Record, Revision
from core.records.service import (
    lock_record,
    project_of,
    record_event,
    refuse_unread,
    refuse_withdrawn,
)
from core.records.type_shape import RecordType
from core.records.types import get_registry


def discarders(record_type: RecordType) -> tuple[str, ...]:
    """Return the roles that may discard what somebody else proposed."""
    return tuple(dict.fromkeys((*record_type.deciders, FOUNDER)))


def may_discard(
    project: Project, record: Record, record_type: RecordType, latest: Revision, by: Actor
) -> bool:
    """Whether a person may discard the draft above the revision in force, if there is one."""
    if record.effective_id is None or latest.state != lifecycle.DRAFT:
        return False
    project_id = project.id or 0
    wrote = by.uid in latest.authors and by.has(project_id, *record_type.authors)
    return wrote or by.has(project_id, *discarders(record_type))


def discard(session: Session, record: Record, by: Actor, reason: str, expected: str) -> Revision:
    """Discard the draft above the revision in force.

    The draft keeps its number, its words and, in the audit trail, the reason; the record leads to
    what is in force again, and the next change takes the next number.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Returns
    -------
    Revision
        The one that was discarded.

    Raises
    ------
    Conflict
        If nothing is proposed above what is in force, or it is in review, or it is not what was
        read.
    Refused
        For anybody but its authors and whoever decides on such records.
    Invalid
        Without a reason.
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    latest = session.get_one(Revision, record.latest_id, populate_existing=True)
    refuse_withdrawn(record)
    _refuse_nothing_proposed(record, latest)
    if not may_discard(project, record, record_type, latest, by):
        who = " or ".join(role.replace("_", " ") for role in discarders(record_type))
        raise Refused(
            f"{by.name} may not discard revision {latest.number} of {record.uid}: "
            f"{latest.author_name} proposed it; that needs its author or the role {who}."
        )
    refuse_unread(record, latest, expected)
    if not reason.strip():
        raise Invalid(
            f"Revision {latest.number} of {record.uid} was not discarded.",
            [Fault("reason", record.uid, "The reason is empty.", "Say why, for later readers.")],
        )
    latest.state = lifecycle.DISCARDED
    session.flush()
    record.latest_id = record.effective_id
    record_event(session, "discard", record, latest, project, by, {"reason": reason.strip()})
    return latest


def _refuse_nothing_proposed(record: Record, latest: Revision) -> None:
    if record.effective_id is None:
        raise Conflict(
            f"{record.uid} never was in force; what was begun is withdrawn as a whole, with the "
            "reason."
        )
    if latest.state == lifecycle.IN_REVIEW:
        raise Conflict(
            f"{record.uid} revision {latest.number} is in review; send it back to its author first."
        )
    if latest.state != lifecycle.DRAFT:
        raise Conflict(f"Nothing is proposed above {record.uid} revision {latest.number}.")
