"""All records of a project as one workbook: a sheet per record type, a row per record."""

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import canonical_json
from core.errors import Fault, Invalid
from core.records.content import LinkDraft
from core.records.types import TypeRegistry
from qms.interchange.markdown.record_file import RecordFile

HEADINGS = ("Id", "Title", "Text", "Revision", "State", "Digest")
LINK = "→ "
"""What stands before the name of a role in the heading of its column."""

LONGEST_CELL = 32_767
LONGEST_NAME = 31
"""Of a sheet; Excel opens nothing with a longer one."""

_ODD = re.compile(r"[\x00-\x08\x0b-\x1f]|_x[0-9A-Fa-f]{4}_")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def to_workbook(project: str, records: Sequence[RecordFile], registry: TypeRegistry) -> bytes:
    """Write the workbook.

    Raises
    ------
    Invalid
        If a text is longer than a cell can be, naming every such record: a spreadsheet would cut
        it silently.
    """
    # Here, not above: every process knows this module, few write a spreadsheet.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    tables = [
        _table([one for one in records if one.type == name], registry)
        for name in sorted({one.type for one in records})
    ]
    faults = [
        Fault(
            "TR322",
            f"{project} {row[0]}",
            f"{heading} is longer than a cell of a spreadsheet can be.",
            "Export it as JSON or Markdown.",
        )
        for table in tables
        for row in table.rows
        for heading, value in zip(table.headings, row, strict=True)
        if isinstance(value, str) and len(value) > LONGEST_CELL
    ]
    if faults:
        raise Invalid("No workbook was written.", faults)
    book = Workbook(write_only=True)
    top = Alignment(wrap_text=True, vertical="top")
    for table in tables:
        page = book.create_sheet(table.name[:LONGEST_NAME])
        page.freeze_panes = "C2"
        for number, row in enumerate([table.headings, *table.rows]):
            cells = [WriteOnlyCell(page, value=value) for value in row]
            for cell in cells:
                if isinstance(cell.value, str):
                    # Never a formula, whatever it begins with.
                    cell.data_type = "s"
                    cell.alignment = top
                if number == 0:
                    cell.font = Font(bold=True)
            page.append(cells)
    if not tables:
        book.create_sheet("Empty")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@dataclass(frozen=True)
class _Table:
    """The records of one type as rows."""

    name: str
    headings: list[str]
    rows: list[list[Any]]


def _table(records: Sequence[RecordFile], registry: TypeRegistry) -> _Table:
    fields, roles = _columns(records, registry)
    rows = [
        [escaped(value) if isinstance(value, str) else value for value in _row(one, fields, roles)]
        for one in records
    ]
    headings = [*HEADINGS, *fields, *(LINK + one for one in roles)]
    return _Table(records[0].type, headings, rows)


def _columns(records: Iterable[RecordFile], registry: TypeRegistry) -> tuple[list[str], list[str]]:
    """Return the fields and the roles that any record of one type has, as the type orders them."""
    fields: dict[str, None] = {}
    roles: dict[str, None] = {}
    for one in records:
        if one.type in registry and not fields:
            known = registry.of(one.type)
            fields = dict.fromkeys(known.fields)
            roles = dict.fromkeys(known.links)
        fields.update(dict.fromkeys(one.content.fields))
        roles.update(dict.fromkeys(link.role for link in one.content.links))
    return list(fields), list(roles)


def _row(one: RecordFile, fields: Sequence[str], roles: Sequence[str]) -> list[Any]:
    content = one.content
    return [
        one.uid,
        content.title,
        content.body,
        one.revision,
        one.state,
        one.digest or one.content_digest,
        *(cell_of(content.fields.get(name)) for name in fields),
        *(_links(one, role) for role in roles),
    ]


def cell_of(value: Any) -> Any:
    """Return a value as a cell shows it: a list one item per line, a table as JSON."""
    if isinstance(value, list) and value:
        plain = all(isinstance(item, str) and item and "\n" not in item for item in value)
        if plain and not value[0].startswith("["):
            return "\n".join(value)
    if isinstance(value, list | dict):
        return canonical_json(value).decode()
    return value


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
    return _ODD.sub(lambda found: _numbered(found[0]), text)


def _numbered(found: str) -> str:
    return f"_x{ord(found):04X}_" if len(found) == 1 else f"_x005F{found}"


def unescaped(text: str) -> str:
    r"""Return the text that a cell holds.

    Examples
    --------
    >>> unescaped("a_x000D_b _x005F_x0041_")
    'a\rb _x0041_'
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
