"""A proposed revision is given up, or sent back: what is in force stays, the words are kept."""

from collections.abc import Callable

import pytest

from core.errors import Conflict, Invalid, Refused
from core.records.approval import Signing, reject, sign, submit
from core.records.audit import verify_audit
from core.records.content import Content, LinkDraft
from core.records.discarding import discard
from core.records.models import Revision
from core.records.pages import revision_before, revisions_of
from core.records.printing.document import standing
from core.records.queries import load_snapshot, load_suspicions
from core.records.remarks import remarks_of
from core.records.service import create_record, edit_token, latest_revision, save_draft
from core.records.waiting import own_drafts, returned_to
from tests.conftest import Office
from tests.core.conftest import Browser, words_of

pytestmark = pytest.mark.database

AUTHOR, REVIEWER, MANAGER = "PPL-AK", "PPL-CV", "PPL-EQ"
PLAN = Content("Plan", "Text.", {"kind": "plan"})


def submitted(office: Office, uid: str = "DOC-001") -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        submit(session, record, office.staff[AUTHOR], office.proof(AUTHOR), read)


def proposed(office: Office, text: str = "Other text.") -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        changed = Content("Plan", text, {"kind": "plan"})
        save_draft(session, record, changed, office.staff[AUTHOR], read, "Try it.")


def discarded(office: Office, by: str = AUTHOR, reason: str = "Not needed.") -> int:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        return discard(session, record, office.staff[by], reason, read).number


def sent_back(office: Office, reason: str) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        reject(session, record, office.staff[MANAGER], reason, read)


@pytest.fixture
def plan(office: Office) -> Office:
    """DOC-001 in force, by Amara Kole."""
    with office.writing() as session:
        create_record(session, office.project(session), "document", PLAN, office.staff[AUTHOR])
    submitted(office)
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        signing = Signing("approved", "quality_manager")
        sign(session, record, signing, office.staff[MANAGER], office.proof(MANAGER), read)
    return office


def test_what_is_in_force_stays_and_the_draft_is_kept_with_the_reason(plan: Office) -> None:
    proposed(plan)

    assert discarded(plan) == 2

    with plan.reading() as session:
        record, projects = plan.record(session, "DOC-001"), [plan.project(session)]
        assert record.latest_id == record.effective_id
        assert latest_revision(session, record).number == 1
        gone = revisions_of(session, record)[0]
        assert (gone.number, gone.state, gone.body) == (2, "discarded", "Other text.")
        assert standing(record, gone) == "discarded, never in force"
        assert [one.reason for one in remarks_of(session, record)[2]] == ["Not needed."]
        assert own_drafts(session, plan.staff[AUTHOR], projects) == []
        assert verify_audit(session).findings == []


def test_the_next_change_takes_the_next_number_and_follows_what_is_in_force(plan: Office) -> None:
    proposed(plan)
    discarded(plan, MANAGER)
    proposed(plan, "Third text.")

    with plan.reading() as session:
        record = plan.record(session, "DOC-001")
        latest, in_force = (
            session.get_one(Revision, number) for number in (record.latest_id, record.effective_id)
        )
        assert (latest.number, latest.previous_digest) == (3, in_force.envelope_digest)
        before = revision_before(session, record, 3)
        assert before is not None
        assert before.number == 1
        assert verify_audit(session).findings == []


def test_who_may_discard_what_and_when(plan: Office) -> None:
    with pytest.raises(Conflict, match="Nothing is proposed above DOC-001 revision 1"):
        discarded(plan)
    proposed(plan)
    with pytest.raises(Refused, match="its author or the role quality manager"):
        discarded(plan, REVIEWER)
    with pytest.raises(Invalid, match="was not discarded"):
        discarded(plan, AUTHOR, " ")
    with pytest.raises(Refused, match="which revision was read"), plan.writing() as session:
        discard(session, plan.record(session, "DOC-001"), plan.staff[AUTHOR], "No.", "")
    submitted(plan)
    with pytest.raises(Conflict, match="is in review; send it back to its author first"):
        discarded(plan, MANAGER)
    sent_back(plan, "Not this.")
    assert discarded(plan, MANAGER) == 2


def test_what_never_was_in_force_is_withdrawn_instead(office: Office) -> None:
    with office.writing() as session:
        create_record(session, office.project(session), "document", PLAN, office.staff[AUTHOR])

    with pytest.raises(Conflict, match="never was in force"):
        discarded(office)


def test_a_discarded_change_throws_doubt_on_nothing_and_binds_nothing(plan: Office) -> None:
    fields = {"category": "functional", "acceptance": "Seen."}
    content = Content("R", "It shall.", fields, (LinkDraft("stated_in", "DOC-001"),))
    with plan.writing() as session:
        create_record(session, plan.project(session), "requirement", content, plan.staff[AUTHOR])
    proposed(plan)
    with plan.reading() as session:
        before = load_snapshot(session, ["RPM"], effective=False)
    discarded(plan)

    with plan.reading() as session:
        after = load_snapshot(session, ["RPM"], effective=False)
        assert load_suspicions(session, after) == []
        shown = {one.key.uid: one.revision for one in after.records.values()}
    assert {one.key.uid: one.revision for one in before.records.values()}["DOC-001"] == 2
    assert shown["DOC-001"] == 1


def test_a_rejection_reaches_its_author_until_it_is_submitted_again(plan: Office) -> None:
    proposed(plan)
    submitted(plan)
    sent_back(plan, "Name the scanner.")
    with plan.reading() as session:
        projects = [plan.project(session)]
        [found] = returned_to(session, plan.staff[AUTHOR], projects)
        assert (found.key.uid, found.revision) == ("DOC-001", 2)
        assert (found.remark.who, found.remark.reason) == ("Esther Quill", "Name the scanner.")
        assert returned_to(session, plan.staff[MANAGER], projects) == []

    submitted(plan)

    with plan.reading() as session:
        assert returned_to(session, plan.staff[AUTHOR], [plan.project(session)]) == []


def test_the_pages_say_why_it_came_back_and_that_it_was_discarded(
    plan: Office, browser_of: Callable[[str], Browser]
) -> None:
    proposed(plan)
    submitted(plan)
    sent_back(plan, "Name the scanner.")
    amara = browser_of(AUTHOR)
    page = words_of(amara.open("/p/RPM/DOC-001").text)
    assert page.index("Sent back by Esther Quill") < page.index("Submit revision 2 for review")
    assert "Name the scanner." in words_of(amara.open("/p/RPM/DOC-001/history").text)

    amara.open("/p/RPM/DOC-001")
    answer = amara.send("/p/RPM/DOC-001/discard", reason="The scanner is gone.")

    assert "Revision 2 of DOC-001 is discarded; what is in force stays." in words_of(answer.text)
    assert "The scanner is gone." in words_of(amara.open("/p/RPM/DOC-001/history/2").text)
    with plan.reading() as session:
        record = plan.record(session, "DOC-001")
        assert edit_token(latest_revision(session, record)).startswith("1.approved.")
