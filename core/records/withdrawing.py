"""Withdraw a record: it stays readable with the reason, and is in force no longer."""

from sqlmodel import Session

from core.clock import now
from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import Actor
from core.people.service import Reauthentication
from core.records.models import Project, Record, Revision
from core.records.service import (
    lock_record,
    project_of,
    record_event,
    refuse_unread,
)
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_author


def withdraw(
    session: Session,
    record: Record,
    by: Actor,
    reason: str,
    expected: str,
    proof: Reauthentication | None = None,
) -> Record:
    """Withdraw a record.

    What never was in force is withdrawn by whoever may write it. What is in force was approved by
    somebody else than its author, so it is withdrawn by such a person too, with their password.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.
    proof : Reauthentication, optional
        The password given just now; needed for what is in force.

    Raises
    ------
    Conflict, Invalid, Refused
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    latest = session.get_one(Revision, record.latest_id, populate_existing=True)
    if record.withdrawn_at is not None:
        raise Conflict(f"{record.uid} is withdrawn already.")
    refuse_unread(record, latest, expected)
    more = {"reason": reason.strip()}
    if record.effective_id is None:
        require_author(record_type, project, by)
    else:
        effective = session.get_one(Revision, record.effective_id)
        more["role"] = _role_of(record, effective, project, record_type, by)
        lent = by.deputy_for(project.id or 0, more["role"])
        more |= {"deputy_for": lent.uid} if lent else {}
        _refuse_without_password(record, by, proof)
    if not reason.strip():
        raise Invalid(
            f"{record.uid} was not withdrawn.",
            [Fault("reason", record.uid, "The reason is empty.", "Say why, for later readers.")],
        )
    record.withdrawn_at, record.withdrawn_reason = now(), reason.strip()
    record_event(session, "withdraw", record, latest, project, by, more)
    return record


def _role_of(
    record: Record, effective: Revision, project: Project, record_type: RecordType, by: Actor
) -> str:
    held = by.held_of(project.id or 0, record_type.deciders)
    if not held:
        who = " or ".join(role.replace("_", " ") for role in record_type.deciders)
        raise Refused(
            f"{by.name} may not withdraw {record.uid}, which is in force; that needs the role "
            f"{who}."
        )
    if record_type.deciding and by.uid in effective.authors:
        raise Refused(
            f"{by.name} wrote revision {effective.number} of {record.uid}, which is in force, and "
            "may not withdraw it alone; ask someone else."
        )
    lent = by.deputy_for(project.id or 0, held[0])
    if record_type.deciding and lent is not None and lent.uid in effective.authors:
        raise Refused(
            f"{by.name} holds the role {held[0].replace('_', ' ')} for {lent.name}, who wrote "
            f"revision {effective.number} of {record.uid} and could not withdraw it either; ask "
            "someone else."
        )
    return held[0]


def _refuse_without_password(record: Record, by: Actor, proof: Reauthentication | None) -> None:
    if proof is None:
        raise Refused(f"{record.uid} is in force; withdrawing it needs your password.")
    if proof.person_id != by.person_id:
        raise Refused("The password given was another person's; nothing was withdrawn.")
