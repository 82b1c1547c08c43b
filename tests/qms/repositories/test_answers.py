"""What code and records say about each other, as plain values."""

from datetime import UTC, datetime, timedelta

from core.verdicts import Verdict, VerdictWord
from qms.repositories.answers import (
    CommitTold,
    InForce,
    changed_after_their_run,
    contents_of,
    without_code,
    without_trace,
)

START = datetime(2026, 1, 1, tzinfo=UTC)

TRACED = CommitTold("rpm", "a" * 40, "Traced", named=(("implements", "REQ-2"),))
BARE = CommitTold("rpm", "b" * 40, "Bare")
MERGE = CommitTold("rpm", "c" * 40, "Merge", merge=True)
BOTH = CommitTold(
    "rpm", "d" * 40, "Both", named=(("implements", "REQ-10"), ("implements", "REQ-2"),
    ("verifies", "TST-1")),
)  # fmt: skip


def ran(day: int, run: str = "1") -> Verdict:
    return Verdict(VerdictWord.PASSED, run=run, at=START + timedelta(days=day))


def required(uid: str, day: int | None, *tests: str) -> InForce:
    return InForce(uid, 2, None if day is None else START + timedelta(days=day), tests)


def test_a_commit_that_names_nothing_has_no_trace_unless_it_merges() -> None:
    assert without_trace([TRACED, BARE, MERGE]) == [BARE]


def test_a_requirement_has_code_by_a_commit_or_by_a_marker() -> None:
    assert without_code(["REQ-1", "REQ-2", "REQ-3"], ["REQ-1"], ["REQ-2", "OTHER"]) == ["REQ-3"]


def test_a_requirement_changed_when_no_test_of_it_ran_since() -> None:
    verdicts = {"TST-1": ran(1), "TST-2": ran(3, "7"), "TST-3": Verdict(VerdictWord.NOT_RUN)}

    found = changed_after_their_run(
        [
            required("REQ-10", 5, "TST-1", "TST-2"),
            required("REQ-2", 2, "TST-1", "TST-2"),
            required("REQ-3", 5, "TST-3"),
            required("REQ-4", 5),
            required("REQ-5", None, "TST-1"),
            required("REQ-6", 2, "TST-1", "TST-3"),
        ],
        verdicts,
    )

    assert [(one.uid, one.test, one.run) for one in found] == [
        ("REQ-6", "TST-1", "1"),
        ("REQ-10", "TST-2", "7"),
    ]


def test_a_release_contains_records_by_role_and_commits_that_name_none() -> None:
    told = contents_of(
        "REL-2", ["REL-1"], [TRACED, BARE, MERGE, BOTH], {"REQ-2": "Second", "REQ-3": "Third"}
    )

    assert told.records == {
        "implements": {"REQ-2": ("a" * 40, "d" * 40), "REQ-10": ("d" * 40,)},
        "verifies": {"TST-1": ("d" * 40,)},
    }
    assert list(told.records["implements"]) == ["REQ-2", "REQ-10"]
    assert told.untraced == (BARE,)
    assert told.titles == {"REQ-2": "Second", "REQ-10": "", "TST-1": ""}
    assert [one.subject for one in told.commits] == ["Traced", "Bare", "Both"]
