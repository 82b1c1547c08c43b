"""What is wrong with a row of the matrix: failing, not effective, uncovered, not run, unsigned ...

Pure functions over one record, the verdicts of its tests and its suspicions; nothing is stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records.snapshot import RecordView
from core.verdicts import Verdict, VerdictWord


class Flag(StrEnum):
    """The filters above the matrix, worst first."""

    FAILING = "failing"
    NOT_EFFECTIVE = "control not effective"
    UNCOVERED = "uncovered"
    NEEDS_REVIEW = "needs re-review"
    OLDER_COMMIT = "older commit"
    NOT_RUN = "not run"
    UNSIGNED = "unsigned"


_WORST_FIRST = {flag: place for place, flag in enumerate(Flag)}


class Outcome(StrEnum):
    """The verdict of a whole row; the words of `VerdictWord` and one more."""

    FAILED = "failed"
    NO_TEST = "no test"
    OLDER_COMMIT = "older commit"
    NOT_RUN = "not run"
    PASSED = "passed"
    NONE = ""
    """The matrix shows no tests, so nothing is judged."""


_FLAG_OF = {
    Outcome.FAILED: Flag.FAILING,
    Outcome.OLDER_COMMIT: Flag.OLDER_COMMIT,
    Outcome.NOT_RUN: Flag.NOT_RUN,
}

FLAG_OF_WORD = {
    VerdictWord.FAILED: Flag.FAILING,
    VerdictWord.OLDER_COMMIT: Flag.OLDER_COMMIT,
    VerdictWord.NOT_RUN: Flag.NOT_RUN,
}
"""What is wrong with a test of that verdict."""


@dataclass(frozen=True)
class Judgement:
    """The verdict of a row, its flags, and one sentence per flag.

    Attributes
    ----------
    outcome : Outcome
        What the tests say together.
    flags : frozenset of Flag
        What is wrong; empty for a row that is fine.
    reasons : tuple of (Flag, str)
        Why, worst first.
    """

    outcome: Outcome
    flags: frozenset[Flag]
    reasons: tuple[tuple[Flag, str], ...]

    @property
    def worst(self) -> int:
        """Sort key of the worst flag; rows without any come last."""
        return min((_WORST_FIRST[flag] for flag in self.flags), default=len(_WORST_FIRST))


def outcome(verdicts: Sequence[Verdict], others: Iterable[VerdictWord] = ()) -> Outcome:
    """Return what several tests say together: the worst of them, and never a guess.

    Parameters
    ----------
    others : iterable of VerdictWord
        What else is said of them, by imported results that are no pass.

    Examples
    --------
    >>> from core.verdicts import NOT_RUN
    >>> str(outcome([Verdict(VerdictWord.PASSED), NOT_RUN]))
    'not run'
    """
    words = {*others, *(verdict.word for verdict in verdicts)}
    for word, said in (
        (VerdictWord.FAILED, Outcome.FAILED),
        (VerdictWord.OLDER_COMMIT, Outcome.OLDER_COMMIT),
        (VerdictWord.NOT_RUN, Outcome.NOT_RUN),
        (VerdictWord.PASSED, Outcome.PASSED),
    ):
        if word in words:
            return said
    return Outcome.NO_TEST


def judge(
    record: RecordView,
    *,
    lacking: Sequence[str],
    verdicts: Sequence[Verdict],
    has_tests: bool,
    suspect: Iterable[str],
    not_effective: Sequence[str] = (),
    not_verified: Sequence[tuple[VerdictWord, str]] = (),
    lines: Sequence[str] = (),
) -> Judgement:
    """Judge one row.

    Parameters
    ----------
    record : RecordView
        The row's own record.
    lacking : sequence of str
        One sentence per required column that is empty.
    verdicts : sequence of Verdict
        The verdicts of the tests that count for this row.
    has_tests : bool
        Whether tests are a column at all; without them nothing is judged.
    suspect : iterable of str
        Uids in this row that need re-review.
    not_effective : sequence of str
        One sentence per QA procedure that no longer controls what stands in this row.
    not_verified : sequence of (VerdictWord, str)
        What each imported result that is no pass comes to, and the sentence that says why.
    lines : sequence of str
        One sentence per place of marked source lines that need re-review.
    """
    others = [word for word, _ in not_verified]
    result = outcome(verdicts, others) if has_tests else Outcome.NONE
    reasons: list[tuple[Flag, str]] = [(Flag.UNCOVERED, sentence) for sentence in lacking]
    if result in _FLAG_OF:
        reasons.append((_FLAG_OF[result], f"Its tests read: {result}."))
    if has_tests:
        reasons += [(FLAG_OF_WORD[word], sentence) for word, sentence in not_verified]
    reasons += [(Flag.NOT_EFFECTIVE, sentence) for sentence in not_effective]
    uids = sorted(set(suspect))
    if uids:
        verb = "needs" if len(uids) == 1 else "need"
        reasons.append((Flag.NEEDS_REVIEW, f"{', '.join(uids)} {verb} re-review."))
    reasons += [(Flag.NEEDS_REVIEW, sentence) for sentence in lines]
    if not record.in_force:
        reasons.append((Flag.UNSIGNED, f"It is {record.state.replace('_', ' ')}, not approved."))
    order = list(Flag)
    return Judgement(
        outcome=result,
        flags=frozenset(flag for flag, _ in reasons),
        reasons=tuple(sorted(reasons, key=lambda reason: order.index(reason[0]))),
    )
