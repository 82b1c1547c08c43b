"""The signatures that an issue needs before work begins, or its end, and whether they still hold.

They are given to what was proposed: title, text, and what the type asks for by then. Where that
changes afterwards, they are asked for again; what is told of the work itself is not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import digest
from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.checking import missing_content
from core.records.content import Content
from core.records.models import Link, Project, Record, Revision
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writing import content_of
from core.signing.models import Signature

ACCEPTABLE = ("assessed", "in_work", "verifying")
"""States in which it can be accepted; after the first, only because it has changed since."""

NEEDED_FOR: Mapping[str, tuple[str, ...]] = {
    "work": ("in_work", "verifying", "closed"),
    "close": ("closed",),
}
"""States that nothing comes into without having been accepted, by when its type asks for that."""


def is_acceptable(record_type: RecordType, latest: Revision) -> bool:
    """Whether signatures of acceptance are given to an issue as it stands."""
    return bool(record_type.accepting) and latest.state in ACCEPTABLE


def due_or_refuse(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> tuple[str, ...] | None:
    """Return what `due` does; refuse what does not say yet all that is to be accepted.

    Raises
    ------
    Invalid
    """
    if is_acceptable(record_type, latest):
        content = content_of(session, latest, project)
        faults = missing_content(record_type, content, record.uid, record_type.accept_before)
        if faults:
            raise Invalid(f"{record.uid} cannot be accepted yet.", faults)
    return due(session, project, record, record_type, latest)


def lacking(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> tuple[str, ...]:
    """Return the signatures of acceptance that an issue still needs, in their order."""
    needed = _needed(session, record_type, latest)
    if not needed:
        return ()
    held = _held(session, project, record, record_type, latest)
    return tuple(meaning for meaning in needed if meaning not in held)


def due(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> tuple[str, ...] | None:
    """Return the signature of acceptance that can be given now: the first, once all is said.

    None where a record is not accepted, but signed in review or not at all.
    """
    if not is_acceptable(record_type, latest):
        return None
    if missing_content(
        record_type, content_of(session, latest, project), record.uid, record_type.accept_before
    ):
        return ()
    return lacking(session, project, record, record_type, latest)[:1]


def acceptance_faults(
    session: Session,
    project: Project,
    record: Record,
    record_type: RecordType,
    latest: Revision,
    to: str,
) -> list[Fault]:
    """Return what keeps an issue from work, verification or its end: that it is not accepted."""
    if to not in NEEDED_FOR[record_type.accept_before]:
        return []
    return [
        Fault(
            "not-accepted",
            record.uid,
            f"is not {meaning} by the {in_words(record_type, meaning)}.",
            "Have it signed on its page: whoever wrote it cannot.",
        )
        for meaning in lacking(session, project, record, record_type, latest)
    ]


def in_words(record_type: RecordType, meaning: str) -> str:
    """Return the roles that give a signature, as a phrase."""
    roles = record_type.sign[meaning]  # type: ignore[index]
    return " or ".join(role.replace("_", " ") for role in roles)


def unaccepted(session: Session, project: Project) -> Mapping[str, tuple[str, ...]]:
    """Return, by the uid of every issue that must be accepted, the signatures that it lacks."""
    types = {one.name: one for one in get_registry().all() if one.accepting}
    rows = session.execute(
        select(Record, Revision)
        .join(Revision, col(Revision.id) == col(Record.latest_id))
        .where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(list(types)),
            col(Record.withdrawn_at).is_(None),
        )
    ).all()
    return {
        record.uid: lacking(session, project, record, types[record.type], latest)
        for record, latest in rows
    }


def _needed(session: Session, record_type: RecordType, latest: Revision) -> tuple[str, ...]:
    conditions = record_type.sign_where
    if not set(record_type.accepting) & set(conditions):
        return record_type.accepting
    led: dict[str, set[str]] = defaultdict(set)
    links = session.execute(
        select(col(Link.role), col(Record.type))
        .join(Record, col(Record.id) == col(Link.target_id))
        .where(col(Link.revision_id) == latest.id)
    )
    for role, kind in links:
        led[role].add(kind)
    return tuple(
        meaning for meaning in record_type.accepting if _applies(conditions.get(meaning, {}), led)
    )


def _applies(where: Mapping[str, Iterable[str]], led: Mapping[str, set[str]]) -> bool:
    return not where or any(led.get(role, set()) & set(kinds) for role, kinds in where.items())


def _held(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> frozenset[str]:
    given = acceptances(session, project, record, record_type, latest)
    return frozenset(signature.meaning for _, signature in given)


def acceptances(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> list[tuple[int, Signature]]:
    """Return the signatures of acceptance that still hold, each with the revision it is on."""
    if not record_type.accepting:
        return []
    rows = session.execute(
        select(Revision, Signature)
        .join(Signature, col(Signature.revision_id) == col(Revision.id))
        .where(
            col(Revision.record_id) == record.id,
            col(Signature.meaning).in_(record_type.accepting),
            col(Signature.envelope_digest) == col(Revision.envelope_digest),
        )
        .order_by(col(Signature.id))
    ).all()
    if not rows:
        return []
    proposed = _proposal(record_type, content_of(session, latest, project))
    return [
        (revision.number, signature)
        for revision, signature in rows
        if revision.id == latest.id
        or _proposal(record_type, content_of(session, revision, project)) == proposed
    ]


def _proposal(record_type: RecordType, content: Content) -> str:
    """Return a digest of what is accepted: all that the type asks for by then."""
    asked = lifecycle.ASKED[record_type.accept_before]
    roles = {role for role, spec in record_type.links.items() if spec.required in asked}
    return digest(
        {
            "title": content.title,
            "body": content.body,
            "fields": {
                name: content.fields[name]
                for name, spec in record_type.fields.items()
                if spec.required in asked and name in content.fields
            },
            "links": sorted(
                [one.role, one.project or "", one.target]
                for one in content.links
                if one.role in roles
            ),
        }
    )
