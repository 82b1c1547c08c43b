"""Keep many links at once that a machine saw: a scan of commits brings thousands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from core.clock import now
from core.records.models import ObservedLink


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
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    at = now()
    session.execute(
        insert(ObservedLink).on_conflict_do_nothing(),
        [{**vars(one), "attributes": dict(one.attributes), "observed_at": at} for one in seen],
    )
