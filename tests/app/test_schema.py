"""Migrations lead to the tables of the code, and back again."""

import pytest
from alembic import command
from sqlalchemy import inspect

from app import schema
from core.db import Database

pytestmark = pytest.mark.database

BEFORE_TOKENS = "9b27c4e0d1f3"


def test_migrated_database_has_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        assert schema.differences(connection) == []
        assert schema.revision_of(connection) == schema.newest()


def test_tokens_come_and_go_with_their_migration(database: Database) -> None:
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.downgrade(schema._config(connection), BEFORE_TOKENS)
        assert "api_token" not in inspect(connection).get_table_names()

    schema.upgrade_database(database)

    with database.engine.connect() as connection:
        assert "api_token" in inspect(connection).get_table_names()
        assert schema.differences(connection) == []
