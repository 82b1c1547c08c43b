"""The traceability matrix: one row per record, one set of linked records per column. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core.qa_controls import QaControl, QaControls, watching
from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.records.suspects import Suspicion
from core.verdicts import NOT_RUN, Verdict
from qms.results.judging import Bearing, Imported
from qms.rules.facts import LinesFact
from qms.traceability.coverage import Flag, Judgement, judge
from qms.traceability.paths import Column, reach

TEST = "test"
WATCHED_OVER = ("arises_on", "received_over")
"""The links from a record to the connections whose QA procedures control it."""


@dataclass(frozen=True)
class Entry:
    """One record as a cell of the matrix shows it.

    Attributes
    ----------
    verdict : Verdict or None
        For a test, what its latest run says; None for everything else.
    judged : bool
        For a test, whether the row's verdict rests on it.
    watched_by : tuple of QaControl
        The QA procedures that control it in use.
    imported : Imported or None
        What imported results say of it, beside the runs that were recorded here.
    """

    record: RecordView
    suspicions: tuple[Suspicion, ...] = ()
    verdict: Verdict | None = None
    judged: bool = False
    watched_by: tuple[QaControl, ...] = ()
    imported: Imported | None = None

    @property
    def not_effective(self) -> tuple[QaControl, ...]:
        """Those of them that are overdue, failing or unknown."""
        return tuple(control for control in self.watched_by if control.failed)


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
    qa : mapping of Key to QaControls
        The QA procedures by what they watch; empty where nobody was asked.
    imported : mapping of Key to Imported
        What imported results say of each record that they name.
    bearing : mapping of Key to tuple of Bearing
        Per record, each imported result that keeps it from being verified.
    lines : mapping of Key to tuple of LinesFact
        Per record, its marked lines of source that need re-review.
    """

    snapshot: Snapshot
    verdicts: Mapping[Key, Verdict] = field(default_factory=dict)
    suspicions: Sequence[Suspicion] = ()
    release_tests: frozenset[Key] = frozenset()
    delivered: frozenset[Key] = frozenset()
    code: Mapping[Key, int] = field(default_factory=dict)
    qa: QaControls = field(default_factory=dict)
    imported: Mapping[Key, Imported] = field(default_factory=dict)
    bearing: Mapping[Key, tuple[Bearing, ...]] = field(default_factory=dict)
    lines: Mapping[Key, tuple[LinesFact, ...]] = field(default_factory=dict)

    @cached_property
    def order(self) -> Mapping[Key, int]:
        """The place of every record in natural order, worked out once for all cells."""
        keys = sorted(self.snapshot.records, key=lambda key: (key.project, natural_order(key.uid)))
        return {key: place for place, key in enumerate(keys)}

    @cached_property
    def suspicions_by_record(self) -> Mapping[Key, tuple[Suspicion, ...]]:
        """The suspicions of each record, nearest cause first."""
        found: dict[Key, list[Suspicion]] = {}
        for suspicion in self.suspicions:
            found.setdefault(suspicion.record, []).append(suspicion)
        return {
            key: tuple(sorted(many, key=lambda one: (one.distance, one.cause)))
            for key, many in found.items()
        }

    @cached_property
    def _entries(self) -> dict[tuple[Key, bool], Entry]:
        return {}

    def entry(self, record: RecordView, *, judged: bool) -> Entry:
        """Return a record as a cell shows it; the many cells that show it share one value."""
        known = self._entries.get((record.key, judged))
        if known is None:
            is_test = record.type == TEST
            known = Entry(
                record=record,
                suspicions=self.suspicions_by_record.get(record.key, ()),
                verdict=self._verdict(record.key) if is_test else None,
                judged=judged and is_test and not record.withdrawn,
                watched_by=self._watched_by(record.key) if self.qa else (),
                imported=self.imported.get(record.key),
            )
            self._entries[record.key, judged] = known
        return known

    def _verdict(self, test: Key) -> Verdict:
        """Return what a recorded run says; where none does, what was imported, marked as that."""
        recorded = self.verdicts.get(test)
        imported = self.imported.get(test)
        if recorded is not None or imported is None:
            return recorded or NOT_RUN
        return imported.as_verdict()

    def _watched_by(self, key: Key) -> tuple[QaControl, ...]:
        """Return the QA procedures on a record, on its connections and on what mitigates it."""
        over = [link.target for r in WATCHED_OVER for link in self.snapshot.outgoing(key, r)]
        controls = [link.source for link in self.snapshot.incoming(key, "mitigates")]
        return watching(self.qa, (key, *over, *controls))


@dataclass(frozen=True)
class Row:
    """One record with what it is linked to, its verdict and what is wrong with it.

    Attributes
    ----------
    lacking : mapping of str to str
        Per column that is required and empty, the sentence that says so.
    bearing : tuple of Bearing
        The imported results that keep it from being verified.
    lines : tuple of LinesFact
        Its marked lines of source that need re-review.
    """

    record: RecordView
    own: Entry
    suspicions: tuple[Suspicion, ...]
    cells: Mapping[str, tuple[Entry, ...]]
    code: int
    delivered: bool
    judgement: Judgement
    lacking: Mapping[str, str]
    bearing: tuple[Bearing, ...] = ()
    lines: tuple[LinesFact, ...] = ()

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
    rows = tuple(
        build_row(facts, record, columns)
        for record in facts.snapshot.of_type(rows_type, project)
        if not record.withdrawn
    )
    return Matrix(project, rows_type, tuple(columns), rows, release)


def build_row(facts: Facts, record: RecordView, columns: Sequence[Column]) -> Row:
    """Build a single row."""
    snapshot = facts.snapshot
    cells = {
        column.name: _cell(facts, reach(snapshot, record.key, column.ways), column)
        for column in columns
    }
    lacking = {
        column.name: column.lack or f"Nothing is linked as {column.name.replace('_', ' ')}."
        for column in columns
        if column.required
        and all(entry.record.withdrawn for entry in cells[column.name])
        and not reach(snapshot, record.key, column.instead)
    }
    own = facts.entry(record, judged=True)
    entries = [entry for cell in cells.values() for entry in cell]
    tests = [own] if record.type == TEST else entries
    bearing = _bearing(facts, record, tests)
    lines = facts.lines.get(record.key, ())
    judgement = judge(
        record,
        lacking=tuple(lacking.values()),
        verdicts=[entry.verdict for entry in tests if entry.judged and entry.verdict],
        has_tests=record.type == TEST or any(TEST in column.types for column in columns),
        suspect=[entry.record.key.uid for entry in (own, *entries) if entry.suspicions],
        not_effective=list(
            dict.fromkeys(
                control.sentence for entry in (own, *entries) for control in entry.not_effective
            )
        ),
        not_verified=[(one.word, one.sentence) for one in bearing],
        lines=[f"Its marked lines need re-review, {one.told}." for one in lines],
    )
    return Row(
        record=record,
        own=own,
        suspicions=own.suspicions,
        cells=cells,
        code=facts.code.get(record.key, 0),
        delivered=record.key in facts.delivered,
        judgement=judgement,
        lacking=lacking,
        bearing=bearing,
        lines=lines,
    )


def _bearing(facts: Facts, record: RecordView, tests: Iterable[Entry]) -> tuple[Bearing, ...]:
    """Return the imported results against a row: what rests below it, and its own tests."""
    found = {one.about: one for one in facts.bearing.get(record.key, ())}
    for entry in tests:
        if entry.judged and entry.imported is not None:
            for one in facts.bearing.get(entry.record.key, ()):
                found.setdefault(one.about, one)
    return tuple(found[about] for about in sorted(found))


def _cell(facts: Facts, keys: Iterable[Key], column: Column) -> tuple[Entry, ...]:
    """Return the records of a cell in natural order; a release's own tests alone are judged."""
    known, order = facts.snapshot.records, facts.order
    found = [known[key] for key in keys if key in known and known[key].type in column.types]
    found.sort(key=lambda record: order[record.key])
    all_count = facts.release_tests.isdisjoint(record.key for record in found)
    return tuple(
        facts.entry(record, judged=all_count or record.key in facts.release_tests)
        for record in found
    )
