"""A row shows what is linked, reads the worst of its tests, and says what is wrong with it."""

import pytest

from core.qa_controls import ControlWord, QaControl, by_watched
from core.records.snapshot import Key, LinkView
from core.records.suspects import Suspicion
from core.verdicts import Verdict, VerdictWord
from qms.traceability.columns import columns_for, known_columns
from qms.traceability.coverage import Flag, Outcome
from qms.traceability.matrix import Facts, build
from qms.traceability.why import explain

pytestmark = pytest.mark.verifies("TST-010")

PASSED = Verdict(VerdictWord.PASSED, run="14")
FAILED = Verdict(VerdictWord.FAILED, run="14")
OLDER = Verdict(VerdictWord.OLDER_COMMIT, run="12")
COLUMNS = known_columns()["requirement"]


@pytest.fixture
def thread(book):
    """REQ-001 with need, item and two tests; REQ-002 with nothing."""
    book.add("user_need", "UN-001")
    book.add("software_item", "SI-01")
    book.add("requirement", "REQ-001")
    book.add("requirement", "REQ-002", state="draft")
    book.add("test", "TST-001")
    book.add("test", "TST-002", state="draft")
    book.link("REQ-001", "derives_from", "UN-001")
    book.link("REQ-001", "allocated_to", "SI-01")
    book.link("TST-001", "verifies", "REQ-001")
    book.link("TST-002", "verifies", "REQ-001")
    return book


def draw(book, verdicts=None, **facts):
    words = {book.key(uid): verdict for uid, verdict in (verdicts or {}).items()}
    known = Facts(book.snapshot(), words, **facts)
    return build(known, "RPM", "requirement", COLUMNS)


def row_of(matrix, uid):
    return next(row for row in matrix.rows if row.record.key.uid == uid)


def test_cells_hold_what_is_linked(thread) -> None:
    row = row_of(draw(thread), "REQ-001")

    shown = {name: [e.record.key.uid for e in cell] for name, cell in row.cells.items()}
    assert shown["user_need"] == ["UN-001"]
    assert shown["software_item"] == ["SI-01"]
    assert shown["test"] == ["TST-001", "TST-002"]
    assert shown["design"] == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (PASSED, PASSED, Outcome.PASSED),
        (PASSED, FAILED, Outcome.FAILED),
        (PASSED, OLDER, Outcome.OLDER_COMMIT),
        (PASSED, None, Outcome.NOT_RUN),
        (FAILED, None, Outcome.FAILED),
        (OLDER, None, Outcome.OLDER_COMMIT),
        (None, None, Outcome.NOT_RUN),
    ],
)
def test_a_row_reads_the_worst_of_its_tests(thread, first, second, expected) -> None:
    verdicts = {
        uid: verdict
        for uid, verdict in (("TST-001", first), ("TST-002", second))
        if verdict is not None
    }

    row = row_of(draw(thread, verdicts), "REQ-001")

    assert row.judgement.outcome is expected


def test_a_release_judges_by_its_own_tests_where_it_lists_any(thread) -> None:
    matrix = draw(thread, {"TST-001": PASSED}, release_tests=frozenset({thread.key("TST-001")}))

    row = row_of(matrix, "REQ-001")

    assert row.judgement.outcome is Outcome.PASSED
    assert [entry.judged for entry in row.cells["test"]] == [True, False]


def test_a_release_that_lists_no_test_of_a_row_cannot_turn_it_green(thread) -> None:
    matrix = draw(thread, release_tests=frozenset({thread.key("TST-999")}))

    assert row_of(matrix, "REQ-001").judgement.outcome is Outcome.NOT_RUN


def test_a_row_without_anything_says_each_thing_it_lacks(thread) -> None:
    row = row_of(draw(thread), "REQ-002")

    assert row.judgement.outcome is Outcome.NO_TEST
    assert row.flags == {Flag.UNCOVERED, Flag.UNSIGNED}
    assert [sentence for _, sentence in row.judgement.reasons] == [
        "It derives from no need and controls no risk.",
        "No software item carries it.",
        "No test verifies it.",
        "It is draft, not approved.",
    ]


def test_a_risk_control_needs_no_user_need(thread) -> None:
    thread.add("risk", "RSK-001")
    thread.link("REQ-002", "mitigates", "RSK-001")

    sentences = [sentence for _, sentence in row_of(draw(thread), "REQ-002").judgement.reasons]

    assert "It derives from no need and controls no risk." not in sentences


def test_a_withdrawn_test_covers_and_judges_nothing(thread) -> None:
    thread.add("test", "TST-003", state="withdrawn")
    thread.link("TST-003", "verifies", "REQ-002")

    row = row_of(draw(thread, {"TST-003": PASSED}), "REQ-002")

    assert row.judgement.outcome is Outcome.NO_TEST
    assert "No test verifies it." in [sentence for _, sentence in row.judgement.reasons]


def test_withdrawn_rows_are_not_shown(thread) -> None:
    thread.add("requirement", "REQ-003", state="withdrawn")

    assert [row.record.key.uid for row in draw(thread).rows] == ["REQ-001", "REQ-002"]


def test_a_row_needs_rereview_when_it_or_anything_in_it_does(thread) -> None:
    suspicion = Suspicion(
        record=thread.key("SI-01"),
        cause=thread.key("REQ-001"),
        role="allocated_to",
        distance=1,
        link=LinkView("allocated_to", thread.key("REQ-001"), thread.key("SI-01")),
    )

    matrix = draw(thread, suspicions=(suspicion,))

    assert Flag.NEEDS_REVIEW in row_of(matrix, "REQ-001").flags
    assert Flag.NEEDS_REVIEW not in row_of(matrix, "REQ-002").flags
    assert (Flag.NEEDS_REVIEW, "SI-01 needs re-review.") in row_of(
        matrix, "REQ-001"
    ).judgement.reasons


def test_counts_are_the_rows_a_filter_shows(thread) -> None:
    matrix = draw(thread)

    for flag in Flag:
        assert matrix.count(flag) == len(matrix.filtered(flag))
    assert matrix.count(Flag.UNCOVERED) == 1
    assert len(matrix.filtered(None)) == 2


def test_test_rows_read_their_own_verdict(thread) -> None:
    facts = Facts(thread.snapshot(), {thread.key("TST-001"): FAILED})

    matrix = build(facts, "RPM", "test", known_columns()["test"])

    assert {row.record.key.uid: row.judgement.outcome for row in matrix.rows} == {
        "TST-001": Outcome.FAILED,
        "TST-002": Outcome.NOT_RUN,
    }


def test_a_test_that_proves_nothing_is_uncovered(thread) -> None:
    thread.add("test", "TST-009")

    matrix = build(Facts(thread.snapshot()), "RPM", "test", known_columns()["test"])

    assert [r.record.key.uid for r in matrix.filtered(Flag.UNCOVERED)] == ["TST-009"]


def test_a_matrix_without_tests_judges_nothing(thread) -> None:
    columns = columns_for(
        "requirement", ["software_item"], {"requirement": {}, "software_item": {}}
    )

    matrix = build(Facts(thread.snapshot()), "RPM", "requirement", columns)

    assert {row.judgement.outcome for row in matrix.rows} == {Outcome.NONE}


def qa(word, *watches):
    """One QA procedure of the department that watches some records."""
    return by_watched([QaControl(Key("DEPT", "QA-022"), frozenset(watches), word, "overdue")])


def test_qa_that_does_not_work_is_named_on_the_row_and_in_the_cell(thread) -> None:
    """Over the connection that the requirement is received over, and on what a cell holds."""
    thread.links.append(LinkView("received_over", thread.key("REQ-001"), Key("DEPT", "C023")))
    verdicts = {"TST-001": PASSED, "TST-002": PASSED}

    bad = draw(thread, verdicts, qa=qa(ControlWord.NOT_EFFECTIVE, Key("DEPT", "C023")))
    row = row_of(bad, "REQ-001")

    assert Flag.NOT_EFFECTIVE in row.flags
    assert bad.count(Flag.NOT_EFFECTIVE) == 1
    assert (
        Flag.NOT_EFFECTIVE,
        "QA-022 of DEPT: control not effective, overdue.",
    ) in row.judgement.reasons
    assert [one.procedure.uid for one in row.own.not_effective] == ["QA-022"]
    said = [str(one) for one in explain(row, COLUMNS)]
    assert "QA: QA-022 of DEPT: control not effective, overdue." in said


@pytest.mark.parametrize("word", [ControlWord.EFFECTIVE, ControlWord.NOT_ASKED])
def test_qa_that_works_or_was_not_asked_is_told_and_no_finding(thread, word) -> None:
    matrix = draw(thread, qa=qa(word, Key("RPM", "REQ-001")))
    row = row_of(matrix, "REQ-001")

    assert matrix.count(Flag.NOT_EFFECTIVE) == 0
    sentences = explain(row, COLUMNS)
    assert [one.flag for one in sentences if "QA-022" in str(one)] == [None]


def test_a_risk_in_a_cell_is_marked_where_its_controls_are_watched_in_vain(thread) -> None:
    thread.add("risk", "RSK-001")
    thread.link("REQ-001", "mitigates", "RSK-001")

    row = row_of(draw(thread, qa=qa(ControlWord.NOT_EFFECTIVE, thread.key("REQ-001"))), "REQ-001")

    cells = [entry for cell in row.cells.values() for entry in cell]
    marked = {entry.record.key.uid for entry in cells if entry.not_effective}
    assert "RSK-001" in marked
