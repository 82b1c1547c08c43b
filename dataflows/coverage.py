"""Coverage: which connections and pathways no QA procedure controls, at all and by event."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records.snapshot import natural_order
from dataflows.inventory import Connection, Department, Pathway, Procedure


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is without QA, and out of how many.

    A connection inside one major system is counted apart: its supplier tests it as one product,
    and a department decides case by case whether to test it again.

    Attributes
    ----------
    idle : tuple of Procedure
        Procedures that control nothing.
    only_drafts : tuple of str
        Connections and pathways whose only QA nobody has approved yet.
    """

    external: tuple[Connection, ...]
    internal: tuple[Connection, ...]
    pathways: tuple[Pathway, ...]
    external_total: int
    internal_total: int
    pathway_total: int
    idle: tuple[Procedure, ...]
    only_drafts: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every external connection and every pathway has QA."""
        return not self.external and not self.pathways


def coverage(department: Department) -> Coverage:
    """Find the connections and pathways that no QA procedure controls.

    Only a procedure that names the connection itself covers it: an end-to-end test that passes
    over it shows that data arrived, not that each value on this connection is right.
    """
    controlled = {**department.qa_of_connection, **department.qa_of_pathway}
    external: list[Connection] = []
    internal: list[Connection] = []
    for connection in department.in_order:
        (internal if department.is_internal(connection) else external).append(connection)
    ways = sorted(department.pathways.values(), key=lambda p: natural_order(p.uid))
    return Coverage(
        external=tuple(c for c in external if c.uid not in department.qa_of_connection),
        internal=tuple(c for c in internal if c.uid not in department.qa_of_connection),
        pathways=tuple(p for p in ways if p.uid not in department.qa_of_pathway),
        external_total=len(external),
        internal_total=len(internal),
        pathway_total=len(ways),
        idle=tuple(
            p
            for p in sorted(department.procedures.values(), key=lambda p: natural_order(p.uid))
            if not p.connections and not p.pathways
        ),
        only_drafts=tuple(
            uid for uid in sorted(_only_drafts(department, controlled), key=natural_order)
        ),
    )


def _only_drafts(
    department: Department, controlled: Mapping[str, tuple[str, ...]]
) -> Iterable[str]:
    if not department.drafts:
        return ()
    return (uid for uid, by in controlled.items() if department.drafts.issuperset(by))


class Event(StrEnum):
    """When a connection is tested: the three events of AAPM 201.A, and the routine between them."""

    ACCEPTANCE = "acceptance"
    COMMISSIONING = "commissioning"
    UPGRADE = "upgrade"
    PERIODIC = "periodic"


EVENT_OF_FREQUENCY: Mapping[str, Event] = {
    "acceptance": Event.ACCEPTANCE,
    "commissioning": Event.COMMISSIONING,
    "on-upgrade": Event.UPGRADE,
    **dict.fromkeys(
        ("daily", "weekly", "monthly", "quarterly", "six-monthly", "annual", "two-yearly"),
        Event.PERIODIC,
    ),
}
"""What a QA procedure's *Frequency or event* means; one that states none is for no event."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """A connection or a pathway, and which QA procedures control it at which event.

    Attributes
    ----------
    kind : str
        connection between systems, connection inside a system, or pathway.
    unscheduled : tuple of Procedure
        Procedures that control it and state no frequency.
    """

    uid: str
    title: str
    kind: str
    responsible: str
    at: Mapping[Event, tuple[Procedure, ...]]
    unscheduled: tuple[Procedure, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether any procedure controls it, whenever that is."""
        return bool(self.unscheduled) or any(self.at.values())

    @property
    def missing(self) -> tuple[Event, ...]:
        """The events at which no procedure controls it."""
        return tuple(event for event in Event if not self.at[event])


@dataclass(frozen=True, slots=True)
class AtEvent:
    """One event: what is tested then, and which external connections and pathways are not."""

    event: Event
    procedures: tuple[Procedure, ...]
    tested: tuple[EventRow, ...]
    untested: tuple[EventRow, ...]


_NEVER: Mapping[Event, tuple[Procedure, ...]] = dict.fromkeys(Event, ())

EXTERNAL, INTERNAL, PATHWAY = (
    "connection between systems",
    "connection inside a system",
    "pathway",
)


def connections_in_order(department: Department, uids: Collection[str] | None = None) -> list[str]:
    """Return each connection, or those named: the ones between systems first."""
    if uids is None:
        listed = [connection.uid for connection in department.in_order]
    else:
        listed = sorted(uids, key=natural_order)
    listed.sort(key=lambda uid: department.is_internal(department.connections[uid]))
    return listed


def connections_by_event(
    department: Department, uids: Collection[str] | None = None
) -> tuple[EventRow, ...]:
    """Return each connection, or those named, with its QA by event: external ones first."""
    found = []
    for uid in connections_in_order(department, uids):
        connection = department.connections[uid]
        kind = INTERNAL if department.is_internal(connection) else EXTERNAL
        what = (uid, connection.title, kind)
        controls = department.qa_of_connection.get(uid, ())
        found.append(_event_row(department, what, connection.responsible, controls))
    return tuple(found)


def pathways_by_event(
    department: Department, uids: Collection[str] | None = None
) -> tuple[EventRow, ...]:
    """Return each pathway, or those named, with its end-to-end QA by event."""
    chosen = department.pathways if uids is None else uids
    return tuple(
        _event_row(
            department,
            (uid, department.pathways[uid].title, PATHWAY),
            "",
            department.qa_of_pathway.get(uid, ()),
        )
        for uid in sorted(chosen, key=natural_order)
    )


def by_event(rows: Iterable[EventRow]) -> tuple[AtEvent, ...]:
    """Turn the rows over: for each event what is tested then and what is not.

    What lies inside one system is listed where it is tested and never counted as a gap.
    """
    listed = list(rows)
    found = []
    for event in Event:
        tested = tuple(one for one in listed if one.at[event])
        procedures = {p.uid: p for one in tested for p in one.at[event]}
        found.append(
            AtEvent(
                event,
                tuple(procedures[uid] for uid in sorted(procedures, key=natural_order)),
                tested,
                tuple(one for one in listed if not one.at[event] and one.kind != INTERNAL),
            )
        )
    return tuple(found)


def _event_row(
    department: Department,
    what: tuple[str, str, str],
    responsible: str,
    controls: Sequence[str],
) -> EventRow:
    if not controls:
        return EventRow(*what, responsible, _NEVER)
    at: dict[Event, list[Procedure]] = {event: [] for event in Event}
    unscheduled: list[Procedure] = []
    for uid in controls:
        procedure = department.procedures[uid]
        event = EVENT_OF_FREQUENCY.get(procedure.frequency)
        (unscheduled if event is None else at[event]).append(procedure)
    told = {event: tuple(procedures) for event, procedures in at.items()}
    return EventRow(*what, responsible, told, tuple(unscheduled))
