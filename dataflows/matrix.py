"""The data transfer matrix: sending systems down, receiving systems across.

A cell lists the routes of the same view that the diagram draws, so the two can never disagree.
An empty cell says either that a survey found no transfer and none is meant, or nothing at all:
"not yet surveyed" and "surveyed, none" are different answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from dataflows.graph import Route, View, level_view
from dataflows.inventory import Category, Department

ASIDE = " | "
"""Begins in a cell of an export what is said beside its routes."""


class Emptiness(StrEnum):
    """Why a cell holds no route."""

    SAME_SYSTEM = "same system"
    NONE_INTENDED = "no transfer intended"
    NOT_SURVEYED = "not surveyed"


@dataclass(frozen=True, slots=True)
class Cell:
    """Everything that goes from one system to another, as one cell of the matrix."""

    source: str
    target: str
    routes: tuple[Route, ...] = ()
    hidden: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    emptiness: Emptiness | None = None

    @property
    def connections(self) -> int:
        """How many connections the routes of this cell carry."""
        return sum(len(route.connections) for route in self.routes)

    @property
    def covered(self) -> int:
        """How many of them a QA procedure names."""
        return self.connections - len(self.uncovered)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A window of the transfer matrix, with the totals of the whole."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    systems: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    by_category: Mapping[Category, int]

    @property
    def lines(self) -> Iterator[tuple[str, list[Cell | None]]]:
        """Each row with its cells, None for one that nobody surveyed: a large map has most."""
        for source in self.rows:
            cells = (self.cells[source, target] for target in self.columns)
            yield (
                source,
                [None if one.emptiness is Emptiness.NOT_SURVEYED else one for one in cells],
            )

    @property
    def total(self) -> int:
        """The number of routes in the whole matrix, not only in this window."""
        return sum(self.by_category.values())

    @property
    def shown(self) -> int:
        """The number of routes in this window."""
        return sum(len(cell.routes) for cell in self.cells.values())


def transfer_matrix(
    department: Department,
    level: int,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> Matrix:
    """Lay the routes of one level out as a matrix.

    Parameters
    ----------
    department : Department
        The systems and connections.
    level : int
        0 for major systems; the deepest level lists every connection.
    rows, columns : slice
        The window to build; the totals always count the whole matrix.
    """
    return matrix_of(department, level_view(department, level), rows, columns)


def matrix_of(
    department: Department,
    view: View,
    rows: slice = slice(None),
    columns: slice = slice(None),
) -> Matrix:
    """Lay the routes of any view out as a matrix."""
    down, across = view.systems[rows], view.systems[columns]
    wanted_rows, wanted_columns = frozenset(down), frozenset(across)
    bundles: dict[tuple[str, str], list[Route]] = {}
    by_category = dict.fromkeys(Category, 0)
    for route in view.routes:
        by_category[route.category] += 1
        if route.source in wanted_rows and route.target in wanted_columns:
            bundles.setdefault((route.source, route.target), []).append(route)
    none_within = {
        (department.major(source), department.major(target))
        for source, target in department.no_transfer
    }
    cells = {}
    for source in down:
        major = department.major(source)
        for target in across:
            routes = bundles.get((source, target))
            if routes or source == target:
                cell = _cell(department, view, source, target, routes or ())
            elif (major, department.major(target)) in none_within and _surveyed_none(
                department, source, target
            ):
                cell = Cell(source, target, emptiness=Emptiness.NONE_INTENDED)
            else:
                cell = Cell(source, target, emptiness=Emptiness.NOT_SURVEYED)
            cells[source, target] = cell
    return Matrix(down, across, view.systems, cells, by_category)


def _cell(
    department: Department, view: View, source: str, target: str, routes: Sequence[Route]
) -> Cell:
    connections = [uid for route in routes for uid in route.connections]
    covered = department.qa_of_connection
    procedures = dict.fromkeys(qa for uid in connections for qa in covered.get(uid, ()))
    return Cell(
        source,
        target,
        routes=tuple(routes),
        hidden=view.hidden.get(source, ()) if source == target else (),
        procedures=tuple(procedures),
        uncovered=tuple(uid for uid in connections if uid not in covered),
        emptiness=None if routes else Emptiness.SAME_SYSTEM,
    )


def _surveyed_none(department: Department, source: str, target: str) -> bool:
    """Tell whether a survey answers for every pair of parts of the two systems.

    A survey of a whole answers for its parts; a survey of one part says nothing of the others.
    """
    known = department.no_transfer
    if not known:
        return False
    return all(
        any(
            (above_sender, above_receiver) in known
            for above_sender in department.lineage[sender]
            for above_receiver in department.lineage[receiver]
        )
        for sender in department.ends_within(source)
        for receiver in department.ends_within(target)
    )


def to_rows(matrix: Matrix) -> list[list[str]]:
    """Write the window as rows of text, header first; `routes_in_rows` reads them back.

    A filled cell reads `dicom C001 C002; file C039 | 2 QA on 3 of 3`, what is inside one system
    `| inside C004`.
    """
    lines = [["from / to", *matrix.columns]]
    for source in matrix.rows:
        cells = (matrix.cells[source, target] for target in matrix.columns)
        lines.append([source, *(_cell_text(cell) for cell in cells)])
    return lines


def _cell_text(cell: Cell) -> str:
    if cell.emptiness is Emptiness.NONE_INTENDED:
        return Emptiness.NONE_INTENDED.value
    text = "; ".join(f"{r.category.value} {' '.join(r.connections)}" for r in cell.routes)
    if cell.routes:
        text += f"{ASIDE}{len(cell.procedures)} QA on {cell.covered} of {cell.connections}"
    if cell.hidden:
        text += f"{ASIDE}inside {' '.join(cell.hidden)}"
    return text


def routes_in_rows(rows: Sequence[Sequence[str]]) -> tuple[Route, ...]:
    """Read the routes back from the rows that `to_rows` wrote."""
    columns = rows[0][1:]
    found = []
    for source, *cells in rows[1:]:
        for target, text in zip(columns, cells, strict=True):
            if text in ("", Emptiness.NONE_INTENDED.value):
                continue
            said = text.split(ASIDE)[0]
            for part in filter(None, said.split("; ")):
                category, *connections = part.split(" ")
                found.append(Route(source, target, Category(category), tuple(connections)))
    return tuple(found)


def blocks(department: Department, systems: Sequence[str]) -> list[tuple[str, int]]:
    """Return the major systems that a row of systems falls into, each with its width."""
    return [(major, len(list(run))) for major, run in groupby(systems, key=department.major)]
