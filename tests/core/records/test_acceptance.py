"""Changes: nobody works on one before it is accepted by signature, of others than its authors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import event

from core.clock import now
from core.errors import Conflict, Invalid, Refused
from core.records.acceptance import unaccepted
from core.records.approval import Signing, sign
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.issues import Decision, decide, move
from core.records.pages import record_page
from core.records.service import create_record, latest_revision, read_content, save_draft
from core.records.types import get_registry
from core.records.waiting import waiting_to_sign
from core.records.withdrawing import withdraw
from tests.conftest import Office

pytestmark = pytest.mark.database

SAID = {
    "reason": "The figure misleads.",
    "kind": "correction",
    "class_impact": "None.",
    "regulatory_impact": "None.",
    "risk_reviewed": True,
}
IMPACTS = LinkDraft("impacts", "RSK-001")
MANAGER, SAFETY = "quality_manager", "clinical_safety_officer"


@pytest.fixture
def change(office: Office) -> Office:
    """A change that impacts a risk, open, written by Amara Kole; and one that impacts none."""
    with office.writing() as session:
        project, author = office.project(session), office.staff["PPL-AK"]
        create_record(session, project, "risk", Content("Wrong figure"), author)
        create_record(session, project, "document", Content("Manual"), author)
        links = {1: IMPACTS, 2: LinkDraft("impacts", "DOC-001")}
        for number, link in links.items():
            content = Content(f"Change {number}", "Say more.", SAID, (link,))
            create_record(session, project, "change", content, author)
    return office


def moved(office: Office, to: str, uid: str = "CR-001") -> None:
    with office.writing() as session:
        record = office.record(session, uid)
        read = office.read(session, uid)
        move(session, record, to, office.staff["PPL-AK"], "So.", read)


def signed(office: Office, meaning: str, who: str, role: str, uid: str = "CR-001") -> None:
    with office.writing() as session:
        record, read = office.record(session, uid), office.read(session, uid)
        sign(session, record, Signing(meaning, role), office.staff[who], office.proof(who), read)


def accepted(office: Office) -> None:
    moved(office, "assessed")
    signed(office, "reviewed", "PPL-DM", SAFETY)
    signed(office, "accepted", "PPL-EQ", MANAGER)


def edited(office: Office, **parts: object) -> None:
    with office.writing() as session:
        record, read = office.record(session, "CR-001"), office.read(session, "CR-001")
        content = replace(read_content(session, record), **parts)
        save_draft(session, record, content, office.staff["PPL-AK"], read)


def waits(office: Office, who: str) -> list[tuple[str, str]]:
    with office.reading() as session:
        found = waiting_to_sign(session, office.staff[who], [office.project(session)])
    return [(one.key.uid, one.meaning) for one in found]


def shown(office: Office) -> list[tuple[int, str]]:
    """Return what the page says was signed on an earlier revision and still holds."""
    with office.reading() as session:
        record, person = office.record(session, "CR-001"), office.staff["PPL-AK"]
        page = record_page(session, office.project(session), record, person, ["RPM"])
        return [(number, one.meaning) for number, one in page.acceptances]


def state(office: Office, uid: str = "CR-001") -> str:
    with office.reading() as session:
        return latest_revision(session, office.record(session, uid)).state


def test_nobody_works_on_a_change_before_it_is_accepted(change: Office) -> None:
    moved(change, "assessed")

    with pytest.raises(Invalid) as refusal:
        moved(change, "in_work")

    mend = "Have it signed on its page: whoever wrote it cannot."
    assert [str(fault) for fault in refusal.value.faults] == [
        f"CR-001: is not reviewed by the clinical safety officer. {mend}",
        f"CR-001: is not accepted by the quality manager or top management. {mend}",
    ]


def test_a_change_of_a_risk_waits_for_the_safety_officer_and_then_for_the_manager(
    change: Office,
) -> None:
    moved(change, "assessed")
    assert waits(change, "PPL-DM") == [("CR-001", "reviewed")]
    assert waits(change, "PPL-EQ") == []
    with pytest.raises(Conflict, match="reviewed first"):
        signed(change, "accepted", "PPL-EQ", MANAGER)

    signed(change, "reviewed", "PPL-DM", SAFETY)
    assert waits(change, "PPL-EQ") == [("CR-001", "accepted")]
    signed(change, "accepted", "PPL-EQ", MANAGER)
    assert waits(change, "PPL-EQ") == []

    moved(change, "in_work")
    assert state(change) == "in_work"


def test_a_change_that_touches_no_risk_needs_no_safety_officer(change: Office) -> None:
    moved(change, "assessed", "CR-002")
    signed(change, "accepted", "PPL-EQ", MANAGER, "CR-002")

    moved(change, "in_work", "CR-002")


def test_its_author_never_accepts_a_change(change: Office) -> None:
    amara = change.staff["PPL-AK"]
    change.staff["PPL-AK"] = replace(amara, roles={None: frozenset({"author", MANAGER, SAFETY})})
    moved(change, "assessed")

    with pytest.raises(Refused, match="wrote revision 1"):
        signed(change, "reviewed", "PPL-AK", SAFETY)


def test_what_is_told_of_the_work_leaves_the_acceptance_and_another_scope_does_not(
    change: Office,
) -> None:
    accepted(change)
    moved(change, "in_work")
    edited(change, fields={**SAID, "implemented_in": ["3f2a9c0"]})
    moved(change, "verifying")
    moved(change, "in_work")
    assert shown(change) == [(1, "reviewed"), (1, "accepted")]

    edited(change, links=(IMPACTS, LinkDraft("impacts", "DOC-001")))

    with pytest.raises(Invalid, match="cannot be brought to verifying") as refusal:
        moved(change, "verifying")
    assert [fault.code for fault in refusal.value.faults] == ["not-accepted", "not-accepted"]
    assert waits(change, "PPL-DM") == [("CR-001", "reviewed")]
    signed(change, "reviewed", "PPL-DM", SAFETY)
    signed(change, "accepted", "PPL-EQ", MANAGER)
    moved(change, "verifying")


def test_a_change_that_does_not_say_enough_is_not_accepted(change: Office) -> None:
    edited(change, fields={**SAID, "risk_reviewed": False, "class_impact": ""})
    moved(change, "assessed")

    assert waits(change, "PPL-DM") == []
    with pytest.raises(Invalid, match="cannot be accepted yet") as refusal:
        signed(change, "reviewed", "PPL-DM", SAFETY)
    assert [fault.what for fault in refusal.value.faults] == [
        "Impact on classes is empty.",
        "Risk reviewed says no.",
    ]


def test_a_change_is_not_closed_before_it_is_verified(change: Office) -> None:
    accepted(change)
    moved(change, "in_work")
    moved(change, "verifying")

    def close() -> None:
        with change.writing() as session:
            record, read = change.record(session, "CR-001"), change.read(session, "CR-001")
            decision = Decision("closed", MANAGER, "Done.")
            decide(session, record, decision, change.staff["PPL-EQ"], change.proof("PPL-EQ"), read)

    with pytest.raises(Invalid) as refusal:
        close()
    assert [fault.what for fault in refusal.value.faults] == ["there is no link 'verified by'."]


def test_an_import_accepts_nothing_and_the_rules_are_told_what_lacks(change: Office) -> None:
    content = Content("Another", "Text.", SAID, (IMPACTS,))
    draft = RecordDraft("RPM", "change", "CR-003", content, state="verifying")
    with change.writing() as session:
        import_records(session, [draft], change.staff["PPL-AK"], get_registry())
    accepted(change)

    assert state(change, "CR-003") == "assessed"
    with change.reading() as session:
        assert unaccepted(session, change.project(session)) == {
            "CR-001": (),
            "CR-002": ("accepted",),
            "CR-003": ("reviewed", "accepted"),
        }


def lacking_at(office: Office, moment: datetime | None = None) -> dict[str, tuple[str, ...]]:
    with office.reading() as session:
        return dict(unaccepted(session, office.project(session), moment))


def test_what_lacked_at_a_moment_is_what_lacked_then(change: Office) -> None:
    """A later signature, edit, withdrawal or change does not count; the earlier ones do."""
    moved(change, "assessed")
    signed(change, "reviewed", "PPL-DM", SAFETY)
    half = now()
    signed(change, "accepted", "PPL-EQ", MANAGER)
    whole = now()
    edited(change, links=(IMPACTS, LinkDraft("impacts", "DOC-001")))
    with change.writing() as session:
        record, read = change.record(session, "CR-002"), change.read(session, "CR-002")
        withdraw(session, record, change.staff["PPL-EQ"], "So.", read, change.proof("PPL-EQ"))
        content = Content("Another", "Say more.", SAID, (IMPACTS,))
        create_record(session, change.project(session), "change", content, change.staff["PPL-AK"])

    assert lacking_at(change, half) == {"CR-001": ("accepted",), "CR-002": ("accepted",)}
    assert lacking_at(change, whole) == {"CR-001": (), "CR-002": ("accepted",)}
    both = ("reviewed", "accepted")
    assert lacking_at(change) == lacking_at(change, now()) == {"CR-001": both, "CR-003": both}


@contextmanager
def statements(office: Office) -> Iterator[list[str]]:
    """Collect what is asked of the database."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(office.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(office.database.engine, "before_cursor_execute", note)


def test_twenty_changes_cost_no_more_statements_than_two(change: Office) -> None:
    def cost() -> tuple[int, int]:
        with statements(change) as told:
            lacking_at(change)
        with statements(change) as listed:
            waits(change, "PPL-EQ")
        return len(told), len(listed)

    def begun(uid: str) -> None:
        """Accept a change half, then grow it by a revision that keeps the signature."""
        moved(change, "assessed", uid)
        signed(change, "reviewed", "PPL-DM", SAFETY, uid)
        with change.writing() as session:
            record, read = change.record(session, uid), change.read(session, uid)
            content = read_content(session, record)
            grown = replace(content, fields={**content.fields, "implemented_in": ["3f2a9c0"]})
            save_draft(session, record, grown, change.staff["PPL-AK"], read)

    with change.writing() as session:
        for number in range(3, 22):
            content = Content(f"Change {number}", "Say more.", SAID, (IMPACTS,))
            project, author = change.project(session), change.staff["PPL-AK"]
            create_record(session, project, "change", content, author)
    for uid in ("CR-001", "CR-003"):
        begun(uid)
    few = cost()
    assert len(waits(change, "PPL-EQ")) == 2

    for number in range(4, 22):
        begun(f"CR-{number:03}")

    assert len(waits(change, "PPL-EQ")) == 20
    assert cost() == few
