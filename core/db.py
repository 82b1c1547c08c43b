"""One database, one transaction per request: SQLite by default, PostgreSQL by its address.

SQLite's own driver opens transactions late and for reading only, so two writers that have both
read would dead-lock. Here a writing session begins with BEGIN IMMEDIATE: the second writer waits
at its first statement. A reading session begins with BEGIN and never holds a writer up.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session, SQLModel  # noqa: TID251 - the one place that derives from it

from core.errors import Invalid

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, so that a migration can drop it on either database."""

CHUNK = 400
"""Values asked for in one statement; SQLite allows 32,766 parameters, PostgreSQL plans better."""


_Value = TypeVar("_Value", int, str)

BUSY_S = 30
"""How long a writer waits for the one before it; a request that waits longer is refused."""


class Table(SQLModel):
    """Base of every table: constraints have names. Tables do not validate; the edge does."""

    metadata = MetaData(naming_convention=NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. SQLite keeps no zone, so it is given back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Refuse a time without a zone; keep the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"The time {value} has no zone; use core.clock.now().")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Give a time back with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonColumn(TypeDecorator[Any]):
    """JSON: JSONB on PostgreSQL, text on SQLite. Replace values; edits in place are not saved."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Use PostgreSQL's own binary JSON where it is."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB())
        return dialect.type_descriptor(JSON())


class Database:
    """A pool of connections and the two kinds of session.

    Parameters
    ----------
    engine : Engine
        Made by `open_database`.
    data_dir : Path, optional
        The folder of the installation whose record this is; its files and mirrors lie there.
    """

    READS = "fiducial_reads"
    """What `Session.info` calls the database of a session that reads and nothing else."""

    DATA_DIR = "fiducial_data_dir"
    """What `Session.info` calls the folder of the installation."""

    def __init__(self, engine: Engine, data_dir: Path | None = None) -> None:
        self.engine = engine
        self.data_dir = data_dir
        self._writer = engine.execution_options(fiducial_writes=True)
        # SQLite shows a transaction one state of the database; PostgreSQL does when asked.
        self._reader = (
            engine
            if self.is_sqlite
            else engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one state of the database and leaves nothing behind."""
        with Session(self._reader, autoflush=False, info=self._told(self.READS)) as session:
            yield session
            session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session that commits at its end, or leaves nothing behind on any error."""
        with Session(self._writer, info=self._told()) as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def _told(self, *names: str) -> dict[str, Any]:
        return {self.DATA_DIR: self.data_dir, **dict.fromkeys(names, self)}


def data_dir_of(session: Session) -> Path | None:
    """Return the folder of the installation that a session works in, where it was told."""
    folder: Path | None = session.info.get(Database.DATA_DIR)
    return folder


def chunks(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Yield values in order and once, as many at a time as one statement asks for."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def insert_into(session: Session, table: type[Table]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that can say what becomes of a row that is there already."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def open_database(url: str, data_dir: Path | None = None) -> Database:
    """Open `url`, "sqlite:///..." or "postgresql+psycopg://...".

    What a failed statement was given is left out of its error: errors are logged, and a statement
    may hold the text of a record or the hash of a password.

    Parameters
    ----------
    data_dir : Path, optional
        The installation's data folder; for SQLite the one that the file lies in, unless given.

    Raises
    ------
    Invalid
        If the address names another kind of database.
    """
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if url.startswith("sqlite"):
        file = make_url(url).database
        beside = Path(file).parent if file and file != ":memory:" else None
        return Database(_sqlite(url), data_dir or beside)
    if url.startswith("postgresql+psycopg://"):
        engine = create_engine(
            url, pool_pre_ping=True, json_serializer=_to_json, hide_parameters=True
        )
        return Database(engine, data_dir)
    raise Invalid(
        f"FIDUCIAL_DATABASE_URL begins with '{url.split(':', 1)[0]}', which is no database that "
        "Fiducial keeps its record in; use sqlite:/// or postgresql://."
    )


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sqlite(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
        json_serializer=_to_json,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _entry: ConnectionPoolEntry) -> None:
        # The driver's own transaction handling is off: `begin` below decides.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("fiducial_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
