"""Ways through the record: which roles lead from a row of the matrix to a column. Pure.

A way is a sequence of steps, each along or against a link role. A set of records walks a way as a
set: no single path is ever enumerated, so the cost is that of the links and not of their products.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import Fault, Invalid
from core.records.snapshot import Key, Snapshot

LONGEST_WAY = 4
"""Need, requirement, item, component, and one to spare; longer ways connect everything to all."""

GENERAL = frozenset({"traces_to"})
"""Roles that say no more than that one record leads to another. They join nearly all types, so a
way along them would be the shortest between any two and hide those that mean something."""

COLUMN_KEYS = frozenset({"name", "label", "types", "along", "required", "instead", "lack", "shown"})


@dataclass(frozen=True)
class Step:
    """One role, walked from source to target (`forward`) or back."""

    role: str
    forward: bool

    def __str__(self) -> str:
        return self.role if self.forward else f"<{self.role}"


Way = tuple[Step, ...]


@dataclass(frozen=True)
class Column:
    """One column of the matrix: what it shows and how a row gets there.

    Attributes
    ----------
    name : str
        The record type it stands for.
    label : str
        The heading; empty for the type's own label.
    types : frozenset of str
        Record types shown.
    ways : tuple of Way
        Every way that leads here; the cell is the union of their ends.
    required : bool
        Whether a row with an empty cell is uncovered.
    instead : tuple of Way
        Ways whose ends make up for an empty required cell.
    lack : str
        The sentence said of an empty required cell.
    shown : bool
        Whether the column is on the page when nobody chose columns.
    """

    name: str
    label: str
    types: frozenset[str]
    ways: tuple[Way, ...]
    required: bool = False
    instead: tuple[Way, ...] = ()
    lack: str = ""
    shown: bool = True


def walk(snapshot: Snapshot, start: Key, way: Way) -> set[Key]:
    """Return every record at the end of `way` from `start`."""
    reached = {start}
    for step in way:
        if step.forward:
            reached = {link.target for key in reached for link in snapshot.outgoing(key, step.role)}
        else:
            reached = {link.source for key in reached for link in snapshot.incoming(key, step.role)}
    return reached


def reach(snapshot: Snapshot, start: Key, ways: Iterable[Way]) -> set[Key]:
    """Return every record at the end of any of `ways` from `start`."""
    return set().union(*[walk(snapshot, start, way) for way in ways])


def read_step(text: str) -> Step:
    """Read ``derives_from`` as a step along the role, ``<verifies`` as one against it.

    Examples
    --------
    >>> read_step("<verifies")
    Step(role='verifies', forward=False)
    """
    return Step(text.removeprefix("<"), forward=not text.startswith("<"))


def read_columns(data: Any, where: str) -> dict[str, tuple[Column, ...]]:
    """Read the columns of each row type from plain data.

    Raises
    ------
    Invalid
        With every entry that has no rows, no name, no way or an unknown key.
    """
    faults: list[Fault] = []
    table: dict[str, tuple[Column, ...]] = {}
    for entry in data if isinstance(data, list) else ():
        rows = entry.get("rows", "")
        if not rows or rows in table:
            faults.append(Fault("TM01", f"{where}: rows {rows!r}", "is missing or doubled."))
        columns = []
        for item in entry.get("columns", ()):
            place = f"{where}: {rows} x {item.get('name')}"
            faults.extend(
                Fault("TM01", place, f"has the unknown key {key}.", "Remove it.")
                for key in sorted(item.keys() - COLUMN_KEYS)
            )
            if not item.get("name") or not item.get("along"):
                faults.append(Fault("TM01", place, "needs a name and a way.", "Add them."))
                continue
            columns.append(_column(item))
        table[rows] = tuple(columns)
    if not table:
        faults.append(Fault("TM01", where, "holds no rows.", "List at least one row type."))
    if faults:
        raise Invalid(f"{where} cannot be used.", faults)
    return table


def _column(item: Mapping[str, Any]) -> Column:
    name = item["name"]
    return Column(
        name=name,
        label=item.get("label", ""),
        types=frozenset(item.get("types", [name])),
        ways=_ways(item["along"]),
        required=bool(item.get("required", False)),
        instead=_ways(item.get("instead", ())),
        lack=item.get("lack", ""),
        shown=bool(item.get("shown", True)),
    )


def _ways(data: Iterable[Sequence[str]]) -> tuple[Way, ...]:
    return tuple(tuple(read_step(text) for text in way) for way in data)


def shortest_ways(
    rows: str, columns: str, links: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[Way, ...]:
    """Return all shortest ways from one record type to another that the types allow.

    Ways whose roles say what they are come first; that one leads straight to the other by a role
    that says no more, as of what was imported, is told beside them and never instead.

    Parameters
    ----------
    rows, columns : str
        Names of record types.
    links : mapping
        Per record type, per role, the types that the role may lead to.

    Examples
    --------
    >>> links = {"test": {"verifies": ["requirement"]}, "requirement": {"derives_from": ["need"]}}
    >>> [str(step) for step in shortest_ways("need", "test", links)[0]]
    ['<derives_from', '<verifies']
    """
    telling = {
        source: {role: to for role, to in roles.items() if role not in GENERAL}
        for source, roles in links.items()
    }
    straight = [
        (Step(role, forward=forward),)
        for forward, source, target in ((True, rows, columns), (False, columns, rows))
        for role, to in sorted(links.get(source, {}).items())
        if role in GENERAL and target in to
    ]
    found = (*_shortest(rows, columns, telling), *straight)
    return tuple(dict.fromkeys(found)) or _shortest(rows, columns, links)


def _shortest(
    rows: str, columns: str, links: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[Way, ...]:
    steps: dict[str, list[tuple[Step, str]]] = {}
    for source, roles in sorted(links.items()):
        for role, targets in sorted(roles.items()):
            for target in targets:
                steps.setdefault(source, []).append((Step(role, forward=True), target))
                steps.setdefault(target, []).append((Step(role, forward=False), source))
    frontier: dict[str, list[Way]] = {rows: [()]}
    seen: set[str] = set()
    for _ in range(LONGEST_WAY):
        following: dict[str, dict[Way, None]] = {}
        for place, ways in frontier.items():
            for step, target in steps.get(place, ()):
                for way in ways:
                    following.setdefault(target, {})[(*way, step)] = None
        if columns in following:
            return tuple(following[columns])
        seen |= frontier.keys()
        frontier = {place: list(ways) for place, ways in following.items() if place not in seen}
    return ()
