"""Rows of a table and what came of each: what it says, what it becomes, or what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import Fault
from core.records.content import Content
from core.records.sheets.grid import Grid
from core.records.sheets.headings import Headings
from qms.sheets.kept import Held

CREATE, CHANGE, UNCHANGED = "create", "change", "unchanged"
"""What becomes of a row without faults."""


@dataclass(frozen=True, slots=True)
class CellFault:
    """A fault and the place of the column that it is about; None where there is no such column."""

    place: int | None
    fault: Fault


@dataclass(slots=True)
class Row:
    """One row: its number in the spreadsheet, its cells, and what came of it.

    Attributes
    ----------
    controls : dict
        Records that control what the row tells of, with the kind of control where it is said.
    told : list of str
        What is done with it that does not show, in words.
    """

    number: int
    cells: tuple[str, ...]
    places: Mapping[str, int]
    uid: str = ""
    content: Content | None = None
    held: Held | None = None
    verdict: str = ""
    faults: list[CellFault] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    controls: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """How a fault names it."""
        return f"row {self.number}"

    def fault(self, column: str, code: str, what: str, mend: str = "") -> None:
        """Note one fault of a column."""
        self.faults.append(CellFault(self.places.get(column), Fault(code, self.where, what, mend)))

    def faults_at(self, place: int) -> list[Fault]:
        """Return the faults of one cell."""
        return [one.fault for one in self.faults if one.place == place]

    @property
    def elsewhere(self) -> list[Fault]:
        """Return the faults of no cell that there is."""
        return [one.fault for one in self.faults if one.place is None]


@dataclass(frozen=True)
class Judged:
    """A whole table.

    Attributes
    ----------
    faults : tuple of Fault
        What is wrong with the headings.
    unnamed : tuple of int
        Places of columns that hold something and mean nothing yet.
    """

    grid: Grid
    headings: Headings
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...] = ()
    unnamed: tuple[int, ...] = ()

    @property
    def faulty(self) -> tuple[Row, ...]:
        """The rows with faults."""
        return tuple(one for one in self.rows if one.faults)
