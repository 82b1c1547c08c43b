"""Which role paths lead to a column: those offered, the one chosen, and how they are said. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import Fault, Invalid
from qms.traceability.paths import GENERAL, Column, Step, Way, read_step, shortest_ways

MOST_OFFERED = 12

Links = Mapping[str, Mapping[str, Sequence[str]]]
"""Per record type, per role, the types that the role may lead to."""

Words = Mapping[str, tuple[str, str]]
"""Per role, how it reads along the link and against it."""


@dataclass(frozen=True)
class Offered:
    """One role path that a column may be drawn along.

    Attributes
    ----------
    value : str
        As an address names it: ``test:<mitigates.<verifies``.
    """

    value: str
    words: str
    chosen: bool


def way_text(way: Way) -> str:
    """Write a way as an address does.

    Examples
    --------
    >>> way_text((Step("mitigates", False), Step("verifies", False)))
    '<mitigates.<verifies'
    """
    return ".".join(map(str, way))


def in_words(way: Way, words: Words) -> str:
    """Say a way as the links of its records read: "leads to, then verified by"."""
    return ", then ".join(
        words.get(step.role, (step.role, f"{step.role} of"))[not step.forward].replace("_", " ")
        for step in way
    )


def along(
    columns: Sequence[Column],
    asked: Sequence[str],
    rows: str,
    links: Links,
    *,
    lenient: bool = False,
) -> tuple[Column, ...]:
    """Return columns drawn along the ways that were asked for; the others stay as they are.

    Parameters
    ----------
    lenient : bool
        Leave out what leads nowhere: a form still names the paths of the rows that it had before.

    Raises
    ------
    Invalid
        With every way that the record types do not allow or that leads to no column shown.
    """
    ways: dict[str, list[Way]] = {}
    faults = []
    by_name = {column.name: column for column in columns}
    for text in dict.fromkeys(asked):
        name, _, path = text.partition(":")
        way = tuple(read_step(step) for step in path.split(".") if step.lstrip("<"))
        column = by_name.get(name)
        if column is None or not way or not _leads(rows, column.types, way, links):
            what = "is no path of links that leads there."
            faults.append(Fault("TM08", text[:100], what, "Choose one that the page offers."))
        else:
            ways.setdefault(name, []).append(way)
    if faults and not lenient:
        raise Invalid("This matrix cannot be drawn.", faults)
    return tuple(
        replace(one, ways=tuple(ways[one.name]), instead=(), lack="")
        if one.name in ways and set(ways[one.name]) != set(one.ways)
        else one
        for one in columns
    )


def departing(usual: Sequence[Column], drawn: Sequence[Column]) -> list[str]:
    """Return the ways of the columns that are not drawn along their usual ones, as addresses do."""
    before = {column.name: set(column.ways) for column in usual}
    return [
        f"{column.name}:{way_text(way)}"
        for column in drawn
        if set(column.ways) != before.get(column.name)
        for way in column.ways
    ]


def offered(
    column: Column, usual: Sequence[Way], rows: str, links: Links, words: Words
) -> tuple[Offered, ...]:
    """Return the ways that a column may be drawn along, the usual ones first."""
    found: dict[Way, None] = dict.fromkeys((*usual, *column.ways))
    for name in sorted(column.types):
        found |= dict.fromkeys(shortest_ways(rows, name, links))
        found |= dict.fromkeys(_ways_between(rows, name, links))
    telling = [way for way in found if not _is_general(way)]
    straight = [way for way in found if _is_general(way)]
    return tuple(
        Offered(f"{column.name}:{way_text(way)}", in_words(way, words), way in column.ways)
        for way in (*telling[: max(MOST_OFFERED, len(column.ways))], *straight)
    )


def _leads(rows: str, types: Collection[str], way: Way, links: Links) -> bool:
    """Whether a way can lead from one record type to one of some others."""
    reached = {rows}
    for step in way:
        reached = {
            end
            for source, roles in links.items()
            for target in roles.get(step.role, ())
            for start, end in [(source, target) if step.forward else (target, source)]
            if start in reached
        }
    return not reached.isdisjoint(types)


def _ways_between(rows: str, name: str, links: Links) -> list[Way]:
    """Return every way of at most two steps from one record type to another."""
    steps = _steps(links)
    found: list[Way] = [(step,) for step, end in steps.get(rows, ()) if end == name]
    for first, middle in steps.get(rows, ()):
        if middle in (rows, name):
            continue
        found += [(first, second) for second, end in steps.get(middle, ()) if end == name]
    # A chain of roles that say nothing joins everything to everything; one step of it is told.
    told = {way for way in found if len(way) == 1 or not _is_general(way)}
    return sorted(told, key=lambda way: (_is_general(way), len(way), way_text(way)))


def _is_general(way: Way) -> bool:
    return any(step.role in GENERAL for step in way)


def _steps(links: Links) -> dict[str, list[tuple[Step, str]]]:
    found: dict[str, list[tuple[Step, str]]] = {}
    for source, roles in sorted(links.items()):
        for role, targets in sorted(roles.items()):
            for target in targets:
                found.setdefault(source, []).append((Step(role, forward=True), target))
                found.setdefault(target, []).append((Step(role, forward=False), source))
    return found
