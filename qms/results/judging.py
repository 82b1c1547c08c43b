"""What imported results say about a record, and about everything that rests on it. Pure.

Only a pass on the commit in question is a pass. A record that no result of that commit names, and
some earlier one did, is missing there; where nothing was imported for that commit at all, what is
known of it is stale.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from core.records.snapshot import Key, Snapshot
from core.verdicts import Verdict, VerdictWord
from qms.results.cases import Outcome, worst

BEARING_ROLES = ("verifies", "validates", "derives_from", "mitigates")
"""From what was tested to what rests on it: its requirement, the need, the controlled risk."""


class Standing(StrEnum):
    """What imported results come to for one record; the outcomes of a case and two more."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAIL = "xfail"
    XPASS = "xpass"
    MISSING = "missing"
    """Results of the commit were imported, and none of them names it any more."""
    STALE = "stale"
    """It was named by results of another commit only."""


WORD_OF: Mapping[Standing, VerdictWord] = {
    Standing.PASSED: VerdictWord.PASSED,
    Standing.FAILED: VerdictWord.FAILED,
    Standing.ERROR: VerdictWord.FAILED,
    Standing.XPASS: VerdictWord.FAILED,
    Standing.XFAIL: VerdictWord.FAILED,
    Standing.SKIPPED: VerdictWord.NOT_RUN,
    Standing.MISSING: VerdictWord.NOT_RUN,
    Standing.STALE: VerdictWord.OLDER_COMMIT,
}
"""The nearest of the four words that every page knows; the standing itself is told beside it."""

_IN_WORDS = {
    Standing.PASSED: "passed",
    Standing.FAILED: "failed",
    Standing.ERROR: "ended in an error",
    Standing.SKIPPED: "was skipped",
    Standing.XFAIL: "failed, as it was expected to (xfail)",
    Standing.XPASS: "passed although it was expected to fail (xpass)",
}


@dataclass(frozen=True)
class Told:
    """One case of one import that names a record."""

    uid: str
    number: int
    commit: str
    at: datetime
    suite: str
    label: str
    outcome: Outcome
    message: str = ""
    environment: str = ""
    rerun: bool = False


@dataclass(frozen=True)
class Imported:
    """What imported results say about one record.

    Attributes
    ----------
    number : int
        The import that decides.
    label : str
        The case that decides; empty where it is missing or stale.
    cases : int
        How many cases were looked at.
    again : int
        How many of them passed only after a retry or in a rerun.
    environment : str
        Where the case that decides ran.
    contradicted : int
        A later import in which that case passed, and which does not count instead.
    fewer : bool
        Whether that is a rerun, in which fewer cases of that name ran; it is none otherwise.
    """

    uid: str
    standing: Standing
    number: int
    commit: str
    at: datetime
    label: str = ""
    message: str = ""
    cases: int = 0
    address: str = ""
    again: int = 0
    environment: str = ""
    contradicted: int = 0
    fewer: bool = False

    @property
    def passed(self) -> bool:
        """Whether it is a pass on the commit in question."""
        return self.standing is Standing.PASSED

    @property
    def detail(self) -> str:
        """What it says, as a clause that always tells where it comes from."""
        start = f"imported results {self.number}"
        if self.standing is Standing.MISSING:
            return f"{start}, of commit {self.commit[:7]}, named it last; missing since"
        if self.standing is Standing.STALE:
            return f"{start} are of another commit, {self.commit[:7]}: stale"
        if self.passed:
            many = f"{self.cases} cases" if self.cases != 1 else "1 case"
            after = f", {self.again} of them after a retry or in a rerun" if self.again else ""
            return f"{start}: {many} passed{after}"
        first = self.message.strip().splitlines()
        told = f": {first[0][:200]}" if first else ""
        where = f" ({self.environment})" if self.environment else ""
        why = (
            "ran fewer cases of that name" if self.fewer else "do not say that they are of a rerun"
        )
        beside = f"; it passed in imported results {self.contradicted}, which {why}"
        beside = beside if self.contradicted else ""
        return f"{start}{where}: {self.label} {_IN_WORDS[self.standing]}{told}{beside}"

    def as_verdict(self) -> Verdict:
        """Return it as the verdict on a test that no run says anything about."""
        return Verdict(
            word=WORD_OF[self.standing],
            run=str(self.number),
            commit=self.commit,
            at=self.at,
            detail=self.detail,
            address=self.address,
            imported=True,
        )


@dataclass
class _Group:
    """What counts of the cases of one name in one environment, of one record."""

    counted: list[Told] = field(default_factory=list)
    fullest: int = 0
    """As how many cases it ran in one import at most: several packages may share a name."""
    again: int = 0
    fewer: int = 0
    """The last rerun in which fewer cases passed or failed than that."""

    def take(self, number: int, cases: Sequence[Told]) -> None:
        """Count what one import says."""
        ran = [one for one in cases if one.rerun and one.outcome is not Outcome.SKIPPED]
        if ran and len(ran) >= self.fullest:
            mended = any(one.outcome is not Outcome.PASSED for one in self.counted)
            self.again += mended and any(one.outcome is Outcome.PASSED for one in ran)
            self.counted.clear()
        elif ran:
            # Which of them ran again, nobody can tell.
            self.fewer = number
        self.fullest = max(self.fullest, sum(one.outcome is not Outcome.SKIPPED for one in cases))
        self.counted += cases


def judge(uid: str, told: Sequence[Told], address: str = "") -> Imported:
    """Return what cases of one commit say about a record: the worst of them decides.

    A case that was imported again counts as bad as it ever came out there, unless the later import
    says that it is a rerun: then it counts as it came out in that. A rerun that skips a case says
    nothing of it, and one that ran fewer cases of a name than an import before it replaces none.

    Parameters
    ----------
    told : sequence of Told
        Cases that name the record, all of one commit; at least one.
    """
    imports: dict[int, dict[tuple[str, str, str], list[Told]]] = {}
    for one in sorted(told, key=lambda each: each.number):
        here = imports.setdefault(one.number, {})
        here.setdefault((one.environment, one.suite, one.label), []).append(one)
    groups: dict[tuple[str, str, str], _Group] = defaultdict(_Group)
    for number, here in imports.items():
        for key, cases in here.items():
            groups[key].take(number, cases)
    counted = [one for group in groups.values() for one in group.counted]
    decided = worst(one.outcome for one in counted)
    first = next(one for one in counted if one.outcome is decided)
    passed = decided is Outcome.PASSED
    if passed:
        first = max(counted, key=lambda one: one.number)
    beside = groups[first.environment, first.suite, first.label]
    later = [
        one.number
        for one in beside.counted
        if one.number > first.number and one.outcome is Outcome.PASSED
    ]
    again = sum(group.again for group in groups.values())
    return Imported(
        uid=uid,
        standing=Standing(first.outcome.value),
        number=first.number,
        commit=first.commit,
        at=first.at,
        label=first.label,
        message=first.message,
        cases=len(groups) if passed else len(counted),
        address=address,
        # A pass has a message where its report says that it was a retry which passed.
        again=again + sum(bool(one.message) for one in counted) if passed else 0,
        environment=first.environment,
        contradicted=later[-1] if later else 0,
        fewer=bool(later) and beside.fewer == later[-1],
    )


WORST_STANDING = (
    Standing.FAILED,
    Standing.ERROR,
    Standing.XPASS,
    Standing.XFAIL,
    Standing.MISSING,
    Standing.SKIPPED,
    Standing.STALE,
    Standing.PASSED,
)


def together(several: Sequence[Imported]) -> Imported:
    """Return what several lines of commits say of one record: the worst of them."""
    decides = min(several, key=lambda one: (WORST_STANDING.index(one.standing), -one.number))
    if not decides.passed:
        return decides
    cases, again = sum(one.cases for one in several), sum(one.again for one in several)
    return replace(decides, cases=cases, again=again)


_SAYS_NOTHING = frozenset({Standing.STALE, Standing.MISSING, Standing.SKIPPED})


def speaks(result: Imported, recorded: Verdict | None) -> bool:
    """Whether an imported result counts against its record, beside what a run says of it.

    A failure always does. One that is stale, missing or skipped only says that nothing is known,
    and a pass recorded here on the commit in question says more.
    """
    if result.passed:
        return False
    return not (recorded and recorded.passed and result.standing in _SAYS_NOTHING)


@dataclass(frozen=True)
class Bearing:
    """An imported result that is no pass, and a record that rests on what it is about.

    Attributes
    ----------
    through : tuple of Key
        The records from the one that was named to just below this one; empty for that one itself.
    """

    about: Key
    result: Imported
    through: tuple[Key, ...] = ()

    @property
    def word(self) -> VerdictWord:
        """The nearest of the words that every page knows."""
        return WORD_OF[self.result.standing]

    @property
    def sentence(self) -> str:
        """Why the record is not verified."""
        way = " and ".join(key.uid for key in self.through[1:])
        over = f", over {way}," if way else ""
        return f"{self.about.uid}{over} is not verified: {self.result.detail}."


def bearings(
    snapshot: Snapshot, results: Mapping[Key, Imported]
) -> Mapping[Key, tuple[Bearing, ...]]:
    """Return, for every record that rests on something not passed, why: itself and all above it."""
    found: dict[Key, list[Bearing]] = {}
    for key in sorted(results):
        named = snapshot.records.get(key)
        if named is None or named.withdrawn or results[key].passed:
            continue
        for reached, through in above(snapshot, key).items():
            found.setdefault(reached, []).append(Bearing(key, results[key], through))
    return {key: tuple(many) for key, many in found.items()}


def below(snapshot: Snapshot, key: Key) -> frozenset[Key]:
    """Return what a record rests on, itself included: whose results count against it.

    The other way round than `above`.
    """
    found = {key}
    waiting = [key]
    for one in waiting:
        for role in BEARING_ROLES:
            for link in snapshot.incoming(one, role):
                record = snapshot.records.get(link.source)
                if record is not None and not record.withdrawn and link.source not in found:
                    found.add(link.source)
                    waiting.append(link.source)
    return frozenset(found)


def above(snapshot: Snapshot, key: Key) -> Mapping[Key, tuple[Key, ...]]:
    """Return what rests on a record, nearest first, each with the way to it; itself included."""
    ways: dict[Key, tuple[Key, ...]] = {key: ()}
    waiting = [key]
    for one in waiting:
        for role in BEARING_ROLES:
            for link in snapshot.outgoing(one, role):
                record = snapshot.records.get(link.target)
                if record is not None and not record.withdrawn and link.target not in ways:
                    ways[link.target] = (*ways[one], one)
                    waiting.append(link.target)
    return ways
