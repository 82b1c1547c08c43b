"""From draft to in force: what is refused on the way, and what is kept."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.errors import Conflict, Invalid, Refused
from core.people.service import Reauthentication
from core.records.approval import Signing, reject, sign, signatures_of, submit
from core.records.content import Content, LinkDraft
from core.records.models import Record, Revision
from core.records.reviewing import review, review_token, suspicions_of
from core.records.service import (
    create_record,
    edit_token,
    latest_revision,
    save_draft,
)
from core.records.withdrawing import withdraw
from core.signing.models import Signature
from tests.conftest import Office

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-001")]

NEED = Content(
    "Trust the numbers",
    "The physicist needs to know how large the error can be.",
    {
        "stakeholder": "physicist",
        "source": "workshop",
        "priority": "must",
        "safety": True,
        "acceptance": "limits met",
    },
)


def requirement(acceptance: str = "0.4 percent") -> Content:
    return Content(
        "Dose-volume metric accuracy",
        "The system shall compute VxGy within 0.4 percent.",
        {"category": "functional", "acceptance": acceptance},
        (LinkDraft("derives_from", "UN-001"),),
    )


def approve(office: Office, uid: str) -> None:
    """Bring the newest draft of a record into force, as its people would."""
    with office.writing() as session:
        author, proof = office.staff["PPL-AK"], office.proof("PPL-AK")
        submit(session, office.record(session, uid), author, proof, office.read(session, uid))
    for person, role, meaning in (
        ("PPL-CV", "technical_reviewer", "reviewed"),
        ("PPL-DM", "clinical_lead", "reviewed"),
        ("PPL-DM", "clinical_lead", "approved"),
        ("PPL-EQ", "quality_manager", "approved"),
    ):
        with office.writing() as session:
            record = office.record(session, uid)
            if latest_revision(session, record).state != "in_review":
                return
            try:
                signing = Signing(meaning, role)
                read = office.read(session, uid)
                sign(session, record, signing, office.staff[person], office.proof(person), read)
            except (Refused, Conflict):
                session.rollback()


@pytest.fixture
def need(office: Office, all_trained: None) -> Office:
    with office.writing() as session:
        create_record(session, office.project(session), "user_need", NEED, office.staff["PPL-AK"])
    approve(office, "UN-001")
    return office


def test_numbers_are_given_in_order_and_never_twice(office: Office) -> None:
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        first = create_record(session, project, "user_need", NEED, author)
        create_record(session, project, "user_need", NEED, author, uid="UN-002")
        third = create_record(session, project, "user_need", NEED, author)
        withdraw(session, third, author, "Said twice.", office.read(session, "UN-003"))
        fourth = create_record(session, project, "user_need", NEED, author)
        given = (first.uid, third.uid, fourth.uid)

    assert given == ("UN-001", "UN-003", "UN-004")


def test_everything_wrong_with_a_record_is_said_at_once(office: Office) -> None:
    bad = Content(
        "",
        "",
        {"category": "poetry", "acceptnce": "x", "acceptance": 7},
        (LinkDraft("derives_from", "UN-999"), LinkDraft("friend_of", "UN-001")),
    )

    with pytest.raises(Invalid) as refusal, office.writing() as session:
        create_record(session, office.project(session), "requirement", bad, office.staff["PPL-AK"])

    codes = sorted(fault.code for fault in refusal.value.faults)
    assert codes == [
        "missing-target",
        "no-title",
        "unknown-field",
        "unknown-role",
        "wrong-value",
        "wrong-value",
    ]
    with office.reading() as session:
        assert session.execute(select(Record)).all() == []


def test_a_draft_may_lack_content_but_cannot_be_submitted(office: Office) -> None:
    with office.writing() as session:
        create_record(
            session,
            office.project(session),
            "requirement",
            Content("Only a title"),
            office.staff["PPL-AK"],
        )

    with pytest.raises(Invalid) as refusal, office.writing() as session:
        submit(
            session,
            office.record(session, "REQ-001"),
            office.staff["PPL-AK"],
            office.proof("PPL-AK"),
            office.read(session, "REQ-001"),
        )

    assert {fault.code for fault in refusal.value.faults} == {"missing"}
    assert len(refusal.value.faults) >= 3


def test_approval_needs_every_signature_and_then_the_revision_is_in_force(need: Office) -> None:
    with need.reading() as session:
        record = need.record(session, "UN-001")
        revision = latest_revision(session, record)
        given = signatures_of(session, revision)

        assert revision.state == "approved"
        assert record.effective_id == revision.id
        assert given[0].meaning == "authored"
        assert given[-1].meaning == "approved"
        assert {one.envelope_digest for one in given} == {revision.envelope_digest}


def test_an_author_never_reviews_or_approves_the_own_revision(office: Office) -> None:
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        create_record(session, project, "document", Content("Plan", "", {"kind": "plan"}), author)
        read = office.read(session, "DOC-001")
        submit(session, office.record(session, "DOC-001"), author, office.proof("PPL-AK"), read)

    with pytest.raises(Refused, match="wrote revision 1"), office.writing() as session:
        sign(
            session,
            office.record(session, "DOC-001"),
            Signing("approved", "quality_manager"),
            office.staff["PPL-AK"],
            office.proof("PPL-AK"),
            office.read(session, "DOC-001"),
        )


def test_signing_without_the_role_or_with_anothers_password_is_refused(office: Office) -> None:
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        create_record(session, project, "document", Content("Plan", "", {"kind": "plan"}), author)
        read = office.read(session, "DOC-001")
        submit(session, office.record(session, "DOC-001"), author, office.proof("PPL-AK"), read)
    signing = Signing("approved", "quality_manager")

    with pytest.raises(Refused, match="may not sign DOC-001"), office.writing() as session:
        sign(
            session,
            office.record(session, "DOC-001"),
            signing,
            office.staff["PPL-CV"],
            office.proof("PPL-CV"),
            office.read(session, "DOC-001"),
        )
    with pytest.raises(Refused, match="another person's"), office.writing() as session:
        sign(
            session,
            office.record(session, "DOC-001"),
            signing,
            office.staff["PPL-EQ"],
            Reauthentication(office.staff["PPL-CV"].person_id),
            office.read(session, "DOC-001"),
        )


def test_training_is_asked_for_where_the_type_asks(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.records import approval

    monkeypatch.setattr(approval.ports, "training", lambda *_: ("DOC-RMP is not read.",))
    risk = Content(
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
    with office.writing() as session:
        create_record(session, office.project(session), "risk", risk, office.staff["PPL-AK"])
        submit(
            session,
            office.record(session, "RSK-001"),
            office.staff["PPL-AK"],
            office.proof("PPL-AK"),
            office.read(session, "RSK-001"),
        )

    with pytest.raises(Refused, match="DOC-RMP is not read"), office.writing() as session:
        sign(
            session,
            office.record(session, "RSK-001"),
            Signing("approved", "clinical_safety_officer"),
            office.staff["PPL-DM"],
            office.proof("PPL-DM"),
            office.read(session, "RSK-001"),
        )


def test_a_stale_form_overwrites_nothing(need: Office) -> None:
    with need.reading() as session:
        opened = edit_token(latest_revision(session, need.record(session, "UN-001")))
    changed = Content(NEED.title, "Somebody was first.", NEED.fields)
    with need.writing() as session:
        author = need.staff["PPL-AK"]
        save_draft(session, need.record(session, "UN-001"), changed, author, opened)

    with pytest.raises(Conflict, match="after you opened it"), need.writing() as session:
        save_draft(session, need.record(session, "UN-001"), NEED, need.staff["PPL-AK"], opened)

    with need.reading() as session:
        record = need.record(session, "UN-001")
        assert latest_revision(session, record).body == "Somebody was first."
        assert session.get_one(Revision, record.effective_id).number == 1


def test_a_rejected_revision_returns_to_its_author_and_needs_new_signatures(
    office: Office,
) -> None:
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        create_record(session, project, "document", Content("Plan", "", {"kind": "plan"}), author)
        read = office.read(session, "DOC-001")
        submit(session, office.record(session, "DOC-001"), author, office.proof("PPL-AK"), read)
    with office.writing() as session:
        read = office.read(session, "DOC-001")
        manager = office.staff["PPL-EQ"]
        reject(session, office.record(session, "DOC-001"), manager, "Too short.", read)
    with office.writing() as session:
        record = office.record(session, "DOC-001")
        read = office.read(session, "DOC-001")
        submit(session, record, office.staff["PPL-AK"], office.proof("PPL-AK"), read)

        revision = latest_revision(session, record)
        current = [one.meaning for one in signatures_of(session, revision)]
        every = session.execute(
            select(Signature).where(col(Signature.revision_id) == revision.id)
        ).all()
    assert current == ["authored"]
    assert len(every) == 2


@pytest.fixture
def derived(need: Office) -> Office:
    """A requirement in force that derives from the need in force."""
    with need.writing() as session:
        create_record(
            session,
            need.project(session),
            "requirement",
            requirement(),
            need.staff["PPL-AK"],
        )
    approve(need, "REQ-001")
    return need


def change_need(office: Office, body: str) -> None:
    with office.writing() as session:
        record = office.record(session, "UN-001")
        token = edit_token(latest_revision(session, record))
        changed = Content(NEED.title, body, NEED.fields)
        save_draft(session, record, changed, office.staff["PPL-AK"], token)
    approve(office, "UN-001")


def test_only_a_change_in_force_throws_doubt_and_re_review_clears_it(derived: Office) -> None:
    with derived.reading() as session:
        assert suspicions_of(session, derived.record(session, "REQ-001")) == []

    change_need(derived, "The physicist needs the error of every figure.")

    with derived.reading() as session:
        (doubt,) = suspicions_of(session, derived.record(session, "REQ-001"))
        assert suspicions_of(session, derived.record(session, "UN-001")) == []
    assert (doubt.cause.uid, doubt.role, doubt.distance) == ("UN-001", "derives_from", 1)
    assert doubt.diff[0].before == NEED.body
    with derived.writing() as session:
        record = derived.record(session, "REQ-001")
        revision = latest_revision(session, record)
        read = review_token(revision, suspicions_of(session, record))
        review(session, record, derived.staff["PPL-CV"], "Still the same figures.", read)
    with derived.reading() as session:
        assert suspicions_of(session, derived.record(session, "REQ-001")) == []


def test_approving_a_new_revision_does_not_clear_a_doubt_by_itself(derived: Office) -> None:
    change_need(derived, "The physicist needs the error of every figure.")
    with derived.writing() as session:
        record = derived.record(session, "REQ-001")
        token = edit_token(latest_revision(session, record))
        save_draft(session, record, requirement("0.3 percent"), derived.staff["PPL-AK"], token)
    approve(derived, "REQ-001")

    with derived.reading() as session:
        record = derived.record(session, "REQ-001")
        assert latest_revision(session, record).number == 2
        assert len(suspicions_of(session, record)) == 1
