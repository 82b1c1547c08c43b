"""Name, change and retire the QATrack+ servers that are read."""

import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound
from core.jobs.models import Job
from core.jobs.service import enqueue
from core.ledger import append
from core.people.actor import Actor
from core.settings import Settings
from dataflows.qatrack import tokens
from dataflows.qatrack.addresses import check_allowed, parse_address
from dataflows.qatrack.models import QatrackServer

KIND = "dataflows.qatrack.refresh"
"""The kind of job that reads a server; the payload is ``{"server": id}``, or with "test" too."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Wish:
    """What an administrator says of a server; an empty token keeps the one that there is."""

    name: str
    address: str
    time_zone: str
    token: str = field(default="", repr=False)


def name_server(session: Session, wish: Wish, by: Actor, settings: Settings) -> QatrackServer:
    """Name a server that may be read from now on.

    Raises
    ------
    Invalid
        With every fault of what was given.
    Conflict
        If a server has this name or address already.
    """
    address, token = _checked(wish, settings)
    _refuse_twins(session, wish.name, address)
    server = QatrackServer(name=wish.name, address=address, time_zone=wish.time_zone)
    session.add(server)
    session.flush()
    tokens.keep(settings.data_dir, server.id or 0, address, token)
    _tell(session, "name", server, by)
    return server


def change_server(
    session: Session, server: QatrackServer, wish: Wish, by: Actor, settings: Settings
) -> None:
    """Give a server another address, time zone or token; its name stays, QA procedures use it.

    A token is only ever sent to the address that it was given for.
    """
    has_token = tokens.is_kept(settings.data_dir, server.id or 0)
    address, token = _checked(wish, settings, server.address if has_token else "")
    _refuse_twins(session, "", address, but=server)
    server.address, server.time_zone = address, wish.time_zone
    server.retired_at = None
    session.add(server)
    if token:
        tokens.keep(settings.data_dir, server.id or 0, address, token)
    _tell(session, "change", server, by, token="given" if token else "kept")


def retire_server(session: Session, server: QatrackServer, by: Actor, settings: Settings) -> None:
    """Read a server no more and forget its token; what was read stays."""
    if server.retired_at is not None:
        raise Conflict(f"{server.name} is retired already.")
    server.retired_at = now()
    session.add(server)
    tokens.forget(settings.data_dir, server.id or 0)
    _tell(session, "retire", server, by)


def servers(session: Session, *, retired: bool = False) -> Sequence[QatrackServer]:
    """Return the servers by name."""
    query = select(QatrackServer).order_by(col(QatrackServer.name))
    if not retired:
        query = query.where(col(QatrackServer.retired_at).is_(None))
    return session.execute(query).scalars().all()


def find_server(session: Session, name: str) -> QatrackServer:
    """Return a server by its name.

    Raises
    ------
    NotFound
    """
    found: QatrackServer | None = session.execute(
        select(QatrackServer).where(col(QatrackServer.name) == name)
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no QATrack+ server {name[:40]} here.")
    return found


def ask_to_read(
    session: Session,
    server: QatrackServer,
    by: Actor | None,
    *,
    project_id: int | None = None,
    test: bool = False,
    back: str = "",
) -> Job:
    """Let a worker read a server, or only try it; asking twice while it waits is asking once.

    Its page leads back to an address of ours.
    """
    if server.retired_at is not None:
        raise Conflict(f"{server.name} is retired; change it to read it again.")
    word = "test" if test else "read"
    payload = {"server": server.id, "test": test, "back": back}
    return enqueue(session, KIND, payload, by, key=f"{word} {server.id}", project_id=project_id)


def ask_to_read_all(session: Session) -> list[str]:
    """Let a worker read every server; return their names."""
    found = servers(session)
    for server in found:
        ask_to_read(session, server, None)
    return [server.name for server in found]


def _checked(wish: Wish, settings: Settings, kept_for: str = "") -> tuple[str, str]:
    """Return address and token, or raise every fault at once.

    Without a token the one that is kept stays, if it was given for the same address.
    """
    faults: list[Fault] = []
    address = token = ""
    if not _NAME.fullmatch(wish.name):
        mend = "Use small letters, digits and hyphens, as main."
        faults.append(Fault("QAT04", "name", f"{wish.name[:40]!r} is no name.", mend))
    try:
        address = parse_address(wish.address)
        check_allowed(address, settings.qatrack_servers)
    except Invalid as refused:
        faults += refused.faults
    if not _is_zone(wish.time_zone):
        mend = "Give the time zone of its settings, as Europe/London."
        faults.append(
            Fault("QAT05", "time_zone", f"{wish.time_zone[:40]!r} is no time zone.", mend)
        )
    if wish.token.strip() or not kept_for or address not in ("", kept_for):
        try:
            token = tokens.checked(wish.token)
        except Invalid as refused:
            faults += refused.faults
    if faults:
        raise Invalid("This server cannot be used.", faults)
    return address, token


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return bool(name)


def _refuse_twins(
    session: Session, name: str, address: str, but: QatrackServer | None = None
) -> None:
    for other in servers(session, retired=True):
        if other is but:
            continue
        if other.name == name:
            raise Conflict(f"There is a server {name} already; change that one.")
        if other.address == address and other.retired_at is None:
            raise Conflict(f"{address} is read as {other.name} already.")


def _tell(session: Session, verb: str, server: QatrackServer, by: Actor, **more: str) -> None:
    told = {"address": server.address, "time_zone": server.time_zone, **more}
    append(session, f"qatrack:server:{verb}", by, subject=server.name, data=told)
