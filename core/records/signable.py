"""What signatures are gathered on: a revision in review, or an event that asks for them."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Invalid, Refused
from core.people.actor import Actor
from core.records import lifecycle
from core.records.checking import missing_content
from core.records.models import Link, Record, Revision
from core.records.service import project_of
from core.records.type_shape import RecordType
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
    return _linked_person(session, revision, record_type.about) if record_type.about else ""


def named_signers(
    session: Session, record_type: RecordType, revision: Revision
) -> Mapping[str, str]:
    """Return, by the signature that one person is named for, that person: a review's chair."""
    return {
        meaning: _linked_person(session, revision, role)
        for meaning, role in record_type.sign_by.items()
    }


def _linked_person(session: Session, revision: Revision, role: str) -> str:
    query = (
        select(col(Record.uid))
        .join(Link, col(Link.target_id) == col(Record.id))
        .where(col(Link.revision_id) == revision.id, col(Link.role) == role)
    )
    return session.execute(query).scalars().first() or ""


def refuse_anyone_else(record: Record, about: str, by: Actor) -> None:
    """Refuse to attend a training for somebody else; raises Refused."""
    if by.uid != about:
        raise Refused(
            f"Only {about or 'the person'} whom {record.uid} is about signs it as attended, not "
            f"{by.name}."
        )


def refuse_unnamed(
    session: Session,
    record: Record,
    record_type: RecordType,
    revision: Revision,
    meaning: str,
    by: Actor,
) -> None:
    """Refuse whoever is not the person that the record names for a signature; raises Refused."""
    named = named_signers(session, record_type, revision)
    if meaning in named and by.uid != named[meaning]:
        link = record_type.links[record_type.sign_by[meaning]]  # type: ignore[index]
        raise Refused(
            f"{record.uid} is {link.label} {named[meaning] or 'nobody yet'}, who alone signs it as "
            f"{meaning}, not {by.name}."
        )
