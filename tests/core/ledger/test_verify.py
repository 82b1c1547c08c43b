"""Whatever is done to the database behind the product's back, verifying names it."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from core.canonical import rfc3339
from core.db import open_database
from core.ledger import append, head
from core.ledger.guards import BulkChangeRefused, install_guards
from core.ledger.models import GENESIS, LedgerEntry, entry_hash
from core.ledger.placing import MOST_TOLD
from core.ledger.verified import record_verification
from core.ledger.verify import Anchor, AuditFinding
from core.people.models import Person
from core.records.approval import submit
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.models import Revision
from core.records.service import create_project, create_record
from tests.conftest import TEST_DATABASE, Office

sqlite_only = pytest.mark.skipif(bool(TEST_DATABASE), reason="edits the SQLite file by hand")
pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-004")]


@pytest.fixture
def kept(office: Office) -> Office:
    """Three documents, one of them submitted and signed by its author."""
    with office.writing() as session:
        for number in (1, 2, 3):
            create_record(
                session,
                office.project(session),
                "document",
                Content(f"Plan {number}", "Text.", {"kind": "plan"}),
                office.staff["PPL-AK"],
            )
        submit(
            session,
            office.record(session, "DOC-002"),
            office.staff["PPL-AK"],
            office.proof("PPL-AK"),
            office.read(session, "DOC-002"),
        )
    return office


def findings(office: Office, *anchors: Anchor) -> list[str]:
    with office.reading() as session:
        return [str(one) for one in verify_audit(session, anchors).findings]


def by_hand(office: Office, *statements: str, unguarded: bool = True) -> None:
    """Edit the file as somebody with a database tool would."""
    path = str(office.database.engine.url.database)
    database = open_database(f"sqlite:///{path}")
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        if unguarded:
            for (name,) in connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            ).all():
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        for statement in statements:
            connection.execute(text(statement))
    database.engine.dispose()


def test_an_untouched_record_is_clean(kept: Office) -> None:
    assert findings(kept) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET subject = 'x'",
        "DELETE FROM ledger_entry",
        "DELETE FROM record",
        "DELETE FROM revision",
        "UPDATE signature SET printed_name = 'x'",
        "DELETE FROM signature",
        "UPDATE revision SET title = 'x' WHERE state <> 'draft'",
        "DELETE FROM project",
    ],
)
def test_the_database_itself_refuses(kept: Office, statement: str) -> None:
    with pytest.raises(DBAPIError), kept.writing() as session:
        session.execute(text(statement))


def test_bulk_changes_of_controlled_rows_are_refused(kept: Office) -> None:
    from sqlalchemy import update

    with pytest.raises(BulkChangeRefused), kept.writing() as session:
        session.execute(update(Revision).values(title="x"))


@sqlite_only
def test_a_record_edited_by_hand_is_named(kept: Office) -> None:
    by_hand(kept, "UPDATE revision SET body = 'Nicer.' WHERE record_id = 2")

    assert any(one.startswith("DOC-002 revision 1 of RPM: its content") for one in findings(kept))


@sqlite_only
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ledger_entry SET subject = 'x' WHERE seq = 9", "audit trail entry 9: "),
        ("DELETE FROM ledger_entry WHERE seq = 9", "audit trail entry 9: was deleted"),
        ("DELETE FROM ledger_entry WHERE seq >= 12", "the end was cut or the head changed"),
        ("UPDATE signature SET role = 'x'", "is not the one that the audit trail recorded"),
        ("DELETE FROM signature", "is gone or changed"),
        ("UPDATE revision SET author_name = 'x' WHERE id = 1", "DOC-001 revision 1"),
        ("UPDATE revision SET state = 'approved' WHERE id = 1", "DOC-001 revision 1"),
        ("DELETE FROM revision WHERE id = 3", "DOC-003 revision 1"),
    ],
)
def test_each_edit_by_hand_is_named(kept: Office, statement: str, said: str) -> None:
    by_hand(kept, statement)

    assert any(said in one for one in findings(kept))


def anchor_now(office: Office) -> Anchor:
    with office.reading() as session:
        end = head(session)
        return Anchor(end.seq, end.hash, "pack.zip")


@sqlite_only
def test_a_cut_tail_with_a_repaired_head_is_found_against_an_anchor(kept: Office) -> None:
    anchor = anchor_now(kept)
    with kept.reading() as session:
        entry = session.get_one(LedgerEntry, anchor.seq - 2)
        seq, hash_ = entry.seq, entry.hash
    by_hand(
        kept,
        f"DELETE FROM ledger_entry WHERE seq > {seq}",
        f"UPDATE ledger_head SET seq = {seq}, hash = '{hash_}'",
    )

    assert any("pack.zip saw entry" in one for one in findings(kept, anchor))


@sqlite_only
def test_a_chain_made_anew_is_found_against_an_anchor(kept: Office) -> None:
    anchor = anchor_now(kept)
    by_hand(kept, "UPDATE ledger_entry SET person_name = 'Nobody' WHERE seq = 5")
    rechain(kept)

    chain_only = [one for one in findings(kept) if "trigger" not in one]
    against = [one for one in findings(kept, anchor) if "trigger" not in one]

    assert chain_only == []
    assert any("the chain was made anew" in one for one in against)


@sqlite_only
def test_every_anchor_of_an_entry_is_compared_not_only_the_last(kept: Office) -> None:
    honest = anchor_now(kept)
    by_hand(kept, "UPDATE ledger_entry SET person_name = 'Nobody' WHERE seq = 5")
    rechain(kept)
    forged = replace(anchor_now(kept), source="note")
    beyond = (Anchor(10_000, "f" * 64, "a.zip"), Anchor(10_000, "f" * 64, "b.zip"))

    for both in ((honest, forged), (forged, honest)):
        assert any("pack.zip saw" in one and "made anew" in one for one in findings(kept, *both))
    told = " ".join(findings(kept, *beyond))
    assert "a.zip saw entry" in told
    assert "b.zip saw entry" in told


def rechain(office: Office) -> None:
    """Recompute every hash, as an attacker with the source code could."""
    with Session(office.database.engine.execution_options(fiducial_writes=True)) as session:
        previous = GENESIS
        for entry in session.exec(select(LedgerEntry).order_by(LedgerEntry.seq)).all():  # type: ignore[arg-type]
            entry.previous = previous
            entry.hash = entry_hash(entry)
            previous = entry.hash
        head(session).hash = previous
        session.commit()


def test_an_event_and_what_it_records_live_or_die_together(office: Office) -> None:
    before = anchor_now(office)

    def half_done() -> None:
        with office.writing() as session:
            session.add(Person(username="x", uid="PPL-X", name="X", password_hash=""))
            append(session, "person:account:create", None, subject="PPL-X")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()

    assert anchor_now(office) == before


def test_what_is_recorded_is_read_back_as_it_was_written(office: Office) -> None:
    told = {"é": [1, 2.5, None, True], "nested": {"a": "b"}}
    with office.writing() as session:
        entry = append(session, "test:thing:do", office.staff["PPL-AK"], data=told)
        seq = entry.seq

    with office.reading() as session:
        found = session.get_one(LedgerEntry, seq)
        assert found.details == json.loads(json.dumps(told))
        assert found.person_name == "Amara Kole"


@sqlite_only
def test_a_finding_says_which_entry_recorded_it_and_when(kept: Office) -> None:
    by_hand(kept, "UPDATE revision SET title = 'Nicer' WHERE record_id = 2")

    [finding] = changed_in(kept)

    with kept.reading() as session:
        entry = session.get_one(LedgerEntry, finding.entry)
        assert (entry.subject, entry.action) == ("DOC-002", "record:document:sign")
        assert finding.recorded == rfc3339(entry.at)
        assert finding.right_until == entry.seq
        assert finding.when == (
            f"Recorded in entry {entry.seq} ({entry.at:%Y-%m-%d %H:%M:%S} UTC). "
            "No verification found it before this one."
        )


@sqlite_only
def test_verifications_that_the_trail_holds_narrow_down_when_it_changed(kept: Office) -> None:
    clean = verified_now(kept)
    by_hand(kept, "UPDATE revision SET title = 'Nicer' WHERE record_id = 2")
    red = verified_now(kept)
    verified_now(kept)

    [finding] = changed_in(kept)

    assert (finding.right_until, finding.wrong_from) == (clean, red)
    assert f"It was still right when entry {clean} (" in finding.when
    assert f"The verification of entry {red} (" in finding.when


@sqlite_only
def test_an_edited_entry_and_a_deleted_row_say_when_too(kept: Office) -> None:
    by_hand(
        kept,
        "UPDATE ledger_entry SET subject = 'x' WHERE seq = 9",
        "DELETE FROM revision WHERE id = 3",
    )
    with kept.reading() as session:
        found = {one.code: one for one in verify_audit(session).findings}

    assert found["edited"].entry == 9
    assert found["edited"].when.startswith("Written after entry 8 (")
    assert found["deleted"].when.startswith("Recorded in entry ")
    assert found["row"].when.startswith("Recorded in entry ")


@sqlite_only
def test_what_only_an_anchor_shows_is_not_placed_by_checks_without_one(kept: Office) -> None:
    """Each night found a trail made anew to be clean: that says nothing of when it was."""
    anchor = anchor_now(kept)
    by_hand(kept, "UPDATE ledger_entry SET person_name = 'Nobody' WHERE seq = 5")
    rechain(kept)
    put_guards_back(kept)
    verified_now(kept)
    beyond = Anchor(10_000, "f" * 64, "later.zip")

    with kept.reading() as session:
        found = verify_audit(session, (anchor, beyond)).findings

    against = [one for one in found if "pack.zip" in one.what or "later.zip" in one.what]
    assert [one.code for one in against] == ["recomputed", "cut"]
    for one in against:
        assert (one.recorded, one.right_until, one.wrong_from, one.when) == ("", None, None, "")


@sqlite_only
def test_the_same_id_of_another_project_is_not_taken_for_it(kept: Office) -> None:
    with kept.writing() as session:
        other = create_project(session, "OTH", "Another project", None)
        content = Content("Plan", "Text.", {"kind": "plan"})
        author = replace(kept.staff["PPL-AK"], roles={other.id: frozenset({"author"})})
        create_record(session, other, "document", content, author)
    by_hand(kept, "DELETE FROM revision WHERE record_id = 1")
    put_guards_back(kept)
    verified_now(kept)
    by_hand(kept, "DELETE FROM revision WHERE record_id = 4")

    with kept.reading() as session:
        found = [one for one in verify_audit(session).findings if one.code == "deleted"]

    first, second = sorted(found, key=lambda one: one.where, reverse=True)
    assert first.where == "DOC-001 revision 1 of RPM"
    assert first.wrong_from is not None
    assert second.where == "DOC-001 revision 1 of OTH"
    assert second.wrong_from is None
    assert second.right_until == first.wrong_from


@sqlite_only
def test_a_verification_that_kept_too_little_makes_no_later_one_the_first(kept: Office) -> None:
    by_hand(kept, "UPDATE revision SET title = 'Nicer' WHERE record_id = 2")
    with kept.writing() as session:
        found = verify_audit(session)
        found.findings[:0] = [
            AuditFinding("no-guard", f"trigger {n}", "x") for n in range(MOST_TOLD)
        ]
        record_verification(session, found)
    [before] = changed_in(kept)
    with kept.writing() as session:
        found = verify_audit(session)
        found.findings = [one for one in found.findings if one.code == "changed"]
        named = record_verification(session, found).seq

    [after] = changed_in(kept)

    assert before.wrong_from is None
    assert before.when.endswith("may have found it: not all is kept of them.")
    assert after.wrong_from == named
    assert after.when.endswith("found it at the latest.")


def put_guards_back(office: Office) -> None:
    """Leave nothing missing, so that a verification finds few enough things to keep them all."""
    with office.database.engine.execution_options(fiducial_writes=True).begin() as connection:
        install_guards(connection)


def changed_in(office: Office) -> list[AuditFinding]:
    with office.reading() as session:
        return [one for one in verify_audit(session).findings if one.code == "changed"]


def verified_now(office: Office) -> int:
    """Verify and write it into the trail, as each night does; return the entry."""
    with office.writing() as session:
        return record_verification(session, verify_audit(session)).seq
