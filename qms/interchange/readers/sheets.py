"""Read CSV and workbooks, row by row, by a map that says which column is what."""

import csv
import difflib
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import PurePosixPath
from zipfile import BadZipFile

from core.errors import Fault, Invalid
from core.records.sheets.cells import bare
from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.archives import safe_workbook
from qms.interchange.readers.codes import NO_ID, NOT_READ, SHAPE, TOO_MUCH, UNKNOWN, UNREADABLE
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering

MOST_ROWS = 200_000
MOST_COLUMNS = 500
LONGEST_CELL = 200_000
"""Characters; a workbook itself holds at most 32,767, a text beyond was not written by people."""

MOST_CHARACTERS = 32_000_000
"""Of all cells of one file: a workbook says a text once and may show it in every cell."""

MOST_CELLS = 3_000_000
"""Of one file, the empty ones before the last of a row included."""

UID, TITLE, TEXT, KIND, DOCUMENT, REVISION = "uid", "title", "text", "kind", "document", "revision"
PLAIN = (UID, TITLE, TEXT, KIND, DOCUMENT, REVISION)
LINK = "link:"
"""Begins what a column of links is: `link:verifies`."""


@dataclass(frozen=True)
class ColumnMap:
    """Which heading holds what of an item; every other column becomes a field of its name."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """What it is (`uid`, `title`, `text`, `kind`, `document`, `revision`, `link:ROLE`): heading."""
    kind: str = "row"
    """What every row is where no column says it."""
    guess: bool = False
    """Whether usual headings are taken for what the map does not name."""


USUAL = {
    UID: ("id", "uid", "identifier", "key", "number", "object identifier", "hazard id"),
    TITLE: ("title", "name", "summary", "object heading", "hazard description", "hazard"),
    TEXT: ("text", "description", "statement", "object text", "body", "requirement"),
    KIND: ("kind", "type", "object type"),
    DOCUMENT: ("document", "module"),
    REVISION: ("revision", "version", "rev"),
    "link:parent": ("parent", "parents", "derives from", "satisfies"),
    "link:links": ("links", "links to", "outlinks", "linked items"),
    "link:verifies": ("verifies", "tests", "req ids", "requirement ids"),
    "link:mitigates": ("mitigates",),
}

ANY = ColumnMap(guess=True)

HAZARD_COLUMNS = (
    "hazard_id", "hazard_description", "potential_clinical_impact", "possible_causes",
    "existing_controls", "initial_severity", "initial_likelihood", "initial_risk",
    "design_controls", "final_likelihood", "final_risk",
)  # fmt: skip
"""The columns of the hazard log that GSTT's template ships."""

HAZARD_LOG = ColumnMap(
    {UID: "hazard_id", TITLE: "hazard_description", TEXT: "potential_clinical_impact"}, "hazard"
)

_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
"""What a formula that cannot be worked out shows in its cell."""

_NOT_ON = "Split it; nothing of the sheet was read from here on."

_Row = tuple[int, list[str]]

_NO_ID = frozenset({"n/a", "na", "none", "nil", "tbd", "and", "or", "und", "oder", "to", "bis"})
_RANGE = frozenset({"-", "\u2013", "\u2014", "to", "bis", "through", "until", "..", "..."})
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")

# What openpyxl raises of a damaged workbook; malformed XML is a SyntaxError there.
DAMAGED = (
    SyntaxError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, OSError,
    BadZipFile, zlib.error,
)  # fmt: skip


def column_map(stated: Iterable[str], kind: str = "row") -> ColumnMap:
    """Return the map of `uid=ID`, `link:verifies=Verifies`, and so on.

    Raises
    ------
    Invalid
        With everything that is no such statement.
    """
    columns, faults = {}, []
    for one in stated:
        what, _, heading = one.partition("=")
        link = what.startswith(LINK) and len(what) > len(LINK)
        if not heading or not (what in PLAIN or link):
            near = difflib.get_close_matches(what, PLAIN, 1)
            mend = f"Did you mean {near[0]}=?" if near else f"Write {'=, '.join(PLAIN)}= or link:"
            faults.append(Fault(UNKNOWN, one[:80], "This names no part of an item.", mend))
        columns[what] = heading
    if faults:
        raise Invalid("The map of the columns cannot be used.", faults)
    return ColumnMap(columns, kind, guess=True)


def read(files: Files, columns: ColumnMap = ANY) -> Gathering:
    """Read every sheet below a folder by one map."""
    into = Gathering("sheets")
    for name in files.ending(".csv", ".xlsx", ".xlsm"):
        data = files.data(name, into)
        if data is None:
            continue
        if name.lower().endswith(".csv"):
            items: Iterator[Item] = _items(name, "", _csv_rows(data, name, into), columns, into)
        else:
            items = read_workbook(data, name, columns, into)
        for item in items:
            into.add(item)
    return into


def read_workbook(data: bytes, name: str, columns: ColumnMap, into: Gathering) -> Iterator[Item]:
    """Go through the items of every sheet of a workbook."""
    for title, rows in _workbook(data, name, into):
        yield from _items(name, title, rows, columns, into)


def is_hazard_log(data: bytes, name: str, into: Gathering) -> bool:
    """Tell whether a workbook has the columns of the hazard log."""
    for _, rows in _workbook(data, name, into):
        headings = {plain(one) for one in rows[0][1]} if rows else set()
        if {plain(one) for one in HAZARD_COLUMNS[:2]} <= headings:
            return True
    return False


def plain(heading: str) -> str:
    """Return a heading in small letters with single spaces for what stands between its words.

    Examples
    --------
    >>> plain(" Hazard_ID "), plain("Req-Ids")
    ('hazard id', 'req ids')
    """
    return " ".join(re.sub(r"[\W_]+", " ", heading.lower()).split())


def _workbook(data: bytes, name: str, into: Gathering) -> Iterator[tuple[str, Sequence[_Row]]]:
    from openpyxl import load_workbook

    if not safe_workbook(data, name, into):
        return
    try:
        # Macros are not kept, and formulas read as what they last came to.
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        room = Room()
        for sheet in book.worksheets:
            # What a sheet states of its own size is often the whole grid.
            sheet.reset_dimensions()
            rows = _rows(sheet.iter_rows(values_only=True), f"{name}/{sheet.title}", room, into)
            yield sheet.title, rows
    except DAMAGED as error:
        what = f"This is no workbook that can be read: {' '.join(str(error).split())[:120]}."
        into.fault(UNREADABLE, Place(name), what, "Save it anew as .xlsx.")


@dataclass
class Room:
    """How much the cells of one file may still hold."""

    left: int = MOST_CHARACTERS
    cells: int = MOST_CELLS

    def refuses(self, cells: Sequence[object]) -> str:
        """Say why the cells of a row are not taken; empty where they are, and counted."""
        self.cells -= len(cells)
        if self.cells < 0:
            return f"The file holds more than {MOST_CELLS:,} cells."
        for cell in cells:
            size = len(cell) if isinstance(cell, str) else 0
            if size > LONGEST_CELL:
                return f"A cell holds {size:,} characters; at most {LONGEST_CELL:,} are read."
            self.left -= size
        told = f"The cells of the file hold more than {MOST_CHARACTERS:,} characters together."
        return told if self.left < 0 else ""


def _rows(rows: Iterable[Sequence[object]], name: str, room: Room, into: Gathering) -> list[_Row]:
    found = []
    for number, row in enumerate(rows, start=1):
        cells = list(row)
        while cells and cells[-1] is None:
            cells.pop()
        if number > MOST_ROWS or len(cells) > MOST_COLUMNS:
            what = f"It holds more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns."
            into.fault(TOO_MUCH, Place(name, number), what, "Delete what is empty, or split it.")
            break
        if told := room.refuses(cells):
            into.fault(TOO_MUCH, Place(name, number), told, _NOT_ON)
            break
        texts = [cell_text(one) for one in cells]
        if wrong := sorted(_ERRORS.intersection(texts)):
            what = f"A cell of row {number} came to {wrong[0]}, which is no text of anybody."
            into.fault(SHAPE, Place(name, number), what, "Mend its formula, or empty the cell.")
        if any(texts):
            found.append((number, texts))
    return found


def cell_text(value: object) -> str:
    """Return the value of a cell of a workbook as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # Excel keeps a line feed of Windows as this mark.
    return str(value).replace("_x000D_", "").replace("\r\n", "\n").strip()


def _csv_rows(data: bytes, name: str, into: Gathering) -> list[_Row]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel saves CSV in the code page of Windows unless asked otherwise.
        text = data.decode("cp1252", errors="replace")
        into.left_out["files read as Windows-1252"] += 1
    if "\0" in text:
        into.fault(UNREADABLE, Place(name), "It holds a zero byte.", "Save it as CSV in UTF-8.")
        return []
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    found: list[_Row] = []
    room = Room()
    began = 1
    try:
        for cells in reader:
            if len(found) == MOST_ROWS or len(cells) > MOST_COLUMNS:
                what = f"It holds more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns."
                into.fault(TOO_MUCH, Place(name, began), what, "Split it.")
                break
            if told := room.refuses(cells):
                into.fault(TOO_MUCH, Place(name, began), told, _NOT_ON)
                break
            if any(one.strip() for one in cells):
                found.append((began, [bare(one.replace("\r\n", "\n").strip()) for one in cells]))
            began = reader.line_num + 1
    except csv.Error as error:
        into.fault(UNREADABLE, Place(name, began), f"This row is no CSV: {error}.")
    return found


def _items(
    name: str, sheet: str, rows: Sequence[_Row], columns: ColumnMap, into: Gathering
) -> Iterator[Item]:
    if not rows:
        into.left_out["empty sheets"] += 1
        return
    top, headings = rows[0]
    name = f"{name}/{sheet}" if sheet else name
    where = _recognised(name, top, headings, columns, into)
    if where is None:
        return
    document = PurePosixPath(name).name
    for number, cells in rows[1:]:
        place = Place(name, number)
        over = [cell for cell in cells[len(headings) :] if cell]
        if over:
            what = f"Row {number} has '{over[0][:40]}' in a cell under no heading."
            into.fault(SHAPE, place, what, "Put a text that holds the separator in quotes.")
        item = _item(headings, where, cells, place, into)
        if item is not None:
            kind = item.kind or columns.kind
            yield replace(item, kind=kind, document=item.document or document)


def _item(
    headings: list[str], where: Mapping[str, int], cells: list[str], place: Place, into: Gathering
) -> Item | None:
    said = {what: cells[at] if at < len(cells) else "" for what, at in where.items()}
    uid = said[UID]
    if not uid:
        what = f"Row {place.line} has nothing under '{headings[where[UID]].strip()}'."
        into.fault(NO_ID, place, what, "Give it an id, or empty the row.")
        return None
    taken = set(where.values())
    return Item(
        uid=uid,
        kind=said.get(KIND, ""),
        title=said.get(TITLE, ""),
        text=said.get(TEXT, ""),
        place=place,
        document=said.get(DOCUMENT, ""),
        revision=said.get(REVISION) or None,
        fields={
            heading.strip(): cells[at]
            for at, heading in enumerate(headings)
            if at not in taken and heading.strip() and at < len(cells) and cells[at]
        },
        references=tuple(
            Reference(what.removeprefix(LINK), target, place)
            for what, text in said.items()
            if what.startswith(LINK)
            for target in _targets(text, place, uid, into)
        ),
    )


def _targets(text: str, place: Place, uid: str, into: Gathering) -> list[str]:
    """Return the ids that a cell of links names, without the words and marks between them."""
    words = [re.sub(r"^\(+|\)+\.?$", "", one) for one in re.split(r"[\s,;]+", text)]
    # A point ends a sentence, unless the id is a number of paragraphs: `1.1.`.
    words = [one.removesuffix(".") if _LETTER.search(one) else one for one in words]
    words = [one for one in words if one]
    numbered = any(_DIGIT.search(one) for one in words)
    found: list[str] = []
    ranged = False
    for word in words:
        prose = numbered and word.isalpha() and not word.isupper()
        if word.lower() in _NO_ID or prose or not any(map(str.isalnum, word)):
            ranged = bool(found) and word.lower() in _RANGE
            into.left_out["words between links"] += 1
            continue
        if ranged:
            what = (
                f"'{found[-1][:40]}' to '{word[:40]}' is a range, of which only the ends are read."
            )
            into.fault(SHAPE, place, what, "Write out each id.", uid)
            ranged = False
        found.append(word)
    return found


def _recognised(
    name: str, top: int, headings: list[str], columns: ColumnMap, into: Gathering
) -> dict[str, int] | None:
    """Return the column of each part of an item, or None when no column holds the ids."""
    place = Place(name, top)
    known: dict[str, int] = {}
    for at, heading in enumerate(headings):
        if heading.strip() and known.setdefault(plain(heading), at) != at:
            what = f"Two columns are called '{heading.strip()[:60]}'."
            into.fault(SHAPE, place, what, "Give one of them another name.")
    found: dict[str, int] = {}
    for what_it_is, heading in columns.columns.items():
        if plain(heading) in known:
            found[what_it_is] = known[plain(heading)]
            continue
        near = difflib.get_close_matches(plain(heading), known, 1)
        mend = f"Did you mean '{headings[known[near[0]]].strip()}'?" if near else "Look again."
        into.fault(NOT_READ, place, f"There is no column '{heading[:60]}'.", mend)
    # What somebody stated is never guessed: another column would be taken for theirs.
    taken = found.keys() | columns.columns.keys()
    for what_it_is, names in USUAL.items() if columns.guess else ():
        free = [one for one in names if one in known and known[one] not in found.values()]
        if what_it_is not in taken and free:
            found[what_it_is] = known[free[0]]
    if UID not in found and UID in columns.columns:
        return None
    if UID not in found:
        shown = ", ".join(one.strip() for one in headings if one.strip())[:120]
        what = f"No column holds the ids; there are: {shown}."
        into.fault(NO_ID, place, what, "Say which with 'uid=HEADING'.")
        return None
    return found
