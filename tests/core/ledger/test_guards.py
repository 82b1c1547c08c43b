"""The database refuses by itself what would change history, also by the back doors of its SQL."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.canonical import digest
from core.ledger import append
from core.ledger.guards import install_guards, missing_guards
from core.records.approval import submit
from core.records.audit import verify_audit
from core.records.content import Content, LinkDraft
from core.records.service import create_record
from tests.conftest import TEST_DATABASE, Office

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-001")]

sqlite_only = pytest.mark.skipif(bool(TEST_DATABASE), reason="words of SQLite")
postgresql_only = pytest.mark.skipif(not TEST_DATABASE, reason="words of PostgreSQL")

TABLES = (
    "ledger_entry",
    "ledger_head",
    "project",
    "record",
    "revision",
    "record_link",
    "signature",
)


@pytest.fixture
def kept(office: Office) -> Office:
    """A need, a submitted requirement that links to it, and a draft of another one."""
    by, proof = office.staff["PPL-AK"], office.proof("PPL-AK")
    with office.writing() as session:
        project = office.project(session)
        create_record(session, project, "user_need", Content("Need", "A need."), by)
        for title in ("Submitted", "Drafted"):
            create_record(
                session,
                project,
                "requirement",
                Content(
                    title,
                    "The system shall do it.",
                    {"category": "functional", "acceptance": "It is done."},
                    (LinkDraft("derives_from", "UN-001"),),
                ),
                by,
            )
        submit(
            session, office.record(session, "REQ-001"), by, proof, office.read(session, "REQ-001")
        )
    return office


@pytest.fixture
def tool(kept: Office) -> Iterator[sqlite3.Connection]:
    """The file in a database tool: none of our settings, and SQLite's own defaults."""
    connection = sqlite3.connect(str(kept.database.engine.url.database), isolation_level=None)
    assert connection.execute("PRAGMA recursive_triggers").fetchone() == (0,)
    yield connection
    connection.close()


def everything(kept: Office) -> str:
    with kept.reading() as session:
        rows = {
            table: [
                [str(value) for value in row]
                for row in session.execute(text(f"SELECT * FROM {table} ORDER BY 1"))
            ]
            for table in TABLES
        }
    return digest(rows)


REPLACED = {
    "an entry": "INSERT OR REPLACE INTO ledger_entry SELECT seq, at, person_id, person_name,"
    " action, project_id, 'forged', data, previous, hash FROM ledger_entry WHERE seq = 2",
    "an entry by REPLACE": "REPLACE INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 2",
    "the head": "INSERT OR REPLACE INTO ledger_head (id, seq, hash) VALUES (1, 3, 'f')",
    "a project by its key": "INSERT OR REPLACE INTO project SELECT 99, key, 'Other', demonstration,"
    " created_at FROM project",
    "a record": "REPLACE INTO record SELECT * FROM record WHERE uid = 'REQ-001'",
    "a signature": "REPLACE INTO signature SELECT * FROM signature",
    "a revision": "REPLACE INTO revision SELECT * FROM revision WHERE state = 'in_review'",
    "a link": "REPLACE INTO record_link SELECT * FROM record_link",
    "a submitted revision by renumbering a draft": "UPDATE OR REPLACE revision SET record_id ="
    " (SELECT record_id FROM revision WHERE state = 'in_review') WHERE title = 'Drafted'",
    "a submitted revision by its row number": "UPDATE OR REPLACE revision SET id ="
    " (SELECT id FROM revision WHERE state = 'in_review') WHERE title = 'Drafted'",
    "a record by another's uid": "UPDATE OR REPLACE record SET uid = 'REQ-001'"
    " WHERE uid = 'REQ-002'",
    "a record by its row number": "UPDATE OR REPLACE record SET id ="
    " (SELECT id FROM record WHERE uid = 'REQ-001') WHERE uid = 'REQ-002'",
    "a submitted link by a draft's": "UPDATE OR REPLACE record_link SET id ="
    " (SELECT min(id) FROM record_link) WHERE id = (SELECT max(id) FROM record_link)",
    "a submitted link by a draft's place": "UPDATE OR REPLACE record_link SET revision_id ="
    " (SELECT id FROM revision WHERE state = 'in_review')"
    " WHERE id = (SELECT max(id) FROM record_link)",
}


@sqlite_only
@pytest.mark.parametrize("statement", REPLACED.values(), ids=REPLACED)
def test_nothing_is_replaced(kept: Office, tool: sqlite3.Connection, statement: str) -> None:
    before = everything(kept)

    with pytest.raises(sqlite3.IntegrityError, match=r"replaced|immutable|one at a time"):
        tool.execute(statement)

    assert everything(kept) == before


FORGED = {
    "behind the end": ("seq + 2", "hash"),
    "far behind the end": ("1000000", "hash"),
    "before the beginning": ("0", "hash"),
    "below the beginning": ("-5", "hash"),
    "after another entry": ("seq + 1", "previous"),
    "after nothing": ("seq + 1", "''"),
}


@pytest.mark.parametrize(("seq", "previous"), FORGED.values(), ids=FORGED)
def test_an_entry_is_added_behind_the_last_one_only(kept: Office, seq: str, previous: str) -> None:
    forged = text(
        "INSERT INTO ledger_entry (seq, at, person_name, action, subject, data, previous, hash)"
        f" SELECT {seq}, at, 'Eve', 'x:y:z', '', '{{}}',"
        f" {previous}, 'h' FROM ledger_entry ORDER BY seq DESC LIMIT 1"
    )
    before = everything(kept)

    with pytest.raises(DBAPIError, match="follows the last one"), kept.writing() as session:
        session.execute(forged)

    assert everything(kept) == before


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_head",
        "UPDATE ledger_head SET seq = 1",
        "UPDATE ledger_head SET seq = seq + 2",
        "UPDATE ledger_head SET id = 2",
        "UPDATE record SET id = id + 1000",
        "DELETE FROM record_link WHERE id = (SELECT min(id) FROM record_link)",
    ],
)
def test_the_head_and_the_keys_of_rows_stay(kept: Office, statement: str) -> None:
    before = everything(kept)

    with pytest.raises(DBAPIError), kept.writing() as session:
        session.execute(text(statement))

    assert everything(kept) == before


def test_the_trail_goes_on_and_is_clean(kept: Office) -> None:
    with kept.writing() as session:
        append(session, "test:entry:add", None)
        append(session, "test:entry:add", None)

    with kept.reading() as session:
        assert verify_audit(session).findings == []


@postgresql_only
@pytest.mark.parametrize("table", [*TABLES, "baseline", "link_review", "validation_run_scenario"])
def test_no_table_of_the_record_is_emptied(kept: Office, table: str) -> None:
    for how in ("", " CASCADE"):
        with pytest.raises(DBAPIError), kept.writing() as session:
            session.execute(text(f"TRUNCATE {table}{how}"))


@postgresql_only
def test_emptying_the_people_does_not_take_the_record_along(kept: Office) -> None:
    with pytest.raises(DBAPIError), kept.writing() as session:
        session.execute(text("TRUNCATE person CASCADE"))


def unguarded(kept: Office, *statements: str) -> list[str]:
    with kept.database.engine.execution_options(fiducial_writes=True).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    with kept.database.engine.connect() as connection:
        return missing_guards(connection)


def test_every_guard_is_there_and_can_be_made_again(kept: Office) -> None:
    with kept.database.engine.execution_options(fiducial_writes=True).begin() as connection:
        assert missing_guards(connection) == []
        install_guards(connection)
        assert missing_guards(connection) == []


@sqlite_only
@pytest.mark.parametrize(
    "body",
    [
        "BEFORE DELETE ON ledger_entry BEGIN SELECT 1; END",
        "BEFORE DELETE ON ledger_entry WHEN 0 BEGIN SELECT RAISE(ABORT, 'no'); END",
        "BEFORE DELETE ON job BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END",
    ],
)
def test_a_guard_that_was_exchanged_for_another_is_named(kept: Office, body: str) -> None:
    changed = unguarded(
        kept,
        'DROP TRIGGER "guard_ledger_entry_delete"',
        f'CREATE TRIGGER "guard_ledger_entry_delete" {body}',
    )

    assert changed == ["guard_ledger_entry_delete"]


@postgresql_only
@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_entry DISABLE TRIGGER guard_ledger_entry_delete",
        "ALTER TABLE ledger_entry ENABLE REPLICA TRIGGER guard_ledger_entry_delete",
        "DROP TRIGGER guard_ledger_entry_delete ON ledger_entry",
        "CREATE OR REPLACE FUNCTION guard_ledger_entry_delete() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN OLD; END $$",
        "DROP TRIGGER guard_ledger_entry_delete ON ledger_entry; CREATE TRIGGER"
        " guard_ledger_entry_delete AFTER DELETE ON ledger_entry FOR EACH ROW WHEN (false)"
        " EXECUTE FUNCTION guard_ledger_entry_delete()",
    ],
)
def test_a_guard_that_was_turned_off_or_emptied_is_named(kept: Office, statement: str) -> None:
    named = unguarded(kept, statement)

    assert set(named) <= {"guard_ledger_entry_delete", "guard_ledger_entry_delete_truncate"}
    assert "guard_ledger_entry_delete" in named


@postgresql_only
def test_a_truncate_guard_that_is_gone_is_named(kept: Office) -> None:
    assert unguarded(kept, "DROP TRIGGER guard_ledger_entry_delete_truncate ON ledger_entry") == [
        "guard_ledger_entry_delete_truncate"
    ]
