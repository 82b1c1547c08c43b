"""Quality issues: who may say that nothing more needs to be done, and what follows from it."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.errors import Conflict, Invalid, Refused
from core.ledger.models import LedgerEntry
from core.people.service import Reauthentication
from core.records.approval import signatures_of
from core.records.audit import verify_audit
from core.records.content import Content, RecordDraft
from core.records.importing import import_records
from core.records.issues import Decision, decide, move
from core.records.models import Revision
from core.records.service import create_record, edit_token, latest_revision, save_draft
from core.records.types import get_registry
from core.signing.models import Signature
from tests.conftest import Office

pytestmark = pytest.mark.database

DOUBLED = Content(
    "Dose doubled",
    "Every Dmean is doubled.",
    {"found_in": "0.1.0", "severity": "critical", "safety_relevant": True},
)
MANAGER = "quality_manager"


@pytest.fixture
def problem(office: Office) -> Office:
    """A critical problem, open, written by Amara Kole."""
    with office.writing() as session:
        create_record(session, office.project(session), "problem", DOUBLED, office.staff["PPL-AK"])
    return office


def token(office: Office, uid: str = "PR-001") -> str:
    with office.reading() as session:
        return edit_token(latest_revision(session, office.record(session, uid)))


def state(office: Office, uid: str = "PR-001") -> str:
    with office.reading() as session:
        return latest_revision(session, office.record(session, uid)).state


def moved(office: Office, to: str, person: str = "PPL-AK", reason: str = "Seen.") -> None:
    read = token(office)
    with office.writing() as session:
        record = office.record(session, "PR-001")
        move(session, record, to, office.staff[person], reason, read)


def decided(office: Office, to: str, person: str = "PPL-EQ", reason: str = "Not one.") -> None:
    read = token(office)
    with office.writing() as session:
        record = office.record(session, "PR-001")
        decision = Decision(to, MANAGER, reason)
        decide(session, record, decision, office.staff[person], office.proof(person), read)


@pytest.mark.parametrize("to", ["rejected", "deferred"])
def test_an_author_alone_neither_rejects_nor_defers_an_issue(problem: Office, to: str) -> None:
    with pytest.raises(Refused, match="quality manager signs"):
        moved(problem, to)

    assert state(problem) == "open"


def test_an_author_alone_does_not_close_an_issue(problem: Office) -> None:
    for step in ("assessed", "in_work", "verifying"):
        moved(problem, step)

    with pytest.raises(Refused, match="quality manager signs"):
        moved(problem, "closed")

    assert state(problem) == "verifying"


def test_a_decision_is_a_signature_over_what_the_issue_says(problem: Office) -> None:
    decided(problem, "rejected", reason="The figure was read wrongly.")

    with problem.reading() as session:
        revision = latest_revision(session, problem.record(session, "PR-001"))
        [given] = signatures_of(session, revision)
        assert revision.state == "rejected"
        assert (given.printed_name, given.role, given.meaning) == (
            "Esther Quill",
            MANAGER,
            "approved",
        )
        assert given.reason == "Rejected: The figure was read wrongly."
        assert verify_audit(session).findings == []


def test_whoever_wrote_an_issue_never_decides_on_it(problem: Office) -> None:
    amara = problem.staff["PPL-AK"]
    both = replace(amara, roles={None: frozenset({"author", MANAGER})})
    read, decision = token(problem), Decision("rejected", MANAGER, "No.")

    def decide_as_author() -> None:
        with problem.writing() as session:
            record = problem.record(session, "PR-001")
            decide(session, record, decision, both, problem.proof("PPL-AK"), read)

    with pytest.raises(Refused, match="wrote revision 1"):
        decide_as_author()
    with pytest.raises(Refused, match="quality manager"):
        decided(problem, "rejected", "PPL-CV")


def test_a_decision_needs_the_deciders_own_password_a_reason_and_what_was_read(
    problem: Office,
) -> None:
    esther, read = problem.staff["PPL-EQ"], token(problem)
    decision = Decision("rejected", MANAGER, "No.")

    def attempt(decision: Decision, proof: Reauthentication, read: str) -> None:
        with problem.writing() as session:
            decide(session, problem.record(session, "PR-001"), decision, esther, proof, read)

    with pytest.raises(Refused, match="another person's"):
        attempt(decision, problem.proof("PPL-CV"), read)
    with pytest.raises(Invalid, match="was not rejected"):
        attempt(Decision("rejected", MANAGER, " "), problem.proof("PPL-EQ"), read)
    with pytest.raises(Refused, match="which revision was read"):
        attempt(decision, problem.proof("PPL-EQ"), "")
    with pytest.raises(Conflict, match="after you opened it"):
        attempt(decision, problem.proof("PPL-EQ"), "1.open.0123456789abcdef")
    assert state(problem) == "open"
    with problem.reading() as session:
        assert session.execute(select(Signature)).all() == []


def test_an_issue_that_lacks_content_is_not_closed(office: Office) -> None:
    with office.writing() as session:
        author = office.staff["PPL-AK"]
        create_record(session, office.project(session), "problem", Content("Dose"), author)
    for step in ("assessed", "in_work", "verifying"):
        moved(office, step)

    with pytest.raises(Invalid) as refusal:
        decided(office, "closed")

    assert [fault.code for fault in refusal.value.faults] == ["missing"]


def test_what_was_decided_is_not_edited_but_reopened_with_a_reason(problem: Office) -> None:
    decided(problem, "rejected")
    changed = Content(DOUBLED.title, "Nothing to see.", {"found_in": "0.1.0"})
    author, read = problem.staff["PPL-AK"], token(problem)

    with pytest.raises(Conflict, match="reopen it first"), problem.writing() as session:
        save_draft(session, problem.record(session, "PR-001"), changed, author, read)
    with pytest.raises(Invalid, match="was not moved"):
        moved(problem, "open", reason=" ")
    moved(problem, "open", reason="It happened again.")

    with problem.reading() as session:
        record = problem.record(session, "PR-001")
        latest = latest_revision(session, record)
        first = session.execute(
            select(Revision).where(col(Revision.record_id) == record.id, col(Revision.number) == 1)
        ).scalar_one()
        assert (latest.number, latest.state, latest.reason) == (
            2,
            "open",
            "Reopened: It happened again.",
        )
        assert record.effective_id == latest.id
        assert latest.content_digest == first.content_digest
        assert (first.state, len(signatures_of(session, first))) == ("rejected", 1)
        assert signatures_of(session, latest) == []
        assert verify_audit(session).findings == []
    with problem.writing() as session:
        save_draft(
            session, problem.record(session, "PR-001"), changed, author, _read(problem, session)
        )


def _read(office: Office, session) -> str:
    return edit_token(latest_revision(session, office.record(session, "PR-001")))


def test_a_reopened_issue_is_decided_on_anew(problem: Office) -> None:
    decided(problem, "deferred")
    moved(problem, "in_work")
    moved(problem, "verifying")
    decided(problem, "closed")

    assert state(problem) == "closed"
    with problem.reading() as session:
        entries = session.execute(
            select(LedgerEntry).where(col(LedgerEntry.action) == "record:problem:move")
        ).scalars()
        assert [(one.details["from"], one.details["to"]) for one in entries] == [
            ("open", "deferred"),
            ("deferred", "in_work"),
            ("in_work", "verifying"),
            ("verifying", "closed"),
        ]


def test_moving_needs_what_was_read(problem: Office) -> None:
    author = problem.staff["PPL-AK"]

    def attempt(read: str) -> None:
        with problem.writing() as session:
            move(session, problem.record(session, "PR-001"), "assessed", author, "Seen.", read)

    for read, kind in (("", Refused), ("1.open.0123456789abcdef", Conflict)):
        with pytest.raises(kind):
            attempt(read)
    assert state(problem) == "open"


def test_an_import_decides_nothing(office: Office) -> None:
    drafts = [
        RecordDraft("RPM", "problem", f"PR-00{number}", DOUBLED, state=said)
        for number, said in enumerate(("closed", "rejected", "deferred", "in_work"), start=1)
    ]

    with office.writing() as session:
        import_records(session, drafts, office.staff["PPL-AK"], get_registry())

    found = [state(office, draft.uid or "") for draft in drafts]
    assert found == ["verifying", "open", "assessed", "in_work"]
