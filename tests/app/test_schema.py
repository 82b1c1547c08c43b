"""Migrations lead to the tables of the code, and back again."""

import pytest
from alembic import command
from sqlalchemy import inspect

from app import schema
from core.db import Database

pytestmark = pytest.mark.database

BEFORE_TOKENS = "9b27c4e0d1f3"
BEFORE_VIEWS = "c41f7d2e8a60"


def test_migrated_database_has_the_tables_of_the_code(database: Database) -> None:
    with database.engine.connect() as connection:
        assert schema.differences(connection) == []
        assert schema.revision_of(connection) == schema.newest()


@pytest.mark.parametrize(
    ("before", "table"), [(BEFORE_TOKENS, "api_token"), (BEFORE_VIEWS, "saved_view")]
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
