"""Bring a database to the newest schema, and say how far behind one is."""

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from app.tables import prepare
from core.db import Database, Table, open_database
from core.ledger.guards import install_guards
from core.settings import Settings

if TYPE_CHECKING:
    # Every command asks how far behind its database is; only one that migrates it needs Alembic.
    from alembic.config import Config

# Which dialect Alembic found is no news to whoever reads a worker's log.
logging.getLogger("alembic").setLevel(logging.WARNING)

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_NAMED = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


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
    from alembic import command

    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.upgrade(_config(connection), "head")
        install_guards(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the migration that a database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def newest() -> str:
    """Return the migration that this version of the product needs: the one that none follows."""
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    named: list[dict[str, str]] = [
        dict(_NAMED.findall(path.read_text(encoding="utf-8"))) for path in files
    ]
    [head] = {one["revision"] for one in named} - {one.get("down_revision") for one in named}
    return head


def differences(connection: Connection) -> list[object]:
    """Return how the tables of a database differ from those in the code; for tests."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Table.metadata))


def write_migration(database: Database, message: str) -> None:
    """Write the next migration from what changed in the code, to be read and edited by hand."""
    from alembic import command

    prepare()
    with database.engine.execution_options(fiducial_writes=True).begin() as connection:
        command.revision(_config(connection), message=message, autogenerate=True)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Table.metadata
    return config
