"""What runs say about a test: which run decides, and its verdict in words. Pure.

Only complete runs are handed in: a refused run and a run still going say nothing about a test.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.verdicts import Verdict, VerdictWord
from validation.recorder.evidence import Status

COMPLETE = "complete"
"""The one state in which a run says anything."""


@dataclass(frozen=True)
class Outcome:
    """One executed scenario of a complete run, as plain values."""

    scenario: int
    test: str
    revision: int
    run: int
    commit: str
    clean: bool
    status: str
    at: datetime | None


@dataclass(frozen=True)
class Measured:
    """One measured value of such a scenario."""

    scenario: int
    name: str
    comparison: str
    expected: Any
    tolerance: float | None
    actual: Any
    unit: str
    passed: bool


def run_verdict(state: str, *, clean: bool, statuses: Sequence[str]) -> str:
    """Return a run's verdict: "passed", "failed", or the state of a run without one.

    A run without scenarios, or in a folder that changed under it, never passes.
    """
    if state != COMPLETE:
        return state
    met = bool(statuses) and all(status == Status.PASSED for status in statuses)
    return "passed" if met and clean else "failed"


def deciding(outcomes: Iterable[Outcome], commit: str | None) -> dict[str, list[Outcome]]:
    """Return, per test, the outcomes of the one run that decides about it.

    The latest run at the commit decides; where none ran there, the latest at all.
    """
    by_run: dict[str, dict[int, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for outcome in outcomes:
        by_run[outcome.test][outcome.run].append(outcome)
    decided = {}
    for test, runs in by_run.items():
        at_commit = [number for number, own in runs.items() if own[0].commit == commit]
        decided[test] = runs[max(at_commit or runs)]
    return decided


def judge(
    outcomes: Sequence[Outcome], measured: Sequence[Measured], commit: str | None, project: str
) -> Verdict:
    """Return the verdict that one run gives on one test.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Every scenario of the test in that run; at least one.
    commit : str or None
        The commit the question is about; None asks about the run's own.
    """
    first = outcomes[0]
    if commit is not None and first.commit != commit:
        word = VerdictWord.OLDER_COMMIT
    elif all(one.status == Status.PASSED and one.clean for one in outcomes):
        word = VerdictWord.PASSED
    else:
        word = VerdictWord.FAILED
    return Verdict(
        word=word,
        run=str(first.run),
        commit=first.commit,
        at=max((one.at for one in outcomes if one.at), default=None),
        detail=detail(outcomes, measured),
        revision=first.revision,
        address=f"/p/{project}/runs/{first.run}",
    )


def detail(outcomes: Sequence[Outcome], measured: Sequence[Measured]) -> str:
    """Say in one clause what was measured: the failure, or the value nearest to its limit."""
    if not all(one.clean for one in outcomes):
        return "the working folder was changed during the run"
    failed = [one for one in measured if not one.passed]
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"{_in_words(failed[0])}{more}"
    unmet = [one.status for one in outcomes if one.status != Status.PASSED]
    if unmet:
        return f"{len(unmet)} of {len(outcomes)} scenarios {', '.join(sorted(set(unmet)))}"
    if not measured:
        return "every step went as the protocol says"
    used = [(share, one) for one in measured if (share := _share_of_tolerance(one)) is not None]
    if used:
        return _in_words(max(used, key=lambda pair: pair[0])[1])
    return f"{len(measured)} values as expected"


def _share_of_tolerance(measured: Measured) -> float | None:
    """Return how much of its tolerance a value used, 1 at the limit; None without a scale."""
    if not isinstance(measured.actual, int | float) or not isinstance(
        measured.expected, int | float
    ):
        return None
    if measured.comparison == "within" and measured.tolerance:
        return abs(measured.actual - measured.expected) / measured.tolerance
    if measured.comparison == "at_most" and measured.expected > 0:
        return measured.actual / measured.expected
    return None


def _in_words(measured: Measured) -> str:
    """Phrase a value as "largest error 0.31 % of volume, allowed 0.4 %"."""
    unit = f" {measured.unit}" if measured.unit else ""
    numeric = isinstance(measured.actual, int | float) and isinstance(
        measured.expected, int | float
    )
    if numeric and measured.comparison == "within" and measured.tolerance is not None:
        error = abs(measured.actual - measured.expected)
        return f"{measured.name} off by {error:.3g}{unit}, allowed {measured.tolerance:g}{unit}"
    if numeric and measured.comparison in ("at_most", "at_least"):
        relation = "at most" if measured.comparison == "at_most" else "at least"
        return (
            f"{measured.name} {measured.actual:.4g}{unit}, {relation} {measured.expected:g}{unit}"
        )
    return f"{measured.name} is {measured.actual}{unit}, expected {measured.expected}{unit}"
