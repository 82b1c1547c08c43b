"""The sheets of a zip as rows of text, read one after the other and only up to a limit."""

import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from core.errors import Fault, Invalid

LARGEST_UNPACKED = 60_000_000
"""Bytes of all sheets together: 50,000 connections take about a third of it."""

LONGEST_FIELD = 1_000_000

MOST_MEMBERS = 50
MOST_LINES = 1_000_000
LONGEST_LINE = 4_000_000
MOST_ROWS = 400_000
"""Lines with something in them, of all sheets together; cells may hold several lines."""

MOST_CELLS = 4_000_000

# Of the whole process, so it is set once: requests are read beside each other.
csv.field_size_limit(LONGEST_FIELD)

_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError,
    ValueError, csv.Error,
)  # fmt: skip

Numbered = tuple[int, list[str]]
"""A row and its number in its sheet, from 1."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: what its first row calls the columns, and the rows that hold something."""

    name: str
    headings: Sequence[str] = ()
    rows: Sequence[Numbered] = ()
    top: int = 1

    @property
    def there(self) -> bool:
        """Whether it names any column; a file without headings says nothing."""
        return bool(self.headings)

    def at(self, number: int) -> str:
        """Say where a row stands."""
        return f"{self.name}.csv:{number}"

    def surplus(self) -> Iterator[Fault]:
        """Name each row with something in a cell that stands under no heading."""
        named = frozenset(place for place, one in enumerate(self.headings) if one.strip())
        for number, row in self.rows:
            over = [n for n, cell in enumerate(row) if n not in named and cell.strip()]
            if over:
                more = f", and {len(over) - 1} more" if len(over) > 1 else ""
                cell = row[over[0]].strip()[:40]
                yield Fault(
                    "surplus-cell",
                    self.at(number),
                    f"Cell {letters(over[0])}{number} ('{cell}'{more}) stands under no heading.",
                    "Put a cell that holds a comma in quotes, or give the column a heading.",
                )


def letters(place: int) -> str:
    """Return the letters of a column, by its place from 0.

    Examples
    --------
    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found


class _Room:
    """What may still be read of one zip; counted before a line becomes a row."""

    def __init__(self) -> None:
        self.lines, self.rows, self.cells = MOST_LINES, MOST_ROWS, MOST_CELLS

    def lines_of(self, name: str, text: IO[str]) -> Iterator[str]:
        """Go through the lines of a sheet, and no further than there is room."""
        number = 0
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            self.lines -= 1
            self.rows -= not line.isspace()
            self.cells -= line.count(",") + 1
            if min(self.lines, self.rows, self.cells) < 0 or len(line) > LONGEST_LINE:
                what = (
                    f"It holds more than is read: {MOST_ROWS:,} filled lines, {MOST_LINES:,} with "
                    f"empty ones and {MOST_CELLS:,} cells of all sheets, and {LONGEST_LINE:,} "
                    "characters in one line."
                )
                mend = "Take what is empty away, or bring the map back in parts."
                fault = Fault("too-much", f"{name}.csv, line {number}", what, mend)
                raise Invalid(f"{name}.csv cannot be read.", [fault])
            yield line


def unpacked(data: bytes, name: str) -> dict[str, Sheet]:
    """Return the sheets of a zip by their names.

    Raises
    ------
    Invalid
        If it is no zip, is damaged, or holds more than is read.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGED as error:
        raise _refused(name, "is no zip of sheets.", "Take it as it was exported.") from error
    members = [
        one
        for one in archive.infolist()
        if not one.is_dir() and not one.filename.startswith(("__MACOSX/", "."))
    ]
    size = sum(one.file_size for one in members)
    if len(members) > MOST_MEMBERS or size > LARGEST_UNPACKED:
        raise _refused(
            name,
            f"holds {len(members)} files of {size:,} bytes; at most {MOST_MEMBERS} files of "
            f"{LARGEST_UNPACKED:,} bytes together are read.",
        )
    room = _Room()
    found = {}
    for member in members:
        short = member.filename.rpartition("/")[2].removesuffix(".csv")
        if short in found:
            raise _refused(name, f"holds two sheets {short}.csv.", "Keep one of them.")
        try:
            # No more is unpacked than it says of itself, whatever it holds.
            with archive.open(member) as stream:
                found[short] = _sheet(short, stream, room)
        except _DAMAGED as error:
            what = f"{member.filename} is damaged, or no CSV in UTF-8: {error}."
            raise _refused(name, what, "Take it as it was exported.") from error
    return found


def _sheet(name: str, stream: IO[bytes], room: _Room) -> Sheet:
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    rows = (
        (number, row)
        for number, row in enumerate(csv.reader(room.lines_of(name, text)), start=1)
        if any(cell.strip() for cell in row)
    )
    top, headings = next(rows, (1, []))
    return Sheet(name, headings, list(rows), top)


def _refused(name: str, what: str, mend: str = "") -> Invalid:
    return Invalid(f"{name} cannot be read.", [Fault("zip", name, what, mend)])
