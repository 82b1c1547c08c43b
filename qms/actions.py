"""Say what one person has to do by when: actions, and the issues they answer for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.clock import now
from core.people.actor import Actor
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key, natural_order
from qms.due_days import as_day
from qms.reportability import TYPE, report_clock

ASSIGNED: Mapping[str, str] = {
    "action": "assigned_to",
    "capa": "owned_by",
    "complaint": "owned_by",
}
"""Record type -> the role of the link to the person who has to act; `due_day` says by when."""

DECIDERS = ("clinical_safety_officer", "quality_manager")
"""Who has to act on a complaint that nobody answers for yet."""

ORIGIN = "arises_from"
"""The role of the link to what it came from: a review, a finding, a complaint."""

DONE = ("closed", "rejected", "deferred")

MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Duty:
    """One thing a person has to do.

    Attributes
    ----------
    due : date or None
    overdue : bool
        Its day has gone by.
    came_from : tuple of Key
        What it came from.
    """

    key: Key
    title: str
    state: str
    due: date | None
    overdue: bool
    came_from: tuple[Key, ...] = field(default=())


def duties(session: Session, person: Actor, projects: Sequence[Project]) -> tuple[Duty, ...]:
    """Return what a person has to do in some projects, the most pressing first.

    What has no day comes last; it is not less of a duty, and the page says that it has none.
    """
    somebody = aliased(Record)
    rows = session.execute(
        _not_done(projects)
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .join(somebody, col(somebody.id) == col(Link.target_id))
        .where(
            tuple_(col(Record.type), col(Link.role)).in_(ASSIGNED.items()),
            col(somebody.uid) == person.uid,
        )
    ).all()
    deciding = [one for one in projects if person.has(one.id or 0, *DECIDERS)]
    rows = [*rows, *_unanswered(session, deciding)]
    origins = _origins(session, [revision.id or 0 for _, revision, _ in rows], projects)
    today = now().date()
    found = []
    for record, revision, project in rows:
        due = due_day(record.type, revision.fields, today)
        found.append(
            Duty(
                Key(project.key, record.uid),
                revision.title,
                revision.state,
                due,
                due is not None and due < today,
                origins.get(revision.id or 0, ()),
            )
        )
    return tuple(sorted(found, key=_pressing))


def due_day(type_name: str, fields: Mapping[str, Any], today: date) -> date | None:
    """Return by when something must be done: the day it says, or the last day of a report."""
    if type_name != TYPE:
        return as_day(fields.get("due"))
    clock = report_clock(fields, today)
    return clock.due if clock.running else None


def _not_done(projects: Sequence[Project]) -> Select[Record, Revision, Project]:
    return (
        select(Record, Revision, Project)
        .join(Revision, col(Revision.id) == col(Record.latest_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Project.id).in_([one.id for one in projects]),
            col(Record.withdrawn_at).is_(None),
            col(Revision.state).not_in(DONE),
        )
    )


def _unanswered(session: Session, projects: Sequence[Project]) -> Sequence[Any]:
    """Return the complaints that nobody answers for: they wait for whoever decides on them."""
    if not projects:
        return ()
    answered = select(col(Link.revision_id)).where(col(Link.role) == ASSIGNED[TYPE])
    query = _not_done(projects).where(col(Record.type) == TYPE, col(Revision.id).not_in(answered))
    return session.execute(query).all()


def _pressing(duty: Duty) -> tuple[date, str, tuple[tuple[int, int, str], ...]]:
    return (duty.due or date.max, duty.key.project, natural_order(duty.key.uid))


def _origins(
    session: Session, revisions: Sequence[int], readable: Iterable[Project]
) -> dict[int, tuple[Key, ...]]:
    """Return what each revision came from, as far as the person may read it."""
    keys = {one.id: one.key for one in readable}
    found: dict[int, list[Key]] = defaultdict(list)
    for start in range(0, len(revisions), MOST_AT_ONCE):
        links = session.execute(
            select(col(Link.revision_id), col(Record.project_id), col(Record.uid))
            .join(Record, col(Record.id) == col(Link.target_id))
            .where(
                col(Link.revision_id).in_(revisions[start : start + MOST_AT_ONCE]),
                col(Link.role) == ORIGIN,
            )
            .order_by(col(Link.id))
        )
        for revision, project, uid in links:
            if project in keys:
                found[revision].append(Key(keys[project], uid))
    return {revision: tuple(each) for revision, each in found.items()}
