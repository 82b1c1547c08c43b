"""Answer from what was read: every item of a server, and how the QA procedures stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.canonical import read_json
from core.clock import now
from core.ledger.models import LedgerEntry
from core.records.models import Project, Record, Revision
from dataflows.coverage import EVENT_OF_FREQUENCY, Event
from dataflows.inventory import Department
from dataflows.qatrack.models import QatrackItem, QatrackReading, QatrackServer
from dataflows.qatrack.servers import servers
from dataflows.qatrack.standing import (
    Item,
    Key,
    Kind,
    Shelf,
    Source,
    Standing,
    State,
    standing,
)

KIND_OF_SOURCE: Mapping[str, Kind] = {
    "qatrack-testlist": Kind.LIST,
    "qatrack-testlistcycle": Kind.CYCLE,
    "qatrack-utc": Kind.UTC,
}
"""What a QA procedure's field *Kept in* means there; any other procedure is kept elsewhere."""

SOURCE_OF_KIND = {kind: source for source, kind in KIND_OF_SOURCE.items()}

Fields = Mapping[str, Any]

PROCEDURE = "qa_procedure"

RETIRED = "qatrack:server:retire"
CHANGES = ("qatrack:server:name", "qatrack:server:change", RETIRED)
"""The audit trail's words for what an administrator does to a server."""

NO_TEST = "It does not say as which test it is kept."
"""Why nobody can say how a procedure stands that is kept in QATrack+ under no name."""


@dataclass(frozen=True)
class Reference:
    """Where a QA procedure says it is kept: the stable key of its test."""

    key: Key
    server: str = ""


def reference_of(fields: Fields) -> Reference | None:
    """Return where in QATrack+ a QA procedure is kept; None for one that is kept elsewhere."""
    kind, slug = KIND_OF_SOURCE.get(str(fields.get("source") or "")), str(fields.get("slug") or "")
    if kind is None or not slug:
        return None
    return Reference(Key(kind, slug), str(fields.get("instance") or ""))


def latest_readings(
    session: Session, server: QatrackServer, limit: int
) -> Sequence[QatrackReading]:
    """Return the newest readings of a server, newest first."""
    query = (
        select(QatrackReading)
        .where(col(QatrackReading.server_id) == server.id)
        .order_by(col(QatrackReading.id).desc())
        .limit(limit)
    )
    return session.execute(query).scalars().all()


def source_of(session: Session, server: QatrackServer, at: datetime | None = None) -> Source:
    """Return a server and how far what was read of it can be relied on, as of a moment."""
    readings = select(QatrackReading).where(col(QatrackReading.server_id) == server.id)
    if at is not None:
        readings = readings.where(col(QatrackReading.ended_at) <= at)
    newest = session.execute(
        readings.order_by(col(QatrackReading.id).desc()).limit(1)
    ).scalar_one_or_none()
    whole = readings.where(col(QatrackReading.problem) == "").subquery()
    read_at = session.execute(select(func.max(whole.c.begun_at))).scalar_one_or_none()
    return Source(
        name=server.name,
        address=server.address,
        zone=ZoneInfo(_zone_then(session, server, at)),
        named_at=server.named_at,
        read_at=read_at,
        problem=newest.problem if newest else "",
    )


def rows_of(session: Session, server: QatrackServer) -> dict[Key, QatrackItem]:
    """Return the newest row of everything that a server has, by its key."""
    query = select(QatrackItem).where(*_newest(server))
    return {Key(Kind(row.kind), row.slug): row for row in session.execute(query).scalars()}


def shelf_of(session: Session, server: QatrackServer, at: datetime | None = None) -> Shelf:
    """Return what was last read of a server, now or until some moment."""
    # Columns, not rows of the session: a page reads thousands and changes none.
    query = select(
        col(QatrackItem.kind),
        col(QatrackItem.slug),
        col(QatrackItem.number),
        col(QatrackItem.name),
        col(QatrackItem.told),
    ).where(*_newest(server, at))
    items = {}
    for kind, slug, number, name, told in session.execute(query):
        key = Key(Kind(kind), slug)
        items[key] = Item(key, number, name, told)
    return Shelf(source_of(session, server, at), items)


def _newest(server: QatrackServer, at: datetime | None = None) -> tuple[ColumnElement[bool], ...]:
    newest = select(func.max(col(QatrackItem.id))).where(col(QatrackItem.server_id) == server.id)
    if at is not None:
        then = select(col(QatrackReading.id)).where(
            col(QatrackReading.server_id) == server.id, col(QatrackReading.ended_at) <= at
        )
        newest = newest.where(col(QatrackItem.reading_id).in_(then))
    newest = newest.group_by(col(QatrackItem.kind), col(QatrackItem.slug))
    return col(QatrackItem.id).in_(newest), col(QatrackItem.gone).is_(False)


def standings(
    session: Session, procedures: Mapping[str, Fields], at: datetime | None = None
) -> dict[str, Standing]:
    """Return how each QA procedure that is kept in QATrack+ stands, by the uid given for it.

    While no server is named nothing is claimed to be known there, and the answer is empty. As of
    a moment only what was read until then counts, from the servers that were named then.
    """
    named = servers(session) if at is None else servers_at(session, at)
    shelves = {server.name: shelf_of(session, server, at) for server in named}
    if not shelves:
        return {}
    moment = at or now()
    found = {}
    for uid, fields in procedures.items():
        reference = reference_of(fields)
        if reference is not None:
            found[uid] = _standing(shelves, reference, moment, str(fields.get("frequency") or ""))
        elif str(fields.get("source") or "") in KIND_OF_SOURCE:
            found[uid] = Standing(State.UNKNOWN, reason=NO_TEST)
    return found


def standings_on(
    session: Session, department: Department, uids: Iterable[str] | None = None
) -> dict[str, Standing]:
    """Return the same for the QA procedures of a map that is read already, or some of them."""
    chosen = department.procedures if uids is None else uids
    told = {
        uid: {
            "source": one.source,
            "slug": one.slug,
            "instance": one.instance,
            "frequency": one.frequency,
        }
        for uid in chosen
        for one in [department.procedures[uid]]
    }
    return standings(session, told) if told else {}


def states_on(session: Session, department: Department) -> dict[str, State]:
    """Return the one word for each QA procedure of a map that is kept in QATrack+."""
    return {uid: one.state for uid, one in standings_on(session, department).items()}


def servers_at(session: Session, at: datetime) -> list[QatrackServer]:
    """Return the servers that were named and not retired at a moment.

    A server that is named again is retired no more, so what it was is told by the audit trail.
    """
    found = []
    for server in servers(session, retired=True):
        last = _last_change(session, server, at)
        retired = server.retired_at is not None and server.retired_at <= at
        if last is not None:
            retired = last.action == RETIRED
        if server.named_at <= at and not retired:
            found.append(server)
    return found


def _zone_then(session: Session, server: QatrackServer, at: datetime | None) -> str:
    last = _last_change(session, server, at) if at is not None else None
    return str(read_json(last.data.encode())["time_zone"]) if last else server.time_zone


def _last_change(session: Session, server: QatrackServer, at: datetime) -> LedgerEntry | None:
    """Return the last that an administrator did to a server by some moment."""
    return session.execute(
        select(LedgerEntry)
        .where(
            col(LedgerEntry.action).in_(CHANGES),
            col(LedgerEntry.subject) == server.name,
            col(LedgerEntry.at) <= at,
        )
        .order_by(col(LedgerEntry.seq).desc())
        .limit(1)
    ).scalar_one_or_none()


def _standing(
    shelves: Mapping[str, Shelf], reference: Reference, at: datetime, frequency: str
) -> Standing:
    shelf = shelves.get(reference.server)
    if not reference.server and len(shelves) == 1:
        [shelf] = shelves.values()
    if shelf is not None:
        return standing(
            shelf, reference.key, at, periodic=EVENT_OF_FREQUENCY.get(frequency) is Event.PERIODIC
        )
    reason = (
        f"No QATrack+ server {reference.server} is read here."
        if reference.server
        else "It does not say in which of the QATrack+ servers it is kept."
    )
    return Standing(State.UNKNOWN, reason=reason)


def qa_status(session: Session, project: str, at: datetime | None = None) -> dict[str, Standing]:
    """Return how the QA procedures of a project stand, by uid; those kept elsewhere are absent.

    For who must know whether a control still works: see :attr:`Standing.effective`.
    """
    return standings(session, procedures_of(session, [project]).get(project, {}), at)


def procedures_of(
    session: Session, projects: Iterable[str] | None = None
) -> dict[str, dict[str, Fields]]:
    """Return the fields of the QA procedures in force, or of a first draft, by project and uid."""
    query = (
        select(col(Project.key), col(Record.uid), col(Revision.fields))
        .join(Record, col(Record.project_id) == col(Project.id))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
        .where(col(Record.type) == PROCEDURE, col(Record.withdrawn_at).is_(None))
    )
    if projects is not None:
        query = query.where(col(Project.key).in_(list(projects)))
    found: dict[str, dict[str, Fields]] = {}
    for project, uid, fields in session.execute(query):
        found.setdefault(project, {})[uid] = fields
    return found


def wanted_of(session: Session, server: QatrackServer) -> set[Key]:
    """Return the tests of a server that some QA procedure is kept as, in force or proposed."""
    alone = len(servers(session)) == 1
    query = (
        select(col(Revision.fields))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .where(
            col(Record.type) == PROCEDURE,
            col(Record.withdrawn_at).is_(None),
            col(Revision.id).in_([col(Record.effective_id), col(Record.latest_id)]),
        )
    )
    references = (reference_of(fields) for fields in session.execute(query).scalars())
    return {
        one.key
        for one in references
        if one is not None and (one.server == server.name or (alone and not one.server))
    }
