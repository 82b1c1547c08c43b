"""A table as it comes from the clipboard of a spreadsheet: rows of text, and back. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.errors import Fault, Invalid

MOST_ROWS = 500
MOST_COLUMNS = 60
LONGEST_TEXT = 1_000_000
"""Characters of one table: 500 rows of 2,000."""

NOT_READ = "The table was not read."


@dataclass(frozen=True, slots=True)
class Grid:
    """Headings and rows, which count on from the row of the spreadsheet that holds the headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    top: int = 1

    def numbered(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Go through the rows, each with its number in the spreadsheet."""
        return enumerate(self.rows, start=self.top + 1)

    @property
    def text(self) -> str:
        """The same as tab-separated text, for a form to keep it."""
        out = io.StringIO(newline="")
        csv.writer(out, delimiter="\t", lineterminator="\n").writerows([self.headings, *self.rows])
        return out.getvalue()

    def corrected(
        self,
        headings: Mapping[int, str],
        cells: Mapping[tuple[int, int], str],
        dropped: Sequence[int],
    ) -> "Grid":
        """Return it with some headings and cells instead; a dropped row is left empty.

        Parameters
        ----------
        cells : mapping
            By row as the spreadsheet counts it, and place of the column from 0.
        """
        width = len(self.headings)
        gone = frozenset(dropped)
        return Grid(
            tuple(headings.get(place, one) for place, one in enumerate(self.headings)),
            tuple(
                ("",) * width
                if number in gone
                else tuple(cells.get((number, place), one) for place, one in enumerate(row))
                for number, row in self.numbered()
            ),
            self.top,
        )


def read_grid(text: str, top: int = 1, separator: str = "") -> Grid:
    """Read a table whose cells are separated by tabs, commas or semicolons.

    Parameters
    ----------
    top : int
        The row of the spreadsheet that its first line was.
    separator : str
        What separates the cells, where that is known.

    Raises
    ------
    Invalid
        If there is none, or it is too large.
    """
    # What Excel copies begins with neither; a file that was opened as text may.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not text.strip():
        raise _refused("is empty.", "Copy the rows with their headings, and paste them here.")
    if len(text) > LONGEST_TEXT:
        raise _refused(f"holds {len(text):,} characters; at most {LONGEST_TEXT:,} are read.")
    separator = separator or _separator(text.partition("\n")[0])
    return grid_of(csv.reader(io.StringIO(text, newline=""), delimiter=separator), top)


def grid_of(rows: Iterable[Sequence[str]], top: int = 1) -> Grid:
    """Return rows as a table, the first of them its headings; raises `Invalid` as `read_grid`."""
    headings, *rest = _rows(rows) or [[]]
    width = max(len(headings), *map(len, rest)) if rest else len(headings)
    if not any(cell.strip() for row in rest for cell in row):
        raise _refused("has headings and no rows.", "Copy the rows with their headings.")
    padded = [(*row, *[""] * (width - len(row))) for row in [headings, *rest]]
    return Grid(tuple(padded[0]), tuple(map(tuple, padded[1:])), top)


def _rows(read: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return the rows of a table, and read no further than one may have."""
    found: list[list[str]] = []
    filled = -1
    try:
        for row in read:
            if len(row) > MOST_COLUMNS:
                raise _refused(f"has {len(row):,} columns; at most {MOST_COLUMNS} are read.")
            filled += any(cell.strip() for cell in row)
            if filled > MOST_ROWS or len(found) > 4 * MOST_ROWS:
                what = f"has more than {MOST_ROWS} rows, or {4 * MOST_ROWS:,} with empty ones."
                raise _refused(what, f"Paste it in parts of at most {MOST_ROWS} rows.")
            found.append(list(row))
    except csv.Error as error:
        raise _refused(f"cannot be told into cells: {error}.") from error
    return found


def _separator(line: str) -> str:
    if "\t" in line:
        return "\t"
    return max(",;", key=line.count)


def _refused(what: str, mend: str = "") -> Invalid:
    return Invalid(NOT_READ, [Fault("table", "Table", what, mend)])
