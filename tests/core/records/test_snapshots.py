"""A kept snapshot is the one that would be loaded now, whoever wrote in the meantime."""

import random
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select
from sqlmodel import Session, col

from core.db import Database, open_database
from core.ledger import append
from core.ledger.models import LedgerEntry
from core.people.models import Person
from core.people.service import actor_of, grant
from core.records.content import Content, RecordDraft
from core.records.importing import import_records
from core.records.models import LinkReview, Project, Record
from core.records.queries import (
    load_doubts,
    load_snapshot,
    load_suspicions,
    load_touched,
    suspect_end,
)
from core.records.service import create_project, create_record
from core.records.snapshot import Key, Snapshot
from core.records.snapshot_keeping import MOST_RENEWED, SnapshotKeeper
from core.records.snapshot_rows import read_rows, snapshot_of
from core.records.suspects import Reviewed, direct_suspicions, touched_by
from core.records.types import get_registry
from tests.conftest import STAFF, Office
from tests.core.records.clerk import Clerk

pytestmark = pytest.mark.database

ASKED = ((["RPM"], True), (["RPM"], False), (["DEPT", "RPM"], True), (None, True))


@pytest.fixture
def two_projects(office: Office, all_trained: None) -> Office:
    """The office with a second project, where its staff have the same roles."""
    with office.writing() as session:
        project = create_project(session, "DEPT", "Department", None)
        for uid, (_, roles) in STAFF.items():
            person = session.get_one(Person, office.staff[uid].person_id)
            grant(session, person, roles, None, project.id)
            office.staff[uid] = actor_of(session, person)
    return office


@pytest.fixture
def elsewhere(database: Database) -> Iterator[Database]:
    """The same database as another process opens it."""
    address = database.engine.url.render_as_string(hide_password=False)
    opened = open_database(address)
    yield opened
    opened.engine.dispose()


def everything(snapshot: Snapshot) -> object:
    """Return all that a snapshot can be asked, in its order."""
    roles = [None, *sorted({link.role for link in snapshot.links})]
    return (
        list(snapshot.records.items()),
        snapshot.links,
        [
            (key, role, snapshot.outgoing(key, role), snapshot.incoming(key, role))
            for key in snapshot.records
            for role in roles
        ],
        [(name, snapshot.of_type(name)) for name in get_registry().names()],
    )


def loaded(session: Session, projects: list[str] | None, effective: bool) -> Snapshot:
    """Load a snapshot from the rows alone."""
    keys = projects or list(session.execute(select(col(Project.key))).scalars())
    return snapshot_of(read_rows(session, keys, effective=effective))


def whole_reviews(session: Session) -> dict[tuple[Key, str, Key], Reviewed]:
    """Return the last review of every link, read row by row."""
    keys = {
        record.id: Key(project.key, record.uid)
        for record, project in session.execute(
            select(Record, Project).join(Project, col(Project.id) == col(Record.project_id))
        )
    }
    return {
        (keys[one.source_id], one.role, keys[one.target_id]): Reviewed(
            one.source_fingerprint, one.target_fingerprint, one.attributes, one.gone
        )
        for one in session.execute(select(LinkReview).order_by(col(LinkReview.id))).scalars()
    }


@pytest.mark.parametrize("seed", [1, 5])
def test_a_kept_snapshot_is_the_one_that_would_be_loaded_now(
    two_projects: Office, elsewhere: Database, seed: int
) -> None:
    """Random writes by this process and by another, a comparison after each."""
    chance = random.Random(seed)
    clerk = Clerk(two_projects, chance)
    done: set[str] = set()
    for _ in range(120):
        done.add(clerk.act(chance.choice([two_projects.database, elsewhere])))
        with two_projects.reading() as session:
            for projects, effective in ASKED:
                kept = load_snapshot(session, projects, effective)
                assert everything(kept) == everything(loaded(session, projects, effective))

    assert {"create", "edit", "approve", "bring_in"} <= done


@pytest.mark.parametrize("seed", [5, 7])
def test_what_the_database_finds_in_doubt_is_what_the_rule_says(
    two_projects: Office, seed: int
) -> None:
    """The rule walks every link and every review; the statements ask only for what changed."""
    chance = random.Random(seed)
    clerk = Clerk(two_projects, chance)
    doubted = touching = 0
    for _ in range(120):
        clerk.act(two_projects.database)
        with two_projects.reading() as session:
            whole = loaded(session, None, True)
            told = direct_suspicions(whole, whole_reviews(session), suspect_end)
            found = load_suspicions(session, whole)
            alone, around = load_doubts(session)
            assert [(one.link, one.record, one.reviewed) for one in found] == [
                (one.link, one.record, one.reviewed) for one in told
            ]
            assert found == alone
            assert all(around.records[one.record] == whole.records[one.record] for one in alone)
            doubted += len(found)
            records = session.execute(select(Record).order_by(col(Record.id))).scalars().all()
            if records:
                record = chance.choice(records)
                project = session.get_one(Project, record.project_id)
                found_touched = [one for one, _ in load_touched(session, project, record)]
                key = Key(project.key, record.uid)
                assert found_touched == touched_by(whole, key, suspect_end)
                touching += len(found_touched)

    assert doubted
    assert touching


def test_a_writing_session_sees_what_it_wrote_a_moment_ago(two_projects: Office) -> None:
    with two_projects.reading() as session:
        assert not load_snapshot(session).records

    with two_projects.writing() as session:
        project, author = two_projects.project(session), two_projects.staff["PPL-AK"]
        create_record(session, project, "user_need", Content("Seen"), author)
        assert load_snapshot(session).get("UN-001", "RPM") is not None
        session.rollback()

    with two_projects.reading() as session:
        assert not load_snapshot(session).records


def test_a_transaction_that_began_before_a_write_keeps_what_it_saw(two_projects: Office) -> None:
    database, author = two_projects.database, two_projects.staff["PPL-AK"]
    with database.reading() as early:
        before = load_snapshot(early)
        with database.writing() as session:
            project = two_projects.project(session)
            create_record(session, project, "user_need", Content("Later"), author)
        with database.reading() as late:
            assert len(load_snapshot(late).records) == 1

        assert everything(load_snapshot(early)) == everything(before)
        assert not load_snapshot(early).records


def test_what_has_nothing_to_do_with_records_leaves_the_snapshot_as_it_is(
    two_projects: Office,
) -> None:
    with two_projects.reading() as session:
        before = load_snapshot(session)
    with two_projects.writing() as session:
        append(session, "session:person:open", two_projects.staff["PPL-AK"], subject="PPL-AK")

    with two_projects.reading() as session:
        assert load_snapshot(session) is before


def let_history_change(connection: Connection) -> None:
    """Take the guards away, as whoever puts another database in this one's place does."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return
    named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    for name in connection.exec_driver_sql(named).scalars().all():
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')


def test_another_audit_trail_of_the_same_length_is_not_taken_for_the_old_one(
    two_projects: Office,
) -> None:
    """As after a restore: the same address, other contents."""
    with two_projects.writing() as session:
        project, author = two_projects.project(session), two_projects.staff["PPL-AK"]
        create_record(session, project, "user_need", Content("Kept"), author)
    with two_projects.reading() as session:
        assert load_snapshot(session).get("UN-001", "RPM") is not None
    with two_projects.database.engine.begin() as connection:
        head = connection.exec_driver_sql("SELECT seq FROM ledger_head").scalar_one()
        let_history_change(connection)
        connection.exec_driver_sql("UPDATE ledger_head SET hash = 'f00d'")
        connection.exec_driver_sql("UPDATE revision SET title = 'Restored'")

    with two_projects.reading() as session:
        assert session.get_one(LedgerEntry, head)
        assert load_snapshot(session).get("UN-001", "RPM").title == "Restored"


def test_no_more_is_kept_than_allowed(
    two_projects: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.records.snapshot_keeping.MOST_RECORDS", 5)
    with two_projects.writing() as session:
        project, author = two_projects.project(session), two_projects.staff["PPL-AK"]
        for _ in range(3):
            create_record(session, project, "user_need", Content("One"), author)
    keeper = SnapshotKeeper()

    with two_projects.reading() as session:
        first = keeper.snapshot(session, ["RPM"], effective=True)
        assert keeper.snapshot(session, ["RPM"], effective=True) is first
        keeper.snapshot(session, ["RPM"], effective=False)

        assert keeper.snapshot(session, ["RPM"], effective=True) is not first


def test_a_large_import_is_read_whole(two_projects: Office) -> None:
    drafts = [
        RecordDraft("RPM", "user_need", f"UN-{n}", Content(f"Need {n}"))
        for n in range(MOST_RENEWED + 5)
    ]
    with two_projects.reading() as session:
        load_snapshot(session, ["RPM"])
    with two_projects.writing() as session:
        import_records(session, drafts, two_projects.staff["PPL-AK"], get_registry())

    with two_projects.reading() as session:
        kept = load_snapshot(session, ["RPM"])
        assert len(kept.records) == len(drafts)
        assert everything(kept) == everything(loaded(session, ["RPM"], True))


def test_readers_beside_a_writer_each_see_one_state(two_projects: Office) -> None:
    """Three readers compare kept and loaded in their own transaction while somebody writes."""
    clerk = Clerk(two_projects, random.Random(11))
    over, faults = threading.Event(), []
    compared = 0

    def read() -> None:
        nonlocal compared
        while not over.is_set() and not faults:
            with two_projects.reading() as session:
                kept = load_snapshot(session, ["RPM"])
                if everything(kept) != everything(loaded(session, ["RPM"], True)):
                    faults.append("a kept snapshot differs from its own transaction")
                compared += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for one in readers:
        one.start()
    try:
        for _ in range(60):
            clerk.act(two_projects.database)
    finally:
        over.set()
        for one in readers:
            one.join()

    assert not faults
    assert compared > len(readers)
