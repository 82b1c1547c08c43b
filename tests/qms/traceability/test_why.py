"""The explanation of a row says each link of the chain once, and what is wrong with it."""

from datetime import UTC, datetime

import pytest

from core.records.snapshot import LinkView
from core.records.suspects import FieldChange, Suspicion
from core.verdicts import Verdict, VerdictWord
from qms.traceability.columns import known_columns
from qms.traceability.coverage import Flag
from qms.traceability.matrix import Facts, build_row
from qms.traceability.why import CommitNamed, explain

pytestmark = pytest.mark.verifies("TST-010")

COLUMNS = tuple(column for column in known_columns()["requirement"] if column.shown)
AT = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
COMMIT = "3f2c1a9" + "0" * 33


@pytest.fixture
def thread(book):
    book.add("user_need", "UN-002")
    book.add("requirement", "REQ-009")
    book.add("software_item", "SI-05")
    book.add("test", "TST-009")
    book.link("REQ-009", "derives_from", "UN-002")
    book.link("REQ-009", "allocated_to", "SI-05")
    book.link("TST-009", "verifies", "REQ-009")
    return book


def said(book, verdict=None, suspicions=(), **more):
    words = {book.key("TST-009"): verdict} if verdict else {}
    facts = Facts(book.snapshot(), words, suspicions)
    row = build_row(facts, facts.snapshot.records[book.key("REQ-009")], COLUMNS)
    return explain(row, COLUMNS, **more)


def test_a_passed_test_is_told_with_its_run_commit_time_and_figures(thread) -> None:
    verdict = Verdict(
        VerdictWord.PASSED,
        run="14",
        commit=COMMIT,
        at=AT,
        detail="largest error 0.31 % of volume, allowed 0.4 %",
        revision=2,
        address="/p/RPM/runs/14",
    )

    sentences = [str(one) for one in said(thread, verdict, release="0.1.0")]

    assert (
        "TST-009 revision 2 passed in run 14 on commit 3f2c1a9, 2026-11-20 14:02 UTC, "
        "largest error 0.31 % of volume, allowed 0.4 %." in sentences
    )
    assert sentences[-1] == ("So the verdict at 0.1.0 is passed: every test that counts passed.")


def test_every_id_is_a_link_to_its_record(thread) -> None:
    parts = [part for one in said(thread) for part in one.parts if part.address]

    addresses = {part.text: part.address for part in parts}
    assert addresses["UN-002"] == "/p/RPM/UN-002"
    assert addresses["SI-05"] == "/p/RPM/SI-05"
    assert addresses["TST-009"] == "/p/RPM/TST-009"


@pytest.mark.parametrize(
    ("word", "text", "flag"),
    [
        (VerdictWord.FAILED, "TST-009 failed in run 14.", Flag.FAILING),
        (VerdictWord.OLDER_COMMIT, "TST-009 was last run in run 14.", Flag.OLDER_COMMIT),
        (VerdictWord.NOT_RUN, "TST-009 has not been run.", Flag.NOT_RUN),
    ],
)
def test_what_turns_a_row_red_is_marked(thread, word, text, flag) -> None:
    sentences = said(thread, Verdict(word, run="14"))

    assert (text, flag) in [(str(one), one.flag) for one in sentences]


def test_a_missing_link_is_said_where_the_chain_breaks(book) -> None:
    book.add("requirement", "REQ-009", state="draft")

    sentences = [(str(one), one.flag) for one in said(book)]

    assert ("No test verifies it.", Flag.UNCOVERED) in sentences
    assert ("REQ-009 revision 1 is draft and has not been approved.", Flag.UNSIGNED) in sentences
    assert ("So there is no verdict.", Flag.UNCOVERED) in sentences


def test_what_needs_rereview_names_its_cause(thread) -> None:
    suspicion = Suspicion(
        record=thread.key("TST-009"),
        cause=thread.key("REQ-009"),
        role="verifies",
        distance=1,
        link=LinkView("verifies", thread.key("TST-009"), thread.key("REQ-009")),
        diff=(FieldChange("Acceptance criterion", "a", "b"),),
    )

    sentences = [(str(one), one.flag) for one in said(thread, suspicions=(suspicion,))]

    assert (
        "TST-009 needs re-review because REQ-009 changed (Acceptance criterion).",
        Flag.NEEDS_REVIEW,
    ) in sentences


def test_commits_are_told_with_their_subject(thread) -> None:
    commit = CommitNamed(COMMIT, "Add metrics", "implements", AT, "/p/RPM/x")

    sentences = [str(one) for one in said(thread, commits=[commit])]

    assert "Commit 3f2c1a9 implements it, 2026-11-20 14:02 UTC: Add metrics" in sentences
