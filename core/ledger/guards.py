"""What the database itself refuses: changing history, and bulk changes that nobody recorded.

Triggers are made after every migration, because rebuilding a table on SQLite drops them without
a word; `missing_guards` is asked at every start.
"""

from typing import TypeVar

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel  # noqa: TID251 - only to type the decorators

from core.db import Table
from core.ledger.triggers import Guard, expected, guards, present

TableClass = TypeVar("TableClass", bound=type[SQLModel])

APPEND_ONLY: list[type[SQLModel]] = []
CONTROLLED: list[type[SQLModel]] = []


def append_only(table: TableClass) -> TableClass:
    """Mark a table whose rows are never changed and never deleted."""
    APPEND_ONLY.append(table)
    return table


def controlled(table: TableClass) -> TableClass:
    """Mark a table whose rows change one at a time, through the service that records it."""
    CONTROLLED.append(table)
    return table


def install_guards(connection: Connection) -> None:
    """Make every trigger anew."""
    sqlite = connection.dialect.name == "sqlite"
    for guard in _guards(connection):
        there = "" if sqlite else f' ON "{guard.table}"'
        connection.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{guard.name}"{there}')
        for statement in (guard.sqlite(),) if sqlite else guard.postgresql():
            connection.exec_driver_sql(statement)


def missing_guards(connection: Connection) -> list[str]:
    """Return the names of triggers that should be there and are not, or are not as they were."""
    sqlite = connection.dialect.name == "sqlite"
    there = present(connection)
    return [
        guard.name
        for guard in _guards(connection)
        if there.get(guard.name) != expected(guard, sqlite=sqlite)
    ]


def _guards(connection: Connection) -> list[Guard]:
    """Return the guards of the tables that exist."""
    tables = set(inspect(connection).get_table_names())
    found = guards(
        (str(one.__tablename__) for one in APPEND_ONLY),
        Table.metadata,
        sqlite=connection.dialect.name == "sqlite",
    )
    return [guard for guard in found if guard.table in tables]


class BulkChangeRefused(RuntimeError):
    """Code tried to change controlled rows without recording it."""


@event.listens_for(Session, "do_orm_execute")
def _refuse_bulk_changes(state: ORMExecuteState) -> None:
    if not (state.is_update or state.is_delete):
        return
    table = getattr(state.statement, "table", None)
    guarded = {one.__tablename__ for one in (*CONTROLLED, *APPEND_ONLY)}
    allowed = state.execution_options.get("recorded", False)
    if table is not None and table.name in guarded and not allowed:
        raise BulkChangeRefused(
            f"{table.name} is a controlled table; change its rows through their service."
        )
