"""Put content into a revision: fields, links, digests and fingerprint together or not at all."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import digest, rfc3339
from core.db import chunks
from core.errors import Fault, Invalid
from core.records.checking import content_faults
from core.records.content import Content, LinkDraft, content_digest
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key
from core.records.targets import known_records, target_faults
from core.records.type_shape import RecordType

ContentCheck = Callable[[Session, RecordType, Project, str, Content], Sequence[Fault]]
"""``(session, type, project, uid, content) -> faults`` that only a feature can see."""


@dataclass
class _Ports:
    content: ContentCheck | None = None


ports = _Ports()
"""Filled by `app`."""


def checked(
    session: Session, record_type: RecordType, project: Project, uid: str, content: Content
) -> tuple[Content, Mapping[Key, Record]]:
    """Return content as it will be kept, and the records its links lead to.

    Raises
    ------
    Invalid
        With everything that is wrong with it.
    """
    fields, faults = content_faults(record_type, content, uid)
    keys = [Key(link.project or project.key, link.target) for link in content.links]
    targets = known_records(session, keys)
    types = {key: record.type for key, record in targets.items()}
    faults += target_faults(record_type, content.links, project.key, types, uid)
    kept = Content(content.title.strip(), content.body, fields, content.links)
    if not faults:
        faults = feature_faults(session, record_type, project, uid, kept)
    if faults:
        raise Invalid(f"{uid} was not saved.", faults)
    return kept, targets


def feature_faults(
    session: Session, record_type: RecordType, project: Project, uid: str, content: Content
) -> list[Fault]:
    """Return what a feature has against content that fits its type, as `ports.content` says."""
    if ports.content is None:
        return []
    return list(ports.content(session, record_type, project, uid, content))


def fingerprint(record_type: RecordType, content: Content) -> str:
    """Return the digest of what makes others need re-review: title and trigger fields."""
    return digest(trigger_values(record_type, content.title, content.body, content.fields))


def trigger_values(
    record_type: RecordType, title: str, body: str, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values that a fingerprint is over, by the name a person reads."""
    values: dict[str, Any] = {"Title": title}
    if record_type.body.trigger:
        values[record_type.body.label] = body
    for name in record_type.triggers():
        values[record_type.fields[name].label] = fields.get(name)
    return values


ENVELOPE_FORMAT = "fiducial-envelope/2"
"""The first one counted the co-authors; this one names them."""


def envelope_document(revision: Revision) -> dict[str, Any]:
    """Return exactly what the envelope digest is over; signatures bind that digest."""
    return {
        "format": ENVELOPE_FORMAT,
        "content_digest": revision.content_digest,
        "number": revision.number,
        "author": revision.author_uid,
        "author_name": revision.author_name,
        "co_authors": list(revision.co_authors),
        "time": rfc3339(revision.created_at),
        "reason": revision.reason,
        "previous": revision.previous_digest,
    }


def says_the_same(record_type: RecordType, before: Revision, content: Content) -> bool:
    """Whether content holds for others what a revision does, by the type as it is today.

    A department that renames a field, or adds one that nobody filled in yet, so throws no doubt on
    anything.
    """
    then = trigger_values(record_type, before.title, before.body, before.fields)
    return then == trigger_values(record_type, content.title, content.body, content.fields)


def fill(
    revision: Revision,
    record_type: RecordType,
    project: Project,
    uid: str,
    content: Content,
    in_force: Revision | None = None,
) -> None:
    """Write checked content and its digests into a draft revision; links are written apart.

    Parameters
    ----------
    in_force : Revision, optional
        The one that others rely on; its fingerprint stays where nothing that matters to them is
        changed.
    """
    revision.title, revision.body = content.title, content.body
    revision.fields = dict(content.fields)
    revision.content_digest = content_digest(project.key, record_type.name, uid, content)
    same = in_force is not None and says_the_same(record_type, in_force, content)
    revision.fingerprint = (
        in_force.fingerprint if in_force and same else fingerprint(record_type, content)
    )
    revision.envelope_digest = digest(envelope_document(revision))


def write_links(
    session: Session,
    revision: Revision,
    project: Project,
    content: Content,
    targets: Mapping[Key, Record],
) -> None:
    """Replace the links of a draft revision."""
    for old in session.execute(select(Link).where(col(Link.revision_id) == revision.id)).scalars():
        session.delete(old)
    session.flush()
    for position, link in enumerate(content.links):
        target = targets[Key(link.project or project.key, link.target)]
        session.add(
            Link(
                revision_id=revision.id or 0,
                position=position,
                role=link.role,
                target_id=target.id or 0,
                attributes=dict(link.attributes),
            )
        )
    session.flush()


def content_of(session: Session, revision: Revision, project: Project) -> Content:
    """Read a revision back as the content it was written from."""
    return contents_of(session, [(revision, project)])[revision.id or 0]


def new_links(
    session: Session, record: Record, content: Content, project: Project
) -> list[LinkDraft]:
    """Return the links of a content that the revision in force does not state."""
    if record.effective_id is None:
        return list(content.links)
    stated = content_of(session, session.get_one(Revision, record.effective_id), project)
    there = {(one.role, one.project, one.target) for one in stated.links}
    return [one for one in content.links if (one.role, one.project, one.target) not in there]


def contents_of(
    session: Session, revisions: Sequence[tuple[Revision, Project]]
) -> dict[int, Content]:
    """Read many revisions back, each with its project; by their ids."""
    own = {revision.id or 0: project.key for revision, project in revisions}
    query = (
        select(Link, col(Record.uid), col(Project.key))
        .join(Record, col(Record.id) == col(Link.target_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .order_by(col(Link.revision_id), col(Link.position))
    )
    links: dict[int, list[LinkDraft]] = defaultdict(list)
    for chunk in chunks(own):
        for link, uid, key in session.execute(query.where(col(Link.revision_id).in_(chunk))):
            stated = None if key == own[link.revision_id] else key
            links[link.revision_id].append(LinkDraft(link.role, uid, stated, dict(link.attributes)))
    return {
        revision.id or 0: Content(
            revision.title,
            revision.body,
            dict(revision.fields),
            tuple(links[revision.id or 0]),
        )
        for revision, _ in revisions
    }
