"""Bring a database to the newest schema, and say how far behind one is."""

import logging
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.tables import prepare
from core.db import Database, Table, open_database
from core.ledger.guards import install_guards
from core.settings import Settings

# Which dialect Alembic found is no news to whoever reads a worker's log.
logging.getLogger("alembic").setLevel(logging.WARNING)

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def upgrade(settings: Settings) -> Database:
    """Create or upgrade the database of some settings, and make its guards anew.

    The guards are made after every migration: rebuilding a table on SQLite drops them silently.
    """
    prepare()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database, settings.data_dir)
    upgrade_database(database)
    return database


def upgrade_database(database: Database) -> None:
    """Upgrade an open database, in one transaction."""
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.upgrade(_config(connection), "head")
        install_guards(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the migration that a database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the migration that this version of the product needs."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    return head or ""


def differences(connection: Connection) -> list[object]:
    """Return how the tables of a database differ from those in the code; for tests."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def write_migration(database: Database, message: str) -> None:
    """Write the next migration from what changed in the code, to be read and edited by hand."""
    prepare()
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Table.metadata
    return config
