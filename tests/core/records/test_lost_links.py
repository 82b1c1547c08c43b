"""A link that is lost or weakened, or leads to what was withdrawn, puts the other end in doubt."""

import pytest

from core.errors import Conflict
from core.people.actor import Actor
from core.records import service
from core.records.approval import Signing, sign, submit
from core.records.audit import verify_audit
from core.records.content import Content, LinkDraft
from core.records.models import Project, Revision
from core.records.neighbours import neighbourhood
from core.records.queries import load_snapshot, load_suspicions
from core.records.reviewed import review_panel
from core.records.reviewing import review, review_token, suspicions_of
from core.records.types import get_registry
from core.records.withdrawing import withdraw
from tests.conftest import Office

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("all_trained"),
    pytest.mark.verifies("TST-007"),
]

AUTHOR = "PPL-AK"
RISK = Content(
    "Wrong plan",
    "",
    {
        "hazard": "Wrong association",
        "sequence": ["two plans arrive"],
        "situation": "figures of another plan",
        "harm": "overdose accepted",
        "severity": 4,
        "likelihood_before": 3,
    },
)
SIGNERS = (
    ("PPL-CV", "technical_reviewer", "reviewed"),
    ("PPL-DM", "clinical_safety_officer", "approved"),
    ("PPL-EQ", "quality_manager", "approved"),
)


def control(*risks: str, kind: str = "protective", text: str = "It checks the plan.") -> Content:
    links = tuple(LinkDraft("mitigates", risk, None, {"kind": kind}) for risk in risks)
    fields = {"category": "functional", "acceptance": "no other plan is shown"}
    return Content("Check the plan", text, fields, links)


def bring_into_force(office: Office, uid: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        submit(session, record, office.staff[AUTHOR], office.proof(AUTHOR), read)
    for person, role, meaning in SIGNERS:
        with office.writing() as session:
            record = office.record(session, uid)
            kind = get_registry().of(record.type)
            if role not in kind.sign.get(meaning, ()):  # type: ignore[call-overload]
                continue
            read = office.read(session, uid)
            signing = Signing(meaning, role)
            sign(session, record, signing, office.staff[person], office.proof(person), read)


@pytest.fixture
def controlled(office: Office) -> Office:
    """REQ-001 in force mitigates RSK-001 and RSK-002, both in force."""
    with office.writing() as session:
        project, author = office.project(session), office.staff[AUTHOR]
        for _ in range(2):
            service.create_record(session, project, "risk", RISK, author)
        service.create_record(
            session, project, "requirement", control("RSK-001", "RSK-002"), author
        )
    for uid in ("RSK-001", "RSK-002", "REQ-001"):
        bring_into_force(office, uid)
    assert doubts(office) == {}
    return office


def change(office: Office, content: Content, uid: str = "REQ-001") -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        service.save_draft(session, record, content, office.staff[AUTHOR], read)
    bring_into_force(office, uid)


def withdrawn(office: Office, uid: str, by: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        withdraw(session, record, office.staff[by], "Gone.", read, office.proof(by))


def doubts(office: Office) -> dict[str, str]:
    """Return what is said of each record in doubt, the same by every way of asking."""
    with office.reading() as session:
        snapshot = load_snapshot(session)
        whole = load_suspicions(session, snapshot)
        project: Project = office.project(session)
        for uid in ("REQ-001", "RSK-001", "RSK-002"):
            record = office.record(session, uid)
            here = [one for one in whole if one.record.uid == uid]
            assert suspicions_of(session, record) == here
            shown = session.get_one(Revision, record.effective_id)
            beside = neighbourhood(session, project, record, shown, [project.key])
            assert list(beside.doubts) == here
        assert len({one.record for one in whole}) == len(whole)
        return {one.record.uid: f"{one.cause.uid} {one.told}" for one in whole}


def reviewed(office: Office, uid: str) -> None:
    with office.writing() as session:
        record = office.record(session, uid)
        found = suspicions_of(session, record)
        read = review_token(session.get_one(Revision, record.effective_id), found)
        by: Actor = office.staff[AUTHOR]
        review(session, record, by, "The other control is enough.", read)


def test_a_link_that_is_stated_no_more_puts_its_target_in_doubt(controlled: Office) -> None:
    change(controlled, control("RSK-002"))

    assert doubts(controlled) == {
        "RSK-001": "REQ-001 no longer states the link “mitigates” (kind protective) "
        "that was last reviewed"
    }
    reviewed(controlled, "RSK-001")
    assert doubts(controlled) == {}
    with controlled.reading() as session:
        assert verify_audit(session).findings == []


def test_a_link_that_says_something_else_puts_its_target_in_doubt(controlled: Office) -> None:
    links = (
        LinkDraft("mitigates", "RSK-001", None, {"kind": "information"}),
        LinkDraft("mitigates", "RSK-002", None, {"kind": "protective"}),
    )
    before = control("RSK-001", "RSK-002")
    change(controlled, Content(before.title, before.body, before.fields, links))

    assert doubts(controlled) == {
        "RSK-001": "REQ-001 changed what the link “mitigates” says since it was last reviewed"
    }
    with controlled.reading() as session:
        [doubt] = suspicions_of(session, controlled.record(session, "RSK-001"))
    assert [(one.label, one.before, one.after) for one in doubt.diff] == [
        ("Kind of control", "protective", "information")
    ]
    reviewed(controlled, "RSK-001")
    assert doubts(controlled) == {}


def test_a_changed_text_and_a_changed_link_are_told_together(controlled: Office) -> None:
    change(controlled, control("RSK-001", "RSK-002", kind="inherent", text="It may check."))

    assert set(doubts(controlled)) == {"RSK-001", "RSK-002"}
    with controlled.reading() as session:
        [doubt] = suspicions_of(session, controlled.record(session, "RSK-001"))
    assert [one.label for one in doubt.diff] == ["Text", "Kind of control"]
    reviewed(controlled, "RSK-001")
    assert set(doubts(controlled)) == {"RSK-002"}


def test_a_withdrawn_control_puts_what_it_controlled_in_doubt(controlled: Office) -> None:
    withdrawn(controlled, "REQ-001", "PPL-EQ")

    told = "REQ-001 was withdrawn since the link “mitigates” was last reviewed"
    assert doubts(controlled) == {"RSK-001": told, "RSK-002": told}
    reviewed(controlled, "RSK-001")
    assert doubts(controlled) == {"RSK-002": told}


def test_what_leans_on_a_withdrawn_record_is_in_doubt(controlled: Office) -> None:
    withdrawn(controlled, "RSK-002", "PPL-DM")

    assert doubts(controlled) == {
        "REQ-001": "RSK-002 was withdrawn since the link “mitigates” was last reviewed"
    }
    reviewed(controlled, "REQ-001")
    assert doubts(controlled) == {}
    change(controlled, control("RSK-001", "RSK-002"))
    assert doubts(controlled) == {}, "it was looked at; approving it again asks nothing anew"


def test_a_link_that_is_stated_again_is_new(controlled: Office) -> None:
    change(controlled, control("RSK-002"))
    reviewed(controlled, "RSK-001")
    change(controlled, control("RSK-001", "RSK-002"))
    assert doubts(controlled) == {}

    change(controlled, control("RSK-002"))

    assert set(doubts(controlled)) == {"RSK-001"}


def test_a_link_that_comes_back_before_anybody_looked_leaves_no_doubt(controlled: Office) -> None:
    change(controlled, control("RSK-002"))
    change(controlled, control("RSK-001", "RSK-002"))

    assert doubts(controlled) == {}
    with pytest.raises(Conflict, match="does not need re-review"):
        reviewed(controlled, "RSK-001")


def test_a_draft_that_drops_a_link_puts_nothing_in_doubt_yet(controlled: Office) -> None:
    with controlled.writing() as session:
        record, read = controlled.record(session, "REQ-001"), controlled.read(session, "REQ-001")
        author = controlled.staff[AUTHOR]
        service.save_draft(session, record, control("RSK-002"), author, read)

    assert doubts(controlled) == {}


def test_the_page_of_a_record_says_who_re_reviewed_it_and_why(controlled: Office) -> None:
    withdrawn(controlled, "REQ-001", "PPL-EQ")
    reviewed(controlled, "RSK-001")

    with controlled.reading() as session:
        project = controlled.project(session)
        told, other = (
            review_panel(session, project, controlled.record(session, uid))
            for uid in ("RSK-001", "RSK-002")
        )

        key = project.key

    assert other is None
    assert told is not None
    [answer] = told.context["answers"]
    assert answer.against == ((key, "REQ-001"),)
    assert answer.by
    assert answer.reason
