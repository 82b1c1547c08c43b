"""Judge each row of a table of records: what it would create or change, or every fault of it.

A fault knows its cell, so a page can put it beside the field that it is about.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.errors import Fault
from core.records.checking import LONGEST_LINE, LONGEST_TEXT, UID, checked_fields
from core.records.comparing import compare
from core.records.content import Content, LinkDraft
from core.records.sheets.cells import bare, read
from core.records.sheets.grid import Grid
from core.records.sheets.headings import Column, Headings, Words, columns_of, recognised
from core.records.type_shape import FieldSpec, LinkSpec, RecordType
from qms.interchange.near_ids import NearIds
from qms.sheets.kept import Held
from qms.sheets.rows import CHANGE, CREATE, UNCHANGED, Judged, Row

FORMULA = "="

ERRORS = frozenset({
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
    "#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!",
})  # fmt: skip
"""What a cell of a spreadsheet shows that has failed."""

MERGED = "#MERGED"
"""Stands, with its range, in a cell merged with one above; people say whose value it has."""


@dataclass
class Judge:
    """What the rows of one table are judged by.

    Parameters
    ----------
    held : mapping of str to Held
        Every record of the project by its id.
    elsewhere : callable
        The type of a record of another project that may be read, or None.
    number : callable
        Gives an id that nothing has, besides those given.
    """

    record_type: RecordType
    project: str
    held: Mapping[str, Held]
    elsewhere: Callable[[str, str], str | None]
    number: Callable[[Iterable[str]], str]

    named_by = "title"
    """The column without which a row says nothing."""

    spoken: Words = field(default_factory=dict, init=False)
    own: Sequence[Column] = field(default=(), init=False)
    passed: frozenset[str] = field(default=frozenset(), init=False)
    computed: frozenset[str] = field(default=frozenset(), init=False)
    """Columns whose formulas are read as what they last came to: they are only compared."""
    _said_above: dict[object, int] = field(default_factory=dict, init=False, repr=False)
    _near: dict[tuple[str, ...], NearIds] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column that a table may have, by its plain heading."""
        return columns_of(self.record_type, self.spoken, self.own)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Every column by its name."""
        return {one.name: one for one in self.columns.values()}

    def headings(self, stated: Sequence[str], chosen: Mapping[int, str]) -> Headings:
        """Say what each column means: as it was chosen, else by its heading."""
        names = [chosen.get(place, one) for place, one in enumerate(stated)]
        return recognised(self.columns, names, self.passed)

    def judge(self, grid: Grid, chosen: Mapping[int, str], shown: Mapping[Any, str]) -> Judged:
        """Return what comes of every row, in their order.

        Parameters
        ----------
        chosen : mapping
            What a column is, by its place, where somebody said so.
        shown : mapping
            What formulas last came to, by row and place.
        """
        self._said_above.clear()
        headings = self.headings(grid.headings, chosen)
        places = {one.name: place for place, one in enumerate(headings.columns) if one}
        rows = [
            Row(number, cells, places)
            for number, cells in grid.numbered()
            if any(cell.strip() for cell in cells)
        ]
        said = [self._said(headings, row, shown) for row in rows]
        taken = {one["id"] for one in said if one.get("id")} | set(self.held)
        first: dict[str, int] = {}
        for row, cells in zip(rows, said, strict=True):
            self._row(row, cells, first)
            if not row.faults and not row.uid:
                row.uid = self.number(taken)
                taken.add(row.uid)
        unnamed = self._unnamed(grid, rows, headings, chosen)
        return Judged(grid, headings, tuple(rows), self._of_headings(headings, unnamed), unnamed)

    def _said(self, headings: Headings, row: Row, shown: Mapping[Any, str]) -> dict[str, str]:
        """Return the cells of a row by the name of their column; a formula says nothing."""
        found = {}
        for place, (column, cell) in enumerate(zip(headings.columns, row.cells, strict=True)):
            text = cell.strip()
            if column is None or not text:
                continue
            if text.startswith(FORMULA) and column.name not in self.computed:
                last = shown.get((row.number, place), "")
                what = f"{column.label} holds a formula, {text[:60]}, and no value."
                mend = f"Write what it showed: {last[:80]}" if last else "Write its value."
                row.fault(column.name, "formula", what, mend)
            elif text.startswith(FORMULA):
                row.told.append(f"{column.label.lower()} is a formula, and is not compared")
            elif text.startswith(MERGED):
                what = f"{column.label} is merged with a row above,{text[len(MERGED) :][:20]}."
                row.fault(column.name, "merged", what, "Write its value, or empty it.")
            elif text.upper() in ERRORS:
                what = f"{column.label} shows {text}, an error of the spreadsheet."
                row.fault(column.name, "error-value", what, "Write its value, or empty it.")
            else:
                found[column.name] = text
        return found

    def _row(self, row: Row, said: Mapping[str, str], first: dict[str, int]) -> None:
        self._identity(row, said.get("id", ""), first)
        content = self.content(row, said)
        if not said.get("id"):
            self._repeated(row, content)
        if row.held is not None:
            content = self.over(row.held.content, content)
        elif not content.title and not any(
            one.place == row.places.get(self.named_by) for one in row.faults
        ):
            label = self._label(self.named_by)
            row.fault(self.named_by, "missing", f"{label} is empty.", "Say what it is called.")
        if row.faults:
            return
        row.content = content
        row.lacking = tuple(
            spec.label
            for name, spec in self.record_type.fields.items()
            if spec.required == "submit" and content.fields.get(name) in (None, "", [], {})
        )
        row.verdict = CREATE
        if row.held is not None:
            differs = compare(self.record_type, row.held.content, content)
            row.verdict = CHANGE if differs else UNCHANGED
            if differs:
                row.told.append(f"changes {', '.join(one.label for one in differs)}")
            if differs and row.held.obstacle:
                what = f"{row.uid} {row.held.obstacle}, and this row says something else."
                mend = "Have that finished or discarded first, or leave the row out."
                row.fault("id", "open-draft", what, mend)

    def _identity(self, row: Row, uid: str, first: dict[str, int]) -> None:
        if not uid:
            return
        held = self.held.get(uid)
        if not UID.fullmatch(uid):
            mend = f"Begin with a capital, as {self.record_type.prefix}-001, or leave it empty."
            row.fault("id", "uid", f"'{uid[:60]}' is no id.", mend)
        elif uid in first:
            what = f"{uid} is the id of row {first[uid]} already."
            row.fault("id", "id-twice", what, "Give one of the two another id, or none.")
        elif held is not None and held.gone:
            mend = "Numbers are never given twice: give another, or none."
            row.fault("id", "uid-taken", f"{uid} is withdrawn.", mend)
        elif held is not None and held.type != self.record_type.name:
            what = f"{uid} is a {held.type.replace('_', ' ')} here."
            row.fault("id", "uid-taken", what, "Give another id, or none.")
        else:
            row.uid, row.held = uid, held
        first.setdefault(uid, row.number)

    def _repeated(self, row: Row, content: Content) -> None:
        """Find what a row without an id says already, here or in a row above."""
        said = repr((sorted(content.fields.items()), content.links))
        key = (content.title, content.body, said)
        for one in self._titled.get(content.title, ()):
            over = self.over(one.content, content)
            if not compare(self.record_type, one.content, over):
                row.uid, row.held = one.record.uid, one
                return
        above = self._said_above.setdefault(key, row.number)
        if above != row.number and content.title:
            mend = "Leave one of the two out, or give it an id."
            row.fault(self.named_by, "repeated", f"It says what row {above} says.", mend)

    @cached_property
    def _titled(self) -> dict[str, list[Held]]:
        """The records of the type by what they are called."""
        found: dict[str, list[Held]] = {}
        for one in self.held.values():
            if one.type == self.record_type.name and not one.gone:
                found.setdefault(one.title, []).append(one)
        return found

    def content(self, row: Row, said: Mapping[str, str]) -> Content:
        """Return what a row states, and note what cannot be read or kept."""
        fields = {}
        links: list[LinkDraft] = []
        for name, cell in said.items():
            column = self.by_name.get(name)
            spec = column.spec if column else None
            if isinstance(spec, LinkSpec):
                links += self._links(row, name, spec, bare(cell))
            elif isinstance(spec, FieldSpec):
                value = self.value(row, name, spec, cell)
                if value is not None:
                    fields[name] = value
        title = " ".join(bare(said.get("title", "")).split())
        self._length(row, "title", title, LONGEST_LINE)
        body = bare(said.get("text", ""))
        self._length(row, "text", body, LONGEST_TEXT)
        order = list(self.record_type.links)
        links.sort(key=lambda link: order.index(link.role))
        return Content(title, body, fields, tuple(links))

    def over(self, old: Content, said: Content) -> Content:
        """Return a content with what a row states instead; an empty cell leaves it so."""
        roles = {link.role for link in said.links}
        links = [link for link in old.links if link.role not in roles] + list(said.links)
        order = list(self.record_type.links)
        return Content(
            said.title or old.title,
            said.body or old.body,
            {**old.fields, **said.fields},
            tuple(sorted(links, key=lambda link: order.index(link.role))),
        )

    def value(self, row: Row, name: str, spec: FieldSpec, cell: str) -> Any:
        """Return the value of one cell; None, with its fault, where it is none of the field."""
        if spec.kind == "string":
            cell = " ".join(cell.split())
            if self._length(row, name, cell, LONGEST_LINE):
                return None
        lines = cell.replace("\n", ";") if spec.kind == "list" else cell
        found = read(spec, lines)
        if spec.kind == "list" and isinstance(found, list):
            found = [one.strip() for one in found if one.strip()]
        kept, faults = checked_fields(self.record_type, {name: found}, row.where)
        for one in faults:
            mend = ""
            if spec.kind == "choice":
                near = difflib.get_close_matches(cell.lower(), spec.choices, 1)
                mend = f"Did you mean {near[0]}?" if near else ""
            row.fault(name, one.code, one.what, mend)
        return kept.get(name)

    def _length(self, row: Row, name: str, text: str, most: int) -> bool:
        if len(text) > most:
            what = f"{self._label(name)} has {len(text):,} characters; {most:,} are kept."
            row.fault(name, "too-long", what, "Shorten it.")
        return len(text) > most

    def _label(self, name: str) -> str:
        column = self.by_name.get(name)
        return column.label if column else name

    def _links(self, row: Row, role: str, spec: LinkSpec, cell: str) -> list[LinkDraft]:
        found = []
        for one in filter(None, map(str.strip, re.split(r"[;\n]", cell))):
            link = self._link(role, spec, one)
            if link is not None:
                found.append(link)
                continue
            near = self.near(spec.to, one)
            kinds = " or ".join(each.replace("_", " ") for each in spec.to)
            mend = f"Did you mean {near}?" if near else "Correct it, or leave it out."
            row.fault(role, "missing-target", f"'{one[:80]}' is no {kinds} here.", mend)
        return found

    def _link(self, role: str, spec: LinkSpec, stated: str) -> LinkDraft | None:
        held = self.held.get(stated)
        if held is not None and held.type in spec.to and not held.gone:
            return LinkDraft(role, stated)
        project, slash, uid = stated.partition("/")
        if slash and self.elsewhere(project, uid) in spec.to:
            return LinkDraft(role, uid, project)
        called = [uid for kind in set(spec.to) for uid in self._called.get((kind, stated), ())]
        return LinkDraft(role, called[0]) if len(called) == 1 else None

    @cached_property
    def _called(self) -> dict[tuple[str, str], list[str]]:
        """The ids of the records by type and title; of several alike two, which say as much."""
        found: dict[tuple[str, str], list[str]] = {}
        for uid, one in self.held.items():
            if not one.gone:
                alike = found.setdefault((one.type, one.title), [])
                alike += [uid] if len(alike) < 2 else []
        return found

    def near(self, types: Iterable[str], word: str) -> str | None:
        """Return the id or title of some types here that may have been meant."""
        kinds = tuple(types)
        if kinds not in self._near:
            those = [one for one in self.held.values() if one.type in kinds and not one.gone]
            named = [*(one.record.uid for one in those), *(one.title for one in those)]
            self._near[kinds] = NearIds(named)
        return self._near[kinds].to(word)

    def _unnamed(
        self,
        grid: Grid,
        rows: Sequence[Row],
        headings: Headings,
        chosen: Mapping[int, str],
    ) -> tuple[int, ...]:
        known = {one.place for one in headings.unknown}
        return tuple(
            place
            for place, heading in enumerate(grid.headings)
            if headings.columns[place] is None
            and place not in known
            and not heading.strip()
            and place not in chosen
            and any(row.cells[place].strip() for row in rows)
        )

    def _of_headings(self, headings: Headings, unnamed: Sequence[int]) -> tuple[Fault, ...]:
        found = [
            Fault(
                "unknown-column",
                f"Column {one.place + 1}",
                f"'{one.heading[:80]}' names nothing of a {self.record_type.label.lower()}.",
                f"Did you mean {one.near}?" if one.near else "Choose what it is.",
            )
            for one in headings.unknown
        ]
        found += [
            Fault("no-heading", f"Column {one + 1}", "has no heading.", "Choose what it is.")
            for one in unnamed
        ]
        found += [
            Fault("column-twice", one[:80], "says what another column says.", "Leave one out.")
            for one in headings.twice
        ]
        there = {one.name for one in headings.columns if one}
        if not there & {self.named_by, "title", "id"}:
            what = f"There is no column {self._label(self.named_by)}."
            found.append(Fault("missing-column", "Headings", what, "Choose which one it is."))
        return tuple(found)
