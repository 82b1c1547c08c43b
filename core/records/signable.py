"""What signatures are gathered on: a revision in review, or an event that asks for them."""

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Invalid
from core.records import lifecycle
from core.records.checking import missing_content
from core.records.models import Link, Record, Revision
from core.records.service import project_of
from core.records.types import RecordType
from core.records.writing import content_of, feature_faults


def is_signable(record_type: RecordType, revision: Revision) -> bool:
    """Whether signatures are gathered on a revision: in review, or an event that asks for them."""
    if record_type.lifecycle == "event":
        return revision.state == lifecycle.RECORDED and all(
            revision.fields.get(name) == value for name, value in record_type.sign_when.items()
        )
    return revision.state == lifecycle.IN_REVIEW


def why_unsignable(record: Record, record_type: RecordType, revision: Revision) -> str:
    """Return, in a sentence, why a record is not signed as it stands."""
    if record_type.lifecycle == "event" and record_type.sign_when:
        needed = ", ".join(
            f"{record_type.fields[name].label.lower()} '{value}'"
            for name, value in record_type.sign_when.items()
        )
        return (
            f"{record.uid} is signed only with {needed}; what was recorded is not changed, so "
            "record that as an event of its own."
        )
    return (
        f"{record.uid} revision {revision.number} is {revision.state.replace('_', ' ')}; only "
        "a revision in review can be signed."
    )


def refuse_unfit_event(
    session: Session, record: Record, revision: Revision, record_type: RecordType
) -> None:
    """Refuse a signature on an event that would not be recorded like this: it came by import.

    Raises
    ------
    Invalid
        With everything that is wrong with it.
    """
    if record_type.lifecycle != "event":
        return
    project = project_of(session, record)
    content = content_of(session, revision, project)
    faults = missing_content(record_type, content, record.uid)
    faults += feature_faults(session, record_type, project, record.uid, content)
    if faults:
        raise Invalid(f"{record.uid} cannot be signed as it stands.", faults)


def about_of(session: Session, record_type: RecordType, revision: Revision) -> str:
    """Return the uid of the person whom a record is about; empty where the type names none."""
    if record_type.about is None:
        return ""
    query = (
        select(col(Record.uid))
        .join(Link, col(Link.target_id) == col(Record.id))
        .where(col(Link.revision_id) == revision.id, col(Link.role) == record_type.about)
    )
    return session.execute(query).scalars().first() or ""
