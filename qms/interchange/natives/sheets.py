"""Write items back into sheets: into the rows that are there, or as new sheets."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from core.errors import Fault, Invalid
from core.records.sheets.cells import guarded
from core.records.snapshot import natural_order
from qms.interchange.corpus import Corpus, Item
from qms.interchange.readers.sheets import (
    HAZARD_COLUMNS,
    LINK,
    MOST_COLUMNS,
    MOST_ROWS,
    TITLE,
    UID,
    USUAL,
)

_HEADINGS: Mapping[str, str] = {
    "uid": "ID", "title": "Title", "text": "Text", "kind": "Kind", "document": "Document",
    "revision": "Revision", "link:parent": "Parent", "link:links": "Links",
    "link:verifies": "Verifies", "link:mitigates": "Mitigates",
}  # fmt: skip
_HAZARDS = dict(zip(("uid", "title", "text"), HAZARD_COLUMNS[:3], strict=True))
CANNOT_SAY = "TR345"
LONGEST_SHEET = 31
"""Characters of the name of a sheet; spreadsheets open none that is longer."""

_NO_SHEET = re.compile(r"[\\*?:/\[\]\x00-\x1f]")
_MEND = "Write it so that the tool can."
_BEGINS_FORMULA = re.compile(r"^[=+\-@\t\r]")


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    return write_sheet_files(corpus.items)


def write_sheet_files(items: Iterable[Item]) -> dict[str, bytes]:
    """Return CSV files and workbooks, each new."""
    sheets: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda one: natural_order(one.uid)):
        sheets.setdefault(item.place.file, []).append(item)
    found: dict[str, bytes] = {}
    books: dict[str, dict[str, list[list[str]]]] = {}
    for name, rows in sheets.items():
        table = _table(rows)
        if name.lower().endswith(".csv"):
            found[name] = _csv(table)
        else:
            book, _, sheet = name.rpartition("/")
            books.setdefault(book, {})[sheet] = table
    return found | {name: _workbook(name, tables) for name, tables in books.items()}


def _table(items: Sequence[Item]) -> list[list[str]]:
    """Return the rows of one sheet, its headings first."""
    hazards = all(one.kind == "hazard" for one in items)
    document = PurePosixPath(items[0].place.file).name
    said = [_said(one, document, hazards=hazards) for one in items]
    parts = [
        one
        for one in dict.fromkeys((UID, TITLE, "text", *(key for row, _ in said for key in row)))
        if any(row.get(one) for row, _ in said) or one == UID
    ]
    fields = list(dict.fromkeys(key for _, row in said for key in row))
    if hazards:
        fields = [one for one in HAZARD_COLUMNS[3:] if one in fields] + [
            one for one in fields if one not in HAZARD_COLUMNS
        ]
    headings = [_heading(one, hazards=hazards) for one in parts]
    rows = [
        [*(row.get(one, "") for one in parts), *(more.get(one, "") for one in fields)]
        for row, more in said
    ]
    return [[*headings, *fields], *rows]


def _heading(part: str, *, hazards: bool) -> str:
    if hazards and part in _HAZARDS:
        return _HAZARDS[part]
    return _HEADINGS.get(part) or part.removeprefix(LINK)


def _said(item: Item, document: str, *, hazards: bool) -> tuple[dict[str, str], dict[str, str]]:
    parts = {
        "uid": item.uid,
        "title": item.title,
        "text": item.text,
        "kind": "" if hazards or item.kind == "row" else item.kind,
        "document": "" if item.document == document else item.document,
        "revision": item.revision or "",
    }
    for one in item.references:
        key = f"{LINK}{one.role}"
        parts[key] = f"{parts[key]}, {one.target}" if key in parts else one.target
    return parts, {key: str(value) for key, value in item.fields.items()}


def usual_roles() -> frozenset[str]:
    """Return the roles whose columns are known again without a map."""
    return frozenset(one.removeprefix(LINK) for one in USUAL if one.startswith(LINK))


def _csv(table: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    # No spreadsheet is to run a text of somebody; the reader takes the mark away again.
    rows = ([guarded(cell) for cell in row] for row in table)
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _workbook(file: str, tables: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    from openpyxl import Workbook

    book: Any = Workbook()
    book.remove(book.active)
    faults: list[Fault] = []
    for name, table in tables.items():
        where = f"{file}/{name}"
        if _NO_SHEET.search(name) or not 0 < len(name) <= LONGEST_SHEET:
            what = f"cannot be said in sheets: no sheet is called '{name[:80]}'."
            faults.append(Fault(CANNOT_SAY, where, what, _MEND))
            continue
        faults += _fill(book.create_sheet(name), table, where)
        if book.worksheets[-1].title != name:
            what = "cannot be said in sheets: another sheet has the name but for its capitals."
            faults.append(Fault(CANNOT_SAY, where, what, _MEND))
    if faults:
        raise Invalid("Nothing was written.", faults)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Any, table: Sequence[Sequence[str]], where: str) -> list[Fault]:
    """Put the rows into a sheet; return each that it cannot hold."""
    from openpyxl.utils.exceptions import IllegalCharacterError

    if len(table) > MOST_ROWS or len(table[0]) > MOST_COLUMNS:
        what = f"cannot be said in sheets: {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read."
        return [Fault(CANNOT_SAY, where, what, _MEND)]
    faults = []
    for number, row in enumerate(table, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            try:
                # Always a text: what begins like a formula is none, and no number is rounded.
                cell.value, cell.data_type = text or None, "s"
            except IllegalCharacterError:
                what = f"cannot be said in sheets: '{table[0][column - 1][:80]}' holds a character"
                mend = "Take the control character out."
                whose = f"{where}:{number} ({row[0][:80]})"
                faults.append(Fault(CANNOT_SAY, whose, f"{what} that no cell takes.", mend))
            if text and _BEGINS_FORMULA.match(text):
                cell.quotePrefix = True
    return faults
