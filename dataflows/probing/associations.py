"""The DICOM associations of a department as questions that a probe can put. Pure.

The table of associations says who asks and who listens, so the probe goes to the right end each
time: of a C-STORE to the receiver, of a worklist to its source, of a C-MOVE to the source and, for
the sub-operation that comes back, to the receiver.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

from core.canonical import digest
from core.probes import ProbeQuestion
from core.records.snapshot import natural_order
from dataflows.inventory import (
    DRAWN_STATUSES,
    Association,
    Category,
    Connection,
    Department,
    Status,
)
from dataflows.probing.allowed import SETTING, AllowList, Leave

LONGEST_AE = 16
"""Characters of an AE title (DICOM PS3.5, table 6.2-1)."""

ROLE_WORDS = {
    "store": "C-STORE",
    "query": "query",
    "request": "C-MOVE request",
    "store-suboperation": "C-STORE that comes back",
    "work-item": "work item",
}
"""What an association is for, in the words of a page."""


@dataclass(frozen=True)
class Asked:
    """One association of one connection, and the question that a probe puts about it."""

    connection: Connection
    number: int
    question: ProbeQuestion

    @cached_property
    def key(self) -> str:
        """The digest of the question."""
        return digest(self.told)

    @property
    def told(self) -> dict[str, object]:
        """The question as plain values."""
        return {**asdict(self.question), "data_types": list(self.question.data_types)}

    @property
    def place(self) -> str:
        """Where it is named: the connection, and which association of it where it has more."""
        several = len(self.connection.associations) > 1
        return (
            f"{self.connection.uid} association {self.number}" if several else self.connection.uid
        )

    @property
    def listening(self) -> str:
        """The system that listens."""
        c = self.connection
        return (
            c.source
            if asked_by(c, self.connection.associations[self.number - 1]) == c.target
            else c.target
        )

    @property
    def asking(self) -> str:
        """The system that asks."""
        return asked_by(self.connection, self.connection.associations[self.number - 1])


def asked_by(connection: Connection, association: Association) -> str:
    """Return the system that asks: the one that stores, queries, requests or fetches work."""
    pushes = association.role in ("store", "store-suboperation")
    pushes = pushes or "push" in association.service.lower()
    return connection.source if pushes else connection.target


def associations(department: Department, *connections: str) -> list[Asked]:
    """Return every DICOM association of some connections, or of all that are in use or planned."""
    found = (
        (department.connections[uid] for uid in connections if uid in department.connections)
        if connections
        else (c for c in department.connections.values() if c.status in DRAWN_STATUSES)
    )
    return [
        asked
        for connection in sorted(found, key=lambda c: natural_order(c.uid))
        if connection.category is Category.DICOM
        for asked in _of(connection)
    ]


def _of(connection: Connection) -> Iterator[Asked]:
    for number, one in enumerate(connection.associations, start=1):
        question = ProbeQuestion(
            role=one.role,
            service=one.service,
            data_types=connection.data_types,
            calling_ae=one.scu_ae.strip(),
            called_ae=one.scp_ae.strip(),
            host=one.scp_host.strip(),
            port=one.scp_port,
            tls=connection.tls,
        )
        yield Asked(connection, number, question)


def obstacles(asked: Asked, allowed: AllowList) -> tuple[str, ...]:
    """Return why an association cannot be probed, in sentences; nothing where it can."""
    question, found = asked.question, []
    if asked.connection.status in (Status.RETIRED, Status.NONE):
        found.append(f"The connection is {asked.connection.status}: nothing listens for it.")
    for which, title in (("asking", question.calling_ae), ("listening", question.called_ae)):
        if not title:
            found.append(f"The {which} AE title is not stated.")
        elif not is_ae_title(title):
            found.append(f"{title[:40]!r} is no AE title.")
    if not question.host:
        found.append("The listening host is not stated.")
    elif allowed.leave(question.host) is Leave.NO:
        found.append(f"{question.host} is not among the hosts that may be probed ({SETTING}).")
    if not 1 <= question.port <= 65535:
        found.append(
            "The port is not stated." if not question.port else f"{question.port} is no port."
        )
    return tuple(found)


def is_ae_title(title: str) -> bool:
    """Tell whether DICOM allows an AE title."""
    return (
        0 < len(title.strip()) <= LONGEST_AE
        and title.isascii()
        and title.isprintable()
        and "\\" not in title
    )
