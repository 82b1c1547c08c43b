"""A record as a form: typed text to content and back, generated from the record's type.

What was typed is kept as text, so that a refused form comes back exactly as it was sent. Whether
it is right is not decided here but where every write is checked.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import Fault
from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec, RecordType

SPARE_ROWS = 2
"""Empty rows below a table or the links of one role."""

MOST_SPARE_ROWS = 50

CONTINUED = "  "
"""Begins a further line of one entry of a list."""

LAST_PLACE = 10**6
"""Where new links stand: behind those that were there."""

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_PLACE = re.compile(r"[0-9]{1,6}")
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True)
class LinkRow:
    """One link as typed. `place` is where it stood among all links, so that order survives."""

    target: str = ""
    project: str = ""
    place: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was typed that means a link."""
        return not self.target.strip()


@dataclass(frozen=True)
class RecordForm:
    """Everything that was typed, as text."""

    title: str = ""
    body: str = ""
    reason: str = ""
    uid: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    links: Mapping[str, Sequence[LinkRow]] = field(default_factory=dict)

    def with_spare_rows(self, record_type: RecordType, spare: int = SPARE_ROWS) -> "RecordForm":
        """Return the form with empty rows to type into."""
        spare = min(spare, MOST_SPARE_ROWS)
        rows = {
            name: [*self.rows.get(name, ()), *({} for _ in range(spare))]
            for name, spec in record_type.fields.items()
            if in_rows(spec)
        }
        links = {
            role: [
                *self.links.get(role, ()),
                *(
                    LinkRow()
                    for _ in range(spare if spec.many else 1 - len(self.links.get(role, ())))
                ),
            ]
            for role, spec in record_type.links.items()
        }
        return replace(self, rows=rows, links=links)


LONGEST_GIVEN = 200
"""Characters of one value that an address fills in."""

LONGEST_LIST = 2_000
"""Characters of the links of one kind that an address fills in."""


def from_address(record_type: RecordType, given: Mapping[str, str]) -> RecordForm:
    """Return the form of a new record with what the address that led to it fills in.

    A link or a field goes by its name, several links of one kind with commas between, a cell of a
    table's first row by `field.column`, what a link says by `role.attribute`.
    """
    cut = {name: value[:LONGEST_GIVEN] for name, value in given.items()}
    cells = {
        name: {
            column: cut[f"{name}.{column}"] for column in spec.columns if f"{name}.{column}" in cut
        }
        for name, spec in record_type.fields.items()
        if in_rows(spec)
    }
    said = {
        role: {name: cut[f"{role}.{name}"] for name in spec.attributes if f"{role}.{name}" in cut}
        for role, spec in record_type.links.items()
    }
    return RecordForm(
        title=cut.get("title", ""),
        values={
            name: cut[name]
            for name, spec in record_type.fields.items()
            if name in cut and not in_rows(spec)
        },
        rows={
            **{name: [row] for name, row in cells.items() if row},
            **{
                name: [{spec.each: choice} for choice in spec.columns[spec.each].choices]
                for name, spec in record_type.fields.items()
                if spec.each is not None
            },
        },
        links={
            role: [
                LinkRow(target=uid, attributes=said[role])
                for uid in (given[role][:LONGEST_LIST].split(",") if spec.many else [cut[role]])
            ]
            for role, spec in record_type.links.items()
            if role in cut
        },
    )


def in_rows(spec: FieldSpec) -> bool:
    """Whether a field is typed as rows of cells."""
    return spec.kind == "table" and bool(spec.columns)


def as_text(spec: FieldSpec, value: Any) -> str:
    """Write one value as it stands in its input."""
    if value is None or value in ([], {}):
        return ""
    if spec.kind == "boolean":
        return "true" if value else "false"
    if spec.kind == "list":
        return "\n".join(str(one).replace("\n", "\n" + CONTINUED) for one in value)
    if spec.kind in ("mapping", "table"):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return str(value)


def as_value(spec: FieldSpec, text: str) -> Any:
    """Read one input; what cannot be read stays text, for the check to name.

    Raises
    ------
    ValueError
        Where JSON is asked for and the text is none.
    """
    text = text.replace("\r\n", "\n")
    stripped = text.strip()
    if not stripped:
        return None
    if spec.kind in _READERS:
        return _READERS[spec.kind](text)
    return text if spec.kind in ("text", "markdown") else stripped


def _number(text: str) -> Any:
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _whole(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text.strip()) else text.strip()


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text.strip(), text.strip())


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _entries(text: str) -> list[str]:
    entries: list[str] = []
    for line in text.split("\n"):
        if line.startswith(CONTINUED) and entries:
            entries[-1] += "\n" + line.removeprefix(CONTINUED)
        elif line.strip():
            entries.append(line.strip())
    return entries


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _whole,
    "number": _number,
    "boolean": _boolean,
    "list": _entries,
    "mapping": _json,
    "table": _json,
}


def from_content(record_type: RecordType, content: Content) -> RecordForm:
    """Return the form that a record is opened in."""
    fields = record_type.fields
    links: dict[str, list[LinkRow]] = {}
    for place, link in enumerate(content.links):
        spec = record_type.links.get(link.role)
        attributes = {
            name: as_text(one, link.attributes.get(name))
            for name, one in (spec.attributes.items() if spec else ())
        }
        row = LinkRow(link.target, link.project or "", str(place), attributes)
        links.setdefault(link.role, []).append(row)
    return RecordForm(
        title=content.title,
        body=content.body,
        values={
            name: as_text(spec, content.fields.get(name))
            for name, spec in fields.items()
            if not in_rows(spec)
        },
        rows={
            name: [
                {column: as_text(one, row.get(column)) for column, one in spec.columns.items()}
                for row in content.fields.get(name) or ()
            ]
            for name, spec in fields.items()
            if in_rows(spec)
        },
        links=links,
    )


def from_posted(record_type: RecordType, items: Iterable[tuple[str, str]]) -> RecordForm:
    """Return the form that was sent; names that the type does not have are left out.

    Inputs are named ``field.NAME``, ``field.NAME.ROW.COLUMN``, ``link.ROLE.ROW.target`` (also
    ``project``, ``place`` and ``attr.NAME``).
    """
    sent = dict(items)
    rows: dict[str, dict[int, dict[str, str]]] = {}
    links: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in sent.items():
        parts = name.split(".", 3)
        if len(parts) == 4 and _PLACE.fullmatch(parts[2]):
            kept = {"field": rows, "link": links}.get(parts[0])
            if kept is not None:
                kept.setdefault(parts[1], {}).setdefault(int(parts[2]), {})[parts[3]] = value
    return RecordForm(
        title=sent.get("title", ""),
        body=sent.get("body", "").replace("\r\n", "\n"),
        reason=sent.get("reason", ""),
        uid=sent.get("uid", "").strip(),
        values={
            name: sent.get(f"field.{name}", "").replace("\r\n", "\n")
            for name, spec in record_type.fields.items()
            if not in_rows(spec)
        },
        rows={
            name: [row for _, row in sorted(found.items()) if any(map(str.strip, row.values()))]
            for name, found in rows.items()
            if name in record_type.fields
        },
        links={
            role: [row for _, one in sorted(found.items()) if not (row := _link_row(one)).empty]
            for role, found in links.items()
            if role in record_type.links
        },
    )


def _link_row(sent: Mapping[str, str]) -> LinkRow:
    return LinkRow(
        target=sent.get("target", "").strip(),
        project=sent.get("project", "").strip(),
        place=sent.get("place", ""),
        attributes={
            name.removeprefix("attr."): value
            for name, value in sent.items()
            if name.startswith("attr.")
        },
    )


def to_content(
    record_type: RecordType, form: RecordForm, project: str
) -> tuple[Content, list[Fault]]:
    """Return what was typed as content, and what could not even be read."""
    faults: list[Fault] = []
    fields: dict[str, Any] = {}
    for name, spec in record_type.fields.items():
        if spec.made:
            continue
        if in_rows(spec):
            found = [
                _read_all(spec.columns, row, f"{spec.label}, row {number}", faults)
                for number, row in enumerate(form.rows.get(name, ()), start=1)
            ]
            value: Any = [row for row in found if row]
        else:
            value = _read(spec, form.values.get(name, ""), spec.label, faults)
        if value not in (None, "", [], {}):
            fields[name] = value
    placed: list[tuple[int, LinkDraft]] = []
    for role, link_rows in form.links.items():
        spec_of = record_type.links[role]
        for row in link_rows:
            where = f"'{spec_of.label}' {row.target}"
            attributes = _read_all(spec_of.attributes, row.attributes, where, faults)
            other = row.project if row.project != project else ""
            place = int(row.place) if _PLACE.fullmatch(row.place) else LAST_PLACE
            placed.append((place, LinkDraft(role, row.target, other or None, attributes)))
    placed.sort(key=lambda one: one[0])
    links = tuple(link for _, link in placed)
    return Content(form.title, form.body, fields, links), faults


def with_made(record_type: RecordType, content: Content, before: Content) -> Content:
    """Return what was typed, with what nobody types as it was."""
    kept = {
        name: before.fields[name]
        for name, spec in record_type.fields.items()
        if spec.made and name in before.fields
    }
    return replace(content, fields={**content.fields, **kept}) if kept else content


def _read_all(
    specs: Mapping[str, FieldSpec], typed: Mapping[str, str], where: str, faults: list[Fault]
) -> dict[str, Any]:
    found = {
        name: _read(spec, typed.get(name, ""), f"{where}, {spec.label}", faults)
        for name, spec in specs.items()
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _read(spec: FieldSpec, text: str, where: str, faults: list[Fault]) -> Any:
    try:
        return as_value(spec, text)
    except json.JSONDecodeError as error:
        what = f"is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        faults.append(Fault("not-json", where, what, 'Write it as {"name": "value"}.'))
    except (ValueError, RecursionError):
        faults.append(Fault("not-json", where, "is no JSON that can be read."))
    return None


def at_their_fields(record_type: RecordType, faults: Iterable[Fault]) -> list[Fault]:
    """Return faults that name their field instead of the record that is on the page anyway."""
    labels = {"Title": "title", record_type.body.label: "body"}
    labels |= {spec.label: name for name, spec in record_type.fields.items()}
    found = []
    for fault in faults:
        what, where = fault.what, fault.where
        if what.startswith(("has no title", "the title")):
            where = "Title"
        for label in sorted(labels, key=len, reverse=True):
            if what.startswith((f"{label} (", f"{label} is ")):
                rest = what.removeprefix(label)
                where, what = label, rest.split("): ", 1)[-1] if rest[1] == "(" else rest.strip()
                break
        found.append(replace(fault, where=where, what=what))
    return found


def anchors(record_type: RecordType) -> dict[str, str]:
    """Return the id of the input of each label, for the list of faults to lead to."""
    found = {spec.label: f"field.{name}" for name, spec in record_type.fields.items()}
    return {**found, "Title": "title", record_type.body.label: "body"}
