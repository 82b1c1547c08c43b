"""Baselines in a real database: frozen once, never changed, found again by their root."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from core.db import Database, Table, open_database
from core.errors import Conflict, NotFound
from core.ledger.guards import BulkChangeRefused, install_guards
from core.people.actor import Actor
from core.people.models import Person
from core.records.content import Content
from core.records.models import Project
from core.records.service import create_project, create_record, latest_revision
from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from qms.baselines.comparison import BaselineLine, compare, root_hash
from qms.baselines.integrity import baseline_faults, baselines_worth
from qms.baselines.models import Baseline, BaselineEntry
from qms.baselines.service import (
    baselines_of,
    create_baseline,
    find_baseline,
    lines_in_force,
    lines_of,
    verify_baseline,
)

LINES = [BaselineLine("RPM", f"REQ-00{n}", 1, f"{n}" * 64) for n in range(1, 4)]
ABSENT = "-"


@pytest.fixture
def db(tmp_path) -> Iterator[Database]:
    db = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    Table.metadata.create_all(db.engine)
    with db.engine.begin() as connection:
        install_guards(connection)
    yield db
    db.engine.dispose()


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    with db.writing() as session:
        yield session


@pytest.fixture
def by(session: Session) -> Actor:
    person = Person(username="ak", uid="PPL-AK", name="Amara Kole", password_hash=ABSENT)
    session.add(person)
    session.flush()
    return Actor(person.id or 0, person.name, person.uid, {None: frozenset({"author"})})


@pytest.fixture
def project(session: Session, by: Actor) -> Project:
    return create_project(session, "RPM", "RT Plan Metrics", by)


def test_a_baseline_is_found_by_number_root_and_digits(session, project, by) -> None:
    made = create_baseline(session, project, LINES, "Release REL-0.1.0", by)

    assert made.root == root_hash(LINES)
    assert find_baseline(session, project, "1") is made
    assert find_baseline(session, project, made.root) is made
    assert find_baseline(session, project, made.root[:8]) is made
    assert sorted(lines_of(session, made)) == LINES


@pytest.mark.parametrize("name", ["2", "abc", "0" * 64, ""])
def test_a_baseline_that_is_not_there_is_named(session, project, by, name) -> None:
    create_baseline(session, project, LINES, "x", by)

    with pytest.raises(NotFound):
        find_baseline(session, project, name)


def test_nothing_in_force_is_nothing_to_freeze(session, project, by) -> None:
    with pytest.raises(Conflict, match="Nothing is in force in RPM yet"):
        create_baseline(session, project, [], "x", by)


def test_the_difference_names_what_came_what_went_and_what_changed(session, project, by) -> None:
    first = create_baseline(session, project, LINES, "x", by)
    changed = BaselineLine("RPM", "REQ-002", 2, "f" * 64)
    new = BaselineLine("RPM", "REQ-009", 1, "9" * 64)
    second = create_baseline(session, project, [LINES[0], changed, new], "x", by)

    diff = compare(lines_of(session, first), lines_of(session, second))

    assert diff.added == (new,)
    assert diff.removed == (LINES[2],)
    assert [(one.before, one.after) for one in diff.changed] == [(LINES[1], changed)]


def test_a_line_whose_revision_is_gone_is_named(session, project, by) -> None:
    made = create_baseline(session, project, LINES, "x", by)

    verification = verify_baseline(session, made)

    assert verification.root == made.root
    assert verification.lost == tuple(LINES)
    assert not verification.intact


def test_the_database_refuses_to_change_or_delete_a_baseline(db) -> None:
    for statement in (
        "INSERT INTO project (key, title, demonstration, created_at) VALUES ('X1', 't', 0, 't')",
        "INSERT INTO baseline (project_id, number, root, count, purpose, person_name, at) "
        "VALUES (1, 1, 'r', 1, 'p', 'n', 't')",
        "INSERT INTO baseline_entry (baseline_id, project, uid, revision, digest) "
        "VALUES (1, 'X1', 'R', 1, 'd')",
    ):
        with db.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    for statement in (
        "UPDATE baseline SET root = 'x'",
        "UPDATE baseline_entry SET digest = 'x'",
        "DELETE FROM baseline_entry",
        "DELETE FROM baseline",
    ):
        with (
            pytest.raises((IntegrityError, OperationalError), match="append-only"),
            db.engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)


def test_code_cannot_change_baselines_in_bulk(session) -> None:

    with pytest.raises(BulkChangeRefused):
        session.execute(update(BaselineEntry).values(digest="x"))


def record(uid: str, type_: str = "requirement", project: str = "RPM", *, in_force: bool = True):
    state = "approved" if in_force else "draft"
    return RecordView(
        Key(project, uid), type_, uid, state=state, envelope_digest=uid, in_force=in_force
    )


def test_what_is_frozen_is_controlled_in_force_and_linked() -> None:
    """No draft, no release, no concession, no issue; of other projects only what is linked."""
    snapshot = Snapshot(
        [
            record("REQ-001"),
            record("REQ-002", in_force=False),
            record("REL-0.1.0", "release"),
            record("WVR-001", "waiver"),
            record("CR-001", "change"),
            record("C023", "connection", "DEPT"),
            record("C024", "connection", "DEPT"),
        ],
        [LinkView("received_over", Key("RPM", "REQ-001"), Key("DEPT", "C023"))],
    )
    controlled = ["requirement", "release", "waiver", "connection"]

    lines = lines_in_force(snapshot, "RPM", controlled)

    assert [(line.project, line.uid) for line in lines] == [("DEPT", "C023"), ("RPM", "REQ-001")]


def test_a_line_that_was_changed_and_a_baseline_that_nobody_froze_are_faults(
    session, project, by
) -> None:
    made = create_baseline(session, project, LINES, "First", by)
    before = [one.what.splitlines()[0] for one in baseline_faults(session, project)]

    session.add(
        Baseline(
            project_id=project.id, number=made.number + 1, root="0" * 64, count=0,
            purpose="Behind the trail's back", person_name="Nobody",
        )
    )  # fmt: skip
    session.add(
        BaselineEntry(
            baseline_id=made.id, project="RPM", uid="REQ-009", revision=1, digest="9" * 64
        )
    )
    session.flush()

    after = [(one.where, one.what.splitlines()) for one in baseline_faults(session, project)]
    # No record of these lines exists, so the first one is lost from the start.
    assert before == ["Baseline 1 does not hold; restore the last backup and compare."]
    told = dict(after)
    assert any("Its lines: 4 records" in line for where, lines in after for line in lines)
    assert told["RPM baseline 2"] == [
        "is not both among the baselines and, with the same root, in the audit trail."
    ]


def test_ten_baselines_read_the_revisions_no_more_often_than_two(
    db: Database, session: Session, project: Project, by: Actor
) -> None:
    elsewhere = create_project(session, "DEPT", "Department", by)
    lines = [
        in_force(session, home, uid, by)
        for home, uid in ((project, "UN-001"), (project, "UN-002"), (elsewhere, "UN-001"))
    ]

    def asked(baselines: int) -> list[str]:
        """Freeze until there are so many, and return what verifying all of them asks."""
        while len(baselines_of(session, project)) < baselines:
            create_baseline(session, project, lines, "x", by)
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        faults = baseline_faults(session, project)
        event.remove(db.engine, "before_cursor_execute", note)
        assert faults == []
        assert sum("FROM revision" in one for one in statements) == 1
        return statements

    two, ten = asked(2), asked(10)

    # Each baseline more costs the reading of its own lines.
    assert len(ten) - len(two) == 8
    assert baselines_worth(session) == 10 * len(lines) // 5


def test_every_baseline_is_still_held_against_all_revisions(session, project, by) -> None:
    line = in_force(session, project, "UN-001", by)
    create_baseline(session, project, [line], "x", by)
    create_baseline(session, project, [line, LINES[0]], "x", by)

    [fault] = baseline_faults(session, project)

    assert fault.what.startswith("Baseline 2 does not hold")
    assert "RPM REQ-001 revision 1: no revision has the digest" in fault.what


def in_force(session: Session, project: Project, uid: str, by: Actor) -> BaselineLine:
    """Write a record, and return the line with which a baseline would freeze it."""
    made = create_record(session, project, "user_need", Content(uid), by, uid=uid)
    revision = latest_revision(session, made)
    return BaselineLine(project.key, uid, revision.number, revision.envelope_digest)
