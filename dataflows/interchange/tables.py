"""The map as a zip of CSV sheets, one row per record: written and read back without loss.

What a record holds as rows of its own (associations, failure modes, steps) is a sheet of its own,
whose first column names the record.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Fault, Invalid
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.sheets.cells import bare, guarded, joined, read, separated, written
from core.records.sheets.headings import Column
from core.records.type_shape import FieldSpec, LinkSpec, RecordType
from core.records.types import get_registry
from dataflows.devices import split_reference
from dataflows.interchange.headings import recognised
from dataflows.interchange.partial import PartialDraft
from dataflows.interchange.unpacking import Sheet, unpacked
from dataflows.survey import MAP_TYPES

NAMES: Mapping[str, str] = {
    "system": "systems",
    "connection": "connections",
    "pathway": "pathways",
    "qa_procedure": "qa_procedures",
}

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

    Of what no sheet and no column names, a draft says nothing: it is a `PartialDraft`.

    Raises
    ------
    Invalid
        With every fault of every sheet, each naming sheet and row.
    """
    sheets = unpacked(data, name)
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


def _read_type(
    record_type: RecordType, sheets: dict[str, Sheet], project: str, faults: list[Fault]
) -> list[RecordDraft]:
    name = NAMES[record_type.name]
    sheet = sheets.pop(name, Sheet(name))
    headings = recognised(record_type, sheet.headings)
    faults += [
        Fault(
            "unknown-column",
            sheet.at(sheet.top),
            f"There is no column '{one.heading}'.",
            f"Did you mean {one.near}?" if one.near else "Take it away.",
        )
        for one in headings.unknown
    ]
    faults += [
        Fault("column-twice", sheet.at(sheet.top), f"'{one}' repeats another column.", "Keep one.")
        for one in headings.twice
    ]
    faults += sheet.surplus()
    silent, gaps = _unnamed(record_type, headings.columns, sheets)
    children = _children(record_type, sheets, project, faults)
    held: dict[str, list[_Child]] = {}
    for child in children:
        held.setdefault(child.of, []).append(child)
    drafts = []
    for number, row in sheet.rows:
        draft = _draft(record_type, headings.columns, row, sheet.at(number), project, held)
        drafts.append(replace(draft, silent=silent, gaps=gaps))
    known = {draft.uid for draft in drafts}
    for child in children:
        if child.of not in known:
            what = f"It belongs to {child.of or 'no record'}, which is not in {name}.csv."
            faults.append(Fault("no-record", child.where, what, "Correct its first column."))
    return [*drafts]


def _unnamed(
    record_type: RecordType, columns: Sequence[Column | None], sheets: Mapping[str, Sheet]
) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """Return what no column or sheet names, and the columns that sheets of rows lack."""
    there = {one.name for one in columns if one is not None}
    rows = {
        **{name: one.columns for name, one in record_type.fields.items() if _in_rows(one)},
        **{role: one.attributes for role, one in record_type.links.items() if one.attributes},
    }
    gaps = set()
    for name, wanted in rows.items():
        sheet = sheets.get(f"{NAMES[record_type.name]}.{name}")
        if sheet is not None and sheet.there:
            there.add(name)
            stated = {one.strip() for one in sheet.headings}
            gaps |= {(name, column) for column in wanted if column not in stated}
    every = {"title", "text", *record_type.fields, *record_type.links}
    return frozenset(every - there), frozenset(gaps)


@dataclass(frozen=True, slots=True)
class _Child:
    """One row of a sheet beside: of which record, of which field, and what it says."""

    where: str
    of: str
    field: str
    said: LinkDraft | Mapping[str, Any]


def _children(
    record_type: RecordType, sheets: dict[str, Sheet], project: str, faults: list[Fault]
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
    name: str, columns: Mapping[str, object], sheets: dict[str, Sheet], faults: list[Fault]
) -> Iterable[tuple[str, dict[str, str]]]:
    sheet = sheets.pop(name, None)
    if sheet is None or not sheet.there:
        return
    wanted = ["of", *columns]
    names = [heading.strip() for heading in sheet.headings]
    top = sheet.at(sheet.top)
    for place, heading in enumerate(names):
        if heading and heading not in wanted:
            what, mend = f"There is no column '{heading}'.", f"It has {', '.join(wanted)}."
            faults.append(Fault("unknown-column", top, what, mend))
        elif heading in names[:place] and heading:
            what = f"'{heading}' repeats another column."
            faults.append(Fault("column-twice", top, what, "Keep one."))
    faults += sheet.surplus()
    for number, row in sheet.rows:
        yield sheet.at(number), dict(zip(names, row, strict=False))


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
) -> PartialDraft:
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
    return PartialDraft(
        project, record_type.name, uid, Content(title, text, told, tuple(links)), origin=where
    )
