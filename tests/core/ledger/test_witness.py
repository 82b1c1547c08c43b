"""Rows edited by hand are named, also where whoever edits them first drops the guard."""

import pytest
from sqlalchemy import select, text

from core.ledger.guards import install_guards
from core.ledger.models import LedgerEntry
from core.ledger.witness import ACTION
from core.people.models import Person
from core.people.service import grant
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.service import create_record

pytestmark = pytest.mark.database

EDITS = {
    "a role is granted": (
        "INSERT INTO role_grant (person_id, role, granted_at)"
        " SELECT id, 'quality_manager', created_at FROM person WHERE uid = 'PPL-AK'",
        "role grant ",
        "was made behind the audit trail's back.",
    ),
    "a role is taken": (
        "DELETE FROM role_grant WHERE role = 'viewer'",
        "role grant with the row number ",
        "is recorded, but its row is gone.",
    ),
    "a name is changed": (
        "UPDATE person SET name = 'Someone Else' WHERE uid = 'PPL-AK'",
        "person ppl-ak",
        "it was edited.",
    ),
    "a password is replaced": (
        "UPDATE person SET password_hash = 'x' WHERE uid = 'PPL-EQ'",
        "person ppl-eq",
        "it was edited.",
    ),
    "a record is withdrawn": (
        "UPDATE record SET withdrawn_at = created_at WHERE uid = 'UN-001'",
        "record UN-001",
        "it was edited.",
    ),
    "a draft is in force": (
        "UPDATE record SET effective_id = latest_id WHERE uid = 'UN-001'",
        "record UN-001",
        "it was edited.",
    ),
    "an approval is dated back": (
        "UPDATE revision SET approved_at = created_at",
        "revision ",
        "it was edited.",
    ),
    "another fingerprint": (
        "UPDATE revision SET fingerprint = 'f'",
        "revision ",
        "it was edited.",
    ),
    "a link is called reviewed": (
        "INSERT INTO link_review (source_id, role, target_id, source_fingerprint,"
        " target_fingerprint, person_id, person_name, reason, at)"
        " SELECT r.id, 'derives_from', r.id, 'f', 'f', p.id, p.name, 'forged', p.created_at"
        " FROM record r, person p WHERE p.uid = 'PPL-AK'",
        "link review ",
        "was made behind the audit trail's back.",
    ),
}


@pytest.fixture
def kept(office):
    with office.writing() as session:
        content = Content("Need", "A need.")
        create_record(
            session, office.project(session), "user_need", content, office.staff["PPL-AK"]
        )
    return office


def findings(office) -> list[tuple[str, str]]:
    with office.reading() as session:
        return [(one.where, one.what) for one in verify_audit(session).findings]


def entries(office) -> list[LedgerEntry]:
    with office.reading() as session:
        found = list(session.execute(select(LedgerEntry).order_by(LedgerEntry.seq)).scalars())
        session.expunge_all()
        return found


@pytest.mark.parametrize(("edit", "where", "what"), EDITS.values(), ids=EDITS)
def test_edit_behind_the_trail_is_named(kept, edit, where, what) -> None:
    assert findings(kept) == []
    with kept.database.engine.begin() as connection:
        drop_guards(connection)
        connection.execute(text(edit))
        install_guards(connection)

    told = findings(kept)

    assert any(one.startswith(where) and what in said for one, said in told), told


def drop_guards(connection) -> None:
    if connection.dialect.name == "sqlite":
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal"
        )
    for name, table in connection.execute(text(query)).all():
        on = "" if connection.dialect.name == "sqlite" else f' ON "{table}"'
        connection.execute(text(f'DROP TRIGGER "{name}"{on}'))


def test_a_transaction_that_is_taken_back_leaves_no_witness(kept) -> None:
    before = len(entries(kept))
    with kept.writing() as session:
        session.get(Person, kept.staff["PPL-AK"].person_id).name = "Someone Else"
        session.flush()
        session.rollback()

    assert len(entries(kept)) == before
    assert findings(kept) == []


def test_a_savepoint_taken_back_leaves_the_rest_witnessed(kept) -> None:
    with kept.writing() as session:
        person = session.get(Person, kept.staff["PPL-AK"].person_id)
        grant(session, person, ["developer"], None, None)
        nested = session.begin_nested()
        grant(session, person, ["quality_manager"], None, None)
        nested.rollback()

    assert findings(kept) == []


def test_one_transaction_ends_with_one_witness(kept) -> None:
    with kept.writing() as session:
        person = session.get(Person, kept.staff["PPL-AK"].person_id)
        person.name = "First"
        session.flush()
        person.name = "Second"

    *_, last = entries(kept)
    assert last.action == ACTION
    assert list(last.details["rows"]) == ["person"]
    assert findings(kept) == []
