"""A spreadsheet that is sent, as one table of text: the sheet that fits, formulas named."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from core.errors import Fault, Invalid
from core.records.sheets.grid import MOST_ROWS, NOT_READ, Grid, grid_of, read_grid
from qms.interchange.readers.archives import safe_workbook
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.sheets import DAMAGED, cell_text

LARGEST_FILE = 5_000_000
LARGEST_UNPACKED = 30_000_000
"""Bytes of a workbook: 500 rows of long texts are a tenth of it. It is read while a page waits."""

MOST_READ = 4 * MOST_ROWS + 50
"""Rows of a sheet, with the empty ones, that are looked at."""

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
        Sheets that hold something and were left out.
    """

    grid: Grid
    shown: Mapping[tuple[int, int], str] = field(default_factory=dict)
    sheet: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sheet:
    name: str
    top: int
    rows: list[list[str]]
    shown: dict[tuple[int, int], str]


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
        found = [one for one in _sheets(data) if one.rows]
    except DAMAGED as error:
        what = f"cannot be read as a workbook: {' '.join(str(error).split())[:120]}."
        raise _refused(name, what, "Save it anew as .xlsx.") from error
    if not found:
        raise _refused(name, "is empty.", "Send the rows with their headings.")
    best = max(found, key=lambda one: fits(one.rows[0]))
    others = tuple(one.name for one in found if one is not best)
    return Read(grid_of(best.rows, best.top), best.shown, best.name, others)


def _unpacked(data: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        # It is told where it is opened to be read.
        return 0


def _sheets(data: bytes) -> list[_Sheet]:
    # Here, not above: every process knows this module, few read a workbook.
    from openpyxl import load_workbook

    written, came = (
        load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)
        for values in (False, True)
    )
    return [
        _sheet(one, other)
        for one, other in islice(zip(written.worksheets, came.worksheets, strict=True), MOST_SHEETS)
    ]


def _sheet(written: Any, came: Any) -> _Sheet:
    """Return a sheet from its first filled row on; macros are never looked at."""
    for one in (written, came):
        # What a sheet states of its own size is often the whole grid.
        one.reset_dimensions()
    rows: list[list[str]] = []
    shown: dict[tuple[int, int], str] = {}
    top = 1
    both = zip(written.iter_rows(values_only=True), came.iter_rows(values_only=True), strict=False)
    for number, (cells, values) in enumerate(islice(both, MOST_READ), start=1):
        texts = [cell_text(one) for one in cells]
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
    return _Sheet(str(written.title), top, rows, shown)


def _refused(name: str, what: str, mend: str = "") -> Invalid:
    return Invalid(NOT_READ, [Fault("file", name, what, mend)])
