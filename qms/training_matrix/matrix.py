"""People against the documents that their roles ask for, and how each of them stands. Pure.

Whether a training counts is decided by `qms.training`, as it is before a signature; here the same
answer is told cell by cell, with the record that it comes from.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.records.snapshot import natural_order
from qms.training import Training, TrainingRecord


class Standing(StrEnum):
    """How one person stands to one document, worst first; the words of the page."""

    MISSING = "missing"
    OVERDUE = "overdue"
    OLDER = "older revision"
    UNSIGNED = "unsigned"
    DUE = "due"
    NOT_IN_FORCE = "not in force"
    TRAINED = "trained"
    NOT_ASKED = "not asked"


LACKING = tuple(one for one in Standing if one not in (Standing.TRAINED, Standing.NOT_ASKED))
"""What keeps a person from signing in a role that asks for the document."""


@dataclass(frozen=True)
class Column:
    """One document that some role asks for.

    Attributes
    ----------
    revision : int or None
        The one in force; None where the document is not.
    since : date or None
        The first day on which that revision can be trained on.
    roles : tuple of str
        The roles that ask for it.
    """

    document: str
    title: str
    revision: int | None
    since: date | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One person and one document.

    Attributes
    ----------
    detail : str
        What the word does not say: which revision, which day.
    training : str
        The record to look at; empty where there is none.
    roles : tuple of str
        The person's roles that ask for it.
    """

    column: Column
    standing: Standing
    detail: str = ""
    training: str = ""
    roles: tuple[str, ...] = ()

    @property
    def lacks(self) -> bool:
        """Whether the person may not sign in those roles because of it."""
        return self.standing in LACKING

    @property
    def can_be_begun(self) -> bool:
        """Whether a new training would mend it; one that waits for its signature is signed."""
        mended = (Standing.MISSING, Standing.OLDER, Standing.DUE, Standing.OVERDUE)
        return self.standing in mended and bool(self.column.revision)


@dataclass(frozen=True)
class Member:
    """One person of the project, with every role that is theirs here."""

    uid: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One person against every document."""

    member: Member
    cells: tuple[Cell, ...]

    @property
    def lacks(self) -> bool:
        """Whether anything that a role of theirs asks for is missing."""
        return any(cell.lacks for cell in self.cells)

    def has(self, standing: Standing) -> bool:
        """Whether any cell stands so."""
        return any(cell.standing is standing for cell in self.cells)


def columns_of(record: TrainingRecord, titles: Mapping[str, str]) -> tuple[Column, ...]:
    """Return every document that the training matrix names, with the roles that ask for it."""
    roles: dict[str, list[str]] = {}
    for role, documents in record.matrix.items():
        for document in documents:
            roles.setdefault(document, []).append(role)
    return tuple(
        Column(
            document,
            titles.get(document, ""),
            record.documents.get(document),
            record.approved.get(document),
            tuple(dict.fromkeys(roles[document])),
        )
        for document in sorted(roles, key=natural_order)
    )


def rows_of(
    record: TrainingRecord, columns: Sequence[Column], members: Iterable[Member], on: date
) -> tuple[Row, ...]:
    """Return every person against every column, as they stand on a day."""
    return tuple(
        Row(member, tuple(_cell(record, member, column, on) for column in columns))
        for member in members
    )


def _cell(record: TrainingRecord, member: Member, column: Column, on: date) -> Cell:
    roles = tuple(role for role in column.roles if role in member.roles)
    if not roles:
        return Cell(column, Standing.NOT_ASKED)
    if column.revision is None:
        return Cell(column, Standing.NOT_IN_FORCE, "nobody can be trained on it", roles=roles)
    own = [t for t in record.trainings.get(member.uid, ()) if t.document == column.document]
    done = [t for t in own if t.done is not None and t.done <= on]
    lacks = record.lacking(member.uid, roles[:1], on)
    if not any(one.document == column.document for one in lacks):
        held = _latest(t for t in done if t.revision == column.revision and t.signed)
        return _told(column, Standing.TRAINED, held, roles)
    return _lacking_cell(column, own, done, roles, on)


def _lacking_cell(
    column: Column,
    own: Sequence[Training],
    done: Sequence[Training],
    roles: tuple[str, ...],
    on: date,
) -> Cell:
    """Say why no training counts: unsigned, too early, to come, of an older revision, none."""
    covering, known = _latest(t for t in done if t.revision == column.revision), _latest(done)
    planned = [t for t in own if t.done is None and t.due is not None and _still_open(t, done)]
    planned = [t for t in planned if t.revision in (None, column.revision)]
    if covering is not None and covering.signed:
        detail = f"revision {column.revision} before it was approved on {column.since}"
        return Cell(column, Standing.OLDER, detail, covering.uid, roles)
    if covering is not None:
        return _told(column, Standing.UNSIGNED, covering, roles)
    if planned:
        coming = min(planned, key=lambda t: (t.due or date.max, natural_order(t.uid)))
        word = Standing.OVERDUE if (coming.due or on) < on else Standing.DUE
        before = f"; trained on revision {known.revision or '?'}" if known else ""
        return Cell(column, word, f"by {coming.due}{before}", coming.uid, roles)
    if known is not None:
        return _told(column, Standing.OLDER, known, roles)
    return Cell(column, Standing.MISSING, "never trained on it", roles=roles)


def _still_open(planned: Training, done: Sequence[Training]) -> bool:
    """Whether nothing that was done says that the plan was carried out."""
    return planned.revision is None or all(t.revision != planned.revision for t in done)


def _latest(trainings: Iterable[Training]) -> Training | None:
    return max(trainings, key=lambda t: (t.done or date.min, natural_order(t.uid)), default=None)


def _told(
    column: Column, standing: Standing, training: Training | None, roles: tuple[str, ...]
) -> Cell:
    if training is None:
        return Cell(column, standing, roles=roles)
    which = f"revision {training.revision}" if training.revision else "an unnamed revision"
    now = f"; revision {column.revision} is in force" if standing is Standing.OLDER else ""
    return Cell(column, standing, f"{which} on {training.done}{now}", training.uid, roles)


@dataclass(frozen=True)
class Change:
    """A document whose present revision somebody still has to be trained on.

    Attributes
    ----------
    before : int
        The newest revision that any of them was trained on.
    people : tuple of Member
        Who was trained on an older one.
    """

    column: Column
    before: int
    people: tuple[Member, ...]


def changes_of(rows: Iterable[Row], record: TrainingRecord) -> tuple[Change, ...]:
    """Return the documents that changed after people were trained on them, and those people."""
    found: dict[str, tuple[Column, list[Member], list[int]]] = {}
    for row in rows:
        for cell in row.cells:
            revision = cell.column.revision
            if not cell.lacks or revision is None:
                continue
            known = [
                t.revision
                for t in record.trainings.get(row.member.uid, ())
                if t.document == cell.column.document
                and t.done is not None
                and t.revision is not None
                and t.revision < revision
            ]
            if known:
                kept = found.setdefault(cell.column.document, (cell.column, [], []))
                kept[1].append(row.member)
                kept[2].append(max(known))
    return tuple(
        Change(column, max(known), tuple(people)) for column, people, known in found.values()
    )
