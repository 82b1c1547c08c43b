"""Which table goes where when a project moves: every table of the schema has one line.

A table belongs to a project through one column, is shared by the installation and known there by
a name of its own, or stays behind for a reason that is told. `app` fills the register; a table
that nobody classified is a fault, so that nothing is left out because it was forgotten.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData
from sqlalchemy import Table as Sheet
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault
from core.records.models import Project

PROJECT, PERSON, BLOB, RECORD = "project", "person", "blob", "record"


@dataclass(frozen=True)
class Carried:
    """A table whose rows belong to a project.

    Attributes
    ----------
    by : str
        The column that leads to the project, or to a row of another carried table.
    known_by : tuple of str
        The columns by which other rows name one of these; without them by its line.
    soft : mapping of str to str
        Columns that hold the row number of another table without the schema knowing: the table.
    later : mapping of str to object
        Columns that get their value when every row is there, and what they hold until then.
    left : mapping of str to object
        Columns that mean nothing elsewhere, and what stands in them there.
    files, files_in : tuple of str
        Columns that hold the SHA-256 of a kept file, or JSON that names some.
    people : tuple of str
        Columns that hold uids of people, one or a list.
    elsewhere : tuple of str
        Columns that may name a record of a project that does not come along. Never the column
        that a row belongs by: an archive adds nothing to a project that is there already.
    worded : mapping of str to (str, str)
        Columns that may say a word and then the row number of another table: both. Such a column
        is among `later`.
    """

    name: str
    by: str
    known_by: tuple[str, ...] = ()
    soft: Mapping[str, str] = field(default_factory=dict)
    later: Mapping[str, object] = field(default_factory=dict)
    left: Mapping[str, object] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    files_in: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    worded: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shared:
    """A table of the whole installation, of which a project uses some rows.

    Attributes
    ----------
    known_by : str
        The column by which a row is found again elsewhere.
    used : callable
        ``(session, project ids) -> row numbers`` of those that the projects use.
    same : tuple of str
        What must be the same where the destination has that row already.
    """

    name: str
    known_by: str
    used: Callable[[Session, Sequence[int]], Sequence[int]]
    same: tuple[str, ...]


@dataclass(frozen=True)
class Own:
    """A table that moves in a way of its own: projects, people, files."""

    name: str
    known_by: str
    how: str


@dataclass(frozen=True)
class Behind:
    """A table that stays where it is."""

    name: str
    reason: str


Line = Carried | Shared | Own | Behind


@dataclass(frozen=True)
class Repositories:
    """The Git repositories of a project, that lie in folders of their own."""

    table: str
    folder_of: Callable[[Path, int], Path]
    """``(data folder, row number) -> folder``"""


Check = Callable[[Session, Project, BlobStore], Sequence[Fault]]
"""``(session, project, files) -> what does not hold`` of rows that have just been brought."""

UnderWay = Callable[[Session, Sequence[int]], Sequence[Fault]]
"""``(session, project ids) -> work that nobody would finish elsewhere``."""


@dataclass(frozen=True)
class Register:
    """Every table of the schema, and what a feature checks of its own rows.

    Attributes
    ----------
    lines : tuple of Line
        One for each table.
    files_of_acts : frozenset of str
        Actions of the audit trail whose entries name kept files under ``sha256``.
    """

    lines: tuple[Line, ...]
    repositories: Repositories
    files_of_acts: frozenset[str] = frozenset()
    checks: tuple[Check, ...] = ()
    under_way: tuple[UnderWay, ...] = ()

    def line(self, name: str) -> Line | None:
        """Return the line of a table."""
        return next((one for one in self.lines if one.name == name), None)

    def mover(self, name: str) -> Carried | Shared:
        """Return the line of a table whose rows move."""
        line = self.line(name)
        if not isinstance(line, Carried | Shared):
            raise TypeError(f"The rows of {name} do not move.")
        return line

    def moving(self, metadata: MetaData) -> list[tuple[Sheet, Carried | Shared]]:
        """Return the tables whose rows move, each after those that it names."""
        found = []
        for sheet in metadata.sorted_tables:
            line = self.line(sheet.name)
            if isinstance(line, Carried | Shared):
                found.append((sheet, line))
        return found

    def known_by(self, name: str) -> tuple[str, ...]:
        """Return the columns by which rows of a table are named; none for those named by line."""
        line = self.line(name)
        if isinstance(line, Carried):
            return line.known_by
        return (line.known_by,) if isinstance(line, Shared | Own) else ()

    def targets(self, sheet: Sheet) -> dict[str, str]:
        """Return the columns of a table that name rows of others, and of which."""
        line = self.line(sheet.name)
        found = dict(line.soft) if isinstance(line, Carried) else {}
        for column in sheet.columns:
            for key in column.foreign_keys:
                found[column.name] = key.column.table.name
        return found

    def named(self, metadata: MetaData) -> set[str]:
        """Return the tables whose rows others name."""
        found: set[str] = set()
        for sheet, line in self.moving(metadata):
            found.update(self.targets(sheet).values())
            if isinstance(line, Carried):
                found.update(target for _, target in line.worded.values())
        return found

    def faults(self, metadata: MetaData) -> list[str]:
        """Return what is wrong with the register itself, for the test that holds it."""
        return [*self._missing(metadata), *self._misled(metadata)]

    def _missing(self, metadata: MetaData) -> Iterator[str]:
        named = [one.name for one in self.lines]
        for name in sorted(set(metadata.tables) - set(named)):
            yield f"{name} is not classified: say whether it moves with a project."
        for name in sorted(set(named) - set(metadata.tables)):
            yield f"{name} is classified and is no table."
        for name in sorted({one for one in named if named.count(one) > 1}):
            yield f"{name} is classified twice."

    def _misled(self, metadata: MetaData) -> Iterator[str]:
        for sheet, line in self.moving(metadata):
            for column, target in self.targets(sheet).items():
                if isinstance(self.line(target), Behind | None):
                    yield f"{sheet.name}.{column} leads to {target}, which stays behind."
            if isinstance(line, Carried):
                yield from self._odd(sheet, line)

    def _odd(self, sheet: Sheet, line: Carried) -> Iterator[str]:
        leads = self.targets(sheet)
        if line.by not in leads:
            yield f"{sheet.name}.{line.by} leads to no table."
        if line.by in line.elsewhere:
            yield f"{sheet.name}.{line.by} must lead to a project that comes along."
        told = {*leads, *line.left, *line.files, *line.files_in, *line.people, "id"}
        for column in sheet.columns:
            if column.name not in told and _looks_like_a_reference(column):
                yield f"{sheet.name}.{column.name} looks like a reference; say what it names."


def _looks_like_a_reference(column: Column[Any]) -> bool:
    name = column.name
    return name.endswith(("_id", "sha256"))
