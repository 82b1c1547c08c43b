"""What quality work asks of issues, concessions and minutes beside what their types say."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.clock import now
from core.errors import Invalid, Refused
from core.records.approval import Signing, sign, submit
from core.records.content import Content, LinkDraft
from core.records.forms import from_address
from core.records.issues import Decision, decide, move
from core.records.listing import Wanted, find_records, listed_labels, records_sheet
from core.records.service import create_record, read_content, save_draft
from core.records.types import get_registry
from qms.actions import duties
from qms.due_days import latest_capa_day, report_day
from qms.issue_demands import notes
from qms.reportability import report_clock
from qms.rules.packs import framework_pack
from tests.conftest import Office

pytestmark = pytest.mark.database

MANAGER = "quality_manager"
CAPA = {"kind": "corrective", "risk": "high"}
CAPA_LINKS = (LinkDraft("owned_by", "PPL-AK"), LinkDraft("arises_from", "NC-001"))


def day(days: int) -> str:
    return (now().date() + timedelta(days=days)).isoformat()


@pytest.fixture
def department(office: Office) -> Office:
    """Three people and a nonconformity."""
    add(office, "nonconformity", "Page without identity", {"found_on": day(-9)})
    for uid in ("PPL-AK", "PPL-CV", "PPL-EQ"):
        add(office, "person", uid, {"roles": ["author"]}, uid=uid)
    return office


def add(
    office: Office, kind: str, title: str, fields: dict, links=(), who="PPL-AK", uid=None
) -> None:
    with office.writing() as session:
        content = Content(title, "What is seen.", fields, tuple(links))
        project, by = office.project(session), office.staff[who]
        create_record(session, project, kind, content, by, uid=uid)


def capa(office: Office, days: int, **more: str) -> None:
    add(office, "capa", "Identity", {**CAPA, "due": day(days), **more}, CAPA_LINKS)


def told(office: Office, act) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        act(office)
    return [fault.what for fault in refusal.value.faults]


def test_a_capa_is_due_as_soon_as_its_risk_asks(department: Office) -> None:
    [what] = told(department, lambda office: capa(office, 31))
    assert what == (
        f"is due on {day(31)}; with risk high and opened on {day(0)}, it is due by {day(30)}."
    )
    capa(department, 30)
    capa(department, 31, risk="medium")

    [what] = told(department, lambda office: edit(office, "CAPA-002", risk="high"))
    assert "it is due by" in what
    assert notes(get_registry().of("capa"))["due"].endswith("high 30, medium 90, low 180.")


def edit(office: Office, uid: str, links=(), **fields: object) -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        content = read_content(session, record)
        more = replace(content, fields={**content.fields, **fields}, links=(*content.links, *links))
        save_draft(session, record, more, office.staff["PPL-AK"], read)


def moved(office: Office, uid: str, *states: str) -> None:
    for to in states:
        with office.writing() as session:
            record, read = office.record(session, uid), office.read(session, uid)
            move(session, record, to, office.staff["PPL-AK"], "So.", read)


def close(office: Office, uid: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        decision, esther = Decision("closed", MANAGER, "Done."), office.staff["PPL-EQ"]
        decide(session, record, decision, esther, office.proof("PPL-EQ"), read)


CHECKED = {
    "root_cause_method": "five whys",
    "root_cause": "Nobody looked.",
    "side_effects": "none",
    "verification": "It runs.",
    "effectiveness_criterion": "None in a month.",
    "effectiveness_result": "One more.",
    "effectiveness_checked_on": day(-1),
    "effective": False,
}


def test_a_capa_is_closed_only_once_it_helped_and_was_checked_after_its_actions(
    department: Office,
) -> None:
    capa(department, 20)
    edit(department, "CAPA-001", **CHECKED)
    moved(department, "CAPA-001", "assessed", "in_work", "verifying")
    no = "Was it effective says no."
    assert told(department, lambda office: close(office, "CAPA-001")) == [no, "has no action."]

    links = (LinkDraft("assigned_to", "PPL-AK"), LinkDraft("arises_from", "CAPA-001"))
    add(department, "action", "Compare", {"due": day(3)}, links)
    waits = "waits for ACT-001, which is open."
    assert told(department, lambda office: close(office, "CAPA-001")) == [no, waits]

    moved(department, "ACT-001", "assessed", "in_work", "verifying")
    edit(department, "ACT-001", outcome="Compared.", done_on=day(0))
    moved(department, "ACT-001", "closed")
    edit(department, "CAPA-001", effective=True)
    early = f"was checked on {day(-1)}, before it was done: ACT-001 ({day(0)})."
    assert told(department, lambda office: close(office, "CAPA-001")) == [early]

    edit(department, "CAPA-001", effectiveness_checked_on=day(0))
    close(department, "CAPA-001")


COMPLAINT = {"source": "physicist", "received_on": day(-12), "patient_effect": "death"}


@pytest.fixture
def complaint(department: Office) -> Office:
    """A complaint about a death, of which nobody has decided whether it is reportable."""
    add(department, "project", "RT Plan Metrics", {}, uid="PRJ-RPM")
    about = [LinkDraft("about", "PRJ-RPM")]
    add(department, "complaint", "Wrong dose", COMPLAINT, about, who="PPL-VW")
    return department


def mine(office: Office, who: str) -> list[tuple[str, date | None, bool]]:
    with office.reading() as session:
        found = duties(session, office.staff[who], [office.project(session)])
    return [(one.key.uid, one.due, one.overdue) for one in found]


def test_a_complaint_waits_for_who_decides_until_somebody_answers_for_it(
    complaint: Office,
) -> None:
    due = now().date() - timedelta(days=2)
    for who in ("PPL-EQ", "PPL-DM"):
        assert mine(complaint, who) == [("CMP-001", due, True)]
    assert mine(complaint, "PPL-AK") == []

    edit(complaint, "CMP-001", [LinkDraft("owned_by", "PPL-AK")])
    assert mine(complaint, "PPL-EQ") == []
    assert mine(complaint, "PPL-AK") == [("CMP-001", due, True)]

    edit(complaint, "CMP-001", reportable="no")
    assert mine(complaint, "PPL-AK") == [("CMP-001", None, False)]


def test_a_reportable_complaint_is_closed_only_once_reported_and_reviewed(
    complaint: Office,
) -> None:
    edit(complaint, "CMP-001", [LinkDraft("owned_by", "PPL-AK")], reportable="yes")
    moved(complaint, "CMP-001", "assessed", "in_work", "verifying")

    assert told(complaint, lambda office: close(office, "CMP-001")) == [
        "Reason for that decision is empty.",
        "Decided on is empty.",
        "Reported on is empty.",
        "Numbers of the reports is empty.",
        "there is no link 'reportability decided by'.",
        "is not reviewed by the clinical safety officer.",
    ]
    [order] = told(complaint, lambda office: edit(office, "CMP-001", reported_on=day(-13)))
    assert order == f"Reported on ({day(-13)}) is before the day it cannot precede ({day(-12)})."
    edit(
        complaint,
        "CMP-001",
        [LinkDraft("decided_by", "PPL-CV")],
        reportability_reason="A patient died.",
        decided_on=day(-11),
        reported_on=day(-3),
        report_numbers=["MHRA 1"],
    )
    with complaint.writing() as session:
        record, read = complaint.record(session, "CMP-001"), complaint.read(session, "CMP-001")
        signing, dana = Signing("reviewed", "clinical_safety_officer"), complaint.staff["PPL-DM"]
        sign(session, record, signing, dana, complaint.proof("PPL-DM"), read)
    close(complaint, "CMP-001")


@pytest.mark.parametrize(
    ("more", "running", "said"),
    [
        ({}, True, "Nobody has decided yet; a report is due by 2026-06-11, in 3 days."),
        ({"reportable": "yes"}, True, "An authority must be told; a report is due by 2026-06-11"),
        ({"reportable": "no"}, False, "It was decided that no authority must be told."),
        (
            {"reportable": "yes", "reported_on": "2026-06-13"},
            False,
            "An authority was told on 2026-06-13, 2 days late.",
        ),
    ],
)
def test_the_clock_says_where_it_stands(more: dict, running: bool, said: str) -> None:
    fields = {"received_on": "2026-06-01", "patient_effect": "death", **more}
    clock = report_clock(fields, date(2026, 6, 8))

    assert (clock.running, clock.due) == (running, date(2026, 6, 11))
    assert clock.told.startswith(said)


def test_lists_say_when_and_whose_and_their_exports_too(department: Office) -> None:
    capa(department, 20)
    with department.reading() as session:
        project, wanted = department.project(session), Wanted(type="capa")
        listing = find_records(session, project, wanted)
        sheet = records_sheet(project, listing, wanted)

    assert listed_labels("capa") == ["Risk", "Owned by", "Due"]
    assert [line.more for line in listing.lines] == [("high", "PPL-AK", day(20))]
    assert sheet.headings[-3:] == ("Risk", "Owned by", "Due")
    assert next(iter(sheet.rows))[-3:] == ("high", "PPL-AK", day(20))


def handed_in(office: Office, uid: str, who: str = "PPL-AK") -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        submit(session, record, office.staff[who], office.proof(who), read)


def test_a_management_review_answers_for_every_input(department: Office) -> None:
    form = from_address(get_registry().of("management_review"), {})
    inputs = [row["input"] for row in form.rows["inputs"]]
    assert len(inputs) == 12
    said = [{"input": one, "summary": "Looked at."} for one in inputs]
    decisions = [{"output": "resources", "decision": "One more developer."}]
    fields = {"held_on": day(0), "next_due": day(-1), "inputs": said[:-2], "decisions": decisions}
    add(department, "management_review", "2026", fields, [LinkDraft("attended_by", "PPL-EQ")])

    faults = told(department, lambda office: handed_in(office, "MR-001"))
    assert faults == [
        f"Next due ({day(-1)}) is before the day it cannot precede ({day(0)}).",
        "Inputs says nothing of recommendations, new requirements.",
    ]
    edit(department, "MR-001", next_due=day(365), inputs=said)
    handed_in(department, "MR-001")


WAIVER = {"rule": "ZZ9", "reason": "Next week.", "expires": day(-1)}


def test_a_concession_lets_something_through_for_a_while_that_is_not_too_long(
    department: Office,
) -> None:
    add(department, "waiver", "Let it", WAIVER)
    assert told(department, lambda office: handed_in(office, "WVR-001")) == [
        "there is no link 'concerns'.",
        f"expired on {day(-1)}, so it lets nothing through.",
        "names the check ZZ9, which is none.",
    ]
    concerns = [LinkDraft("concerns", "NC-001")]
    edit(department, "WVR-001", concerns, rule="F20", expires="2099-01-01")
    assert told(department, lambda office: handed_in(office, "WVR-001")) == [
        "expires on 2099-01-01; a concession lasts at most 365 days.",
        "lets nothing through: F20 has no objection to NC-001.",
    ]
    assignment = [LinkDraft("assigned_to", "PPL-AK"), LinkDraft("arises_from", "NC-001")]
    add(department, "action", "Compare", {"due": day(-1)}, assignment)
    edit(department, "WVR-001", [LinkDraft("concerns", "ACT-001")], expires=day(30))
    handed_in(department, "WVR-001")


def test_minutes_are_signed_by_who_held_the_chair_and_somebody_there_was_independent(
    department: Office,
) -> None:
    add(department, "document", "Plan", {})
    fields = {
        "stage": "design",
        "held_on": day(0),
        "attendance": [{"person": "PPL-AK", "function": "developer", "independent": False}],
        "findings": "None.",
        "outcome": "proceed",
    }
    links = [LinkDraft("reviews", "DOC-001"), LinkDraft("chaired_by", "PPL-AK")]
    add(department, "design_review", "Design", fields, links)
    assert told(department, lambda office: handed_in(office, "DR-001")) == [
        "is written by PPL-AK, whom it names in the chair and who signs it as reviewed.",
        "was attended by nobody who is independent of the design.",
    ]
    there = {"person": "PPL-EQ", "function": "quality", "independent": True}
    with department.writing() as session:
        record, read = department.record(session, "DR-001"), department.read(session, "DR-001")
        links = (LinkDraft("reviews", "DOC-001"), LinkDraft("chaired_by", "PPL-EQ"))
        content = Content("Design", "", {**fields, "attendance": [there]}, links)
        save_draft(session, record, content, department.staff["PPL-AK"], read)
    handed_in(department, "DR-001")
    with pytest.raises(Refused, match="chaired by PPL-EQ, who alone signs it as reviewed"):
        reviewed(department, "PPL-CV", "technical_reviewer")
    reviewed(department, "PPL-EQ", MANAGER)


def reviewed(office: Office, who: str, role: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DR-001"), office.read(session, "DR-001")
        signing, person = Signing("reviewed", role), office.staff[who]
        sign(session, record, signing, person, office.proof(who), read)


def test_a_day_that_no_calendar_follows_is_refused_and_stops_nothing(department) -> None:
    received = {"received_on": "9999-12-31", "channel": "telephone", "reportable": "undecided"}
    content = Content("Late", "It came.", received)
    viewer = department.staff["PPL-VW"]
    with department.writing() as session:
        project = department.project(session)
        with pytest.raises(Invalid) as refused:
            create_record(session, project, "complaint", content, viewer)
    assert "9999-12-31 is not between 1900 and 2200" in str(refused.value.faults)

    limits = framework_pack().limits
    assert report_day(limits, {"received_on": "9999-12-31"}) is None
    assert latest_capa_day(limits, "high", date(9999, 12, 31)) is None


def test_two_roles_decide_on_every_issue_so_that_nobody_is_stuck() -> None:
    decided = [one for one in get_registry().all() if one.lifecycle == "issue" and one.deciding]

    assert decided
    assert [one.name for one in decided if len(one.deciders) < 2] == []
