"""The map as it was at a moment: which revision of each record was in force then.

A draft is overwritten when it is saved again, so of a record that was never approved only what it
says now is kept; where it was saved after the moment, its words then are not known, and that is
said instead of guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session, col, select

from core.clock import now
from core.errors import Fault, Invalid
from core.records import lifecycle
from core.records.content import Content
from core.records.models import Project, Record, Revision
from core.records.writing import contents_of
from dataflows.survey import MAP_TYPES


@dataclass(frozen=True, slots=True)
class Said:
    """What one record said at a moment; `content` is None where its words were not kept."""

    uid: str
    type: str
    revision: int
    in_force: bool
    content: Content | None

    @property
    def title(self) -> str:
        """Its title then."""
        return self.content.title if self.content else ""


@dataclass(frozen=True)
class MapThen:
    """The map at a moment, or as a list of revisions froze it."""

    label: str
    records: Mapping[str, Said]


def moment(text: str, *, where: str = "date") -> datetime:
    """Return the end of a day, or a time of a day, in UTC.

    Examples
    --------
    >>> moment("2026-11-20").isoformat()
    '2026-11-21T00:00:00+00:00'

    Raises
    ------
    Invalid
        If it is neither.
    """
    stripped = text.strip()
    try:
        if len(stripped) == 10:
            day = date.fromisoformat(stripped) + timedelta(days=1)
            return datetime.combine(day, time(), UTC)
        stated = datetime.fromisoformat(stripped)
        found = stated.replace(tzinfo=stated.tzinfo or UTC).astimezone(UTC)
        # The day before it is told too.
        _ = found - timedelta(days=1)
    except (ValueError, OverflowError):
        what = f"'{stripped[:40]}' is no day."
        mend = "Write it as 2026-11-20, or 2026-11-20T14:00+00:00."
        raise Invalid("Nothing was compared.", [Fault("date", where, what, mend)]) from None
    return found


def map_at(session: Session, project: Project, at: datetime, label: str = "") -> MapThen:
    """Return the map as it was at a moment: what was in force, or else drafted."""
    records = session.exec(
        select(Record).where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(MAP_TYPES),
            col(Record.created_at) < at,
        )
    ).all()
    there = [one for one in records if one.withdrawn_at is None or one.withdrawn_at >= at]
    held = _revisions(session, project)
    chosen: list[tuple[Record, Revision | None, bool]] = []
    for record in there:
        revisions = held.get(record.id or 0, [])
        approved = [one for one in revisions if one.approved_at and one.approved_at < at]
        drafts = [
            one for one in revisions
            if one.created_at < at and one.state != lifecycle.DISCARDED
        ]  # fmt: skip
        shown = next(reversed(approved or drafts), None)
        chosen.append((record, shown, bool(approved)))
    return MapThen(label or _label(at), _said(session, project, chosen))


def map_of(session: Session, project: Project, revisions: Mapping[str, int], label: str) -> MapThen:
    """Return the map that a list of revisions froze, as a baseline does."""
    records = session.exec(
        select(Record).where(col(Record.project_id) == project.id, col(Record.type).in_(MAP_TYPES))
    ).all()
    held = _revisions(session, project)
    chosen = []
    for record in records:
        if record.uid in revisions:
            number = revisions[record.uid]
            shown = next((r for r in held.get(record.id or 0, []) if r.number == number), None)
            chosen.append((record, shown, bool(shown and shown.approved_at)))
    return MapThen(label, _said(session, project, chosen))


def _revisions(session: Session, project: Project) -> dict[int, list[Revision]]:
    found: dict[int, list[Revision]] = {}
    for one in session.exec(
        select(Revision)
        .join(Record, col(Record.id) == col(Revision.record_id))
        .where(col(Record.project_id) == project.id, col(Record.type).in_(MAP_TYPES))
        .order_by(col(Revision.number))
    ):
        found.setdefault(one.record_id, []).append(one)
    return found


def _said(
    session: Session, project: Project, chosen: list[tuple[Record, Revision | None, bool]]
) -> dict[str, Said]:
    known = [(one, project) for _, one, _ in chosen if one is not None]
    contents = contents_of(session, known)
    return {
        record.uid: Said(
            record.uid,
            record.type,
            shown.number if shown else 0,
            in_force,
            contents[shown.id or 0] if shown else None,
        )
        for record, shown, in_force in chosen
    }


def _label(at: datetime) -> str:
    if at >= now():
        return "today"
    whole = at.time() == time()
    return (at - timedelta(days=1)).date().isoformat() if whole else f"{at:%Y-%m-%d %H:%M} UTC"
