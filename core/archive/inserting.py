"""Put the rows of an archive into a database, under numbers of that database's own."""

from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Table as Sheet
from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from core.archive.reading import Archive
from core.archive.register import BLOB, PROJECT, Carried, Register, Shared
from core.archive.rows import OddRow, Row, columns_of, decoded, flat, key_of, refuse_other_columns
from core.archive.shape import rows_member
from core.db import Table
from core.errors import Fault
from core.ledger.chain import append
from core.ledger.witness import ACTION as WITNESS
from core.ledger.witness import WITNESSED
from core.records.models import Project, Record
from core.signing.models import Signature

AT_ONCE = 500
WITNESSED_AT_ONCE = 5_000
MOST_FAULTS = 200
"""A wrong table is wrong in every row; more would tell nobody more."""


class _Unknown(Exception):
    """A row names another one that is not there."""


class Inserting:
    """Rows on their way into a database.

    Attributes
    ----------
    ids : dict
        Per table the new number of a row by how rows name it.
    signatures : dict of int to Signature
        What each line of the signatures became.
    kept : dict
        Per table the rows that the destination had already and keeps.
    """

    def __init__(self, session: Session, archive: Archive, register: Register) -> None:
        self.session, self.archive, self.register = session, archive, register
        self.ids: dict[str, dict[str, int]] = defaultdict(dict)
        self.kept: dict[str, set[str]] = defaultdict(set)
        self.counts: dict[str, int] = defaultdict(int)
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.signatures: dict[int, Signature] = {}
        self.files: set[str] = set()
        self._later: dict[str, list[tuple[int, Row, Row]]] = defaultdict(list)
        self._witnessed: dict[str, dict[str, str]] = defaultdict(dict)
        self._named = register.named(Table.metadata)
        # Apart from `ids`, through which rows find what they belong to.
        self._outside: dict[str, int] = {}
        self._announced = {
            key_of([one["project"], one["uid"]])
            for one in archive.facts["elsewhere"]
            if one["project"] not in archive.projects
        }

    def insert_all(self) -> None:
        """Insert the rows of every table that moves, and give the late columns their values."""
        for sheet, line in self.register.moving(Table.metadata):
            batch: list[tuple[str, int, Row]] = []
            for number, row in self.archive.rows(sheet.name):
                one = self._prepared(sheet, line, number, row)
                if one is not None:
                    batch.append((one[0], number, one[1]))
                if len(batch) == AT_ONCE:
                    self._insert(sheet, line, batch)
                    batch = []
                if len(self.faults) >= MOST_FAULTS:
                    return
            if batch:
                self._insert(sheet, line, batch)
        for sheet, line in self.register.moving(Table.metadata):
            if isinstance(line, Carried) and sheet.name in self._later:
                self._settle(sheet, line, self._later[sheet.name])

    def project(self, row: Row) -> Project:
        """Insert a project."""
        sheet = Table.metadata.tables[PROJECT]
        values = {one.name: decoded(one, row.get(one.name)) for one in columns_of(sheet)}
        made = Project(**values)
        self.session.add(made)
        self.session.flush()
        self.ids[PROJECT][key_of(made.key)] = made.id or 0
        return made

    def witness(self, table: str, number: int, row: Any) -> None:
        """Remember what the audit trail is to have seen of a row."""
        if table in WITNESSED:
            self._witnessed[table][str(number)] = WITNESSED[table].digest_of(row)

    def tell_witness(self) -> None:
        """Write into the audit trail what every witnessed row is like."""
        for table, rows in sorted(self._witnessed.items()):
            told = list(rows.items())
            for start in range(0, len(told), WITNESSED_AT_ONCE):
                some = dict(told[start : start + WITNESSED_AT_ONCE])
                append(self.session, WITNESS, None, data={"rows": {table: some}})

    def _prepared(
        self, sheet: Sheet, line: Carried | Shared, number: int, row: Row
    ) -> tuple[str, Row] | None:
        """Return how a row is named and what it holds here, or None where it is not inserted."""
        left = dict(line.left) if isinstance(line, Carried) else {}
        columns = columns_of(sheet, tuple(left))
        where = f"{rows_member(sheet.name)} line {number}"
        name = key_of(flat([row.get(one) for one in self.register.known_by(sheet.name)] or number))
        try:
            refuse_other_columns(columns, row)
            if isinstance(line, Shared) and self._there_already(sheet, line, name, row):
                return None
            targets = self.register.targets(sheet)
            if isinstance(line, Carried):
                self._refuse_belonging_nowhere(line, row)
            if isinstance(line, Carried) and key_of(row[line.by]) in self.kept[targets[line.by]]:
                # It belongs to one that the destination keeps as it has it.
                self.kept[sheet.name].add(name)
                return None
            values = {
                one.name: self._reference(sheet, line, one.name, targets[one.name], row[one.name])
                if one.name in targets
                else decoded(one, row[one.name])
                for one in columns
            }
            if isinstance(line, Carried):
                self._refuse_lost_files(line, row)
        except (OddRow, _Unknown) as error:
            self.faults.append(Fault("row", where, str(error)))
            return None
        return name, values | left

    def _refuse_belonging_nowhere(self, line: Carried, row: Row) -> None:
        # A role without a project would be held in the whole installation.
        if row[line.by] is None:
            raise OddRow(f"{line.by} is empty.")

    def _refuse_lost_files(self, line: Carried, row: Row) -> None:
        for column in line.files:
            if row[column] and row[column] not in self.files:
                raise _Unknown(f"{column} names the file {row[column][:64]}, which is not there.")

    def _there_already(self, sheet: Sheet, line: Shared, name: str, row: Row) -> bool:
        """Whether the destination has a shared row already; it must then be the same thing."""
        query = select(sheet).where(sheet.c[line.known_by] == row[line.known_by])
        found = self.session.execute(query).mappings().first()
        if found is None:
            return False
        called = f"{sheet.name.replace('_', ' ')} {row[line.known_by]}"
        if any(found[one] != row[one] for one in line.same):
            what = "is another one here; they differ in " + ", ".join(
                one.replace("_", " ") for one in line.same if found[one] != row[one]
            )
            self.faults.append(Fault("shared", called, f"{what}.", "Rename the one here."))
        else:
            told = "is known here already: it stays as it is, and what the archive holds of it"
            self.notes.append(f"The {called} {told} was left out.")
        self.ids[sheet.name][name] = found["id"]
        self.kept[sheet.name].add(name)
        return True

    def _reference(
        self, sheet: Sheet, line: Carried | Shared, column: str, target: str, value: Any
    ) -> Any:
        if value is None:
            if sheet.c[column].nullable:
                return None
            raise OddRow(f"{column} is empty.")
        if target == BLOB:
            if value not in self.files:
                raise _Unknown(f"{column} names the file {str(value)[:64]}, which is not there.")
            return value
        key = key_of(value)
        if isinstance(line, Carried) and column in line.later:
            return value
        found = self.ids[target].get(key)
        if found is None and isinstance(line, Carried) and column in line.elsewhere:
            found = self._elsewhere(value)
        if found is None:
            raise _Unknown(f"{column} names {target.replace('_', ' ')} {key}, which is not there.")
        return found

    def _elsewhere(self, value: Any) -> int | None:
        """Return the row of a record of a project that is here already, where it is announced."""
        key = key_of(value)
        if key not in self._announced:
            return None
        if key not in self._outside:
            found = self.session.scalar(
                select(col(Record.id))
                .join(Project, col(Project.id) == col(Record.project_id))
                .where(col(Project.key) == value[0], col(Record.uid) == value[1])
            )
            if found is None:
                return None
            self._outside[key] = found
        return self._outside[key]

    def _insert(
        self, sheet: Sheet, line: Carried | Shared, batch: Sequence[tuple[str, int, Row]]
    ) -> None:
        late = dict(line.later) if isinstance(line, Carried) else {}
        rows = [row | late for _, _, row in batch]
        self.counts[sheet.name] += len(batch)
        if "id" not in sheet.c:
            self.session.execute(insert(sheet), rows)
            return
        made = self.session.execute(
            insert(sheet).returning(sheet.c.id, sort_by_parameter_order=True), rows
        ).scalars()
        for (name, number, row), identity in zip(batch, made, strict=True):
            if sheet.name in self._named:
                if name in self.ids[sheet.name]:
                    self.faults.append(Fault("row-twice", rows_member(sheet.name), name))
                self.ids[sheet.name][name] = identity
            if sheet.name == "signature":
                self.signatures[number] = Signature(**row)
            seen = {"id": identity} | self._worth_keeping(sheet.name, row)
            if late:
                self._later[sheet.name].append((identity, {one: row[one] for one in late}, seen))
            else:
                self.witness(sheet.name, identity, SimpleNamespace(**seen))

    def _worth_keeping(self, table: str, row: Row) -> Row:
        kind = WITNESSED.get(table)
        return {one: row[one] for one in (*kind.columns, *kind.later)} if kind else {}

    def _settle(self, sheet: Sheet, line: Carried, rows: Sequence[tuple[int, Row, Row]]) -> None:
        """Give rows the values that had to wait until every row was there."""
        targets = self.register.targets(sheet)
        changes = []
        for identity, late, seen in rows:
            values = dict(late)
            for column, value in late.items():
                try:
                    values[column] = self._settled(line, targets.get(column), column, value)
                except _Unknown as error:
                    self.faults.append(Fault("row", rows_member(sheet.name), str(error)))
            self.witness(sheet.name, identity, SimpleNamespace(**(seen | values)))
            changes.append({"this_row": identity, **{f"new_{one}": values[one] for one in values}})
        if changes and not self.faults:
            columns = [one for one in changes[0] if one != "this_row"]
            statement = (
                update(sheet)
                .where(sheet.c.id == bindparam("this_row"))
                .values({one.removeprefix("new_"): bindparam(one) for one in columns})
            )
            # Each of these rows is told to the audit trail by `tell_witness`.
            self.session.execute(statement, changes, execution_options={"recorded": True})

    def _settled(self, line: Carried, target: str | None, column: str, value: Any) -> Any:
        word, worded = line.worded.get(column, ("", None))
        if worded is not None and isinstance(value, str) and value.startswith(word):
            number = value.removeprefix(word)
            found = self.ids[worded].get(number)
            if found is None:
                raise _Unknown(f"{column} names {value}, which is not there.")
            return f"{word}{found}"
        if target is None or value is None:
            return value
        found = self.ids[target].get(key_of(value))
        if found is None:
            raise _Unknown(f"{column} names {key_of(value)}, which is not there.")
        return found
