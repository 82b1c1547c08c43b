"""The map as a zip of CSV sheets, one row per record: written and read back without loss.

What a record holds as rows of its own (associations, failure modes, steps) is a sheet of its own,
whose first column names the record.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import Fault, Invalid
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.type_shape import FieldSpec, LinkSpec, RecordType
from core.records.types import get_registry
from dataflows.devices import split_reference
from dataflows.interchange.cells import bare, guarded, joined, read, separated, written
from dataflows.interchange.headings import Column, recognised
from dataflows.survey import MAP_TYPES

NAMES: Mapping[str, str] = {
    "system": "systems",
    "connection": "connections",
    "pathway": "pathways",
    "qa_procedure": "qa_procedures",
}

LARGEST_UNPACKED = 60_000_000
"""Bytes of all sheets together: 50,000 connections take about a third of it."""

LONGEST_FIELD = 1_000_000

MOST_MEMBERS = 50

_WHEN = (2000, 1, 1, 0, 0, 0)
"""Of every member, so that the same map gives the same file."""

_Rows = list[list[str]]


def department_zip(drafts: Sequence[RecordDraft], project: str) -> bytes:
    """Return records of a map as a zip of CSV sheets."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for type_name in MAP_TYPES:
            record_type = get_registry().of(type_name)
            held = [draft for draft in drafts if draft.type == type_name]
            for name, rows in _sheets(record_type, held, project):
                member = zipfile.ZipInfo(f"{name}.csv", _WHEN)
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, _csv(rows))
    return out.getvalue()


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    # Excel needs the byte-order mark to read UTF-8.
    return out.getvalue().encode("utf-8-sig")


def _sheets(
    record_type: RecordType, drafts: Sequence[RecordDraft], project: str
) -> Iterable[tuple[str, _Rows]]:
    name = NAMES[record_type.name]
    fields = {n: s for n, s in record_type.fields.items() if not _in_rows(s)}
    links = {r: s for r, s in record_type.links.items() if not s.attributes}
    rows: _Rows = [["id", "title", "text", *links, *fields]]
    for draft in drafts:
        content = draft.content
        rows.append(
            [
                draft.uid or "",
                guarded(content.title),
                guarded(content.body),
                *(joined(_references(content, role, project)) for role in links),
                *(written(spec, content.fields.get(n)) for n, spec in fields.items()),
            ]
        )
    yield name, rows
    for field, spec in record_type.fields.items():
        if _in_rows(spec):
            yield f"{name}.{field}", _table_rows(field, spec, drafts)
    for role, link in record_type.links.items():
        if link.attributes:
            yield f"{name}.{role}", _link_rows(role, link, drafts, project)


def _in_rows(spec: FieldSpec) -> bool:
    return spec.kind == "table" and bool(spec.columns)


def _table_rows(field: str, spec: FieldSpec, drafts: Sequence[RecordDraft]) -> _Rows:
    rows: _Rows = [["of", *spec.columns]]
    for draft in drafts:
        for row in draft.content.fields.get(field) or ():
            cells = [written(one, row.get(column)) for column, one in spec.columns.items()]
            rows.append([draft.uid or "", *cells])
    return rows


def _link_rows(role: str, spec: LinkSpec, drafts: Sequence[RecordDraft], project: str) -> _Rows:
    rows: _Rows = [["of", "to", *spec.attributes]]
    for draft in drafts:
        for link in draft.content.links:
            if link.role == role:
                said = [written(one, link.attributes.get(n)) for n, one in spec.attributes.items()]
                rows.append([draft.uid or "", _reference(link, project), *said])
    return rows


def _reference(link: LinkDraft, project: str) -> str:
    return f"{link.project}/{link.target}" if link.project not in (None, project) else link.target


def _references(content: Content, role: str, project: str) -> list[str]:
    return [_reference(one, project) for one in content.links if one.role == role]


def read_zip(data: bytes, name: str, project: str) -> list[RecordDraft]:
    """Read the sheets that `department_zip` wrote, or a person filled in by the same headings.

    Raises
    ------
    Invalid
        With every fault of every sheet, each naming sheet and row.
    """
    sheets = _unpacked(data, name)
    faults: list[Fault] = []
    drafts: list[RecordDraft] = []
    for type_name in MAP_TYPES:
        drafts += _read_type(get_registry().of(type_name), sheets, project, faults)
    faults += [
        Fault("unknown-sheet", one, "is no sheet of a department.", f"There are {_known()}.")
        for one in sheets
    ]
    if faults:
        raise Invalid(f"{name} has {len(faults)} faults; nothing was loaded.", faults)
    return drafts


def _known() -> str:
    return ", ".join(f"{one}.csv" for one in NAMES.values())


def _unpacked(data: bytes, name: str) -> dict[str, _Rows]:
    def refused(what: str, mend: str = "") -> Invalid:
        return Invalid(f"{name} cannot be read.", [Fault("zip", name, what, mend)])

    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError) as error:
        raise refused("is no zip of sheets.", "Take it as it was exported.") from error
    members = [
        one
        for one in archive.infolist()
        if not one.is_dir() and not one.filename.startswith(("__MACOSX/", "."))
    ]
    size = sum(one.file_size for one in members)
    if len(members) > MOST_MEMBERS or size > LARGEST_UNPACKED:
        raise refused(
            f"holds {len(members)} files of {size:,} bytes; at most {MOST_MEMBERS} files of "
            f"{LARGEST_UNPACKED:,} bytes together are read."
        )
    found = {}
    for member in members:
        short = member.filename.rpartition("/")[2].removesuffix(".csv")
        try:
            # At most what it says of itself, whatever it holds.
            with archive.open(member) as stream:
                text = stream.read(member.file_size + 1).decode("utf-8-sig")
            found[short] = _rows(text)
        except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, RuntimeError) as error:
            raise refused(f"{member.filename} is no CSV in UTF-8: {error}.") from error
    return found


def _rows(text: str) -> _Rows:
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    finally:
        csv.field_size_limit(before)


def _read_type(
    record_type: RecordType, sheets: dict[str, _Rows], project: str, faults: list[Fault]
) -> list[RecordDraft]:
    name = NAMES[record_type.name]
    rows = sheets.pop(name, [])
    headings = recognised(record_type, rows[0]) if rows else recognised(record_type, [])
    faults += [
        Fault(
            "unknown-column",
            f"{name}.csv:1",
            f"There is no column '{one.heading}'.",
            f"Did you mean {one.near}?" if one.near else "Take it away.",
        )
        for one in headings.unknown
    ]
    faults += [
        Fault("column-twice", f"{name}.csv:1", f"'{one}' repeats another column.", "Keep one.")
        for one in headings.twice
    ]
    children = _children(record_type, sheets, project, faults)
    held: dict[str, list[_Child]] = {}
    for child in children:
        held.setdefault(child.of, []).append(child)
    drafts = []
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            where = f"{name}.csv:{number}"
            drafts.append(_draft(record_type, headings.columns, row, where, project, held))
    known = {draft.uid for draft in drafts}
    for child in children:
        if child.of not in known:
            what = f"It belongs to {child.of or 'no record'}, which is not in {name}.csv."
            faults.append(Fault("no-record", child.where, what, "Correct its first column."))
    return drafts


@dataclass(frozen=True, slots=True)
class _Child:
    """One row of a sheet beside: of which record, of which field, and what it says."""

    where: str
    of: str
    field: str
    said: LinkDraft | Mapping[str, Any]


def _children(
    record_type: RecordType, sheets: dict[str, _Rows], project: str, faults: list[Fault]
) -> list[_Child]:
    found: list[_Child] = []
    name = NAMES[record_type.name]
    for field, spec in record_type.fields.items():
        if _in_rows(spec):
            for where, row in _child_rows(f"{name}.{field}", spec.columns, sheets, faults):
                told = {n: read(one, row.get(n, "")) for n, one in spec.columns.items()}
                said = {n: value for n, value in told.items() if value is not None}
                found.append(_Child(where, row.get("of", "").strip(), field, said))
    for role, link in record_type.links.items():
        if link.attributes:
            for where, row in _child_rows(
                f"{name}.{role}", {"to": None, **link.attributes}, sheets, faults
            ):
                told = {n: read(one, row.get(n, "")) for n, one in link.attributes.items()}
                said = {n: value for n, value in told.items() if value is not None}
                stated = _link(role, row.get("to", "").strip(), project, said)
                found.append(_Child(where, row.get("of", "").strip(), role, stated))
    return found


def _child_rows(
    sheet: str, columns: Mapping[str, object], sheets: dict[str, _Rows], faults: list[Fault]
) -> Iterable[tuple[str, dict[str, str]]]:
    rows = sheets.pop(sheet, [])
    if not rows:
        return
    wanted = ["of", *columns]
    for heading in rows[0]:
        if heading.strip() not in wanted:
            what, mend = f"There is no column '{heading}'.", f"It has {', '.join(wanted)}."
            faults.append(Fault("unknown-column", f"{sheet}.csv:1", what, mend))
    names = [heading.strip() for heading in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in row):
            yield f"{sheet}.csv:{number}", dict(zip(names, row, strict=False))


def _link(role: str, reference: str, project: str, said: Mapping[str, Any]) -> LinkDraft:
    other, uid = split_reference(reference)
    return LinkDraft(role, uid, None if other == project else other, said)


def _draft(
    record_type: RecordType,
    columns: Sequence[Column | None],
    row: Sequence[str],
    where: str,
    project: str,
    children: Mapping[str, Sequence[_Child]],
) -> RecordDraft:
    uid, title, text = "", "", ""
    fields: dict[str, Any] = {}
    links: list[LinkDraft] = []
    for column, cell in zip(columns, row, strict=False):
        if column is None:
            continue
        if column.part == "id":
            uid = cell.strip()
        elif column.part == "title":
            title = bare(cell)
        elif column.part == "text":
            text = bare(cell)
        elif isinstance(column.spec, LinkSpec):
            links += [_link(column.name, one.strip(), project, {}) for one in separated(cell)]
        elif isinstance(column.spec, FieldSpec):
            fields[column.name] = read(column.spec, cell)
    for child in children.get(uid, ()):
        if isinstance(child.said, LinkDraft):
            links.append(child.said)
        else:
            fields.setdefault(child.field, []).append(child.said)
    told = {name: value for name, value in fields.items() if value is not None}
    return RecordDraft(
        project, record_type.name, uid, Content(title, text, told, tuple(links)), origin=where
    )
