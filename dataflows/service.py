"""Read the map of a project and draw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.errors import NotFound
from core.jobs.models import Job, JobState
from core.jobs.service import enqueue, newest_job
from core.people.actor import Actor
from core.records.models import Link, Project, Record, Revision
from core.records.queries import load_snapshot
from core.records.snapshot import Key, Snapshot, natural_order
from dataflows.diagram import to_dot
from dataflows.impact import Impact, impact_of_connection, impact_of_system
from dataflows.inventory import Connection, Department
from dataflows.qatrack.standing import State
from dataflows.render import (
    QUICK_LINES,
    DrawingFailed,
    DrawingStore,
    DrawingTookTooLong,
    key_of,
)
from dataflows.rendering import KIND
from dataflows.survey import department_from_snapshot
from dataflows.views import Shown

TOO_MANY_LINES = (
    "This part of the map has too many routes for one picture. Choose a focus, or read the "
    "matrix or the table."
)


_READ: WeakKeyDictionary[Snapshot, dict[str, Department]] = WeakKeyDictionary()
"""The maps read from the snapshots that are kept: a snapshot never changes, so neither do they."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture for a page: drawn, being drawn, still to be drawn, or why there is none.

    Attributes
    ----------
    reason : str
        Why there is none; empty while there may still be one.
    job : int or None
        The job that draws it, or that could not.
    """

    text: str
    svg: str | None = None
    reason: str = ""
    job: int | None = None


def read_department(
    session: Session, project: str, reader: Actor, *, drafts: bool = False
) -> Department:
    """Read the map of a project.

    Parameters
    ----------
    reader : Actor
        Records of projects that this person may not read appear by their uid alone.
    drafts : bool
        Show the latest revisions instead of the approved ones.
    """
    readable = [
        one.key
        for one in session.exec(select(Project)).all()
        if one.id is not None and reader.belongs_to(one.id)
    ]
    snapshot = load_snapshot(session, sorted({project, *readable}), effective=not drafts)
    return department_of(snapshot, project)


def department_of(snapshot: Snapshot, project: str) -> Department:
    """Return the map of a project in a snapshot: the one read before, where there is one."""
    known = _READ.setdefault(snapshot, {})
    # Two readers at once read it twice; either is as good as the other.
    if project not in known:
        known[project] = department_from_snapshot(snapshot, project)
    return known[project]


def project_of_map(session: Session, projects: Sequence[Project]) -> Project | None:
    """Return the first of some projects that describes a system, or None."""
    with_systems = set(
        session.exec(
            select(Record.project_id)
            .where(Record.type == "system", col(Record.withdrawn_at).is_(None))
            .distinct()
        ).all()
    )
    return next((project for project in projects if project.id in with_systems), None)


def drawing(
    session: Session,
    store: DrawingStore,
    department: Department,
    shown: Shown,
    states: Mapping[str, State] | None = None,
) -> Drawing:
    """Return the picture of a view: the kept one, or one drawn now if it is small.

    Laying out a large picture takes seconds, so that is a job; one of the size of a department
    takes less time than the page around it.
    """
    if not shown.drawable:
        return Drawing("", reason=TOO_MANY_LINES)
    text = to_dot(shown.picture(department, states))
    kept = store.kept(text)
    if kept is not None:
        return Drawing(text, kept)
    asked = newest_job(session, KIND, key_of(text))
    if asked is not None and asked.state != JobState.DONE:
        return Drawing(text, reason=_outcome(asked), job=asked.id)
    return _drawn_now(store, text) if len(shown.view.routes) <= QUICK_LINES else Drawing(text)


def _drawn_now(store: DrawingStore, text: str) -> Drawing:
    try:
        return Drawing(text, store.draw(text))
    except DrawingTookTooLong:
        # Too much for a reader who waits, not for a job.
        return Drawing(text)
    except DrawingFailed as failure:
        return Drawing(text, reason=failure.message)


def _outcome(job: Job) -> str:
    if job.state == JobState.CANCELLED:
        return "The drawing of this picture was cancelled."
    return f"This picture could not be drawn. {job.error}" if job.state == JobState.FAILED else ""


def ask_for_drawing(
    session: Session, store: DrawingStore, text: str, project: Project, by: Actor
) -> Job:
    """Let a worker draw a text; asking twice while it waits is asking once."""
    key = store.leave(text)
    return enqueue(session, KIND, {"drawing": key}, by, key=key, project_id=project.id)


def impact(department: Department, uid: str) -> Impact:
    """Return what a change of a system or a connection touches.

    Raises
    ------
    NotFound
        If the map has neither a system nor a connection of that name.
    """
    if uid in department.systems:
        return impact_of_system(department, uid)
    if uid in department.connections:
        return impact_of_connection(department, uid)
    raise NotFound(f"There is no system or connection {uid} on this map.")


@dataclass(frozen=True, slots=True)
class TableFilter:
    """Which connections of a view a table shows; a system stands for all its parts."""

    source: str = ""
    target: str = ""
    category: str = ""
    without_qa: bool = False


def connections_of(
    department: Department, connections: tuple[str, ...], wanted: TableFilter
) -> list[Connection]:
    """Return the connections that pass a table's filter, in their order.

    Raises
    ------
    NotFound
        If the filter names a system that is not on the map.
    """
    senders, receivers = (_parts(department, uid) for uid in (wanted.source, wanted.target))
    found = (department.connections[uid] for uid in sorted(connections, key=natural_order))
    return [
        c
        for c in found
        if (senders is None or c.source in senders)
        and (receivers is None or c.target in receivers)
        and (not wanted.category or c.category.value == wanted.category)
        and not (wanted.without_qa and c.uid in department.qa_of_connection)
    ]


def _parts(department: Department, uid: str) -> frozenset[str] | None:
    if not uid:
        return None
    if uid not in department.systems:
        raise NotFound(f"There is no system {uid} on this map.")
    return frozenset(department.within(uid))


def systems_that_realise(session: Session, record: Record) -> list[Key]:
    """Return the systems whose record states that they realise a device."""
    rows = session.exec(
        select(Project.key, Record.uid)
        .join(Record, col(Record.project_id) == col(Project.id))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .join(Link, col(Link.revision_id) == col(Revision.id))
        .where(
            col(Link.target_id) == record.id,
            col(Link.role) == "realises",
            col(Record.withdrawn_at).is_(None),
        )
    ).all()
    return sorted(Key(project, uid) for project, uid in rows)
