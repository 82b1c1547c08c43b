"""What both ends of a link said when both were first in force: where suspicion is counted from."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.people.actor import Actor
from core.records.models import Link, LinkReview, Record, Revision


def settle_links(session: Session, record: Record, by: Actor) -> None:
    """Remember what each new link and both its ends said when both were first in force.

    A link reviewed before is left alone: approving one end again says nothing about the other. One
    that was seen to be gone and is stated again is new.
    """
    ends = _links_in_force(session, record)
    if not ends:
        return
    gone = {
        (one.source_id, one.role, one.target_id): one.gone
        for one in session.execute(
            select(LinkReview)
            .where(
                (col(LinkReview.source_id) == record.id) | (col(LinkReview.target_id) == record.id)
            )
            .order_by(col(LinkReview.id))
        ).scalars()
    }
    known = {link for link, is_gone in gone.items() if not is_gone}
    ids = {end for source, _, target, _ in ends for end in (source, target)}
    prints: dict[int, str] = {}
    for chunk in chunks(ids):
        prints |= dict(
            session.execute(
                select(col(Record.id), col(Revision.fingerprint))
                .join(Revision, col(Revision.id) == col(Record.effective_id))
                .where(col(Record.id).in_(chunk), col(Record.withdrawn_at).is_(None))
            ).all()
        )
    for source, role, target, attributes in ends:
        if (source, role, target) in known or source not in prints or target not in prints:
            continue
        session.add(
            LinkReview(
                source_id=source,
                role=role,
                target_id=target,
                source_fingerprint=prints[source],
                target_fingerprint=prints[target],
                attributes=dict(attributes or {}),
                person_id=by.person_id,
                person_name=by.name,
                reason="Both ends in force for the first time.",
            )
        )
    session.flush()


def _links_in_force(
    session: Session, record: Record
) -> list[tuple[int, str, int, dict[str, Any] | None]]:
    rows = session.execute(
        select(col(Revision.record_id), col(Link.role), col(Link.target_id), col(Link.attributes))
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(Record, col(Record.effective_id) == col(Revision.id))
        .where((col(Record.id) == record.id) | (col(Link.target_id) == record.id))
    )
    return list(rows)
