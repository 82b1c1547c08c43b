"""Migrations lead to the tables of the code, and back again."""

from datetime import timedelta

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app import schema
from core.clock import now
from core.db import Database, open_database
from core.people.tokens import WRITE, Wish, find_bearer, make_token
from core.records.approval import submit
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.service import create_record
from dataflows.probing.models import DestinationList
from dataflows.qatrack.models import QatrackServer
from qms.repositories.models import Repository
from tests.conftest import Office
from validation.runs.models import Run, RunDataSet

pytestmark = [pytest.mark.database, pytest.mark.verifies("TST-038")]

BEFORE_TOKENS = "9b27c4e0d1f3"
BEFORE_DEPUTIES = "c41f7d2e8a60"
BEFORE_VIEWS = "e7a90b3c51d4"
BEFORE_DATA_SETS = "7e5a90c3b1d8"
BEFORE_RIGHTS = "a64d10f7c2b9"
BEFORE_QATRACK = "a3c5e81f60d7"
BEFORE_PROBES = "b3d81f60c9e2"


def test_migrated_database_has_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        assert schema.differences(connection) == []
        assert schema.revision_of(connection) == schema.newest()


def test_the_schema_is_named_without_alembic_as_alembic_names_it(database: Database) -> None:
    """A command asks only where the schema stands, and does without the library that moves it."""
    with database.engine.connect() as connection:
        asked = MigrationContext.configure(connection)
        assert schema.revision_of(connection) == asked.get_current_revision()
    with open_database("sqlite://").engine.connect() as connection:
        assert schema.revision_of(connection) is None
    assert [schema.newest()] == ScriptDirectory(str(schema.MIGRATIONS)).get_heads()


@pytest.mark.parametrize(
    ("before", "table"),
    [
        (BEFORE_TOKENS, "api_token"),
        (BEFORE_VIEWS, "saved_view"),
        (BEFORE_DATA_SETS, "validation_run_data_set"),
        (BEFORE_QATRACK, "qatrack_item"),
        (BEFORE_PROBES, "probe_result"),
        (BEFORE_PROBES, "destination_list"),
    ],
)
def test_tables_come_and_go_with_their_migration(
    database: Database, before: str, table: str
) -> None:
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.downgrade(schema._config(connection), before)
        assert table not in inspect(connection).get_table_names()

    schema.upgrade_database(database)

    with database.engine.connect() as connection:
        assert table in inspect(connection).get_table_names()
        assert schema.differences(connection) == []


def test_tokens_made_before_there_were_rights_do_what_they_did(office: Office) -> None:
    tomorrow = str(now().date() + timedelta(days=1))
    with office.writing() as session:
        token = make_token(session, Wish("import", True, None, tomorrow), office.staff["PPL-AK"])
    engine = office.database.engine
    with engine.execution_options(fiducial_writes=True).begin() as connection:
        command.downgrade(schema._config(connection), BEFORE_RIGHTS)
        columns = {one["name"] for one in inspect(connection).get_columns("api_token")}
        assert not {"starts", "acts"} & columns

    schema.upgrade_database(office.database)

    with office.reading() as session:
        bearer = find_bearer(session, token)
        assert bearer is not None
        assert bearer.rights == {WRITE}
        assert verify_audit(session).clean
    with engine.connect() as connection:
        assert schema.differences(connection) == []


@pytest.mark.parametrize(("starts", "acts"), [(True, False), (False, True)])
def test_a_token_with_a_right_refuses_to_lose_it(office: Office, starts: bool, acts: bool) -> None:
    wish = Wish("robot", False, None, str(now().date() + timedelta(days=1)), starts, acts)
    with office.writing() as session:
        make_token(session, wish, office.staff["PPL-AK"])

    refused(office, BEFORE_RIGHTS, "A token was made to start jobs or to act")


def test_a_server_that_was_named_refuses_to_be_forgotten(office: Office) -> None:
    with office.writing() as session:
        session.add(
            QatrackServer(name="clinic", address="https://qatrack.example.org", time_zone="UTC")
        )

    refused(office, BEFORE_QATRACK, r"QATrack\+ servers are on record")


def test_a_list_that_was_imported_refuses_to_be_forgotten(office: Office) -> None:
    with office.writing() as session:
        project_id = office.project(session).id or 0
        session.add(DestinationList(project_id=project_id, system="A", name="a.csv", digest="0"))

    refused(office, BEFORE_PROBES, "Listeners were probed or destination lists imported")


def test_a_run_refuses_to_forget_its_data_sets(office: Office) -> None:
    with office.writing() as session:
        repository = Repository(
            project_id=office.project(session).id, name="rt", address="https://git.example.org/rt",
            registered_by="A",
        )  # fmt: skip
        session.add(repository)
        session.flush()
        run = Run(
            project_id=repository.project_id, number=1, protocol="verification", tester="A",
            repository="rt", repository_id=repository.id, tag="v1", commit="a" * 40,
        )  # fmt: skip
        session.add(run)
        session.flush()
        session.add(
            RunDataSet(
                run_id=run.id, uid="DAT-001", title="Phantoms", version="1", revision=1,
                content_digest="c" * 64, digest="d" * 64,
            )
        )  # fmt: skip

    refused(office, BEFORE_DATA_SETS, "Data sets of runs are on record")


def refused(office: Office, before: str, said: str) -> None:
    """Hold a downgrade to leaving everything as it was."""
    engine = office.database.engine.execution_options(fiducial_writes=True)

    with pytest.raises(RuntimeError, match=said), engine.begin() as connection:
        command.downgrade(schema._config(connection), before)

    with engine.connect() as connection:
        assert schema.differences(connection) == []
        assert schema.revision_of(connection) == schema.newest()
    with office.reading() as session:
        assert verify_audit(session).clean


def test_signatures_given_before_there_were_deputies_are_what_they_were(office: Office) -> None:
    amara, proof = office.staff["PPL-AK"], office.proof("PPL-AK")
    fields = {"stakeholder": "Physicist", "acceptance": "Numbers agree."}
    with office.writing() as session:
        content = Content("Trust the numbers", "Right.", fields)
        need = create_record(session, office.project(session), "user_need", content, amara)
        submit(session, need, amara, proof, office.read(session, need.uid))
    engine = office.database.engine
    with engine.execution_options(fiducial_writes=True).begin() as connection:
        command.downgrade(schema._config(connection), BEFORE_DEPUTIES)
        tables, columns = inspect(connection), inspect(connection).get_columns("signature")
        assert not {"record_thread", "deputyship"} & set(tables.get_table_names())
        assert "deputy_for" not in {one["name"] for one in columns}

    schema.upgrade_database(office.database)

    with office.reading() as session:
        found = verify_audit(session)
        assert (found.signatures, found.findings) == (1, [])
    with engine.connect() as connection:
        assert schema.differences(connection) == []
