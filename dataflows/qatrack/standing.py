"""How a QA test stands: due, overdue, failing, in order, or unknown since when and why.

Pure. QATrack+ keeps when a test is due and what came out of it; whether that is good news is
decided here, and whatever cannot be relied on is unknown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any

from core.records.snapshot import natural_order

FRESH_FOR = timedelta(hours=36)
"""A night's reading and half a day: after that nobody can say how the tests stand."""

WITHOUT_FREQUENCY_DAYS = 1
"""Days from due to overdue where a test has no frequency (QATrack+, due_status)."""


class Kind(StrEnum):
    """What of QATrack+ a QA procedure can be kept as."""

    LIST = "testlist"
    CYCLE = "cycle"
    UTC = "utc"


class Due(StrEnum):
    """Whether a test is to be done, in the order of QATrack+'s own rule."""

    NOT_DUE = "ok"
    DUE = "due"
    OVERDUE = "overdue"
    NONE = "no due date"


class Result(StrEnum):
    """What came out of the last time."""

    PASSED = "passed"
    TOLERANCE = "tolerance"
    UNJUDGED = "no tolerances set"
    INCOMPLETE = "incomplete"
    REJECTED = "rejected"
    FAILED = "failed"
    NEVER = "never performed"
    UNREAD = "not read yet"


class State(StrEnum):
    """The one word for a QA test, best first; what is known to be bad is worse than a doubt."""

    OK = "ok"
    NOT_PERFORMED = "not performed yet"
    NO_DUE_DATE = "no due date"
    DUE = "due"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    OVERDUE = "overdue"
    FAILING = "failing"


WORSE: Mapping[State, int] = {state: place for place, state in enumerate(State)}
INEFFECTIVE = frozenset({State.OVERDUE, State.FAILING})
DOUBTFUL = frozenset({State.UNKNOWN, State.INCOMPLETE})
UNSHOWN = frozenset({Result.NEVER, Result.UNJUDGED})
"""Results that show nothing: it was not done, or there was nothing to judge it by."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What stays the same when QATrack+ imports its lists again: the numbers do not."""

    kind: Kind
    slug: str


@dataclass(frozen=True, slots=True)
class Item:
    """One test list, cycle, or list on a unit, as it was last read."""

    key: Key
    number: int
    name: str
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A server, and how far what was read from it can be relied on.

    Attributes
    ----------
    read_at : datetime or None
        When the last complete reading began; None before the first.
    problem : str
        Why the newest reading failed; empty if it did not.
    """

    name: str
    address: str
    zone: tzinfo
    named_at: datetime
    read_at: datetime | None = None
    problem: str = ""

    def doubt(self, at: datetime) -> tuple[datetime, str] | None:
        """Return since when and why nothing is known, or None."""
        since = self.read_at or self.named_at
        if self.problem:
            return since, self.problem
        if self.read_at is None:
            return since, f"{self.name} has not been read yet."
        if not timedelta() <= at - self.read_at <= FRESH_FOR:
            return since, f"{self.name} was not read since; is the worker running?"
        return None


@dataclass(frozen=True)
class Shelf:
    """Everything that was read from one server, found by what it is."""

    source: Source
    items: Mapping[Key, Item]

    @cached_property
    def on_units(self) -> Mapping[Key, Sequence[Item]]:
        """Each list and cycle, with the units that it is done on."""
        found: dict[Key, list[Item]] = {}
        for key in sorted(self.items):
            if key.kind is Kind.UTC and self.items[key].told["active"]:
                kind, slug = self.items[key].told["tests"]
                found.setdefault(Key(Kind(kind), slug), []).append(self.items[key])
        return found

    def done_as(self, item: Item) -> Sequence[Item]:
        """Return where an item is done: itself, or the units that its list is assigned to.

        A list that is done on no unit by itself may be a day of a cycle that is.
        """
        if item.key.kind is Kind.UTC:
            return [item]
        found = self.on_units.get(item.key, ())
        if found or item.key.kind is Kind.CYCLE:
            return found
        return [
            one
            for key, ones in self.on_units.items()
            if key.kind is Kind.CYCLE and item.key.slug in self.items[key].told["lists"]
            for one in ones
        ]


@dataclass(frozen=True, slots=True)
class OnUnit:
    """How a test stands on one unit."""

    item: Item
    state: State
    due: Due
    result: Result
    due_on: date | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a QA procedure that is kept in QATrack+ stands.

    Attributes
    ----------
    since : datetime or None
        Since when it is unknown; None unless it is.
    reason : str
        Why it is unknown, or what is wrong; empty where all is well.
    periodic : bool
        Whether the procedure itself says that it is done at intervals.
    """

    state: State
    since: datetime | None = None
    reason: str = ""
    units: tuple[OnUnit, ...] = ()
    source: Source | None = None
    item: Item | None = None
    periodic: bool = False

    @property
    def effective(self) -> bool | None:
        """Whether it can be relied on as a control; None where nobody can say."""
        results = (one.result for one in self.units)
        return is_effective(self.state, results, periodic=self.periodic)

    @property
    def worst(self) -> OnUnit | None:
        """The unit that decides, or None."""
        return max(self.units, key=lambda one: WORSE[one.state], default=None)

    @property
    def words(self) -> str:
        """Return the state as a file tells it, with the time in UTC."""
        if self.since is None:
            return str(self.state)
        return f"{self.state} since {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def is_effective(state: State, results: Iterable[Result], *, periodic: bool = False) -> bool | None:
    """Say whether a QA test still controls a risk, from its state and its last results.

    An overdue or failing test does not. Nobody can say of one that is unknown or incomplete, was
    never performed, has no tolerances to be judged by, or is periodic and not scheduled, so that
    its last result may be years old; that is None and no good news either.
    """
    if state in INEFFECTIVE:
        return False
    unscheduled = periodic and state is State.NO_DUE_DATE
    return None if state in DOUBTFUL or unscheduled or UNSHOWN & set(results) else True


def worst_first(standings: Mapping[str, Standing]) -> list[tuple[str, Standing]]:
    """Return the standings of some procedures, the worst first, then by uid."""
    return sorted(standings.items(), key=lambda one: (-WORSE[one[1].state], natural_order(one[0])))


def counts(standings: Mapping[str, Standing]) -> list[tuple[State, int]]:
    """Return how many procedures stand how, the worst first."""
    seen = Counter(one.state for one in standings.values())
    return sorted(seen.items(), key=lambda one: -WORSE[one[0]])


def due_status(
    due: datetime | None, window_end_days: int | None, at: datetime, zone: tzinfo
) -> Due:
    """Return whether a test is due, by the rule of QATrack+ 3.1 (`SchedulingMixin.due_status`).

    Parameters
    ----------
    due : datetime or None
        When it is due; only its day counts, by the clock of the server.
    window_end_days : int or None
        Days until it is overdue; None where the test has no frequency.
    zone : tzinfo
        The time zone of the server.

    Examples
    --------
    >>> noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    >>> due_status(noon - timedelta(days=7), 7, noon, UTC).value
    'overdue'
    """
    if due is None:
        return Due.NONE
    today, day = at.astimezone(zone).date(), due.astimezone(zone).date()
    if today < day:
        return Due.NOT_DUE
    window = WITHOUT_FREQUENCY_DAYS if window_end_days is None else window_end_days
    return Due.DUE if today < day + timedelta(days=window) else Due.OVERDUE


def result_of(outcomes: Iterable[str], *, rejected: bool) -> Result:
    """Return what a performed list says, from `pass_fail` of its tests: the worst decides."""
    if rejected:
        return Result.REJECTED
    seen = set(outcomes)
    if "action" in seen:
        return Result.FAILED
    if not seen or "not_done" in seen:
        return Result.INCOMPLETE
    if "tolerance" in seen:
        return Result.TOLERANCE
    return Result.PASSED if "ok" in seen else Result.UNJUDGED


def state_of(due: Due, result: Result) -> State:
    """Return the one word for both; the worse of the two decides."""
    of_result = {
        Result.FAILED: State.FAILING,
        Result.REJECTED: State.FAILING,
        Result.INCOMPLETE: State.INCOMPLETE,
        Result.NEVER: State.NOT_PERFORMED,
        Result.UNREAD: State.UNKNOWN,
    }.get(result, State.OK)
    of_due = {
        Due.OVERDUE: State.OVERDUE,
        Due.DUE: State.DUE,
        Due.NONE: State.NO_DUE_DATE,
        Due.NOT_DUE: State.OK,
    }[due]
    return max(of_result, of_due, key=lambda state: WORSE[state])


def standing(shelf: Shelf, key: Key, at: datetime, *, periodic: bool = False) -> Standing:
    """Return how a test stands, from what was read of its server.

    Parameters
    ----------
    periodic : bool
        Whether the procedure that is kept as this test is done at intervals.
    """
    source, item = shelf.source, shelf.items.get(key)
    unknown = _unknown(source, item)
    doubt = source.doubt(at)
    if doubt is not None:
        return unknown(*doubt)
    since = source.read_at or source.named_at
    if item is None:
        return unknown(since, f"{source.name} has no {WORDS[key.kind]} of that name.")
    units = tuple(on_unit(one, source.zone, at) for one in shelf.done_as(item))
    if not units:
        return unknown(since, "It is assigned to no unit there, so it is never due.")
    if any(not one.item.told["active"] for one in units):
        return unknown(since, "It is switched off there, so it is never due.")
    worst = max(units, key=lambda one: WORSE[one.state])
    if worst.state is State.UNKNOWN:
        return Standing(worst.state, since, "Its last result is not read yet.", units, source, item)
    return Standing(worst.state, None, "", units, source, item, periodic)


WORDS: Mapping[Kind, str] = {
    Kind.LIST: "test list",
    Kind.CYCLE: "test list cycle",
    Kind.UTC: "test list on a unit",
}


def _unknown(source: Source, item: Item | None) -> Callable[[datetime, str], Standing]:
    return lambda since, reason: Standing(State.UNKNOWN, since, reason, source=source, item=item)


def on_unit(item: Item, zone: tzinfo, at: datetime) -> OnUnit:
    """Return how a test stands on the unit that it is done on."""
    told = item.told
    moment = datetime.fromisoformat(told["due"]) if told["due"] else None
    last = told["last"]
    result = Result(last["result"]) if last else Result.NEVER
    due = due_status(moment, told["window_end"], at, zone)
    done = datetime.fromisoformat(last["completed"]) if last and last["completed"] else None
    day = moment.astimezone(zone).date() if moment else None
    return OnUnit(item, state_of(due, result), due, result, day, done)
