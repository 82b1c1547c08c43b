"""The job that reads a QATrack+ server: what it brings counts whole or not at all."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.clock import now
from core.errors import Conflict, FiducialError, Invalid
from core.jobs.context import JobContext, JsonDict
from core.ledger import append
from dataflows.qatrack import queries, tokens
from dataflows.qatrack.addresses import check_allowed
from dataflows.qatrack.client import Server, Unreadable
from dataflows.qatrack.models import QatrackItem, QatrackReading, QatrackServer
from dataflows.qatrack.reading import read_server, try_server
from dataflows.qatrack.standing import Item, Key


@dataclass(frozen=True)
class Read:
    """What a reading brought: everything, or why nothing."""

    begun_at: datetime
    items: Mapping[Key, Item] = field(default_factory=dict)
    problem: str = ""


def run(ctx: JobContext) -> JsonDict:
    """Read the server that the payload names, or only try it.

    A reading that failed is written down before the job fails: from then on everything that
    is kept there is unknown.
    """
    server_id, test = int(ctx.payload["server"]), bool(ctx.payload.get("test"))
    with ctx.db.reading() as session:
        server = session.get_one(QatrackServer, server_id)
        name, zone = server.name, ZoneInfo(server.time_zone)
        if server.retired_at is not None:
            raise Conflict(f"{name} is retired.")
    if test:
        ctx.progress(0, 1, f"Trying {name}")
        told = str(ctx.step("test", work=lambda: try_server(_reach(ctx, server_id), zone)))
        ctx.progress(1, 1, f"{name}: {told}")
        return {"told": f"{name}: {told}", "address": _address(ctx)}
    found = ctx.step(
        "read", work=partial(_read, ctx, server_id), commit=partial(keep, server_id=server_id)
    )
    if found["problem"]:
        raise Conflict(f"{name} could not be read. {found['problem']}")
    told = f"{found['items']} tests and lists, {found['changed']} of them new or changed"
    ctx.progress(1, 1, f"{name}: {told}")
    return {"told": f"{name}: {told}", **found, "address": _address(ctx)}


def _address(ctx: JobContext) -> str:
    return str(ctx.payload.get("back") or "/qatrack")


def _reach(ctx: JobContext, server_id: int) -> Server:
    """Return the server as it may be asked today.

    Raises
    ------
    Conflict, Invalid
        If it has no token, or its address is no longer among the allowed ones.
    """
    with ctx.db.reading() as session:
        address = session.get_one(QatrackServer, server_id).address
    check_allowed(address, ctx.settings.qatrack_servers)
    token = tokens.token_of(ctx.settings.data_dir, server_id, address)
    return Server(address, token, pause=partial(_pause, ctx))


def _pause(ctx: JobContext, seconds: float) -> None:
    """Wait for a throttled server, and keep the job while waiting."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        ctx.check()
        time.sleep(min(left, 1.0))


def _read(ctx: JobContext, server_id: int) -> Read:
    begun = now()
    with ctx.db.reading() as session:
        server = session.get_one(QatrackServer, server_id)
        wanted, zone = queries.wanted_of(session, server), ZoneInfo(server.time_zone)
    try:
        items = read_server(_reach(ctx, server_id), wanted, zone, ctx.progress)
    except (Unreadable, Conflict, Invalid) as error:
        return Read(begun, problem=_sentence(error))
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        # An answer that nobody foresaw must not leave yesterday's word standing.
        kind = type(error).__name__
        return Read(begun, problem=f"An answer of the server could not be understood ({kind}).")
    return Read(begun, items)


def _sentence(error: FiducialError) -> str:
    faults = error.faults if isinstance(error, Invalid) else ()
    return " ".join([error.message, *(f"{one.what} {one.mend}" for one in faults)])


def keep(session: Session, read: Read, *, server_id: int) -> JsonDict:
    """Write a reading down, and of what it brought what differs from before."""
    server = session.get_one(QatrackServer, server_id)
    known = queries.rows_of(session, server)
    changed = [item for key, item in read.items.items() if not _same(known.get(key), item)]
    gone = [row for key, row in known.items() if key not in read.items and not read.problem]
    reading = QatrackReading(
        server_id=server_id,
        begun_at=read.begun_at,
        ended_at=now(),
        problem=read.problem,
        items=len(read.items),
        changed=len(changed) + len(gone),
    )
    session.add(reading)
    session.flush()
    for item in changed:
        session.add(_row(reading, item.key.kind, item.key.slug, item.number, item.name, item.told))
    for row in gone:
        session.add(_row(reading, row.kind, row.slug, row.number, row.name, row.told, gone=True))
    session.flush()
    told = {"problem": read.problem, "items": reading.items, "changed": reading.changed}
    append(session, "qatrack:server:read", None, subject=server.name, data=told)
    return told


def _same(row: QatrackItem | None, item: Item) -> bool:
    return row is not None and (row.number, row.name, row.told) == (
        item.number,
        item.name,
        item.told,
    )


def _row(
    reading: QatrackReading,
    kind: str,
    slug: str,
    number: int,
    name: str,
    told: Mapping[str, object],
    *,
    gone: bool = False,
) -> QatrackItem:
    return QatrackItem(
        reading_id=reading.id or 0,
        server_id=reading.server_id,
        kind=str(kind),
        slug=slug,
        number=number,
        name=name,
        told=dict(told),
        gone=gone,
    )
