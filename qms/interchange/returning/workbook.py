"""Read the workbook that we wrote back into records, with what a person edited in it since."""

import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from core.errors import Fault, Invalid
from core.records.content import LinkDraft
from core.records.type_shape import FieldSpec
from core.records.types import TypeRegistry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.readers.archives import safe_workbook
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.sheets import DAMAGED, MOST_COLUMNS, MOST_ROWS, Room
from qms.interchange.returning.collecting import (
    ELSEWHERE,
    Collected,
    Part,
    StatedLink,
    is_as_written,
    mapping_of,
    refuse,
    target_of,
)
from qms.interchange.writers.spreadsheet import (
    FORMAT_PROPERTY,
    HEADINGS,
    LINK,
    OTHERS,
    PROJECT_PROPERTY,
    SHEET_PROPERTY,
    unescaped,
)
from qms.interchange.writers.values import TEXTS, number_of, value_of

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_GOES_ON = re.compile(r"(.+) \((\d{1,3})\)")
"""The heading of a column in which a long text goes on."""
_STATED = re.compile(r"(?:(\d{1,6}) +)?([^\s{]+)(?: +(\{.*\}))?")
"""A link in a cell: its place, its target, and what it says of itself."""

_FORMULA, _WRONG = "f", "e"
_AS_TEXT = "Format the cell as text and write it again."


def from_workbook(data: bytes, name: str, registry: TypeRegistry) -> RecordFolder:
    """Read every sheet.

    Raises
    ------
    Invalid
        If it is no workbook that may be read, or one of another origin.
    """
    into = Gathering("")
    safe_workbook(data, name, into)
    refuse(name, into.findings)
    try:
        book = _opened(data)
        room = Room()
        sheets = [_Sheet(one.title, list(_rows(one, f"{name}/{one.title}", room))) for one in book]
        stated = book.custom_doc_props  # type: ignore[attr-defined]  # newer than its stubs
        about = {one.name: str(one.value) for one in stated.props}
    except DAMAGED as error:
        what = f"is no workbook that can be read: {' '.join(str(error).split())[:120]}."
        fault = Fault("TR320", name, what, "Save it anew as .xlsx.")
        raise Invalid(f"{name} was not read.", [fault]) from error
    held = [one for one in sheets if one.rows]
    ours = about.get(FORMAT_PROPERTY) or any(
        set(HEADINGS) <= {str(cell.value) for cell in one.rows[0].cells} for one in held
    )
    if not ours:
        what = "is no workbook that we wrote: no sheet has the columns " + ", ".join(HEADINGS)
        raise Invalid(f"{name} was not read.", [Fault("TR323", name, f"{what}.", ELSEWHERE)])
    collected = Collected(about.get(PROJECT_PROPERTY, ""), registry)
    for one in held:
        type_name = about.get(f"{SHEET_PROPERTY}{one.title}", one.title)
        if type_name not in registry and type_name != one.title.strip():
            type_name = one.title
        _Table(f"{name}/{one.title}", type_name, one.rows, collected).read()
    return collected.folder()


def _opened(data: bytes) -> "Workbook":
    # Here, not above: every process knows this module, few read a spreadsheet.
    from openpyxl.cell.text import Text
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
    from openpyxl.xml.functions import iterparse

    class Exact(ExcelReader):
        """Leaves escaped letters as they stand; openpyxl undoes half of them, and no more."""

        def read_strings(self) -> None:
            part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
            if part is None:
                return
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = [
                    text.content if (text := Text.from_tree(node)) is not None else ""
                    for _, node in iterparse(source)
                    if node.tag == f"{{{SHEET_MAIN_NS}}}si"
                ]

    reader = Exact(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    reader.read()
    return reader.wb


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell that holds something."""

    value: Any
    kind: str


@dataclass(frozen=True)
class _Row:
    """One row, whose cells are none where they are empty."""

    number: int
    cells: Sequence[_Cell]


@dataclass(frozen=True)
class _Sheet:
    title: str
    rows: list[_Row] = field(default_factory=list)


_NOTHING = _Cell(None, "n")


def _rows(sheet: Any, name: str, room: Room) -> Iterator[_Row]:
    """Go through the rows that hold anything.

    Raises
    ------
    Invalid
        If there are more rows, columns or characters than are read.
    """
    # What a sheet states of its own size is often the whole grid.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [
            _NOTHING if one.value is None else _Cell(one.value, str(one.data_type)) for one in row
        ]
        while cells and cells[-1] is _NOTHING:
            cells.pop()
        if number > MOST_ROWS or len(cells) > MOST_COLUMNS:
            what = f"holds more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns."
            raise Invalid(f"{name} was not read.", [Fault("TR308", f"{name}:{number}", what)])
        if what := room.refuses([one.value for one in cells]):
            raise Invalid(f"{name} was not read.", [Fault("TR308", f"{name}:{number}", what)])
        if cells:
            yield _Row(number, cells)


class _Table:
    """One sheet on its way to the records of one type."""

    def __init__(self, name: str, type_name: str, rows: Sequence[_Row], into: Collected) -> None:
        self.name = name
        self.type = type_name
        self.into = into
        self.rows = rows[1:]
        self.top = rows[0]
        self.columns: dict[str, list[int]] = {}

    def read(self) -> None:
        """Read every row, or say why the sheet holds no records."""
        if self.type not in self.into.registry:
            near = difflib.get_close_matches(self.type, self.into.registry.names(), 1)
            mend = f"Did you mean {near[0]}?" if near else "Put other notes into another file."
            what = "the sheet is called as no record type."
            self.into.fault("TR311", f"{self.name}:{self.top.number}", what, mend)
            return
        self._headings()
        lacking = [one for one in HEADINGS if one not in self.columns]
        for name in lacking:
            what = f"there is no column '{name}'."
            self._fault("TR321", self.top.number, what, "Put it back.")
        if not lacking:
            self._complete([one for row in self.rows if (one := self._row(row)) is not None])

    def _fault(self, code: str, row: int, what: str, mend: str = "") -> None:
        self.into.fault(code, f"{self.name}:{row}", what, mend)

    def _headings(self) -> None:
        known = self.into.registry.of(self.type)
        names = [*HEADINGS, *known.fields, *(LINK + one for one in known.links), OTHERS]
        found: dict[str, list[tuple[int, int]]] = {}
        for at, cell in enumerate(self.top.cells):
            heading = unescaped(str(cell.value or "")).strip()
            goes_on = _GOES_ON.fullmatch(heading)
            base, number = (goes_on[1], int(goes_on[2])) if goes_on else (heading, 1)
            if not heading:
                continue
            if base not in names and not base.startswith(LINK):
                near = difflib.get_close_matches(base, names, 1)
                mend = f"Did you mean {near[0]}?" if near else "Take the column out."
                what = f"there is the unknown column '{heading[:60]}'."
                self._fault("TR304", self.top.number, what, mend)
            elif number in [one for one, _ in found.get(base, ())]:
                what = f"two columns are called '{heading[:60]}'."
                self._fault("TR321", self.top.number, what, "Keep one of them.")
            else:
                found.setdefault(base, []).append((number, at))
        self.columns = {base: [at for _, at in sorted(parts)] for base, parts in found.items()}

    def _complete(self, records: Sequence[RecordFile]) -> None:
        """Refuse a sheet without a column that its type has, where anything was edited in it.

        Its records would lose what the column held; that nothing was edited proves it was empty.
        """
        known = self.into.registry.of(self.type)
        names = [*known.fields, *(LINK + one for one in known.links)]
        if any(one.digest and not is_as_written(one) for one in records):
            for name in names:
                if name not in self.columns:
                    what = f"there is no column '{name}', so that what it held would be lost."
                    mend = "Put it back, or export the records again and edit that."
                    self._fault("TR321", self.top.number, what, mend)

    def _row(self, row: _Row) -> RecordFile | None:
        part = Part(self.name, row.number, type=self.type)
        taken = {at for places in self.columns.values() for at in places}
        for at, cell in enumerate(row.cells):
            if at not in taken and cell.value is not None:
                what = f"'{str(cell.value)[:40]}' stands in a column that is none of the record's."
                self._fault("TR321", row.number, what, "Give the column its heading.")
        part.uid, part.title, part.body, part.state, part.digest = (
            self._text(row, one) for one in ("Id", "Title", "Text", "State", "Digest")
        )
        revision = self._number(row, "Revision")
        part.revision = 1 if revision is None else revision if isinstance(revision, int) else 0
        others = self._text(row, OTHERS)
        if others:
            part.fields.update(self._read(row, OTHERS, lambda: mapping_of(others)) or {})
        known = self.into.registry.of(self.type)
        for name, spec in known.fields.items():
            value = self._value(row, name, spec)
            if value is not None:
                part.fields[name] = value
        for heading in self.columns:
            if heading.startswith(LINK):
                part.links += self._links(row, heading)
        return self.into.add(part)

    def _cells(self, row: _Row, heading: str) -> list[_Cell]:
        """Return what stands under a heading, less what no value can be."""
        found = []
        for at in self.columns.get(heading, ()):
            cell = row.cells[at] if at < len(row.cells) else _NOTHING
            if cell.kind == _FORMULA:
                what = f"'{heading}' is a formula, whose result nobody reviewed."
                mend = "Write the value itself; a text that begins with = needs a cell of text."
                self._fault("TR324", row.number, what, mend)
            elif cell.kind == _WRONG:
                what = f"'{heading}' holds the error {str(cell.value)[:20]}."
                self._fault("TR321", row.number, what, "Write the value itself.")
            elif cell.value is not None:
                found.append(cell)
        return found

    def _text(self, row: _Row, heading: str, *, day: bool = False) -> str:
        pieces = []
        for cell in self._cells(row, heading):
            value = cell.value
            if isinstance(value, str):
                pieces.append(unescaped(value))
            elif day and isinstance(value, datetime) and value.time() == time():
                pieces.append(value.date().isoformat())
            else:
                shown = str(value)[:40]
                what = f"'{heading}' holds {shown} as {_KINDS[type(value)]}, not as text."
                self._fault("TR321", row.number, what, _AS_TEXT)
        return "".join(pieces)

    def _number(self, row: _Row, heading: str) -> int | float | None:
        for cell in self._cells(row, heading):
            value = cell.value
            try:
                if isinstance(value, bool) or not isinstance(value, str | int | float):
                    raise ValueError(value)  # noqa: TRY301, TRY004 - told as the others are
                read = number_of(value) if isinstance(value, str) else value
            except ValueError:
                what = f"'{heading}' holds '{str(value)[:40]}', which is no number."
                self._fault("TR321", row.number, what, "Write a number.")
                return None
            return int(read) if isinstance(read, float) and read.is_integer() else read
        return None

    def _truth(self, row: _Row, heading: str) -> bool | None:
        for cell in self._cells(row, heading):
            said = str(cell.value).strip().lower()
            if isinstance(cell.value, bool) or said in ("true", "false"):
                return said == "true"
            what = f"'{heading}' holds '{said[:40]}', which is neither TRUE nor FALSE."
            self._fault("TR321", row.number, what, "Choose one of the two.")
        return None

    def _value(self, row: _Row, name: str, spec: FieldSpec) -> Any:
        if spec.kind in ("integer", "number"):
            return self._number(row, name)
        if spec.kind == "boolean":
            return self._truth(row, name)
        text = self._text(row, name, day=spec.kind == "date")
        if not text:
            return None
        return text if spec.kind in TEXTS else self._read(row, name, lambda: value_of(spec, text))

    def _read(self, row: _Row, heading: str, read: Any) -> Any:
        try:
            return read()
        except ValueError as error:
            what = f"'{heading}': {error}."
            self._fault("TR321", row.number, what, "Leave its brackets and quotes as they were.")
            return None

    def _links(self, row: _Row, heading: str) -> Iterator[StatedLink]:
        for line in self._text(row, heading).split("\n"):
            if not line.strip():
                continue
            stated = _STATED.fullmatch(line.strip())
            said: Any = None
            if stated is not None:
                try:
                    said = mapping_of(stated[3] or "{}")
                except ValueError:
                    said = None
            uid, project = target_of(stated[2], self.into.project) if stated else ("", None)
            if stated is None or not uid or not isinstance(said, dict):
                what = f"'{line.strip()[:60]}' under '{heading}' is no link."
                mend = "Write UID or PROJECT/UID, one to a line."
                self._fault("TR306", row.number, what, mend)
                continue
            draft = LinkDraft(heading.removeprefix(LINK), uid, project, said)
            yield StatedLink(draft, row.number, int(stated[1]) if stated[1] else None)


class _Named(dict[type, str]):
    """Words for what a cell may hold instead of a text."""

    def __missing__(self, kind: type) -> str:
        return "a time" if issubclass(kind, datetime | time) else "another value"


_KINDS: Mapping[type, str] = _Named(
    {int: "a number", float: "a number", bool: "a truth", datetime: "a date"}
)
