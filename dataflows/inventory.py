"""What a department has: systems, connections, pathways and QA procedures as plain values.

Everything else in this folder reads these values. They are built once from a snapshot of the
records; a record that is not yet complete enough to be drawn is listed, never dropped in silence.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from core.records.snapshot import natural_order


class Category(StrEnum):
    """How data travels, in the three families that a department survey counts."""

    DICOM = "dicom"
    FILE = "file"
    OTHER = "other"


class Status(StrEnum):
    """Where a connection stands; `none` says that a survey found no transfer and none is meant."""

    ACTIVE = "active"
    PLANNED = "planned"
    RETIRED = "retired"
    NONE = "none"


DRAWN_STATUSES = frozenset({Status.ACTIVE, Status.PLANNED})
"""A planned connection is drawn and asks for its QA before it carries a patient's data."""


@dataclass(frozen=True, slots=True, order=True)
class Outside:
    """A record outside the map: the device that a system realises, or what names a connection."""

    project: str
    uid: str
    title: str = ""
    type: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """A system, or a part of one when it has a parent."""

    uid: str
    title: str
    kind: str = ""
    owner: str = ""
    criticality: str = ""
    parent: str | None = None
    realises: tuple[Outside, ...] = ()
    named_by: tuple[Outside, ...] = ()


@dataclass(frozen=True, slots=True)
class Association:
    """One DICOM association: who asks (`scu`) and who listens (`scp`)."""

    role: str
    scu_ae: str
    scp_ae: str
    scp_host: str
    scp_port: int
    service: str


@dataclass(frozen=True, slots=True)
class Connection:
    """One way that data goes from one system to another. Data always runs source to target."""

    uid: str
    title: str
    source: str
    target: str
    category: Category
    protocol: str = ""
    data_types: tuple[str, ...] = ()
    trigger: str = ""
    mode: str = ""
    responsible: str = ""
    status: Status = Status.ACTIVE
    associations: tuple[Association, ...] = ()
    tls: bool = False
    named_by: tuple[Outside, ...] = ()
    priority: str = ""
    """The highest action priority among its failure modes; empty where none is recorded."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a pathway; an `entry` starts at a system that was not visited before."""

    connection: str
    entry: bool = False


@dataclass(frozen=True, slots=True)
class Pathway:
    """The ordered connections that one kind of treatment passes over."""

    uid: str
    title: str
    modality: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Procedure:
    """A QA procedure and what it controls."""

    uid: str
    title: str
    slug: str = ""
    frequency: str = ""
    source: str = ""
    instance: str = ""
    connections: tuple[str, ...] = ()
    pathways: tuple[str, ...] = ()
    monitors: tuple[Outside, ...] = ()


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A record that cannot be placed on the map as it stands, with the reason."""

    uid: str
    reason: str


@dataclass(frozen=True)
class Department:
    """The department as one value: four tables by uid and the look-ups every view shares.

    Attributes
    ----------
    no_transfer : frozenset of pairs
        Sender and receiver between which a survey found no transfer, and none is intended.
    incomplete : tuple of Incomplete
        What could not be drawn as written.
    drafts : frozenset of str
        What is shown by a revision that is not in force: nobody has approved it yet.
    """

    project: str
    systems: Mapping[str, System]
    connections: Mapping[str, Connection]
    pathways: Mapping[str, Pathway] = field(default_factory=dict)
    procedures: Mapping[str, Procedure] = field(default_factory=dict)
    no_transfer: frozenset[tuple[str, str]] = frozenset()
    incomplete: tuple[Incomplete, ...] = ()
    drafts: frozenset[str] = frozenset()

    @cached_property
    def worked_out(self) -> dict[str, Any]:
        """What was worked out of this very department once, to be asked for again."""
        return {}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The direct parts of each system that has any."""
        found: dict[str, list[str]] = {}
        for system in self.systems.values():
            if system.parent is not None:
                found.setdefault(system.parent, []).append(system.uid)
        return {uid: tuple(parts) for uid, parts in found.items()}

    @cached_property
    def lineage(self) -> Mapping[str, tuple[str, ...]]:
        """For each system the way down to it: major first, itself last."""
        ways: dict[str, tuple[str, ...]] = {}
        for uid in self.systems:
            upward: list[str] = []
            here: str | None = uid
            while here is not None and here not in ways:
                upward.append(here)
                here = self.systems[here].parent
            way = ways[here] if here is not None else ()
            for below in reversed(upward):
                way = (*way, below)
                ways[below] = way
        return ways

    @cached_property
    def endpoints(self) -> frozenset[str]:
        """Every system that has no parts, or that a connection touches itself."""
        ends = {end for c in self.connections.values() for end in (c.source, c.target)}
        return frozenset(ends | {uid for uid in self.systems if uid not in self.children})

    @cached_property
    def depth(self) -> int:
        """The deepest level below the major systems; 0 when nothing is broken down."""
        return max((len(way) - 1 for way in self.lineage.values()), default=0)

    @cached_property
    def majors(self) -> tuple[str, ...]:
        """The systems without a parent, in reading order."""
        return tuple(
            sorted((uid for uid, s in self.systems.items() if s.parent is None), key=natural_order)
        )

    @cached_property
    def in_order(self) -> tuple[Connection, ...]:
        """The connections in reading order."""
        return tuple(sorted(self.connections.values(), key=lambda one: natural_order(one.uid)))

    @cached_property
    def qa_of_connection(self) -> Mapping[str, tuple[str, ...]]:
        """The QA procedures that control each connection; a connection without any is absent."""
        return _reverse((p.uid, p.connections) for p in self.procedures.values())

    @cached_property
    def qa_of_pathway(self) -> Mapping[str, tuple[str, ...]]:
        """The QA procedures that control each pathway; a pathway without any is absent."""
        return _reverse((p.uid, p.pathways) for p in self.procedures.values())

    @cached_property
    def touching(self) -> Mapping[str, tuple[str, ...]]:
        """The connections that start or end at each system itself, without its parts."""
        found: dict[str, list[str]] = {}
        for connection in self.connections.values():
            for end in {connection.source, connection.target}:
                found.setdefault(end, []).append(connection.uid)
        return {uid: tuple(sorted(uids, key=natural_order)) for uid, uids in found.items()}

    @cached_property
    def receivers(self) -> Mapping[str, frozenset[str]]:
        """The systems that each sending system sends to."""
        found: dict[str, set[str]] = {}
        for connection in self.connections.values():
            found.setdefault(connection.source, set()).add(connection.target)
        return {uid: frozenset(targets) for uid, targets in found.items()}

    def major(self, uid: str) -> str:
        """Return the major system that a system belongs to."""
        return self.lineage[uid][0]

    def within(self, uid: str) -> tuple[str, ...]:
        """Return a system and everything below it, in reading order."""
        found, pending = [], [uid]
        while pending:
            here = pending.pop()
            found.append(here)
            pending.extend(self.children.get(here, ()))
        return tuple(sorted(found, key=self.reading_order))

    def ends_within(self, uid: str) -> tuple[str, ...]:
        """Return the endpoints inside a system: the ones that data comes from or goes to."""
        return tuple(part for part in self.within(uid) if part in self.endpoints)

    def is_internal(self, connection: Connection) -> bool:
        """Tell whether both ends of a connection lie in one major system."""
        return self.major(connection.source) == self.major(connection.target)

    def reading_order(self, uid: str) -> tuple[tuple[tuple[int, int, str], ...], ...]:
        """Return the sort key that keeps the parts of a system beside it."""
        return tuple(natural_order(part) for part in self.lineage[uid])


def _reverse(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for owner, targets in pairs:
        for target in dict.fromkeys(targets):
            found.setdefault(target, []).append(owner)
    return {target: tuple(sorted(owners, key=natural_order)) for target, owners in found.items()}
