"""What falls due in a project: days that records state, before they have gone by.

Which fields are such days is data: `due_dates` among the limits of the framework pack.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from core.clock import now
from core.people.actor import Actor
from core.records import lifecycle
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.records.types import TypeRegistry, get_registry
from qms.actions import ASSIGNED
from qms.due_days import as_day, days_after
from qms.rules.packs import framework_pack

SOON = 30
"""Days within which something is pressing."""

LATEST_ONLY = frozenset({"management_review"})
"""Types of which the last one says when the next is due; the days of those before are past."""

ENDING = frozenset({"waiver"})
"""Types whose day is an end, not a duty: once it has gone by there is nothing to do."""

SURVEILLANCE, RESULT = "surveillance", "result_of"


@dataclass(frozen=True)
class Falling:
    """One day that a record states.

    Attributes
    ----------
    what : str
        What is due, as the field is called.
    days : int
        From today; below zero once the day has gone by.
    """

    key: Key
    title: str
    type: str
    what: str
    day: date
    days: int

    @property
    def word(self) -> str:
        """How pressing it is: overdue, due within a month, or coming."""
        if self.days < 0:
            return "overdue"
        return "due" if self.days <= SOON else "coming"


def falling_due(session: Session, project: Project) -> tuple[Falling, ...]:
    """Return what is overdue or falls due in a project soon, the most pressing first."""
    limits: Mapping[str, Any] = framework_pack().limits
    return days_of(
        load_snapshot(session, [project.key]),
        project.key,
        get_registry(),
        limits["due_dates"],
        now().date(),
        int(limits["due_within_days"]),
    )


def own_falling_due(
    session: Session, person: Actor, projects: Sequence[Project]
) -> tuple[Falling, ...]:
    """Return what falls due in some projects of the types that a person writes or decides on.

    Actions are left out: whoever they are given to has a list of their own.
    """
    registry = get_registry()
    found = []
    for project in projects:
        if person.roles_in(project.id or 0):
            found += [
                one
                for one in falling_due(session, project)
                if one.type not in ASSIGNED
                and person.has(
                    project.id or 0, *registry.of(one.type).authors, *registry.of(one.type).deciders
                )
            ]
    return tuple(sorted(found, key=_pressing))


def days_of(
    snapshot: Snapshot,
    project: str,
    registry: TypeRegistry,
    stated_in: Mapping[str, Sequence[str]],
    today: date,
    within: int,
) -> tuple[Falling, ...]:
    """Return the days up to some days ahead that the records in force of a project state.

    Parameters
    ----------
    stated_in : mapping
        Type -> the fields that state such a day.
    within : int
        How many days ahead one looks.
    """
    found = []
    for name, fields in stated_in.items():
        if name not in registry:
            continue
        asked = registry.of(name)
        records = [one for one in snapshot.of_type(name, project) if _counts(one, asked.lifecycle)]
        for field in fields:
            what = asked.fields[field].label if field in asked.fields else field
            days = [(day, one) for one in records if (day := _day(snapshot, one, field, today))]
            if name in LATEST_ONLY:
                days = sorted(days, key=lambda pair: pair[0])[-1:]
            found += [
                Falling(one.key, one.title, name, what, day, (day - today).days)
                for day, one in days
                if (day - today).days <= within and (day >= today or name not in ENDING)
            ]
    return tuple(sorted(found, key=_pressing))


def _counts(record: RecordView, kind: str) -> bool:
    return record.in_force and not lifecycle.is_decided(kind, record.state)


def _day(snapshot: Snapshot, record: RecordView, field: str, today: date) -> date | None:
    if record.type == SURVEILLANCE:
        looked = [day for day in _looked(snapshot, record) if day <= today]
        if looked:
            return days_after(max(looked), int(record.fields.get("interval_days") or 0))
    return as_day(record.fields.get(field))


def _looked(snapshot: Snapshot, record: RecordView) -> Iterator[date]:
    for link in snapshot.incoming(record.key, RESULT):
        result = snapshot.records[link.source]
        day = as_day(result.fields.get("looked_on"))
        if day is not None and not result.withdrawn:
            yield day


def _pressing(one: Falling) -> tuple[object, ...]:
    return one.day, one.key.project, natural_order(one.key.uid), one.what
