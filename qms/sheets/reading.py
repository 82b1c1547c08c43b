"""A spreadsheet that is sent, as one table of text: the sheet that fits, formulas named."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from core.errors import Fault, Invalid
from core.records.sheets.grid import MOST_COLUMNS, MOST_ROWS, NOT_READ, Grid, grid_of, read_grid
from qms.interchange.readers.archives import safe_workbook
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.sheets import DAMAGED, Room, cell_text
from qms.sheets.beside import Beside, beside
from qms.sheets.judging import MERGED

LARGEST_FILE = 5_000_000
LARGEST_UNPACKED = 30_000_000
"""Bytes of a workbook: 500 rows of long texts are a tenth of it. It is read while a page waits."""

MOST_READ = 4 * MOST_ROWS + 50
"""From this row on a sheet may hold nothing; empty ones count."""

MOST_SHEETS = 20

Fits = Callable[[Sequence[str]], int]
"""How many of some headings mean something."""


@dataclass(frozen=True)
class Read:
    """A table, and what its spreadsheet says besides.

    Attributes
    ----------
    shown : mapping
        What each formula last came to, by row and place of its column.
    sheet : str
        The sheet that was read; empty of a file that has none.
    others : tuple of str
        Sheets that were left out: the hidden ones said to be, and those never looked at too.
    hidden : tuple of int
        Rows that the spreadsheet hides, which are read all the same.
    """

    grid: Grid
    shown: Mapping[tuple[int, int], str] = field(default_factory=dict)
    sheet: str = ""
    others: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Sheet:
    name: str
    top: int
    rows: list[list[str]]
    shown: dict[tuple[int, int], str]
    source: Any
    hidden: bool
    refused: str = ""


def read_file(data: bytes, name: str, fits: Fits) -> Read:
    """Read a workbook or CSV; of several sheets the one with the most headings that mean something.

    Raises
    ------
    Invalid
        If it is none, is damaged, empty or too large.
    """
    if len(data) > LARGEST_FILE:
        what = f"holds {len(data):,} bytes; at most {LARGEST_FILE:,} are read."
        raise _refused(name, what, "Take what is not needed out of it, or split it.")
    if name.lower().endswith((".xlsx", ".xlsm")):
        return _workbook(data, name, fits)
    if name.lower().endswith((".csv", ".tsv", ".txt")):
        return Read(read_grid(_text(data, name)))
    raise _refused(name, "is no .xlsx, .xlsm or .csv.", "Save it as one of these.")


def _text(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise _refused(name, "holds a zero byte.", "Save it as CSV in UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel saves CSV in the code page of Windows unless asked otherwise.
        return data.decode("cp1252", errors="replace")


def _workbook(data: bytes, name: str, fits: Fits) -> Read:
    into = Gathering("sheets")
    if _unpacked(data) > LARGEST_UNPACKED:
        raise _refused(name, f"unpacks to more than {LARGEST_UNPACKED:,} bytes.", "Split it.")
    if not safe_workbook(data, name, into):
        told = [Fault(one.code, str(one.place), one.what, one.mend) for one in into.findings]
        raise Invalid(NOT_READ, told)
    try:
        best, others = _best(data, fits)
        found = beside(best.source) if best is not None else Beside()
    except DAMAGED as error:
        what = f"cannot be read as a workbook: {' '.join(str(error).split())[:120]}."
        raise _refused(name, what, "Save it anew as .xlsx.") from error
    if best is None:
        raise _refused(
            name,
            f"holds nothing in its first {MOST_READ - 1:,} rows.",
            "Send the rows with their headings.",
        )
    if best.refused:
        raise _refused(name, f"{best.name}: {best.refused}", "Take out what is not needed.")
    grid = grid_of(best.rows, best.top)
    if found.last_row >= MOST_READ:
        what = f"has something in row {found.last_row:,}; rows up to {MOST_READ - 1:,} are read."
        raise _refused(name, what, "Take out the empty rows before it, or split it.")
    if found.last_column > MOST_COLUMNS:
        what = f"has something in column {found.last_column:,}; {MOST_COLUMNS} are read."
        raise _refused(name, what, "Take out what is not needed.")
    hidden = tuple(one for one in found.hidden if best.top < one <= best.top + len(grid.rows))
    below = {
        (number, place): f"{MERGED} {found.merged[number, place]}"
        for number, cells in grid.numbered()
        for place, cell in enumerate(cells)
        if (number, place) in found.merged and not cell and any(cells)
    }
    return Read(grid.corrected({}, below, ()), best.shown, best.name, others, hidden)


def _unpacked(data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        # It is told where it is opened to be read.
        return 0


def _best(data: bytes, fits: Fits) -> tuple[_Sheet | None, tuple[str, ...]]:
    """Return the sheet with the most headings that mean something, the visible ones first."""
    # Here, not above: every process knows this module, few read a workbook.
    from openpyxl import load_workbook

    written, came = (
        load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)
        for values in (False, True)
    )
    best: _Sheet | None = None
    score = (False, -1, False)
    others: list[tuple[str, str]] = []
    room = Room()
    both = list(zip(written.worksheets, came.worksheets, strict=True))
    for one, other in both[:MOST_SHEETS]:
        sheet = _sheet(one, other, room)
        told = f"{sheet.name} (hidden)" if sheet.hidden else sheet.name
        if not sheet.rows and not sheet.refused:
            continue
        others.append((sheet.name, told))
        fit = fits(sheet.rows[0]) if sheet.rows else 0
        if (here := (fit > 0 and not sheet.hidden, fit, not sheet.hidden)) > score:
            best, score = sheet, here
    beyond = [f"{one.title} (not looked at)" for one, _ in both[MOST_SHEETS:]]
    left = [told for name, told in others if best is None or name != best.name]
    return best, (*left, *beyond)


def _sheet(written: Any, came: Any, room: Room) -> _Sheet:
    """Return a sheet from its first filled row on; macros are never looked at."""
    for one in (written, came):
        # What a sheet states of its own size is often the whole grid.
        one.reset_dimensions()
    rows: list[list[str]] = []
    shown: dict[tuple[int, int], str] = {}
    top, refused = 1, ""
    both = zip(
        *(one.iter_rows(values_only=True, max_col=MOST_COLUMNS + 1) for one in (written, came)),
        strict=False,
    )
    for number, (cells, values) in enumerate(islice(both, MOST_READ - 1), start=1):
        stated = list(cells)
        while stated and stated[-1] is None:
            stated.pop()
        if refused := room.refuses(stated):
            break
        texts = [_text_of(one) for one in stated]
        while texts and not texts[-1]:
            texts.pop()
        if not rows and not texts:
            continue
        if not rows:
            top = number
            texts = [" ".join(one.split()) for one in texts]
        rows.append(texts)
        for place, text in enumerate(texts):
            if text.startswith("=") and place < len(values):
                shown[number, place] = cell_text(values[place])
    while rows and not rows[-1]:
        rows.pop()
    hidden = written.sheet_state != "visible"
    return _Sheet(str(written.title), top, rows, shown, written, hidden, refused)


def _text_of(value: object) -> str:
    """Return the value of a cell; of a formula over several cells its formula."""
    from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

    if isinstance(value, ArrayFormula):
        return f"={str(value.text or '').removeprefix('=')}"
    if isinstance(value, DataTableFormula):
        return f"=TABLE({value.ref})"
    return cell_text(value)


def _refused(name: str, what: str, mend: str = "") -> Invalid:
    return Invalid(NOT_READ, [Fault("file", name, what, mend)])
