"""A consistent copy of a database that is in use, and a database made from such a copy."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from sqlalchemy import URL, inspect

from core.db import open_database
from core.errors import Conflict, Fault, FiducialError, Invalid

SQLITE = "database.sqlite"
POSTGRESQL = "database.pgdump"

WAIT_MS = 30_000
"""How long a copy waits for writers; as long as they wait for each other."""


class DumpFailed(FiducialError):
    """The database's own program did not make or read a copy."""


def dump(url: URL, folder: Path) -> Path:
    """Copy a database in one consistent state, while others go on writing to it.

    Returns
    -------
    Path
        The copy, named :data:`SQLITE` or :data:`POSTGRESQL`, in `folder`.
    """
    if url.get_backend_name() == "sqlite":
        return _dump_sqlite(sqlite_file(url), folder / SQLITE)
    return _dump_postgresql(url, folder / POSTGRESQL)


def load(copy: Path, database_url: str) -> None:
    """Fill an empty PostgreSQL database from a copy, wholly or not at all."""
    database = open_database(database_url)
    url = database.engine.url
    try:
        present = inspect(database.engine).get_table_names()
    finally:
        database.engine.dispose()
    if present:
        raise Conflict(
            f"The database {url.database!r} already holds {len(present)} tables; restore into an "
            "empty one (createdb), so that nothing is overwritten."
        )
    _run_postgresql(
        url,
        "pg_restore",
        *("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"),
        f"--dbname={url.database}",
        str(copy),
    )


def check_sqlite(path: Path) -> None:
    """Have SQLite read a copy through.

    Raises
    ------
    Invalid
        With what SQLite says is wrong with it.
    """
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            astray = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as fault:
            said, astray = [str(fault)], []
    faults = [Fault("database-damaged", path.name, words) for words in said if words != "ok"]
    faults += [
        Fault("database-damaged", f"table {table}", f"row {row} names a missing row of {parent}.")
        for table, row, parent, _ in astray
    ]
    if faults:
        raise Invalid("The copy of the database is damaged.", faults)


def sqlite_file(url: URL) -> Path:
    """Return the file of a database that exists; opening one that does not would make it."""
    if not url.database or url.database == ":memory:":
        raise DumpFailed("A database in memory cannot be backed up; it has no file.")
    path = Path(url.database)
    if not path.is_file():
        raise DumpFailed(f"There is no database {path}; make it with `fiducial init`.")
    return path


def _dump_sqlite(source: Path, target: Path) -> Path:
    uri = f"file:{source.resolve()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True)) as reading,
        contextlib.closing(sqlite3.connect(target)) as writing,
    ):
        reading.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        # All pages in one go: one read transaction, so one state, whatever is written meanwhile.
        reading.backup(writing, pages=-1)
        # One plain file, without a write-ahead log beside it, is what goes into the archive.
        writing.execute("PRAGMA journal_mode = DELETE")
    check_sqlite(target)
    return target


def _dump_postgresql(url: URL, target: Path) -> Path:
    _run_postgresql(
        url,
        "pg_dump",
        *("--format=custom", "--no-owner", "--no-privileges"),
        f"--file={target}",
        f"--dbname={url.database}",
    )
    return target


def _run_postgresql(url: URL, program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise DumpFailed(
            f"{program} is not installed here; install PostgreSQL's client programs "
            "(Debian: postgresql-client) in the server's version or a later one."
        )
    # In the environment of that program only: its arguments could be read by everyone here.
    environment = {**os.environ, "PGPASSWORD": url.password or ""} if url.password else None
    where = [
        *([f"--host={url.host}"] if url.host else []),
        *([f"--port={url.port}"] if url.port else []),
        *([f"--username={url.username}"] if url.username else []),
    ]
    host = url.query.get("host")
    if host and not url.host:
        where.append(f"--host={host if isinstance(host, str) else host[0]}")
    ended = subprocess.run(  # noqa: S603 - no shell; every argument is one of ours
        [found, "--no-password", *where, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise DumpFailed(f"{program} failed: {ended.stderr.strip()[-2000:]}")
