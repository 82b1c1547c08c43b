"""What imported results come to, and which records rest on one that is no pass."""

from datetime import UTC, datetime

import pytest

from core.verdicts import Verdict, VerdictWord
from qms.results.cases import Outcome
from qms.results.judging import Imported, Standing, Told, bearings, judge, speaks, together
from qms.traceability.columns import known_columns
from qms.traceability.coverage import Flag
from qms.traceability.coverage import Outcome as RowOutcome
from qms.traceability.matrix import Facts, Matrix, build
from qms.traceability.why import explain
from tests.qms.traceability.conftest import Book

pytestmark = pytest.mark.verifies("TST-028")

AT = datetime(2026, 11, 20, tzinfo=UTC)
COMMIT = "a" * 40
TESTS = 4
RUN = Verdict(VerdictWord.PASSED, run="14", commit=COMMIT, address="/p/RPM/runs/14")


def told(
    label: str, outcome: Outcome, number: int = 1, where: str = "", *, rerun: bool = False
) -> Told:
    said = f"{label} says so" if outcome is not Outcome.PASSED else ""
    return Told("TST-1", number, COMMIT, AT, "unit", label, outcome, said, where, rerun)


def imported(uid: str, standing: Standing = Standing.PASSED) -> Imported:
    return Imported(uid, standing, 3, COMMIT, AT, f"test_{uid}", "off by 2", 1, "/p/RPM/results/3")


@pytest.fixture
def book() -> Book:
    """Two needs, three requirements, a risk, and a test for each requirement and one more."""
    made = Book()
    for kind, uids in {
        "user_need": ("UN-1", "UN-2"),
        "requirement": ("REQ-1", "REQ-2", "REQ-3"),
        "risk": ("RSK-1",),
        "test": tuple(f"TST-{n}" for n in range(1, TESTS + 1)),
    }.items():
        for uid in uids:
            made.add(kind, uid)
    for source, role, target in (
        ("REQ-1", "derives_from", "UN-1"),
        ("REQ-2", "derives_from", "UN-1"),
        ("REQ-3", "derives_from", "UN-2"),
        ("REQ-2", "mitigates", "RSK-1"),
        ("TST-1", "verifies", "REQ-1"),
        ("TST-2", "verifies", "REQ-2"),
        ("TST-3", "verifies", "REQ-3"),
        ("TST-4", "verifies", "REQ-3"),
    ):
        made.link(source, role, target)
    return made


def drawn(
    book: Book, results: dict[str, Standing], runs: dict[str, Verdict], rows: str = "requirement"
) -> Matrix:
    verdicts = {book.key(uid): one for uid, one in runs.items()}
    known = {book.key(uid): imported(uid, standing) for uid, standing in results.items()}
    against = {key: one for key, one in known.items() if speaks(one, verdicts.get(key))}
    snapshot = book.snapshot()
    facts = Facts(snapshot, verdicts, imported=known, bearing=bearings(snapshot, against))
    return build(facts, "RPM", rows, known_columns()[rows])


def outcomes(matrix: Matrix) -> dict[str, str]:
    return {row.record.key.uid: str(row.judgement.outcome) for row in matrix.rows}


def all_pass() -> dict[str, Standing]:
    return {f"TST-{n}": Standing.PASSED for n in range(1, TESTS + 1)}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_worst_of_several_cases_decides_and_is_named(outcome: Outcome) -> None:
    said = judge(
        "TST-1", [told("a", Outcome.PASSED), told("b", outcome), told("c", Outcome.PASSED)]
    )

    assert said.standing == outcome.value
    assert said.passed is (outcome is Outcome.PASSED)
    assert said.label == ("a" if outcome is Outcome.PASSED else "b")


def test_a_case_imported_again_counts_as_it_came_out_last_where_that_is_a_rerun() -> None:
    before = [told("a", Outcome.FAILED, 1), told("b", Outcome.PASSED, 1)]

    again = judge("TST-1", [*before, told("a", Outcome.PASSED, 2)])
    rerun = judge("TST-1", [*before, told("a", Outcome.PASSED, 2, rerun=True)])
    later = judge(
        "TST-1",
        [*before, told("a", Outcome.PASSED, 2, rerun=True), told("a", Outcome.ERROR, 3)],
    )

    assert (again.standing, again.number, again.contradicted) == (Standing.FAILED, 1, 2)
    assert again.detail == (
        "imported results 1: a failed: a says so; it passed in imported results 2, which do not "
        "say that they are of a rerun"
    )
    assert (rerun.standing, rerun.number, rerun.cases) == (Standing.PASSED, 2, 2)
    assert rerun.detail == (
        "imported results 2: 2 cases passed, 1 of them after a retry or in a rerun"
    )
    assert later.standing is Standing.ERROR


def test_a_rerun_speaks_for_its_own_environment_and_for_what_it_ran() -> None:
    failed = [told("a", Outcome.FAILED, 1, "py3.10"), told("a", Outcome.PASSED, 2, "py3.11")]

    both = judge("TST-1", failed)
    elsewhere = judge("TST-1", [*failed, told("a", Outcome.PASSED, 3, "py3.11", rerun=True)])
    skipped = judge("TST-1", [*failed, told("a", Outcome.SKIPPED, 3, "py3.10", rerun=True)])
    there = judge("TST-1", [*failed, told("a", Outcome.PASSED, 3, "py3.10", rerun=True)])

    assert both.detail == "imported results 1 (py3.10): a failed: a says so"
    assert both.standing is elsewhere.standing is skipped.standing is Standing.FAILED
    assert (there.standing, there.cases, there.again) == (Standing.PASSED, 2, 1)


def test_a_rerun_of_one_of_two_tests_of_one_name_mends_no_failure_of_the_other() -> None:
    twins = [told("io", Outcome.FAILED, 1), told("io", Outcome.PASSED, 1)]
    other = told("io", Outcome.PASSED, 2, rerun=True)
    skipped = told("io", Outcome.SKIPPED, 2, rerun=True)

    one = judge("TST-1", [*twins, other])
    half = judge("TST-1", [*twins, other, skipped])
    twice = judge("TST-1", [*twins, other, told("io", Outcome.PASSED, 3, rerun=True)])
    both = judge("TST-1", [*twins, other, other])
    worse = judge("TST-1", [*twins, other, other, told("io", Outcome.FAILED, 3, rerun=True)])

    assert one.detail == (
        "imported results 1: io failed: io says so; it passed in imported results 2, which ran "
        "fewer cases of that name"
    )
    beside = [told("io", Outcome.FAILED, 1), told("io", Outcome.SKIPPED, 1)]
    mended = judge("TST-1", [*beside, other, skipped])

    # As many ran; that the other one is skipped was so before.
    assert mended.standing is Standing.SKIPPED
    assert half.standing is twice.standing is worse.standing is Standing.FAILED
    assert (both.standing, both.number, both.again) == (Standing.PASSED, 2, 1)


def test_of_several_lines_of_commits_the_worst_decides() -> None:
    passed, missing = imported("TST-1"), imported("TST-1", Standing.MISSING)

    assert together([passed, missing, imported("TST-1", Standing.FAILED)]).standing == "failed"
    assert together([passed, missing]).standing is Standing.MISSING
    assert (together([passed, passed]).standing, together([passed, passed]).cases) == ("passed", 2)


def test_a_case_told_twice_in_one_import_is_as_bad_as_the_worse() -> None:
    said = judge("TST-1", [told("a", Outcome.PASSED), told("a", Outcome.ERROR)])

    assert said.standing is Standing.ERROR


def test_flipping_one_test_turns_exactly_its_ancestors(book: Book) -> None:
    flipped = {**all_pass(), "TST-2": Standing.FAILED}

    before = {rows: outcomes(drawn(book, all_pass(), {}, rows)) for rows in ROWS}
    after = {rows: outcomes(drawn(book, flipped, {}, rows)) for rows in ROWS}

    assert set(before["requirement"].values()) == {"passed"}
    changed = {uid for rows in ROWS for uid in after[rows] if after[rows][uid] != before[rows][uid]}
    assert changed == {"TST-2", "REQ-2", "UN-1", "RSK-1"}
    assert {after[rows][uid] for rows in ROWS for uid in after[rows] if uid in changed} == {
        "failed"
    }


ROWS = ("requirement", "user_need", "risk", "test")


@pytest.mark.parametrize(
    ("standing", "expected", "flag"),
    [
        (Standing.FAILED, RowOutcome.FAILED, Flag.FAILING),
        (Standing.ERROR, RowOutcome.FAILED, Flag.FAILING),
        (Standing.XFAIL, RowOutcome.FAILED, Flag.FAILING),
        (Standing.XPASS, RowOutcome.FAILED, Flag.FAILING),
        (Standing.SKIPPED, RowOutcome.NOT_RUN, Flag.NOT_RUN),
        (Standing.MISSING, RowOutcome.NOT_RUN, Flag.NOT_RUN),
        (Standing.STALE, RowOutcome.OLDER_COMMIT, Flag.OLDER_COMMIT),
    ],
)
def test_nothing_but_a_pass_verifies(
    book: Book, standing: Standing, expected: RowOutcome, flag: Flag
) -> None:
    matrix = drawn(book, {**all_pass(), "TST-1": standing}, {})

    row = next(row for row in matrix.rows if row.record.key.uid == "REQ-1")
    assert row.judgement.outcome is expected
    assert flag in row.flags


def test_why_names_the_test_the_import_and_the_way(book: Book) -> None:
    matrix = drawn(book, {**all_pass(), "TST-2": Standing.ERROR}, {}, "user_need")
    row = matrix.rows[0]

    said = [str(one) for one in explain(row, matrix.columns)]

    assert (
        "TST-2, over REQ-2, is not verified: imported results 3: test_TST-2 ended in an error: "
        "off by 2." in said
    )
    assert any(
        "TST-1 has no recorded run; imported results 3: 1 case passed." in one for one in said
    )


def test_a_failure_counts_beside_a_recorded_pass_and_both_are_told(book: Book) -> None:
    runs = {f"TST-{n}": RUN for n in range(1, TESTS + 1)}
    matrix = drawn(book, {"TST-1": Standing.FAILED, "TST-2": Standing.PASSED}, runs)

    one, two, three = matrix.rows
    assert [str(row.judgement.outcome) for row in (one, two, three)] == [
        "failed", "passed", "passed",
    ]  # fmt: skip
    said = [str(sentence) for sentence in explain(one, matrix.columns)]
    assert any("TST-1 passed in run 14" in each for each in said)
    assert any("TST-1 is not verified: imported results 3" in each for each in said)
    assert "TST-2 beside that: imported results 3: 1 case passed." in [
        str(sentence) for sentence in explain(two, matrix.columns)
    ]


@pytest.mark.parametrize("standing", [Standing.STALE, Standing.MISSING, Standing.SKIPPED])
def test_a_recorded_pass_says_more_than_knowing_nothing(book: Book, standing: Standing) -> None:
    matrix = drawn(book, {"TST-1": standing}, {"TST-1": RUN})

    assert outcomes(matrix)["REQ-1"] == "passed"


def test_a_requirement_named_directly_is_an_ancestor_too(book: Book) -> None:
    matrix = drawn(book, {**all_pass(), "REQ-1": Standing.FAILED}, {}, "user_need")

    assert outcomes(matrix) == {"UN-1": "failed", "UN-2": "passed"}


def test_without_imported_results_everything_reads_as_before(book: Book) -> None:
    runs = {"TST-1": RUN}
    matrix = drawn(book, {}, runs)

    assert outcomes(matrix) == {"REQ-1": "passed", "REQ-2": "not run", "REQ-3": "not run"}


def test_a_withdrawn_test_keeps_nothing_from_being_verified(book: Book) -> None:
    book.add("test", "TST-9", state="withdrawn")
    book.link("TST-9", "verifies", "REQ-1")

    matrix = drawn(book, {**all_pass(), "TST-9": Standing.FAILED}, {})

    assert outcomes(matrix)["REQ-1"] == "passed"
