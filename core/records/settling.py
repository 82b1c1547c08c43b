"""What both ends of a link said when both were first in force: where suspicion is counted from."""

from sqlalchemy import select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records.models import Link, LinkReview, Record, Revision


def settle_links(session: Session, record: Record, by: Actor) -> None:
    """Remember what both ends of each new link said when both were first in force.

    A link reviewed before is left alone: approving one end again says nothing about the other.
    """
    ends = _links_in_force(session, record)
    if not ends:
        return
    known = {
        (one.source_id, one.role, one.target_id)
        for one in session.execute(
            select(LinkReview).where(
                (col(LinkReview.source_id) == record.id) | (col(LinkReview.target_id) == record.id)
            )
        ).scalars()
    }
    ids = {end for source, _, target in ends for end in (source, target)}
    prints = dict(
        session.execute(
            select(col(Record.id), col(Revision.fingerprint))
            .join(Revision, col(Revision.id) == col(Record.effective_id))
            .where(col(Record.id).in_(ids))
        ).all()
    )
    for source, role, target in ends:
        if (source, role, target) in known or source not in prints or target not in prints:
            continue
        session.add(
            LinkReview(
                source_id=source,
                role=role,
                target_id=target,
                source_fingerprint=prints[source],
                target_fingerprint=prints[target],
                person_id=by.person_id,
                person_name=by.name,
                reason="Both ends in force for the first time.",
            )
        )
    session.flush()


def _links_in_force(session: Session, record: Record) -> list[tuple[int, str, int]]:
    rows = session.execute(
        select(col(Revision.record_id), col(Link.role), col(Link.target_id))
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(Record, col(Record.effective_id) == col(Revision.id))
        .where((col(Record.id) == record.id) | (col(Link.target_id) == record.id))
    )
    return list(rows)
