"""Where a clause stands: records, drafts, checks and exclusions, one situation each."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.records.snapshot import Key, RecordView, SignatureView, Snapshot
from core.records.type_shape import RecordType
from qms.clauses.answering import Answers, ClauseInput, answers
from qms.clauses.lists import ClauseBook, ClauseList
from qms.clauses.standing import ClauseAnswer, Standing
from qms.rules.findings import (
    CheckResult,
    Finding,
    Level,
    Pack,
    PackEntry,
    Question,
    RuleResult,
)

pytestmark = pytest.mark.verifies("TST-042")

LISTED = ClauseList(
    "std",
    "A standard",
    {"1.1": "plans", "1.2": "tests", "1.3": "units", "2.1": "people"},
    names=("STD",),
    classes={"1.3": ("C",)},
)
TYPES = (
    RecordType(type="plan", prefix="PLN", label="Plan", plural="Plans", clauses=("STD-1.1",)),
    RecordType(
        type="test",
        prefix="TST",
        label="Test",
        plural="Tests",
        fields={"level": {"label": "Level", "kind": "choice", "choices": ("unit", "user")}},
        clauses=("STD-1.2",),
        clauses_when={"STD-1.2": {"level": ("user",)}},
    ),
    RecordType(type="document", prefix="DOC", label="Document", plural="Documents"),
)
DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Desk:
    """A few records, one rule, and what is asked of them."""

    records: list[RecordView] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    looked_at: int = 0
    rule_clauses: tuple[str, ...] = ()
    reason: str = ""

    def add(self, type_name: str, uid: str, state: str = "approved", **fields: Any) -> RecordView:
        """Add a record; an approved one carries the signature of its approval."""
        signed = SignatureView("Esther Quill", "PPL-EQ", "quality_manager", "approved", DAY, "d")
        record = RecordView(
            Key("RPM", uid),
            type_name,
            f"Title of {uid}",
            fields=fields,
            state=state,
            withdrawn=state == "withdrawn",
            in_force=state == "approved",
            signatures=(signed,) if state == "approved" else (),
        )
        self.records.append(record)
        return record

    def find(self, uid: str, waiver: str = "", level: Level = Level.ERROR) -> None:
        """Let the rule find something against a record."""
        record = Key("RPM", uid)
        self.looked_at += 1
        self.findings.append(
            Finding("X01", record, f"{uid} lacks it.", "Add it.", f"/p/RPM/{uid}", level, waiver)
        )

    def answers(self) -> Answers:
        """Return every clause."""
        entry = PackEntry("X01", self.rule_clauses or ("STD 9.9",), Level.ERROR, ("release",))
        asks = Question("J01", "Is it enough?", ("STD 2.1",))
        rule = RuleResult(
            "X01",
            "It is there",
            "STD",
            Level.ERROR,
            (),
            self.looked_at,
            tuple(self.findings),
            self.reason,
        )
        result = CheckResult("RPM", "", "", "", "release", date(2026, 11, 2), (rule,))
        seen = [one for one in self.records if one.type != "applicability"]
        given = ClauseInput(
            "RPM",
            Snapshot(self.records, ()),
            TYPES,
            Pack("ours", {"X01": entry}, questions=(asks,)),
            result,
            {"X01": seen[: self.looked_at]},
        )
        return answers(given, ClauseBook({"std": LISTED}))

    def clause(self, number: str) -> ClauseAnswer:
        """Return one clause."""
        found = self.answers().by_framework["std"]
        return next(one for one in found if one.clause == number)

    def exclude(self, clause: str, reason: str, state: str = "approved") -> RecordView:
        """State that a clause does not apply."""
        rows = [{"clause": clause, "reason": reason}]
        return self.add("applicability", "SOA-001", state, exclusions=rows)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_record_in_force_whose_type_names_the_clause_fulfils_it(desk: Desk) -> None:
    desk.add("plan", "PLN-002")
    desk.add("plan", "PLN-010", "draft")

    found = desk.clause("1.1")

    assert found.standing is Standing.FULFILLED
    assert [one.record.uid for one in found.in_force] == ["PLN-002"]
    assert [one.record.uid for one in found.drafts] == ["PLN-010"]
    assert found.gaps == ()


@pytest.mark.parametrize("state", ["draft", "in_review"])
def test_drafts_alone_fulfil_it_partly_and_are_named(desk: Desk, state: str) -> None:
    desk.add("plan", "PLN-001", state)

    found = desk.clause("1.1")

    assert found.standing is Standing.PARTLY
    assert found.gaps == ("No plan in force speaks to it; PLN-001 would, once in force.",)


def test_what_is_withdrawn_speaks_to_nothing(desk: Desk) -> None:
    desk.add("plan", "PLN-001", "withdrawn")

    found = desk.clause("1.1")

    assert found.standing is Standing.GAP
    assert found.gaps == ("No record speaks to it; one of these would: plan.",)
    assert [one.type for one in found.fillers] == ["plan"]


def test_a_type_speaks_to_a_clause_only_where_the_record_says_so(desk: Desk) -> None:
    desk.add("test", "TST-001", level="unit")
    assert desk.clause("1.2").standing is Standing.GAP
    assert [one.when for one in desk.clause("1.2").fillers] == ["Level: user"]

    desk.add("test", "TST-002", level="user")
    assert [one.record.uid for one in desk.clause("1.2").in_force] == ["TST-002"]


def test_one_kind_of_record_that_is_only_drafted_keeps_it_partly(desk: Desk) -> None:
    desk.add("document", "DOC-VVP", covers=["STD-1.2"])
    assert desk.clause("1.2").standing is Standing.FULFILLED

    for number in range(1, 8):
        desk.add("test", f"TST-00{number}", "draft", level="user")

    found = desk.clause("1.2")
    assert found.standing is Standing.PARTLY
    told = "TST-001, TST-002, TST-003, TST-004, TST-005 and 2 more"
    assert found.gaps == (f"No test in force speaks to it; {told} would, once in force.",)


def test_a_record_names_clauses_headings_and_parts_itself(desk: Desk) -> None:
    desk.add("document", "DOC-001", covers=["STD 1.1b", "std-2", "STD", "STD-9.9"])

    by_clause = {one.clause: one for one in desk.answers().by_framework["std"]}

    assert [one.pointers for one in by_clause["1.1"].in_force] == [("STD 1.1b",)]
    assert [one.own for one in by_clause["2.1"].in_force] == [True]
    assert by_clause["1.2"].in_force == ()  # the framework as a whole says too little
    assert ("DOC-001", "STD-9.9") in desk.answers().unknown


def test_records_of_other_projects_speak_to_nothing_here(desk: Desk) -> None:
    here = desk.add("plan", "PLN-001")
    desk.records = [replace(here, key=Key("DEPT", "PLN-001"))]

    assert desk.clause("1.1").standing is Standing.GAP


def test_being_audited_fulfils_nothing_and_is_shown(desk: Desk) -> None:
    desk.add("audit", "AUD-001", clauses_audited=["STD-2.1"])
    desk.add("audit_finding", "AF-001", "open", clause="STD-2.1")

    found = desk.clause("2.1")

    assert found.standing is Standing.GAP
    assert [one.record.uid for one in found.audited] == ["AF-001", "AUD-001"]


def test_a_check_that_passes_speaks_to_it_and_names_what_it_looked_at(desk: Desk) -> None:
    desk.rule_clauses = ("STD 2.1",)
    desk.add("document", "DOC-001")
    assert desk.clause("2.1").standing is Standing.GAP  # nothing to look at

    desk.looked_at = 1
    found = desk.clause("2.1")

    assert found.standing is Standing.FULFILLED
    assert [one.uid for one in found.rules[0].passed] == ["DOC-001"]
    assert found.gaps == ()


def test_a_check_that_passes_says_which_records_of_its_kind_it_left_out(desk: Desk) -> None:
    desk.rule_clauses, desk.looked_at = ("STD 1.1",), 1
    for uid in ("PLN-001", "PLN-002"):
        desk.add("plan", uid)
    desk.add("document", "DOC-001", covers=["STD 1.1"])

    found = desk.clause("1.1")

    assert [one.uid for one in found.unseen_by(found.rules[0])] == ["PLN-002"]


def test_a_check_that_is_not_asked_here_speaks_to_nothing(desk: Desk) -> None:
    desk.rule_clauses, desk.looked_at, desk.reason = ("STD 2.1",), 1, "asked of class C"
    desk.add("document", "DOC-001")

    found = desk.clause("2.1")

    assert found.standing is Standing.GAP
    assert found.rules[0].passed == ()


@pytest.mark.parametrize("level", list(Level))
def test_a_check_that_finds_something_leaves_a_part_or_a_gap(desk: Desk, level: Level) -> None:
    desk.rule_clauses = ("STD 1.1", "STD 2.1")
    desk.add("plan", "PLN-001")
    desk.find("PLN-001", level=level)

    assert desk.clause("1.1").standing is Standing.PARTLY
    assert desk.clause("1.1").gaps == ("X01 (It is there): 1 finding.",)
    assert desk.clause("2.1").standing is Standing.GAP
    assert [one.sentence for one in desk.clause("2.1").findings] == ["PLN-001 lacks it."]
    assert desk.clause("2.1").rules[0].passed == ()


def test_a_concession_leaves_it_partly_and_is_no_open_finding(desk: Desk) -> None:
    desk.rule_clauses = ("STD 2.1",)
    desk.find("PLN-001", waiver="WVR-001")

    assert desk.clause("2.1").standing is Standing.PARTLY
    assert desk.clause("2.1").findings == ()


def test_an_exclusion_needs_a_reason_and_to_be_in_force(desk: Desk) -> None:
    statement = desk.exclude("STD-2", "Nobody works here.")

    found = desk.clause("2.1")

    assert found.standing is Standing.EXCLUDED
    assert found.gaps == ()
    assert found.exclusions[0].approved_by == ("Esther Quill, 02 Nov 2026",)
    assert found.exclusions[0].record == statement


@pytest.mark.parametrize(
    ("clause", "reason", "state", "problem"),
    [
        ("STD-2.1", "", "approved", "gives no reason"),
        ("STD-2.1", "   ", "approved", "gives no reason"),
        ("STD-2.1", "No people.", "draft", "is draft, not approved"),
        ("STD-2.1", "No people.", "in_review", "is in review, not approved"),
        ("STD-2.1a", "No people.", "approved", "speaks of a part of it only (2.1a)"),
    ],
)
def test_an_exclusion_that_does_not_hold_excludes_nothing_and_says_why(
    desk: Desk, clause: str, reason: str, state: str, problem: str
) -> None:
    desk.exclude(clause, reason, state)

    found = desk.clause("2.1")

    assert found.standing is Standing.GAP
    assert found.exclusions[0].problem == problem
    assert found.gaps[0] == (
        f"SOA-001 names it as not applicable and {problem}, so it excludes nothing."
    )


def test_a_withdrawn_statement_and_an_unknown_clause_exclude_nothing(desk: Desk) -> None:
    desk.exclude("STD-2.1", "No people.", "withdrawn")
    assert desk.clause("2.1").exclusions == ()

    desk.records.clear()
    desk.exclude("STD-8.8", "Whatever.")
    assert ("SOA-001", "STD-8.8") in desk.answers().unknown


def test_what_is_excluded_and_spoken_to_contradicts_itself(desk: Desk) -> None:
    desk.add("plan", "PLN-001")
    desk.exclude("STD", "None of it applies.")

    assert desk.clause("1.1").standing is Standing.CONTRADICTED
    assert desk.clause("1.1").gaps == ("SOA-001 excludes it, and records in force speak to it.",)
    assert desk.clause("2.1").standing is Standing.EXCLUDED


@pytest.mark.parametrize(("software_class", "asked"), [("A", False), ("C", True), ("", True)])
def test_a_clause_of_other_safety_classes_is_not_asked(
    desk: Desk, software_class: str, asked: bool
) -> None:
    desk.add("project", "PRJ-RPM", software_class=software_class)

    found = desk.clause("1.3")

    assert (found.standing is Standing.GAP) is asked
    assert (found.standing is Standing.NOT_ASKED) is not asked
    assert (found.not_asked == "") is asked


def test_questions_stand_at_their_clause_and_change_no_standing(desk: Desk) -> None:
    assert [one.asks for one in desk.clause("2.1").questions] == ["Is it enough?"]
    assert desk.clause("2.1").standing is Standing.GAP
