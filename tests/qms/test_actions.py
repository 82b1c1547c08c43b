"""Actions: what one person has to do, by when, and what it takes to close it."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from core.clock import now
from core.errors import Invalid
from core.records.content import Content, LinkDraft
from core.records.issues import Decision, decide, move
from core.records.models import Project
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from qms.actions import duties
from tests.conftest import Office

pytestmark = pytest.mark.database

TODAY = now().date()


def person_link(role: str, uid: str = "PPL-AK") -> LinkDraft:
    return LinkDraft(role, uid)


@pytest.fixture
def department(office: Office) -> Office:
    """A nonconformity, a CAPA that Amara Kole owns, and two actions, one of somebody else."""
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        for uid in ("PPL-AK", "PPL-BT"):
            create_record(
                session, project, "person", Content(uid, "", {"roles": ["author"]}), author, uid=uid
            )
        create_record(
            session,
            project,
            "nonconformity",
            Content("Page without identity", "Found in the archive.", {"found_on": "2026-05-04"}),
            author,
        )
        for title, owner, days in (
            ("Compare", "PPL-AK", -1),
            ("Ask", "PPL-BT", 5),
            ("Tell", "PPL-AK", 3),
        ):
            links = (person_link("assigned_to", owner), LinkDraft("arises_from", "NC-001"))
            due = (TODAY + timedelta(days=days)).isoformat()
            create_record(
                session, project, "action", Content(title, "", {"due": due}, links), author
            )
        links = (person_link("owned_by"), LinkDraft("arises_from", "NC-001"))
        fields = {
            "kind": "corrective",
            "risk": "low",
            "due": (TODAY + timedelta(days=90)).isoformat(),
        }
        create_record(session, project, "capa", Content("Identity", "Why.", fields, links), author)
    return office


def mine(office: Office, uid: str = "PPL-AK", *, readable: bool = True) -> list[tuple[str, bool]]:
    with office.reading() as session:
        projects = [find_project(session, "RPM")] if readable else []
        found = duties(session, office.staff[uid], projects)
    return [(one.key.uid, one.overdue) for one in found]


def test_the_most_pressing_comes_first_and_others_have_their_own(department: Office) -> None:
    assert mine(department) == [("ACT-001", True), ("ACT-003", False), ("CAPA-001", False)]
    assert mine(department, "PPL-EQ") == []
    assert mine(department, readable=False) == []


def test_each_says_what_it_came_from(department: Office) -> None:
    with department.reading() as session:
        first, *_ = duties(session, department.staff["PPL-AK"], [find_project(session, "RPM")])

    assert [key.uid for key in first.came_from] == ["NC-001"]
    assert first.due == TODAY - timedelta(days=1)


def to_verifying(office: Office, uid: str) -> None:
    for step in ("assessed", "in_work", "verifying"):
        move_to(office, uid, step)


def move_to(office: Office, uid: str, to: str) -> None:
    with office.writing() as session:
        record = find_record(session, find_project(session, "RPM"), uid)
        read = edit_token(latest_revision(session, record))
        move(session, record, to, office.staff["PPL-AK"], "Done.", read)


def fill(session: Session, office: Office, project: Project, uid: str, **fields: object) -> None:
    record = find_record(session, project, uid)
    revision = latest_revision(session, record)
    content = read_content(session, record)
    more = Content(content.title, content.body, {**content.fields, **fields}, content.links)
    save_draft(
        session, record, more, office.staff["PPL-AK"], edit_token(revision), "What was done."
    )


def test_an_action_is_closed_only_with_its_outcome(department: Office) -> None:
    to_verifying(department, "ACT-001")
    with pytest.raises(Invalid) as refusal:
        move_to(department, "ACT-001", "closed")
    assert sorted(str(one) for one in refusal.value.faults) == [
        "ACT-001: Done on is empty. Fill it in to close.",
        "ACT-001: Outcome is empty. Fill it in to close.",
    ]

    with department.writing() as session:
        project = find_project(session, "RPM")
        fill(
            session, department, project, "ACT-001", outcome="Compared.", done_on=TODAY.isoformat()
        )
    move_to(department, "ACT-001", "closed")

    assert ("ACT-001", True) not in mine(department)


def test_a_capa_is_not_closed_half_done_and_says_all_that_lacks(department: Office) -> None:
    to_verifying(department, "CAPA-001")
    decision = Decision("closed", "quality_manager", "Finished.")
    quality, proof = department.staff["PPL-EQ"], department.proof("PPL-EQ")
    with department.writing() as session:
        record = find_record(session, find_project(session, "RPM"), "CAPA-001")
        read = edit_token(latest_revision(session, record))
        with pytest.raises(Invalid) as refusal:
            decide(session, record, decision, quality, proof, read)

    assert {str(one).split(": ")[1].split(" is ")[0] for one in refusal.value.faults} == {
        "has no action. Link what was done",
        "Root cause",
        "Method of the root cause analysis",
        "Side effects",
        "Verification",
        "Effective when",
        "Effectiveness check",
        "Effectiveness checked on",
        "Was it effective",
    }
