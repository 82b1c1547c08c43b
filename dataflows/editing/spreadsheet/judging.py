"""Judge each row of a pasted table: what it would create or change, or everything wrong with it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.errors import Fault
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.sheets.cells import bare, read
from core.records.sheets.grid import Grid
from core.records.sheets.headings import Column, Headings
from core.records.type_shape import FieldSpec, LinkSpec, RecordType
from dataflows.devices import split_reference
from dataflows.editing.defaults import MODE_OF, Systems, end_of, title_of
from dataflows.interchange.headings import recognised
from dataflows.interchange.kept import Kept
from dataflows.interchange.planning import normalised

NEEDED: Mapping[str, tuple[str, ...]] = {
    "connection": ("from_system", "to_system", "category"),
    "system": ("title",),
}
"""Columns without which a row cannot be placed on the map; the rest can be completed later."""

SYSTEM_ROLES = ("from_system", "to_system", "part_of")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a row says that does not say it itself."""

    surveyed_on: str
    surveyed_by: str = ""
    surveyed_from: str = ""
    responsible: str = ""


@dataclass(slots=True)
class Row:
    """One row: its number in the spreadsheet, its cells, and what came of it."""

    number: int
    cells: tuple[str, ...]
    draft: RecordDraft | None = None
    faults: list[Fault] = field(default_factory=list)
    lacking: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """How a fault names it."""
        return f"row {self.number}"

    def fault(self, code: str, what: str, mend: str = "") -> None:
        """Note one fault."""
        self.faults.append(Fault(code, self.where, what, mend))


@dataclass(frozen=True)
class Judged:
    """A whole table.

    Attributes
    ----------
    faults : tuple of Fault
        What is wrong with the headings.
    missing : tuple of str
        Names of systems that rows connect and the map does not have.
    unnamed : tuple of int
        Places of columns that hold something and have no heading.
    """

    grid: Grid
    headings: Headings
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...] = ()
    missing: tuple[str, ...] = ()
    unnamed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Judge:
    """What the rows of one table are judged by.

    Parameters
    ----------
    kept : sequence of Kept
        The records of the map, drafts too.
    systems : Systems
        Those of the map, and those that are to be created on the way.
    number : callable
        Gives an id to what is called so, which is none of those given.
    """

    record_type: RecordType
    project: str
    kept: Sequence[Kept]
    systems: Systems
    defaults: Defaults
    number: Callable[[str, Iterable[str]], str]

    def judge(self, grid: Grid) -> Judged:
        """Return what comes of every row, in their order."""
        headings = recognised(self.record_type, grid.headings)
        faults = self._heading_faults(headings)
        rows = [
            Row(number, cells)
            for number, cells in grid.numbered()
            if any(cell.strip() for cell in cells)
        ]
        own = {one.record.uid: one for one in self.kept if one.record.type == self.record_type.name}
        stated = [_stated(headings, row) for row in rows]
        taken = {said["id"] for said in stated if said.get("id")} | set(own)
        missing: dict[str, None] = {}
        for row, said in zip(rows, stated, strict=True):
            content = self._content(row, headings, said, missing)
            before = own.get(said.get("id", "")) or self._same(content)
            uid = said.get("id") or (before.record.uid if before else "")
            merged = self._merged(before, content) if before else self._begun(row, content)
            if not row.faults:
                uid = uid or self.number(merged.title, taken)
                taken.add(uid)
                row.draft = RecordDraft(
                    self.project, self.record_type.name, uid, merged, origin=row.where
                )
                row.lacking = self._lacking(merged)
        _repeated(rows, self.record_type.name)
        unnamed = _unnamed(grid, rows)
        faults += unnamed.values()
        return Judged(grid, headings, tuple(rows), tuple(faults), tuple(missing), tuple(unnamed))

    def _heading_faults(self, headings: Headings) -> list[Fault]:
        found = [
            Fault(
                "unknown-column",
                f"Column {one.place + 1}",
                f"'{one.heading}' names nothing of a {self.record_type.label.lower()}.",
                f"Did you mean {one.near}?"
                if one.near
                else "Correct it, or write - to pass it over.",
            )
            for one in headings.unknown
        ]
        found += [
            Fault("column-twice", one, "says what another column says.", "Keep one of the two.")
            for one in headings.twice
        ]
        there = {column.name for column in headings.columns if column}
        labels = {"from_system": "From", "to_system": "To", "title": "Title"}
        for name in NEEDED[self.record_type.name]:
            if name not in there and "id" not in there:
                label = labels.get(name) or self.record_type.fields[name].label
                what = f"There is no column {label}."
                found.append(Fault("missing-column", "Headings", what, "Name it in the first row."))
        return found

    def _content(
        self, row: Row, headings: Headings, said: Mapping[str, str], missing: dict[str, None]
    ) -> Content:
        """Return what a row states, and note what cannot be read."""
        fields: dict[str, Any] = {}
        links: list[LinkDraft] = []
        for column in headings.columns:
            cell = said.get(column.name, "") if column else ""
            if column is None or not cell:
                continue
            if isinstance(column.spec, LinkSpec):
                links += self._links(row, column, cell, missing)
            elif isinstance(column.spec, FieldSpec):
                fields[column.name] = _value(column.spec, cell)
        order = list(self.record_type.links)
        links.sort(key=lambda link: order.index(link.role))
        return Content(said.get("title", ""), said.get("text", ""), fields, tuple(links))

    def _links(
        self, row: Row, column: Column, cell: str, missing: dict[str, None]
    ) -> list[LinkDraft]:
        if column.name not in SYSTEM_ROLES:
            stated = [split_reference(one.strip()) for one in cell.replace("\n", ";").split(";")]
            return [
                LinkDraft(column.name, target, None if other == self.project else other)
                for other, target in stated
                if target
            ]
        uid = self.systems.find(cell)
        if uid is None:
            near = self.systems.near(cell)
            row.fault(
                "missing-system",
                f"'{cell[:80]}' ({column.label.lower()}) is no system of this map.",
                near or "Correct it, or let it be created.",
            )
            if not near.startswith("Several"):
                missing[cell] = None
            return []
        return [LinkDraft(column.name, uid)]

    @cached_property
    def _alike(self) -> Mapping[tuple[str, ...], Sequence[Kept]]:
        """The records that could be meant by a row without an id, by ends or by name."""
        found: dict[tuple[str, ...], list[Kept]] = {}
        for one in self.kept:
            if one.record.type == self.record_type.name:
                found.setdefault(self._meant(one.content), []).append(one)
        return found

    def _meant(self, content: Content) -> tuple[str, ...]:
        if self.record_type.name == "connection":
            return end_of(content, "from_system"), end_of(content, "to_system")
        return (content.title.strip(),)

    def _same(self, content: Content) -> Kept | None:
        """Return the record that says all that a row without an id says."""
        for one in self._alike.get(self._meant(content), ()):
            merged = self._merged(one, content)
            if merged is one.in_force or self._alike_in_all(merged, one.content):
                return one
        return None

    def _alike_in_all(self, one: Content, other: Content) -> bool:
        told = (normalised(self.record_type, said, self.project) for said in (one, other))
        return next(told) == next(told)

    def _merged(self, before: Kept, content: Content) -> Content:
        """Return what a record says with what a row states of it.

        A row that states only what is in force is no change of the open draft above that.
        """
        if before.in_force is not None:
            stated = self._stated_over(before.in_force, content)
            if self._alike_in_all(stated, before.in_force):
                return before.in_force
        return self._stated_over(before.content, content)

    def _stated_over(self, old: Content, content: Content) -> Content:
        """Return a content with what a row states instead; an empty cell leaves it so."""
        roles = {link.role for link in content.links}
        links = [link for link in old.links if link.role not in roles]
        order = list(self.record_type.links)
        return Content(
            content.title or old.title,
            content.body or old.body,
            {**old.fields, **content.fields},
            tuple(sorted([*links, *content.links], key=lambda link: order.index(link.role))),
        )

    def _begun(self, row: Row, content: Content) -> Content:
        """Return a new record as a row states it, with what follows from that."""
        if self.record_type.name != "connection":
            if not content.title:
                row.fault("missing", "Title is empty.", "Say what the system is called.")
            return content
        source, target = (end_of(content, role) for role in ("from_system", "to_system"))
        told = {fault.code for fault in row.faults}
        for name, end in (("From", source), ("To", target)):
            if not end and "missing-system" not in told:
                row.fault("missing", f"{name} is empty.", "Name a system.")
        if source and source == target:
            what = f"It goes from {source} to itself."
            row.fault("no-way", what, "Name the part that sends and the part that receives.")
        fields = dict(content.fields)
        if not fields.get("category"):
            row.fault("missing", "Category is empty.", "Write dicom, file or other.")
        defaults = self.defaults
        for name, value in (
            ("mode", MODE_OF.get(str(fields.get("trigger")), "")),
            ("responsible", defaults.responsible),
            ("surveyed_from", defaults.surveyed_from),
            ("surveyed_on", defaults.surveyed_on),
        ):
            if not fields.get(name) and value:
                fields[name] = value
        group = defaults.surveyed_by or str(fields.get("responsible") or "")
        if not fields.get("surveyed_by") and group:
            fields["surveyed_by"] = group
        kinds = fields.get("data_types")
        named = kinds if isinstance(kinds, list) and kinds else ["Data"]
        title = content.title or title_of(map(str, named), source, target)
        return Content(title, content.body, fields, content.links)

    def _lacking(self, content: Content) -> tuple[str, ...]:
        """Return the labels of what must still be said before the record can be submitted."""
        return tuple(
            spec.label
            for name, spec in self.record_type.fields.items()
            if spec.required == "submit" and content.fields.get(name) in (None, "", [], {})
        )


def _unnamed(grid: Grid, rows: Sequence[Row]) -> dict[int, Fault]:
    """Name each column that holds something and has no heading: a shifted cell is lost there."""
    found = {}
    for place, heading in enumerate(grid.headings):
        held = [row for row in rows if row.cells[place].strip()]
        if heading.strip() or not held:
            continue
        more = f" and {len(held) - 1} more rows" if len(held) > 1 else ""
        found[place] = Fault(
            "no-heading",
            f"Column {place + 1}",
            f"has no heading, and row {held[0].number}{more} hold something in it: "
            f"'{held[0].cells[place].strip()[:40]}'.",
            "Name it, write - to pass it over, or put a cell that holds a comma in quotes.",
        )
    return found


def _stated(headings: Headings, row: Row) -> dict[str, str]:
    """Return the cells of a row by the name of their column; formulas are text like any other."""
    return {
        column.name: bare(cell.strip())
        for column, cell in zip(headings.columns, row.cells, strict=True)
        if column is not None and cell.strip()
    }


def _value(spec: FieldSpec, cell: str) -> Any:
    if spec.kind == "list":
        return [one.strip() for one in read(spec, cell.replace("\n", ";")) if one.strip()]
    return read(spec, cell)


def _repeated(rows: Sequence[Row], type_name: str) -> None:
    """Name each row that says again what a row above says, or takes its id."""
    first: dict[object, int] = {}
    for row in rows:
        if row.draft is None:
            continue
        content = row.draft.content
        said: object = ("title", content.title)
        if type_name == "connection":
            ends = (end_of(content, "from_system"), end_of(content, "to_system"))
            kinds = tuple(map(str, content.fields.get("data_types") or ()))
            protocol = content.fields.get("protocol")
            said = ("says", *ends, content.fields.get("category"), protocol, kinds, content.title)
        for key, what in ((("id", row.draft.uid), "has the id of"), (said, "says what")):
            if key in first and not row.faults:
                more = "" if what == "has the id of" else " says"
                row.fault("repeated", f"It {what} row {first[key]}{more}.", "Keep one of the two.")
            first.setdefault(key, row.number)
