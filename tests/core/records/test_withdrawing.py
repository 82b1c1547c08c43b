"""Withdrawal: who may take a record out of force, and that nothing brings it back."""

from collections.abc import Callable

import pytest

from core.errors import Conflict, Invalid, Refused
from core.people.service import Reauthentication
from core.records.approval import Signing, reject, sign, submit
from core.records.audit import verify_audit
from core.records.content import Content, LinkDraft
from core.records.service import create_record, edit_token, latest_revision, save_draft
from core.records.withdrawing import withdraw
from tests.conftest import Office
from tests.core.conftest import Browser, words_of

pytestmark = pytest.mark.database

PLAN = Content("Plan", "Text.", {"kind": "plan"})
AUTHOR, MANAGER = "PPL-AK", "PPL-EQ"


@pytest.fixture
def plan(office: Office) -> Office:
    """DOC-001, a draft by Amara Kole."""
    with office.writing() as session:
        create_record(session, office.project(session), "document", PLAN, office.staff[AUTHOR])
    return office


def submitted(office: Office) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        submit(session, record, office.staff[AUTHOR], office.proof(AUTHOR), read)


def signed(office: Office, by: str = MANAGER) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        signing = Signing("approved", "quality_manager")
        sign(session, record, signing, office.staff[by], office.proof(by), read)


@pytest.fixture
def plan_in_force(plan: Office) -> Office:
    """DOC-001 in force."""
    submitted(plan)
    signed(plan)
    return plan


def withdrawn(
    office: Office, by: str, reason: str = "Replaced.", proof: Reauthentication | None = None
) -> None:
    with office.writing() as session:
        record, read = office.record(session, "DOC-001"), office.read(session, "DOC-001")
        withdraw(session, record, office.staff[by], reason, read, proof)


def test_a_withdrawn_revision_is_neither_signed_nor_rejected_nor_submitted(plan: Office) -> None:
    submitted(plan)
    withdrawn(plan, AUTHOR)

    with pytest.raises(Conflict, match="DOC-001 is withdrawn"):
        signed(plan)
    with pytest.raises(Conflict, match="DOC-001 is withdrawn"):
        submitted(plan)
    with pytest.raises(Conflict, match="DOC-001 is withdrawn"), plan.writing() as session:
        reject(
            session,
            plan.record(session, "DOC-001"),
            plan.staff[MANAGER],
            "No.",
            plan.read(session, "DOC-001"),
        )
    with plan.reading() as session:
        assert plan.record(session, "DOC-001").effective_id is None


def test_a_change_in_review_of_a_withdrawn_record_never_comes_into_force(
    plan_in_force: Office,
) -> None:
    office = plan_in_force
    with office.writing() as session:
        record = office.record(session, "DOC-001")
        changed = Content("Plan", "Other text.", {"kind": "plan"})
        read = edit_token(latest_revision(session, record))
        save_draft(session, record, changed, office.staff[AUTHOR], read)
    submitted(office)
    withdrawn(office, MANAGER, proof=office.proof(MANAGER))

    with pytest.raises(Conflict, match="DOC-001 is withdrawn"):
        signed(office)

    with office.reading() as session:
        record = office.record(session, "DOC-001")
        assert latest_revision(session, record).state == "in_review"
        assert record.effective_id != record.latest_id


def test_what_is_in_force_is_withdrawn_by_who_approves_with_the_own_password(
    plan_in_force: Office,
) -> None:
    office = plan_in_force
    with pytest.raises(Refused, match="needs the role quality manager"):
        withdrawn(office, AUTHOR, proof=office.proof(AUTHOR))
    with pytest.raises(Refused, match="needs your password"):
        withdrawn(office, MANAGER)
    with pytest.raises(Refused, match="another person's"):
        withdrawn(office, MANAGER, proof=office.proof(AUTHOR))
    with pytest.raises(Invalid, match="was not withdrawn"):
        withdrawn(office, MANAGER, " ", office.proof(MANAGER))

    withdrawn(office, MANAGER, "Replaced.", office.proof(MANAGER))

    with office.reading() as session:
        assert office.record(session, "DOC-001").withdrawn_reason == "Replaced."
        assert verify_audit(session).findings == []


def test_a_draft_that_never_was_in_force_is_withdrawn_by_its_author(plan: Office) -> None:
    withdrawn(plan, AUTHOR, "Written twice.")

    with plan.reading() as session:
        assert plan.record(session, "DOC-001").withdrawn_at is not None


def test_a_problem_does_not_vanish_by_its_authors_withdrawal(office: Office) -> None:
    with office.writing() as session:
        problem = Content("Dose doubled", "It is.", {"found_in": "0.1.0"})
        create_record(session, office.project(session), "problem", problem, office.staff[AUTHOR])

    with pytest.raises(Refused, match="quality manager"), office.writing() as session:
        withdraw(
            session,
            office.record(session, "PR-001"),
            office.staff[AUTHOR],
            "Not one.",
            office.read(session, "PR-001"),
            office.proof(AUTHOR),
        )


@pytest.mark.parametrize(("read", "refusal"), [("", Refused), ("7.draft.0", Conflict)])
def test_withdrawing_needs_what_was_read(plan: Office, read: str, refusal: type) -> None:
    def attempt() -> None:
        with plan.writing() as session:
            record = plan.record(session, "DOC-001")
            withdraw(session, record, plan.staff[AUTHOR], "Written twice.", read)

    with pytest.raises(refusal):
        attempt()

    with plan.reading() as session:
        assert plan.record(session, "DOC-001").withdrawn_at is None


def test_nothing_that_stands_on_a_withdrawn_record_goes_to_review(office: Office) -> None:
    need = Content("Need", "It is needed.", {"stakeholder": "physicist", "acceptance": "Seen."})
    wanted = Content(
        "Requirement",
        "The system shall do it.",
        {"category": "functional", "acceptance": "Done."},
        (LinkDraft("derives_from", "UN-001"), LinkDraft("derives_from", "UN-002")),
    )
    with office.writing() as session:
        project, author = office.project(session), office.staff[AUTHOR]
        for _ in range(2):
            create_record(session, project, "user_need", need, author)
        create_record(session, project, "requirement", wanted, author)
    with office.writing() as session:
        record, read = office.record(session, "UN-001"), office.read(session, "UN-001")
        withdraw(session, record, office.staff[AUTHOR], "Nobody needs it.", read, None)

    with office.writing() as session:
        record, read = office.record(session, "REQ-001"), office.read(session, "REQ-001")
        with pytest.raises(Invalid) as caught:
            submit(session, record, office.staff[AUTHOR], office.proof(AUTHOR), read)

    [fault] = caught.value.faults
    assert (fault.code, fault.where) == ("withdrawn-target", "UN-001")
    assert "nothing new is linked to it ('derives from')" in fault.what


def test_the_form_says_what_withdrawing_would_touch(
    plan_in_force: Office, browser_of: Callable[[str], Browser]
) -> None:
    office = plan_in_force
    need = {"stakeholder": "physicist", "acceptance": "Seen."}
    wish = {"category": "functional", "acceptance": "Seen."}
    links = (LinkDraft("derives_from", "UN-001"), LinkDraft("stated_in", "DOC-001"))
    signed_by = [("user_need", Content("N", "It is needed.", need), [(MANAGER, "approved")])]
    signed_by += [
        (
            "requirement",
            Content("R", "It shall.", wish, links),
            [("PPL-CV", "reviewed"), (MANAGER, "approved")],
        )
    ]
    roles = {"PPL-CV": "technical_reviewer", MANAGER: "quality_manager"}
    for kind, content, signers in signed_by:
        with office.writing() as session:
            made = create_record(
                session, office.project(session), kind, content, office.staff[AUTHOR]
            )
            uid = made.uid
            submit(
                session, made, office.staff[AUTHOR], office.proof(AUTHOR), office.read(session, uid)
            )
            for who, meaning in signers:
                signing, read = Signing(meaning, roles[who]), office.read(session, uid)
                sign(session, made, signing, office.staff[who], office.proof(who), read)
    esther = browser_of(MANAGER)

    needed = words_of(esther.open("/p/RPM/UN-001").text)
    stated = words_of(esther.open("/p/RPM/DOC-001").text)

    assert "1 record needs re-review once it is withdrawn: REQ-001 (leads to)" in needed
    assert "Also linked to it, and without it from then on: REQ-001 (states)" in stated
    assert "No record in force is linked with it" not in stated
