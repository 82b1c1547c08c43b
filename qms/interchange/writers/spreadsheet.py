"""All records of a project as one workbook: a sheet per record type, a row per record.

`qms.interchange.returning.workbook` reads it back. What is typed into a cell stays text, because
the cells of texts are formatted so; choices and truths are offered as lists.
"""

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Fault, Invalid
from core.records.content import LinkDraft
from core.records.type_shape import FieldSpec
from core.records.types import TypeRegistry
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.values import TEXTS, as_json, fits

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.datavalidation import DataValidation

HEADINGS = ("Id", "Title", "Text", "Revision", "State", "Digest")
OTHERS = "Other fields"
"""Values that the type does not know today, as JSON."""
LINK = "→ "
"""What stands before the name of a role in the heading of its column."""

FORMAT = "fiducial-workbook/1"
FORMAT_PROPERTY, PROJECT_PROPERTY = "Fiducial.Format", "Fiducial.Project"
SHEET_PROPERTY = "Fiducial.Sheet "
"""Begins the property that says which type a sheet with a shortened name is of."""

LONGEST_CELL = 32_767
LONGEST_TEXT_CELL = 255
"""Of a cell that is formatted as text; some spreadsheets show hashes in place of a longer one."""
PIECE = 16_000
"""Characters of a longer text in one cell; the rest goes on in further columns. Excel counts some
characters twice, so this is half of what it takes."""
MOST_PIECES = 60

LONGEST_NAME = 31
"""Of a sheet; Excel opens nothing with a longer one."""
LONGEST_LIST = 255
"""Of the choices that a cell can offer."""

_DIGITS = ".16g"
_WIDTHS = {"Id": 14, "Title": 40, "Text": 60, "Revision": 9, "State": 12, "Digest": 14}
_NO_LETTER = "[\x00-\x08\x0b-\x1f\ufffe\uffff]"
_ODD = re.compile(f"{_NO_LETTER}|_(?=x[0-9A-Fa-f]{{4}}(?:_|{_NO_LETTER}))")
"""What XML has no letter for, and what would be taken for the number of such a one."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def to_workbook(project: str, records: Sequence[RecordFile], registry: TypeRegistry) -> bytes:
    """Write the workbook.

    Raises
    ------
    Invalid
        If a value is longer than cells can be, naming every such record: a spreadsheet would cut
        it silently.
    """
    # Here, not above: every process knows this module, few write a spreadsheet.
    from openpyxl import Workbook
    from openpyxl.packaging.custom import StringProperty

    types = sorted({one.type for one in records})
    names = _sheet_names(types)
    tables = [
        _table(names[name], [one for one in records if one.type == name], registry)
        for name in types
    ]
    _refuse_long(project, tables)
    book = Workbook(write_only=True)
    about = {FORMAT_PROPERTY: FORMAT, PROJECT_PROPERTY: project}
    short = {f"{SHEET_PROPERTY}{names[one]}": one for one in types if names[one] != one}
    for name, value in {**about, **short}.items():
        stated = book.custom_doc_props  # type: ignore[attr-defined]  # newer than its stubs
        stated.append(StringProperty(name=name, value=value))
    for table in tables:
        _sheet(book, table)
    if not tables:
        book.create_sheet("Empty")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class _Table:
    """The records of one type as rows; the kinds are those of the fields, by their headings."""

    name: str
    headings: list[str]
    rows: list[list[Any]]
    kinds: Mapping[str, FieldSpec]


def _sheet_names(types: Iterable[str]) -> Mapping[str, str]:
    """Return the name of each type's sheet: its own, or as much of it as a sheet may be called."""
    names: dict[str, str] = {}
    for one in types:
        name, number = one[:LONGEST_NAME], 1
        while name in names.values():
            number += 1
            name = f"{one[: LONGEST_NAME - 4]} {number}"
        names[one] = name
    return names


def _table(name: str, records: Sequence[RecordFile], registry: TypeRegistry) -> _Table:
    type_name = records[0].type
    specs = registry.of(type_name).fields if type_name in registry else {}
    roles = list(registry.of(type_name).links) if type_name in registry else []
    roles = list(dict.fromkeys([*roles, *(x.role for one in records for x in one.content.links)]))
    raw = [_row(one, specs, roles) for one in records]
    others = [OTHERS] if any(row[-1] for row in raw) else []
    columns = [*HEADINGS, *specs, *(LINK + one for one in roles), *others]
    widest = [max((_pieces(row[at]) for row in raw), default=1) for at in range(len(columns))]
    headings = [
        heading if number == 1 else f"{heading} ({number})"
        for heading, count in zip(columns, widest, strict=True)
        for number in range(1, count + 1)
    ]
    rows = [
        [cell for value, count in zip(row, widest, strict=False) for cell in _cut(value, count)]
        for row in raw
    ]
    return _Table(name, headings, rows, specs)


def _row(one: RecordFile, specs: Mapping[str, FieldSpec], roles: Sequence[str]) -> list[Any]:
    """Return the cells of a record, and at the end what none of them holds."""
    content = one.content
    known = {name: value for name, value in content.fields.items() if fits(specs.get(name), value)}
    others = {name: value for name, value in content.fields.items() if name not in known}
    return [
        one.uid,
        content.title,
        content.body,
        one.revision,
        one.state,
        one.digest or one.content_digest,
        *(cell_of(known.get(name)) for name in specs),
        *(_links(one, role) for role in roles),
        as_json(others) if others else None,
    ]


def cell_of(value: Any) -> Any:
    """Return a value as a cell shows it: a list one item per line, a table as JSON."""
    if isinstance(value, list) and value:
        plain = all(isinstance(item, str) and item and "\n" not in item for item in value)
        if plain and not value[0].startswith("["):
            return "\n".join(value)
    if isinstance(value, list | dict):
        return as_json(value)
    if isinstance(value, float) and float(f"{value:{_DIGITS}}") != value:
        # openpyxl would write fewer digits than this number has.
        return repr(value)
    return value


def _pieces(value: Any) -> int:
    """Return how many cells a value needs."""
    if not isinstance(value, str) or len(value) <= PIECE:
        return 1
    return -(-len(value) // PIECE)


def _cut(value: Any, count: int) -> list[Any]:
    """Return a value as so many cells."""
    if not isinstance(value, str):
        return [value, *[None] * (count - 1)]
    pieces = [escaped(value[at * PIECE : (at + 1) * PIECE]) for at in range(count)]
    return [piece or None for piece in pieces]


def _refuse_long(project: str, tables: Iterable[_Table]) -> None:
    faults = [
        Fault(
            "TR322",
            f"{project} {row[0]}",
            f"{heading} is longer than cells of a spreadsheet can be.",
            "Export it as JSON or Markdown.",
        )
        for table in tables
        for row in table.rows
        for heading, value in zip(table.headings, row, strict=True)
        if (isinstance(value, str) and len(value.encode("utf-16-le")) > 2 * LONGEST_CELL)
        or (value and heading.endswith(f" ({MOST_PIECES + 1})"))
    ]
    if faults:
        raise Invalid("No workbook was written.", faults)


def _sheet(book: "Workbook", table: _Table) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(table.name)
    page.freeze_panes = "C2"
    letters = {one: get_column_letter(at) for at, one in enumerate(table.headings, start=1)}
    for heading, letter in letters.items():
        page.column_dimensions[letter].width = _WIDTHS.get(heading, 24)
    last = len(table.rows) + 1
    page.auto_filter.ref = f"A1:{letters[table.headings[-1]]}{last}"
    for heading, spec in table.kinds.items():
        if (offered := _offered(spec)) is not None:
            offered.add(f"{letters[heading]}2:{letters[heading]}{last + 1_000}")
            page.data_validations.append(offered)
    top, bold = Alignment(wrap_text=True, vertical="top"), Font(bold=True)
    for number, row in enumerate([table.headings, *table.rows]):
        cells: list[Any] = []
        for heading, value in zip(table.headings, row, strict=True):
            if value is None and not _is_text(table, heading):
                cells.append(None)
                continue
            cell = WriteOnlyCell(page, value=value)
            cell.alignment = top
            if isinstance(value, str):
                # Never a formula, whatever it begins with.
                cell.data_type = "s"
            if value is None or (isinstance(value, str) and len(value) <= LONGEST_TEXT_CELL):
                # What is typed over it stays text.
                cell.number_format = "@"
            if number == 0:
                cell.font = bold
            cells.append(cell)
        page.append(cells)


def _is_text(table: _Table, heading: str) -> bool:
    spec = table.kinds.get(heading)
    return heading != "Revision" if spec is None else spec.kind in TEXTS


def _offered(spec: FieldSpec) -> "DataValidation | None":
    """Return the list that a cell offers, where there is one that a cell can offer."""
    from openpyxl.worksheet.datavalidation import DataValidation

    choices = ("TRUE", "FALSE") if spec.kind == "boolean" else spec.choices
    listed = ",".join(choices)
    if not choices or len(listed) > LONGEST_LIST or listed.count(",") >= len(choices):
        return None
    quoted = listed.replace('"', '""')
    return DataValidation(type="list", formula1=f'"{quoted}"', allow_blank=True)


def _links(one: RecordFile, role: str) -> str | None:
    """Return the links of one role, one per line, each with its place among all of the record."""
    lines = [
        f"{place} {_target(link, one.project)}"
        for place, link in enumerate(one.content.links, start=1)
        if link.role == role
    ]
    return "\n".join(lines) or None


def _target(link: LinkDraft, project: str) -> str:
    own = link.project is None or link.project == project
    target = link.target if own else f"{link.project}/{link.target}"
    said = dict(link.attributes)
    return f"{target} {json.dumps(said, ensure_ascii=False, sort_keys=True)}" if said else target


def escaped(text: str) -> str:
    r"""Return a text as a cell holds it: what XML has no letter for, by its number.

    Examples
    --------
    >>> escaped("a\rb _x0041_")
    'a_x000D_b _x005F_x0041_'
    """
    return _ODD.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    r"""Return the text that a cell holds.

    Examples
    --------
    >>> unescaped("a_x000D_b _x005F_x0041_")
    'a\rb _x0041_'
    """
    return _ESCAPED.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    # Half of a surrogate pair is no character, and stays as it is written.
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)
