"""Re-review: somebody looked at both ends of a link and says that it still holds."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import digest
from core.errors import Conflict, Fault, Invalid, Refused
from core.people.actor import Actor
from core.records.models import LinkReview, Project, Record, Revision
from core.records.permissions import allowed_roles
from core.records.queries import load_doubts
from core.records.service import (
    edit_token,
    lock_record,
    project_of,
    record_event,
    refuse_stale,
)
from core.records.snapshot import Key, natural_order
from core.records.suspects import Happened, Suspicion
from core.records.targets import known_records
from core.records.types import get_registry


def suspicions_of(session: Session, record: Record) -> list[Suspicion]:
    """Return why one record needs re-review, once per link; empty when it does not."""
    project = project_of(session, record)
    key = Key(project.key, record.uid)
    doubts, _ = load_doubts(session, record.id)
    return [one for one in doubts if one.record == key]


def review_token(revision: Revision, doubts: Sequence[Suspicion]) -> str:
    """Return what the form of a re-review remembers: the record, and every change it was shown."""
    seen = [
        [*one.record, one.role, *one.cause, one.happened, one.now, dict(one.link.attributes)]
        for one in doubts
    ]
    return f"{edit_token(revision)}.{digest(seen)[:16]}"


def review(
    session: Session, record: Record, by: Actor, reason: str, expected: str
) -> list[Suspicion]:
    """Record that a record still holds against everything that changed around it.

    Clears exactly what was reviewed: the doubts about this record. The other ends of the same
    links, and other records that the same change touched, keep theirs.

    Parameters
    ----------
    expected : str
        The `review_token` of the page on which the changes were read.

    Raises
    ------
    Invalid
        Without a reason.
    Conflict
        If the record does not need re-review, or something changed after the page was opened.
    Refused
        If the person neither writes nor signs records of this type, or the request does not say
        what was read.
    """
    record = lock_record(session, record)
    project, record_type = project_of(session, record), get_registry().of(record.type)
    allowed = allowed_roles(record_type)
    if not by.has(project.id or 0, *allowed):
        raise Refused(
            f"{by.name} may not re-review {record.uid}; that needs one of "
            f"{', '.join(sorted(role.replace('_', ' ') for role in allowed))}."
        )
    if not reason.strip():
        raise Invalid(
            f"{record.uid} was not re-reviewed.",
            [Fault("reason", record.uid, "The reason is empty.", "Say why it still holds.")],
        )
    doubts = suspicions_of(session, record)
    if not doubts:
        raise Conflict(f"{record.uid} does not need re-review.")
    revision = session.get_one(Revision, record.effective_id)
    refuse_stale(record, expected, review_token(revision, doubts), _now_says(doubts))
    for doubt in doubts:
        keep_review(session, doubt, by, reason.strip())
    record_event(
        session,
        "review",
        record,
        revision,
        project,
        by,
        {"reason": reason.strip(), "against": [list(doubt.cause) for doubt in doubts]},
    )
    return doubts


def doubts_read(session: Session, record: Record, expected: str) -> list[Suspicion]:
    """Return why a record in force needs re-review, where that is what was read.

    Raises
    ------
    Conflict
        If something changed after the page was opened.
    """
    doubts = suspicions_of(session, record)
    revision = session.get_one(Revision, record.effective_id or record.latest_id)
    refuse_stale(record, expected, review_token(revision, doubts), _now_says(doubts))
    return doubts


def answer(
    session: Session, record: Record, revision: Revision, by: Actor, read: Sequence[Suspicion]
) -> list[Suspicion]:
    """Record that a revision answers what threw doubt on the one before it.

    Whoever brings it into force has read both, and says so with the signature.

    Parameters
    ----------
    revision : Revision
        In force since a moment ago.
    read : sequence of Suspicion
        The doubts about the revision before, as they were read.
    """
    seen = {_same(one) for one in read}
    answered = [one for one in suspicions_of(session, record) if _same(one) in seen]
    if not answered:
        return []
    reason = f"Revision {revision.number} answers it."
    for doubt in answered:
        keep_review(session, doubt, by, reason)
    against = [list(doubt.cause) for doubt in answered]
    project, told = project_of(session, record), {"reason": reason, "against": against}
    record_event(session, "review", record, revision, project, by, told)
    return answered


def _same(doubt: Suspicion) -> tuple[object, ...]:
    """Return what tells a doubt from every other, whichever revision of the record it is about."""
    link = doubt.link
    return (link.source, link.role, link.target, doubt.cause, doubt.happened, doubt.now)


def in_doubt_because_of(session: Session, project: Project, record: Record) -> tuple[str, ...]:
    """Return the records of a project that a change of this one throws doubt on, by uid."""
    cause = Key(project.key, record.uid)
    found = {
        one.record.uid
        for one in load_doubts(session, record.id)[0]
        if one.cause == cause and one.record.project == project.key
    }
    return tuple(sorted(found, key=natural_order))


def others_in_doubt(
    session: Session, project: Project, done: Sequence[Suspicion]
) -> tuple[str, ...]:
    """Return the records of a project that the same changes have thrown doubt on, by uid."""
    causes = {one.cause for one in done}
    found = {
        one.record.uid
        for one in load_doubts(session)[0]
        if one.cause in causes and one.record.project == project.key
    }
    return tuple(sorted(found, key=natural_order))


def _now_says(doubts: Sequence[Suspicion]) -> str:
    causes = ", ".join(dict.fromkeys(one.cause.uid for one in doubts))
    return f"what it relies on changed again: {causes}"


def keep_review(session: Session, doubt: Suspicion, by: Actor, reason: str) -> None:
    """Keep that somebody looked at one link through which a record was in doubt."""
    link = doubt.link
    ends = known_records(session, (link.source, link.target))
    source, target = ends[link.source], ends[link.target]
    last = (
        session.execute(
            select(LinkReview)
            .where(
                col(LinkReview.source_id) == source.id,
                col(LinkReview.role) == link.role,
                col(LinkReview.target_id) == target.id,
            )
            .order_by(col(LinkReview.id).desc())
        )
        .scalars()
        .first()
    )
    if last is None:
        raise Conflict(f"The link {link.role} of {link.source.uid} was never in force.")
    cause = ends[doubt.cause]
    seen = session.get_one(Revision, cause.effective_id).fingerprint
    gone = doubt.happened in (Happened.LINK_GONE, Happened.WITHDRAWN)
    # Only what was looked at moves on: the end that changed and, by the target, what the link says.
    by_target = doubt.record == link.target
    session.add(
        LinkReview(
            source_id=source.id or 0,
            role=link.role,
            target_id=target.id or 0,
            source_fingerprint=seen if cause.id == source.id else last.source_fingerprint,
            target_fingerprint=seen if cause.id == target.id else last.target_fingerprint,
            attributes=dict(link.attributes) if by_target else last.attributes,
            gone=gone,
            person_id=by.person_id,
            person_name=by.name,
            reason=reason,
        )
    )
    session.flush()
