"""What the database itself refuses: changing history, and bulk changes that nobody recorded.

Triggers are made after every migration, because rebuilding a table on SQLite drops them without
a word; `missing_guards` is asked at every start.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, event, inspect
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel  # noqa: TID251 - only to type the decorators

TableClass = TypeVar("TableClass", bound=type[SQLModel])

APPEND_ONLY: list[type[SQLModel]] = []
CONTROLLED: list[type[SQLModel]] = []

IMMUTABLE_OF_REVISION = (
    "record_id",
    "number",
    "title",
    "body",
    "fields",
    "author_id",
    "author_name",
    "author_uid",
    "co_authors",
    "created_at",
    "reason",
    "content_digest",
    "envelope_digest",
    "previous_digest",
    "fingerprint",
)


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
    make: Callable[[str, str, str, str], list[str]]
    make = _sqlite_trigger if connection.dialect.name == "sqlite" else _postgresql_trigger
    for name, table, when, message in _guards(connection):
        for statement in make(name, table, when, message):
            connection.exec_driver_sql(statement)


def missing_guards(connection: Connection) -> list[str]:
    """Return the names of triggers that should be there and are not."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    )
    present = {str(row[0]) for row in connection.exec_driver_sql(query)}
    return [name for name, *_ in _guards(connection) if name not in present]


def _guards(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Return (name, table, "EVENT" or "EVENT WHEN condition", message) of each trigger."""
    existing = set(inspect(connection).get_table_names())
    tables = sorted({str(one.__tablename__) for one in APPEND_ONLY})
    guards = [
        (f"guard_{table}_{action.lower()}", table, action, f"{table} is append-only")
        for table in tables
        for action in ("UPDATE", "DELETE")
    ]
    sqlite = connection.dialect.name == "sqlite"
    differs = "IS NOT" if sqlite else "IS DISTINCT FROM"
    changed = " OR ".join(
        f'NEW."{column}" {differs} OLD."{column}"' for column in IMMUTABLE_OF_REVISION
    )
    guards += [
        (f"guard_{table}_delete", table, "DELETE", f"a {table} is never deleted")
        for table in ("record", "revision", "project")
    ]
    guards.append(
        (
            "guard_revision_update",
            "revision",
            f"UPDATE WHEN OLD.state NOT IN ('draft') AND ({changed})",
            "a submitted revision is immutable",
        )
    )
    state_of = "(SELECT state FROM revision WHERE id = {row}.revision_id)"
    for action, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
        guards.append(
            (
                f"guard_record_link_{action.lower()}",
                "record_link",
                f"{action} WHEN {state_of.format(row=row)} <> 'draft'",
                "the links of a submitted revision are immutable",
            )
        )
    return [guard for guard in guards if guard[1] in existing]


def _sqlite_trigger(name: str, table: str, when: str, message: str) -> list[str]:
    action, _, condition = when.partition(" WHEN ")
    clause = f"WHEN {condition}" if condition else ""
    return [
        f'DROP TRIGGER IF EXISTS "{name}"',
        f'CREATE TRIGGER "{name}" BEFORE {action} ON "{table}" FOR EACH ROW {clause} '
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
    ]


def _postgresql_trigger(name: str, table: str, when: str, message: str) -> list[str]:
    action, _, condition = when.partition(" WHEN ")
    test = f"IF NOT ({condition}) THEN RETURN COALESCE(NEW, OLD); END IF;" if condition else ""
    body = (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{test} RAISE EXCEPTION '{message}'; END $$"
    )
    statements = [
        body,
        f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
        f'CREATE TRIGGER "{name}" BEFORE {action} ON "{table}" FOR EACH ROW '
        f"EXECUTE FUNCTION {name}()",
    ]
    if action == "DELETE" and not condition:
        statements += [
            f'DROP TRIGGER IF EXISTS "{name}_truncate" ON "{table}"',
            f'CREATE TRIGGER "{name}_truncate" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT '
            f"EXECUTE FUNCTION {name}()",
        ]
    return statements


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
