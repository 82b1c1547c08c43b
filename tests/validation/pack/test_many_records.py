"""A record that grows asks no statement for more values than SQLite allows.

The limit of the connections is lowered beneath the demonstration instead of the demonstration
raised above 32,766 records; what one statement asks for is lowered with it.
"""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import event, select
from sqlmodel import col

from core import db as core_db
from core.db import Database, open_database
from core.records.models import Record
from core.records.service import find_project, find_record
from qms.releases.service import release_check
from qms.risks.surroundings import load_surroundings
from tests.demonstration import BuiltDemo
from validation.pack.assemble import assemble
from validation.runs.listing import run_lines
from validation.runs.verdicts import verdicts

pytestmark = pytest.mark.slow

MOST = 60


@pytest.fixture
def narrow(built_demo: BuiltDemo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The demonstration, on connections that take few values per statement."""
    monkeypatch.setattr(core_db, "CHUNK", 25)
    database = open_database(built_demo.settings.database, built_demo.data_dir)

    @event.listens_for(database.engine, "connect")
    def lower(connection: sqlite3.Connection, _entry: object) -> None:
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, MOST)

    yield database
    database.engine.dispose()


def test_a_pack_is_gathered_whatever_the_number_of_records(
    narrow: Database, built_demo: BuiltDemo
) -> None:
    with narrow.reading() as session:
        project = find_project(session, "RPM")
        record = find_record(session, project, "REL-0.1.0")
        contents, _ = assemble(session, project, record, built_demo.settings)

    assert len(contents.records) > MOST


def test_pages_of_risks_runs_and_releases_open_whatever_the_number_of_records(
    narrow: Database,
) -> None:
    with narrow.reading() as session:
        project = find_project(session, "RPM")
        own = select(Record).where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(("risk", "requirement", "document")),
        )
        around = [load_surroundings(session, one) for one in session.scalars(own).all()]
        found = verdicts(session, "RPM")
        lines = run_lines(session, project)
        check = release_check(session, "RPM", "0.1.0")

    assert max(len(one.records) for one in around) > 3
    assert {len(found) > 3, bool(lines), bool(check.rules)} == {True}
