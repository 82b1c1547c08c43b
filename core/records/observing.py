"""Keep links that a machine saw, one or, as a scan of commits brings them, thousands at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.db import insert_into
from core.records.models import ObservedLink, Record


@dataclass(frozen=True)
class Observation:
    """One link from a record to something outside the records, as `observe_link` keeps it."""

    record_id: int
    kind: str
    source_ref: str
    role: str
    attributes: Mapping[str, Any]


def observe_links(session: Session, seen: Sequence[Observation]) -> None:
    """Keep every link; what was seen before stays as it is."""
    if not seen:
        return
    at = now()
    session.execute(
        insert_into(session, ObservedLink).on_conflict_do_nothing(),
        [{**vars(one), "attributes": dict(one.attributes), "observed_at": at} for one in seen],
    )


def observe_link(
    session: Session,
    record: Record,
    kind: str,
    source_ref: str,
    role: str,
    attributes: Mapping[str, Any],
) -> ObservedLink:
    """Keep a link that a machine saw; seeing it again changes nothing."""
    found = session.execute(
        select(ObservedLink).where(
            col(ObservedLink.record_id) == record.id,
            col(ObservedLink.kind) == kind,
            col(ObservedLink.source_ref) == source_ref,
            col(ObservedLink.role) == role,
        )
    ).scalar_one_or_none()
    if found is None:
        found = ObservedLink(
            record_id=record.id or 0,
            kind=kind,
            source_ref=source_ref,
            role=role,
            attributes=dict(attributes),
        )
        session.add(found)
        session.flush()
    return found
