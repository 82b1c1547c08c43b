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
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.issues import Decision, decide, move
from core.records.models import Revision
from core.records.service import create_record, edit_token, latest_revision, save_draft
from core.records.types import get_registry
from core.signing.models import Signature
from tests.conftest import Office

pytestmark = pytest.mark.database

ASSESSOR = LinkDraft("evaluated_by", "PPL-DM")
DOUBLED = Content(
    "Dose doubled",
    "Every Dmean is doubled.",
    {
        "found_in": "0.1.0",
        "severity": "critical",
        "safety_relevant": True,
        "cause": "A factor was applied twice.",
        "decision": "no change",
        "rationale": "The version was never given out.",
    },
    (ASSESSOR,),
)
MANAGER = "quality_manager"


@pytest.fixture
def problem(office: Office) -> Office:
    """A critical problem, open, written by Amara Kole."""
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        create_record(session, project, "person", Content("Dana"), author, uid="PPL-DM")
        create_record(session, project, "problem", DOUBLED, author)
    return office


def token(office: Office, uid: str = "PR-001") -> str:
    with office.reading() as session:
        return edit_token(latest_revision(session, office.record(session, uid)))


def state(office: Office, uid: str = "PR-001") -> str:
    with office.reading() as session:
        return latest_revision(session, office.record(session, uid)).state


def moved(
    office: Office, to: str, person: str = "PPL-AK", reason: str = "Seen.", uid: str = "PR-001"
) -> None:
    read = token(office, uid)
    with office.writing() as session:
        record = office.record(session, uid)
        move(session, record, to, office.staff[person], reason, read)


def decided(
    office: Office, to: str, person: str = "PPL-EQ", reason: str = "Not one.", uid: str = "PR-001"
) -> None:
    read = token(office, uid)
    with office.writing() as session:
        record = office.record(session, uid)
        decision = Decision(to, MANAGER, reason)
        decide(session, record, decision, office.staff[person], office.proof(person), read)


@pytest.mark.parametrize("to", ["rejected", "deferred"])
def test_an_author_alone_neither_rejects_nor_defers_an_issue(problem: Office, to: str) -> None:
    with pytest.raises(Refused, match="quality manager or top management signs"):
        moved(problem, to)

    assert state(problem) == "open"


def test_an_author_alone_does_not_close_an_issue(problem: Office) -> None:
    for step in ("assessed", "in_work", "verifying"):
        moved(problem, step)

    with pytest.raises(Refused, match="quality manager or top management signs"):
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


def test_an_issue_that_says_nothing_is_not_opened_and_all_that_lacks_is_said(
    office: Office,
) -> None:
    def attempt() -> None:
        with office.writing() as session:
            project, author = office.project(session), office.staff["PPL-AK"]
            create_record(session, project, "problem", Content("Dose"), author)

    with pytest.raises(Invalid) as refusal:
        attempt()

    assert refusal.value.message == "PR-001 was not opened."
    assert [str(fault) for fault in refusal.value.faults] == [
        "PR-001: Description is empty. Fill it in to open it.",
        "PR-001: Found in version is empty. Fill it in to open it.",
    ]


def without(problem: Office, *fields: str) -> None:
    """Open a second problem that lacks some of what the first says."""
    kept = {name: said for name, said in DOUBLED.fields.items() if name not in fields}
    links = () if "evaluated_by" in fields else DOUBLED.links
    with problem.writing() as session:
        content = Content("Dose halved", "Every Dmean is halved.", kept, links)
        create_record(
            session, problem.project(session), "problem", content, problem.staff["PPL-AK"]
        )


def lacks(problem: Office, to: str) -> list[str]:
    """Return what the second problem is told when it is to come into a state."""
    act = decided if to in ("closed", "deferred") else moved
    with pytest.raises(Invalid) as refusal:
        act(problem, to, uid="PR-002")
    return [str(fault).removeprefix("PR-002: ") for fault in refusal.value.faults]


def test_an_issue_is_not_assessed_before_it_says_what_assessing_asks_for(problem: Office) -> None:
    without(problem, "severity", "safety_relevant", "evaluated_by", "rationale")

    assessed = [
        "Severity is empty. Fill it in before it is assessed.",
        "Safety-relevant is empty. Fill it in before it is assessed.",
        "there is no link 'assessed for safety by'. Add one before it is assessed.",
    ]
    assert lacks(problem, "assessed") == assessed
    assert len(lacks(problem, "deferred")) == 4
    assert state(problem, "PR-002") == "open"


def test_an_issue_is_not_closed_before_it_says_what_closing_asks_for(problem: Office) -> None:
    without(problem, "cause", "decision")
    for step in ("assessed", "in_work", "verifying"):
        moved(problem, step, uid="PR-002")

    assert lacks(problem, "closed") == [
        "Cause is empty. Fill it in to close.",
        "Decision is empty. Fill it in to close.",
    ]


def test_what_a_state_asked_for_is_not_taken_away_in_it(problem: Office) -> None:
    moved(problem, "assessed")
    author, read = problem.staff["PPL-AK"], token(problem)
    fields = {name: said for name, said in DOUBLED.fields.items() if name != "severity"}
    less = replace(DOUBLED, fields=fields)

    with (
        pytest.raises(Invalid, match="does not go with that") as refusal,
        problem.writing() as session,
    ):
        save_draft(session, problem.record(session, "PR-001"), less, author, read)

    assert [fault.what for fault in refusal.value.faults] == ["Severity is empty."]


def test_an_issue_that_came_half_empty_is_mended_part_by_part(office: Office) -> None:
    draft = RecordDraft("RPM", "problem", "PR-001", Content("Dose"), state="assessed")
    author = office.staff["PPL-AK"]
    with office.writing() as session:
        import_records(session, [draft], author, get_registry())
    read = token(office)

    with office.writing() as session:
        more = Content("Dose", "Every Dmean is doubled.", {"severity": "minor"})
        save_draft(session, office.record(session, "PR-001"), more, author, read)

    with pytest.raises(Invalid) as refusal:
        moved(office, "in_work")
    assert len(refusal.value.faults) == 3


def test_whoever_meets_an_issue_raises_it_and_puts_it_right_while_it_is_open(
    problem: Office,
) -> None:
    vera = problem.staff["PPL-VW"]
    said = Content("Dose odd", "It looks odd.", {"found_in": "0.1.0"})
    with problem.writing() as session:
        create_record(session, problem.project(session), "problem", said, vera)
    read = token(problem, "PR-002")
    with problem.writing() as session:
        better = replace(said, body="It is twice what was planned.")
        save_draft(session, problem.record(session, "PR-002"), better, vera, read)

    for uid in ("PR-001", "PR-002"):
        read = token(problem, uid)
        with pytest.raises(Refused, match="may not write"), problem.writing() as session:
            move(session, problem.record(session, uid), "assessed", vera, "Mine.", read)
    read = token(problem)
    with pytest.raises(Refused, match="may not write"), problem.writing() as session:
        save_draft(session, problem.record(session, "PR-001"), DOUBLED, vera, read)


def test_whoever_wrote_any_revision_of_an_issue_never_decides_on_it(problem: Office) -> None:
    esther, amara = problem.staff["PPL-EQ"], problem.staff["PPL-AK"]
    for person, body in ((esther, "Every Dmean is 2.0 times."), (amara, "Every Dmean is 2 times.")):
        read = token(problem)
        with problem.writing() as session:
            content = replace(DOUBLED, body=body)
            save_draft(session, problem.record(session, "PR-001"), content, person, read)

    with pytest.raises(Refused, match="Esther Quill wrote revision 3"):
        decided(problem, "rejected")


def test_what_was_decided_is_not_edited_but_reopened_with_a_reason(problem: Office) -> None:
    decided(problem, "rejected")
    changed = replace(DOUBLED, body="Nothing to see.")
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
    with office.writing() as session:
        author = office.staff["PPL-AK"]
        create_record(
            session, office.project(session), "person", Content("Dana"), author, uid="PPL-DM"
        )
    drafts = [
        RecordDraft("RPM", "problem", f"PR-00{number}", DOUBLED, state=said)
        for number, said in enumerate(("closed", "rejected", "deferred", "in_work"), start=1)
    ]

    with office.writing() as session:
        import_records(session, drafts, office.staff["PPL-AK"], get_registry())

    found = [state(office, draft.uid or "") for draft in drafts]
    assert found == ["verifying", "open", "assessed", "in_work"]
