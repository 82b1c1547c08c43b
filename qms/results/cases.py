"""What a report of tests says, in the product's own words and whatever tool wrote it. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from qms.interchange.corpus import Attached, Finding, Place

MOST_TEXT = 2000
"""Characters kept of a message: enough to recognise a failure, the report itself is kept whole."""

MOST_CASES = 200_000
MOST_NAMINGS = 300_000
"""Records and files that the cases of one import name in all: what is kept grows with them."""

MOST_LETTERS = 60_000_000
"""Characters of the names that the cases of one import bear, those of their suites among them: a
long name of a suite is kept with each of its cases. Twice the largest report."""


class Outcome(StrEnum):
    """What came of one test case; six answers, because only one of them is a pass."""

    PASSED = "passed"
    FAILED = "failed"
    """A check of the test did not hold."""
    ERROR = "error"
    """The test broke before it could tell: set-up, tear-down, a step nobody defined."""
    SKIPPED = "skipped"
    XFAIL = "xfail"
    """It failed, as its authors said that it would."""
    XPASS = "xpass"
    """It passed although its authors said that it would fail."""


WORST_FIRST = (
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.XPASS,
    Outcome.XFAIL,
    Outcome.SKIPPED,
    Outcome.PASSED,
)
"""In which order several answers about one thing are told: the first that was given decides."""


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """Return what several outcomes say together; None where there are none.

    Examples
    --------
    >>> str(worst([Outcome.PASSED, Outcome.SKIPPED]))
    'skipped'
    """
    given = set(outcomes)
    return next((one for one in WORST_FIRST if one in given), None)


@dataclass(frozen=True, order=True)
class Naming:
    """A record that a case names.

    Attributes
    ----------
    stated : bool
        Whether somebody wrote it down as an id (a property, a marker, a tag); one that only looks
        like an id inside a name counts where the project has such a record and is no fault
        elsewhere: SHA-256 looks like one.
    """

    uid: str
    stated: bool
    place: Place


@dataclass(frozen=True)
class Case:
    """One executed test case.

    Attributes
    ----------
    suite, classname, name : str
        As the report has them; empty where it is silent.
    message : str
        Why it did not pass, cut to `MOST_TEXT`; of a pass, that it was a retry which passed.
    source : str
        The file and line of the test itself, where the report tells it.
    words : tuple of Naming
        Markers and tags that name a record only where the project has one of that name.
    files : tuple of str
        Names of the files that it says belong to it.
    attached : tuple of Attached
        Files that the report carries in itself.
    """

    suite: str
    classname: str
    name: str
    outcome: Outcome
    place: Place
    seconds: float | None = None
    message: str = ""
    source: str = ""
    named: tuple[Naming, ...] = ()
    words: tuple[Naming, ...] = ()
    files: tuple[str, ...] = ()
    attached: tuple[Attached, ...] = ()

    @property
    def label(self) -> str:
        """The case in one word, as its tool would say it."""
        if not self.classname or self.name.startswith(self.classname):
            return self.name
        return f"{self.classname}.{self.name}"

    @property
    def letters(self) -> int:
        """How long the names are that are kept with it."""
        return len(self.suite) + len(self.classname) + len(self.name)

    @property
    def namings(self) -> int:
        """How many records and files it names."""
        return len(self.named) + len(self.words) + len(self.files)


RED = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.XPASS})


def explains(said: Outcome, cases: Collection[Case]) -> bool:
    """Whether one of the cases shows what was said of them all.

    Examples
    --------
    >>> explains(Outcome.FAILED, [])
    False
    >>> explains(Outcome.PASSED, [])
    True
    """
    if said is Outcome.PASSED:
        return True
    alike = {Outcome.FAILED: RED, Outcome.XPASS: RED, Outcome.ERROR: {Outcome.ERROR}}
    # What was passed over or expected to fail is shown by any case that did not pass.
    shown = alike.get(said, frozenset(Outcome) - {Outcome.PASSED})
    return any(case.outcome in shown for case in cases)


def take_back(cases: list[Case], begin: int, why: str) -> None:
    """Let none of the cases from one on pass: one of them failed, and does not say so itself."""
    for at in range(begin, len(cases)):
        if cases[at].outcome is Outcome.PASSED:
            cases[at] = replace(cases[at], outcome=Outcome.ERROR, message=why[:MOST_TEXT])


@dataclass(frozen=True)
class Report:
    """One file of results.

    Attributes
    ----------
    tool : str
        pytest, gtest, ctest, lit, nextest or cucumber; "junit" where it cannot be told.
    findings : tuple of Finding
        What is odd about it and does not keep it from being read.
    """

    file: str
    tool: str
    cases: tuple[Case, ...]
    findings: tuple[Finding, ...] = ()

    def counts(self) -> dict[Outcome, int]:
        """Return how many cases came out each way, every outcome named."""
        return {one: sum(case.outcome is one for case in self.cases) for one in Outcome}
