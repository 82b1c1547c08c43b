"""Which run decides about a test, and what it says."""

from datetime import UTC, datetime

import pytest

from core.verdicts import VerdictWord
from validation.runs.judging import Measured, Outcome, deciding, detail, judge, run_verdict

RELEASE, OLDER = "b" * 40, "a" * 40
AT = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)


def outcome(run: int, status: str = "passed", commit: str = RELEASE, *, clean: bool = True, n=1):
    return Outcome(100 * run + n, "TST-004", 2, run, commit, clean, status, AT)


def measured(actual, expected, tolerance, comparison="within", *, passed: bool = True, unit="Gy"):
    return Measured(1, "Dmean", comparison, expected, tolerance, actual, unit, passed)


def test_the_latest_run_at_the_commit_decides_even_when_a_later_run_was_elsewhere():
    decided = deciding([outcome(1), outcome(2, "failed"), outcome(3, commit=OLDER)], RELEASE)

    assert [one.run for one in decided["TST-004"]] == [2]


def test_without_a_run_at_the_commit_the_latest_one_reads_older_commit():
    [own] = deciding([outcome(1, commit=OLDER), outcome(2, commit=OLDER)], RELEASE).values()

    verdict = judge(own, [], RELEASE, "RPM")

    assert verdict.word is VerdictWord.OLDER_COMMIT
    assert (verdict.run, verdict.commit, verdict.address) == ("2", OLDER, "/p/RPM/runs/2")
    assert not verdict.passed


def test_without_a_commit_the_latest_run_counts_wherever_it_was():
    [own] = deciding([outcome(1), outcome(2, commit=OLDER)], None).values()

    assert judge(own, [], None, "RPM").word is VerdictWord.PASSED


def test_a_failed_run_after_a_passed_one_decides_and_a_rerun_after_it_decides_again():
    passed_then_failed = [outcome(1), outcome(2, "failed")]

    [own] = deciding(passed_then_failed, RELEASE).values()
    assert judge(own, [], RELEASE, "RPM").word is VerdictWord.FAILED

    [own] = deciding([*passed_then_failed, outcome(3)], RELEASE).values()
    assert judge(own, [], RELEASE, "RPM").word is VerdictWord.PASSED


@pytest.mark.parametrize(
    "status", ["failed", "error", "skipped", "xfailed", "xpassed", "empty", "running"]
)
def test_one_scenario_that_did_not_pass_fails_its_test(status):
    verdict = judge([outcome(1), outcome(1, status, n=2)], [], RELEASE, "RPM")

    assert verdict.word is VerdictWord.FAILED
    assert verdict.detail == f"1 of 2 scenarios {status}"


def test_a_run_whose_files_changed_under_it_does_not_pass():
    verdict = judge([outcome(1, clean=False)], [], RELEASE, "RPM")

    assert verdict.word is VerdictWord.FAILED
    assert "changed during the run" in verdict.detail


def test_the_verdict_names_revision_time_and_the_value_nearest_to_its_limit():
    values = [measured(45.88, 45.88, 0.02), measured(39.25, 39.113, 0.15), measured(1, 1, 0)]

    verdict = judge([outcome(14)], values, RELEASE, "RPM")

    assert (verdict.revision, verdict.at, verdict.run) == (2, AT, "14")
    assert verdict.detail == "Dmean off by 0.137 Gy, allowed 0.15 Gy"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([measured(0.31, 0.4, None, "at_most", unit="%")], "Dmean 0.31 %, at most 0.4 %"),
        ([measured(["E1"], ["E1"], None, "equal")] * 3, "3 values as expected"),
        (
            [measured("sent", "refused", None, "equal", passed=False, unit="")],
            "Dmean is sent, expected refused",
        ),
        (
            [measured(1, 2, 0.5, passed=False), measured(1, 3, 0.5, passed=False)],
            "Dmean off by 1 Gy, allowed 0.5 Gy, and 1 more",
        ),
        (
            [measured(0.3, 0.95, None, "at_least", passed=False, unit="")],
            "Dmean 0.3, at least 0.95",
        ),
        ([measured("nan", 0.95, 0.1, passed=False, unit="")], "Dmean is nan, expected 0.95"),
    ],
)
def test_the_detail_is_one_clause_with_figures(values, said):
    assert detail([outcome(1)], values) == said


def test_a_run_passes_only_complete_clean_and_with_every_scenario_passed():
    assert run_verdict("complete", clean=True, statuses=["passed"]) == "passed"
    assert run_verdict("complete", clean=True, statuses=["passed", "skipped"]) == "failed"
    assert run_verdict("complete", clean=True, statuses=[]) == "failed"
    assert run_verdict("complete", clean=False, statuses=["passed"]) == "failed"
    assert run_verdict("running", clean=True, statuses=["passed"]) == "running"
    assert run_verdict("refused", clean=True, statuses=[]) == "refused"
