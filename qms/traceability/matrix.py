"""The traceability matrix: one row per record, one set of linked records per column. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.records.suspects import Suspicion
from core.verdicts import NOT_RUN, Verdict
from qms.traceability.coverage import Flag, Judgement, judge
from qms.traceability.paths import Column, reach

TEST = "test"


@dataclass(frozen=True)
class Facts:
    """All that a matrix is computed from.

    Attributes
    ----------
    snapshot : Snapshot
        The records and their links.
    verdicts : mapping of Key to Verdict
        Latest verdict per test; an absent test has not been run.
    suspicions : sequence of Suspicion
        What needs re-review, with its cause.
    release_tests : frozenset of Key
        The tests a chosen release lists; empty without a release.
    delivered : frozenset of Key
        The records a chosen release delivers; empty without a release.
    code : mapping of Key to int
        How many commits name a record.
    """

    snapshot: Snapshot
    verdicts: Mapping[Key, Verdict] = field(default_factory=dict)
    suspicions: Sequence[Suspicion] = ()
    release_tests: frozenset[Key] = frozenset()
    delivered: frozenset[Key] = frozenset()
    code: Mapping[Key, int] = field(default_factory=dict)

    def verdict(self, test: RecordView) -> Verdict:
        """Return the latest verdict on one test."""
        return self.verdicts.get(test.key, NOT_RUN)

    def suspicions_by_record(self) -> dict[Key, tuple[Suspicion, ...]]:
        """Return the suspicions of each record, nearest cause first."""
        found: dict[Key, list[Suspicion]] = {}
        for suspicion in self.suspicions:
            found.setdefault(suspicion.record, []).append(suspicion)
        return {
            key: tuple(sorted(many, key=lambda one: (one.distance, str(one.cause))))
            for key, many in found.items()
        }


@dataclass(frozen=True)
class Entry:
    """One record as a cell of the matrix shows it.

    Attributes
    ----------
    verdict : Verdict or None
        For a test, what its latest run says; None for everything else.
    judged : bool
        For a test, whether the row's verdict rests on it.
    """

    record: RecordView
    suspicions: tuple[Suspicion, ...] = ()
    verdict: Verdict | None = None
    judged: bool = False


@dataclass(frozen=True)
class Row:
    """One record with what it is linked to, its verdict and what is wrong with it."""

    record: RecordView
    suspicions: tuple[Suspicion, ...]
    cells: Mapping[str, tuple[Entry, ...]]
    code: int
    delivered: bool
    judgement: Judgement

    @property
    def flags(self) -> frozenset[Flag]:
        """What is wrong with this row, in the words of the filters."""
        return self.judgement.flags


@dataclass(frozen=True)
class Matrix:
    """A whole matrix: all rows, before any filter or page.

    Attributes
    ----------
    project : str
        Key of the project whose rows these are.
    rows_type : str
        Record type of the rows.
    columns : tuple of Column
        The columns in their order.
    rows : tuple of Row
        In natural order of their ids.
    release : str or None
        Uid of the release whose tests and commit count.
    """

    project: str
    rows_type: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    release: str | None = None

    def count(self, flag: Flag) -> int:
        """How many rows carry `flag`."""
        return sum(flag in row.flags for row in self.rows)

    def filtered(self, flag: Flag | None) -> tuple[Row, ...]:
        """Return the rows that carry `flag`, or all rows."""
        return self.rows if flag is None else tuple(r for r in self.rows if flag in r.flags)


def build(
    facts: Facts,
    project: str,
    rows_type: str,
    columns: Sequence[Column],
    release: str | None = None,
) -> Matrix:
    """Build the matrix of one record type of one project.

    The cost grows with records and links: each cell is a set reached step by step.
    """
    suspicions = facts.suspicions_by_record()
    rows = tuple(
        _row(facts, record, columns, suspicions)
        for record in facts.snapshot.of_type(rows_type, project)
        if not record.withdrawn
    )
    return Matrix(project, rows_type, tuple(columns), rows, release)


def build_row(facts: Facts, record: RecordView, columns: Sequence[Column]) -> Row:
    """Build a single row, for its explanation."""
    return _row(facts, record, columns, facts.suspicions_by_record())


def _row(
    facts: Facts,
    record: RecordView,
    columns: Sequence[Column],
    suspicions: Mapping[Key, tuple[Suspicion, ...]],
) -> Row:
    cells = {
        column.name: _cell(
            facts, reach(facts.snapshot, record.key, column.ways), column, suspicions
        )
        for column in columns
    }
    lacking = [
        column.lack or f"Nothing is linked as {column.name.replace('_', ' ')}."
        for column in columns
        if column.required
        and all(entry.record.withdrawn for entry in cells[column.name])
        and not reach(facts.snapshot, record.key, column.instead)
    ]
    tests = [entry for cell in cells.values() for entry in cell if entry.verdict is not None]
    if record.type == TEST:
        tests = [Entry(record, verdict=facts.verdict(record), judged=True)]
    own = suspicions.get(record.key, ())
    judgement = judge(
        record,
        lacking=lacking,
        verdicts=[entry.verdict for entry in tests if entry.judged and entry.verdict],
        has_tests=record.type == TEST or any(TEST in column.types for column in columns),
        suspect=[
            record.key.uid if own else "",
            *(
                entry.record.key.uid
                for cell in cells.values()
                for entry in cell
                if entry.suspicions
            ),
        ],
    )
    return Row(
        record=record,
        suspicions=own,
        cells=cells,
        code=facts.code.get(record.key, 0),
        delivered=record.key in facts.delivered,
        judgement=judgement,
    )


def _cell(
    facts: Facts,
    keys: Iterable[Key],
    column: Column,
    suspicions: Mapping[Key, tuple[Suspicion, ...]],
) -> tuple[Entry, ...]:
    found = [facts.snapshot.records.get(key) for key in keys]
    records = sorted(
        (record for record in found if record and record.type in column.types),
        key=lambda record: natural_order(record.key.uid),
    )
    in_release = {record.key for record in records} & facts.release_tests
    return tuple(
        Entry(
            record=record,
            suspicions=suspicions.get(record.key, ()),
            verdict=facts.verdict(record) if record.type == TEST else None,
            judged=record.type == TEST
            and not record.withdrawn
            and (not in_release or record.key in in_release),
        )
        for record in records
    )
