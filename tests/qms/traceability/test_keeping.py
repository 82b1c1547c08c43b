"""A matrix is given again only while everything it is drawn from is as it was."""

from dataclasses import replace

import pytest

from core.records.snapshot import Key, LinkView
from core.records.suspects import Suspicion
from core.verdicts import Verdict, VerdictWord
from qms.traceability.columns import known_columns
from qms.traceability.keeping import MOST_KEPT, drawn
from qms.traceability.matrix import Facts, build

COLUMNS = known_columns()["requirement"]
NEED, REQUIREMENT = Key("RPM", "UN-001"), Key("RPM", "REQ-001")
DERIVED = LinkView("derives_from", REQUIREMENT, NEED)


@pytest.fixture
def facts(book) -> Facts:
    book.add("user_need", "UN-001")
    book.add("requirement", "REQ-001")
    book.link("REQ-001", "derives_from", "UN-001")
    return Facts(book.snapshot())


def test_an_equal_question_has_the_matrix_that_was_drawn(facts: Facts) -> None:
    first = drawn(facts, "RPM", "requirement", COLUMNS)

    assert drawn(replace(facts), "RPM", "requirement", COLUMNS) is first
    assert first == build(facts, "RPM", "requirement", COLUMNS)


@pytest.mark.parametrize(
    "changed",
    [
        lambda facts, book: replace(facts, snapshot=book.snapshot()),
        lambda facts, _: replace(facts, verdicts={REQUIREMENT: Verdict(VerdictWord.PASSED)}),
        lambda facts, _: replace(
            facts, suspicions=[Suspicion(REQUIREMENT, NEED, "derives_from", 1, DERIVED)]
        ),
        lambda facts, _: replace(facts, release_tests=frozenset({REQUIREMENT})),
        lambda facts, _: replace(facts, delivered=frozenset({REQUIREMENT})),
        lambda facts, _: replace(facts, code={REQUIREMENT: 1}),
    ],
    ids=["records", "verdicts", "suspicions", "tests", "delivered", "commits"],
)
def test_anything_that_differs_is_drawn_anew(facts: Facts, book, changed) -> None:
    first = drawn(facts, "RPM", "requirement", COLUMNS)
    now = changed(facts, book)

    assert drawn(now, "RPM", "requirement", COLUMNS) is not first
    assert drawn(now, "RPM", "requirement", COLUMNS) == build(now, "RPM", "requirement", COLUMNS)


def test_other_rows_columns_and_releases_are_other_matrices(facts: Facts) -> None:
    first = drawn(facts, "RPM", "requirement", COLUMNS)

    assert drawn(facts, "RPM", "user_need", ()).rows_type == "user_need"
    assert drawn(facts, "RPM", "requirement", COLUMNS[:1]).columns == tuple(COLUMNS[:1])
    assert drawn(facts, "RPM", "requirement", COLUMNS, "REL-1").release == "REL-1"
    assert drawn(facts, "RPM", "requirement", COLUMNS) is first


def test_the_least_used_is_forgotten(facts: Facts) -> None:
    first = drawn(facts, "RPM", "requirement", COLUMNS)
    for number in range(MOST_KEPT):
        drawn(facts, "RPM", "requirement", COLUMNS, f"REL-{number}")

    assert drawn(facts, "RPM", "requirement", COLUMNS) is not first
