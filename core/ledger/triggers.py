"""The triggers that refuse what would change history, in the words of both databases."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData, UniqueConstraint

GENESIS = "0" * 64
"""What the first entry of the audit trail follows."""

ALL_BUT_DELETED = ("ledger_head", "project", "record", "revision")
"""Tables whose rows change in part and are never deleted."""

KEYS = {
    "ledger_head": ("id",),
    "project": ("id", "key"),
    "record": ("id", "project_id", "type", "uid"),
    "record_link": ("id", "revision_id"),
    "revision": ("id", "record_id", "number"),
}
"""What a row is known by, which stays while the rest of it may change."""

IMMUTABLE_OF_REVISION = (
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

_STATE_OF = "(SELECT state FROM revision WHERE id = {row}.revision_id)"
_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_ROW, _BEFORE = 1, 2
"""Of pg_trigger.tgtype (PostgreSQL, src/include/catalog/pg_trigger.h)."""


@dataclass(frozen=True)
class Guard:
    """One trigger: what it refuses, when, and with which words.

    Attributes
    ----------
    when : str
        SQL over NEW and OLD; empty refuses always.
    """

    name: str
    table: str
    event: str
    message: str
    when: str = ""

    def sqlite(self) -> str:
        """Return the statement that makes it on SQLite, as SQLite keeps it."""
        clause = f" WHEN {self.when}" if self.when else ""
        return (
            f'CREATE TRIGGER "{self.name}" BEFORE {self.event} ON "{self.table}" FOR EACH ROW'
            f"{clause} BEGIN SELECT RAISE(ABORT, '{self.message}'); END"
        )

    def postgresql(self) -> tuple[str, str]:
        """Return the statements that make its function and it on PostgreSQL."""
        every = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        return (
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$${self.body}$$",
            f'CREATE TRIGGER "{self.name}" BEFORE {self.event} ON "{self.table}" '
            f"FOR EACH {every} EXECUTE FUNCTION {self.name}()",
        )

    @property
    def body(self) -> str:
        """The body of its function on PostgreSQL."""
        test = f"IF NOT ({self.when}) THEN RETURN COALESCE(NEW, OLD); END IF; " if self.when else ""
        return f"BEGIN {test}RAISE EXCEPTION '{self.message}'; END"

    @property
    def kind(self) -> int:
        """Its kind as PostgreSQL keeps it."""
        return _BEFORE | _BITS[self.event] | (0 if self.event == "TRUNCATE" else _ROW)


def guards(append_only: Iterable[str], metadata: MetaData, *, sqlite: bool) -> list[Guard]:
    """Return every guard of the tables there may be."""
    tables = sorted(set(append_only))
    found = [*_history(tables), *_revisions(sqlite=sqlite), *_links()]
    found += _trail(sqlite=sqlite)
    found += _keys(sqlite=sqlite)
    if sqlite:
        found += _replacements(sorted({*tables, *KEYS}), metadata)
    else:
        found += [
            Guard(
                f"guard_{table}_delete_truncate", table, "TRUNCATE", f"a {table} is never emptied"
            )
            for table in sorted({*tables, *KEYS})
        ]
    return found


def present(connection: Connection) -> dict[str, object]:
    """Return the triggers that are there and work, by name, with what tells one from another."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        return {str(name): sql for name, sql in connection.exec_driver_sql(query)}
    query = (
        "SELECT t.tgname, c.relname, t.tgtype, p.prosrc FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
        "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL "
        "AND t.tgattr::text = '' AND c.relnamespace = current_schema()::regnamespace"
    )
    return {str(row[0]): (row[1], int(row[2]), row[3]) for row in connection.exec_driver_sql(query)}


def expected(guard: Guard, *, sqlite: bool) -> object:
    """Return what `present` says of a guard that is as it was made."""
    return guard.sqlite() if sqlite else (guard.table, guard.kind, guard.body)


def _history(tables: Iterable[str]) -> Iterator[Guard]:
    for table in tables:
        for event in ("UPDATE", "DELETE"):
            yield Guard(f"guard_{table}_{event.lower()}", table, event, f"{table} is append-only")
    for table in ALL_BUT_DELETED:
        yield Guard(f"guard_{table}_delete", table, "DELETE", f"a {table} is never deleted")


def _revisions(*, sqlite: bool) -> Iterator[Guard]:
    yield Guard(
        "guard_revision_update",
        "revision",
        "UPDATE",
        "a submitted revision is immutable",
        f"OLD.state NOT IN ('draft') AND ({_changed(IMMUTABLE_OF_REVISION, sqlite=sqlite)})",
    )
    yield Guard(
        "guard_revision_state",
        "revision",
        "UPDATE",
        "an approved revision stays approved",
        f"OLD.state IN ('approved', 'recorded') AND ({_changed(('state',), sqlite=sqlite)})",
    )


def _links() -> Iterator[Guard]:
    for event, rows in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
        yield Guard(
            f"guard_record_link_{event.lower()}",
            "record_link",
            event,
            "the links of a submitted revision are immutable",
            " OR ".join(f"{_STATE_OF.format(row=row)} <> 'draft'" for row in rows),
        )


_NEXT_SEQ = "(SELECT COALESCE(MAX(seq), 0) + 1 FROM ledger_entry)"
_LAST_HASH = "(SELECT hash FROM ledger_entry ORDER BY seq DESC LIMIT 1)"


def _trail(*, sqlite: bool) -> Iterator[Guard]:
    differs = _differs(sqlite=sqlite)
    yield Guard(
        "guard_ledger_entry_insert",
        "ledger_entry",
        "INSERT",
        "an entry of the audit trail follows the last one",
        f"NEW.seq {differs} {_NEXT_SEQ} "
        f"OR NEW.previous {differs} COALESCE({_LAST_HASH}, '{GENESIS}')",
    )
    yield Guard(
        "guard_ledger_head_update",
        "ledger_head",
        "UPDATE",
        "the head of the audit trail moves on one at a time",
        f"NEW.seq {differs} OLD.seq + 1",
    )


def _keys(*, sqlite: bool) -> Iterator[Guard]:
    for table, columns in sorted(KEYS.items()):
        when = _changed(columns, sqlite=sqlite)
        message = f"a {table} keeps its key and is not replaced"
        yield Guard(f"guard_{table}_key", table, "UPDATE", message, when)


def _replacements(tables: Iterable[str], metadata: MetaData) -> Iterator[Guard]:
    """Refuse `INSERT OR REPLACE`, which deletes the row in its way and tells no trigger."""
    for name in tables:
        table = metadata.tables.get(name)
        if table is None:
            continue
        keys = [tuple(column.name for column in table.primary_key)]
        keys += [
            tuple(column.name for column in one.columns)
            for one in table.constraints
            if isinstance(one, UniqueConstraint)
        ]
        keys += [
            tuple(column.name for column in one.columns) for one in table.indexes if one.unique
        ]
        taken = " OR ".join(_taken(name, key) for key in sorted(set(keys)))
        message = f"a {name} is never replaced"
        yield Guard(f"guard_{name}_replace", name, "INSERT", message, taken)


def _taken(table: str, key: Iterable[str]) -> str:
    same = " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
    return f'EXISTS (SELECT 1 FROM "{table}" WHERE {same})'  # noqa: S608 - names of our own tables


def _changed(columns: Iterable[str], *, sqlite: bool) -> str:
    differs = _differs(sqlite=sqlite)
    return " OR ".join(f'NEW."{column}" {differs} OLD."{column}"' for column in columns)


def _differs(*, sqlite: bool) -> str:
    return "IS NOT" if sqlite else "IS DISTINCT FROM"
