"""The signatures that an issue needs before work begins, or its end, and whether they still hold.

They are given to what was proposed: title, text, and what the type asks for by then. Where that
changes afterwards, they are asked for again; what is told of the work itself is not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core.canonical import digest
from core.db import chunks
from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.checking import missing_content
from core.records.content import Content
from core.records.models import Link, Project, Record, Revision
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writing import content_of, contents_of
from core.signing.models import Signature

ACCEPTABLE = ("assessed", "in_work", "verifying")
"""States in which it can be accepted; after the first, only because it has changed since."""

NEEDED_FOR: Mapping[str, tuple[str, ...]] = {
    "work": ("in_work", "verifying", "closed"),
    "close": ("closed",),
}
"""States that nothing comes into without having been accepted, by when its type asks for that."""

Issue = tuple[Record, Revision, Project]
"""An issue, the revision of it that is asked about, and where it is."""


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
    if not record_type.accepting:
        return ()
    return _lacking_each(session, [(record, latest, project)])[latest.id or 0]


def _lacking_each(
    session: Session, issues: Sequence[Issue], until: datetime | None = None
) -> dict[int, tuple[str, ...]]:
    """Return what `lacking` does, by revision, for all of them at once, as of some moment."""
    led = _led(session, issues)
    given = _acceptances_each(session, issues, until)
    found = {}
    for record, latest, _ in issues:
        number = latest.id or 0
        held = {signature.meaning for _, signature in given[number]}
        needed = _needed(get_registry().of(record.type), led[number])
        found[number] = tuple(meaning for meaning in needed if meaning not in held)
    return found


def due(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> tuple[str, ...] | None:
    """Return the signature of acceptance that can be given now: the first, once all is said.

    None where a record is not accepted, but signed in review or not at all.
    """
    if not is_acceptable(record_type, latest):
        return None
    return due_each(session, [(record, latest, project)]).get(latest.id or 0, ())


def due_each(session: Session, issues: Sequence[Issue]) -> dict[int, tuple[str, ...]]:
    """Return what `due` does, by revision, of those issues that are acceptable and say all.

    What it asks of the database does not grow with the number of issues.
    """
    issues = [one for one in issues if is_acceptable(get_registry().of(one[0].type), one[1])]
    contents = contents_of(session, [(latest, project) for _, latest, project in issues])
    whole = []
    for record, latest, project in issues:
        record_type, content = get_registry().of(record.type), contents[latest.id or 0]
        if not missing_content(record_type, content, record.uid, record_type.accept_before):
            whole.append((record, latest, project))
    lacks = _lacking_each(session, whole)
    return {number: meanings[:1] for number, meanings in lacks.items()}


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


def unaccepted(
    session: Session, project: Project, until: datetime | None = None
) -> Mapping[str, tuple[str, ...]]:
    """Return, by the uid of every issue that must be accepted, the signatures that it lacks.

    Parameters
    ----------
    until : datetime, optional
        The moment that is told of: no revision, signature or withdrawal after it counts.
    """
    issues = _issues(session, project, until)
    lacks = _lacking_each(session, issues, until)
    return {record.uid: lacks[latest.id or 0] for record, latest, _ in issues}


def _issues(session: Session, project: Project, until: datetime | None) -> list[Issue]:
    """Return every issue that must be accepted, with the revision that was its latest then."""
    query = (
        select(Record, Revision)
        .join(Revision, col(Revision.record_id) == col(Record.id))
        .where(
            col(Record.project_id) == project.id,
            col(Record.type).in_([one.name for one in get_registry().all() if one.accepting]),
        )
        .order_by(col(Record.id))
    )
    if until is None:
        query = query.where(
            col(Revision.id) == col(Record.latest_id), col(Record.withdrawn_at).is_(None)
        )
    else:
        # An issue comes into force as it is saved, so its newest revision then was its latest.
        newest = (
            select(func.max(col(Revision.id)))
            .where(col(Revision.created_at) <= until)
            .group_by(col(Revision.record_id))
        )
        query = query.where(
            col(Revision.id).in_(newest),
            or_(col(Record.withdrawn_at).is_(None), col(Record.withdrawn_at) > until),
        )
    return [(record, latest, project) for record, latest in session.execute(query)]


def _led(session: Session, issues: Sequence[Issue]) -> Mapping[int, Mapping[str, set[str]]]:
    """Return, by revision and role, the types that links lead to, where signatures depend on it."""
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    asked = [latest.id or 0 for record, latest, _ in issues if _depends(record.type)]
    for chunk in chunks(asked):
        links = session.execute(
            select(col(Link.revision_id), col(Link.role), col(Record.type))
            .join(Record, col(Record.id) == col(Link.target_id))
            .where(col(Link.revision_id).in_(chunk))
        )
        for revision, role, kind in links:
            found[revision][role].add(kind)
    return found


def _depends(type_name: str) -> bool:
    """Whether what an issue leads to decides which signatures accept it."""
    record_type = get_registry().of(type_name)
    return bool(set(record_type.accepting) & set(record_type.sign_where))


def _needed(record_type: RecordType, led: Mapping[str, set[str]]) -> tuple[str, ...]:
    conditions = record_type.sign_where
    return tuple(
        meaning for meaning in record_type.accepting if _applies(conditions.get(meaning, {}), led)
    )


def _applies(where: Mapping[str, Iterable[str]], led: Mapping[str, set[str]]) -> bool:
    return not where or any(led.get(role, set()) & set(kinds) for role, kinds in where.items())


def acceptances(
    session: Session, project: Project, record: Record, record_type: RecordType, latest: Revision
) -> list[tuple[int, Signature]]:
    """Return the signatures of acceptance that still hold, each with the revision it is on."""
    if not record_type.accepting:
        return []
    return _acceptances_each(session, [(record, latest, project)])[latest.id or 0]


def _acceptances_each(
    session: Session, issues: Sequence[Issue], until: datetime | None = None
) -> Mapping[int, list[tuple[int, Signature]]]:
    """Return what `acceptances` does, by the revision that is asked about, as of some moment."""
    given = _given(session, issues, until)
    issues = [one for one in issues if one[0].id in given]
    compared = [
        (revision, project)
        for record, latest, project in issues
        for revision in (latest, *(signed for signed, _ in given[record.id or 0]))
    ]
    contents = contents_of(session, compared)
    found: dict[int, list[tuple[int, Signature]]] = defaultdict(list)
    for record, latest, _ in issues:
        record_type = get_registry().of(record.type)
        proposed = _proposal(record_type, contents[latest.id or 0])
        found[latest.id or 0] = [
            (revision.number, signature)
            for revision, signature in given[record.id or 0]
            if revision.id == latest.id
            or _proposal(record_type, contents[revision.id or 0]) == proposed
        ]
    return found


def _given(
    session: Session, issues: Sequence[Issue], until: datetime | None
) -> Mapping[int, list[tuple[Revision, Signature]]]:
    """Return, by record, the signatures of acceptance on any of its revisions, in their order."""
    asked = {record.id or 0: get_registry().of(record.type).accepting for record, _, _ in issues}
    query = (
        select(Revision, Signature)
        .join(Signature, col(Signature.revision_id) == col(Revision.id))
        .where(
            col(Signature.meaning).in_(sorted({one for names in asked.values() for one in names})),
            col(Signature.envelope_digest) == col(Revision.envelope_digest),
        )
        .order_by(col(Signature.id))
    )
    if until is not None:
        query = query.where(col(Signature.at) <= until)
    found: dict[int, list[tuple[Revision, Signature]]] = defaultdict(list)
    for chunk in chunks(asked):
        for revision, signature in session.execute(query.where(col(Revision.record_id).in_(chunk))):
            if signature.meaning in asked[revision.record_id]:
                found[revision.record_id].append((revision, signature))
    return found


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
