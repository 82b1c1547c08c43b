"""What the audit trail saw of rows that have no signature or evidence file of their own.

Whoever can write to the database file can also drop its guards. So every transaction that makes,
changes or deletes a witnessed row ends with one entry that holds the digest of each such row, and
`witness_findings` compares the last digest of each row with the row as it is now.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import SessionTransaction, UOWTransaction
from sqlmodel import Session, SQLModel  # noqa: TID251 - only to type the decorator

from core.canonical import digest, rfc3339
from core.ledger.chain import append
from core.ledger.models import LedgerEntry
from core.ledger.placing import Seen

TableClass = TypeVar("TableClass", bound=type[SQLModel])

ACTION = "rows:state:witness"
"""The action of such an entry. Pages leave it out: the act itself has an entry of its own."""

_TOUCHED = "fiducial_touched"


@dataclass(frozen=True)
class Witnessed:
    """A table whose rows are witnessed.

    Attributes
    ----------
    columns : tuple of str
        What is witnessed of a row. Listed, so that a later column changes no earlier digest.
    named : str
        The column a person knows a row by; empty where there is none.
    later : tuple of str
        Columns that came after the first rows. One that holds nothing is left out of the digest,
        so those rows keep theirs; one that somebody fills behind the trail's back is seen.
    """

    table: type[SQLModel]
    columns: tuple[str, ...]
    named: str = ""
    later: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name in the database."""
        return str(self.table.__tablename__)

    def digest_of(self, row: Any) -> str:
        """Return the digest of a row over the witnessed columns."""
        told = {column: _plain(getattr(row, column)) for column in self.columns}
        held = {column: _plain(getattr(row, column)) for column in self.later}
        return digest(told | {column: value for column, value in held.items() if value})


WITNESSED: dict[str, Witnessed] = {}


def witnessed(
    *columns: str, named: str = "", later: tuple[str, ...] = ()
) -> Callable[[TableClass], TableClass]:
    """Mark a table whose rows the audit trail witnesses at the end of each transaction."""

    def mark(table: TableClass) -> TableClass:
        found = Witnessed(table, columns, named, later)
        WITNESSED[found.name] = found
        return table

    return mark


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.isoformat() if isinstance(value, date) else value


@event.listens_for(Session, "after_flush")
def _remember(session: Session, _flush: UOWTransaction) -> None:
    touched: dict[tuple[str, int], Any] = session.info.setdefault(_TOUCHED, {})
    for row in (*session.new, *session.dirty, *session.deleted):
        name = str(getattr(row, "__tablename__", ""))
        if name in WITNESSED:
            touched[name, row.id] = row


@event.listens_for(Session, "before_commit")
def _witness(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    touched = session.info.pop(_TOUCHED, {})
    rows: dict[str, dict[str, str | None]] = defaultdict(dict)
    for (name, number), row in sorted(touched.items(), key=lambda one: one[0]):
        state = inspect(row)
        # A savepoint that was rolled back leaves rows behind that never came to be.
        if state.persistent:
            rows[name][str(number)] = WITNESSED[name].digest_of(row)
        elif state.deleted or state.was_deleted:
            rows[name][str(number)] = None
    if rows:
        append(session, ACTION, None, data={"rows": rows})


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, ended: SessionTransaction) -> None:
    # What a savepoint takes back, the transaction around it may still have touched before.
    if not ended.nested:
        session.info.pop(_TOUCHED, None)


@dataclass(frozen=True)
class Mismatch:
    """A row that is not what the trail last saw, and the entry that saw it."""

    where: str
    what: str
    last: Seen | None = None


def mismatches(session: Session, projects: Mapping[int, str]) -> Iterator[Mismatch]:
    """Yield every witnessed row that was changed, made or deleted behind the trail's back.

    Parameters
    ----------
    projects : mapping of int to str
        The key of each project by its row, to say of which one a row is.
    """
    seen = _last_seen(session)
    for name, kind in sorted(WITNESSED.items()):
        told = seen.pop(name, {})
        names = sorted({"id", *kind.columns, *kind.later, *([kind.named] if kind.named else [])})
        columns = [getattr(kind.table, column) for column in names]
        for row in session.execute(select(*columns).order_by(kind.table.id)):  # type: ignore[attr-defined]
            where = f"{name.replace('_', ' ')} {_called(kind, row, projects)}"
            last, seen_in = told.pop(str(row.id), (None, None))
            if last is None:
                yield Mismatch(where, "was made behind the audit trail's back.", seen_in)
            elif last != kind.digest_of(row):
                what = "is not as the audit trail last saw it: it was edited."
                yield Mismatch(where, what, seen_in)
        for number, (last, seen_in) in sorted(told.items()):
            if last is not None:
                where = f"{name.replace('_', ' ')} with the row number {number}"
                yield Mismatch(where, "is recorded, but its row is gone.", seen_in)


def _called(kind: Witnessed, row: Any, projects: Mapping[int, str]) -> str:
    """Return what tells a row from every other one of its table: names are given twice."""
    if not kind.named:
        return str(row.id)
    project = projects.get(row.project_id) if "project_id" in kind.columns else None
    return f"{getattr(row, kind.named)}{f' of {project}' if project else ''}, row {row.id}"


def _last_seen(session: Session) -> dict[str, dict[str, tuple[str | None, Seen | None]]]:
    seen: dict[str, dict[str, tuple[str | None, Seen | None]]] = defaultdict(dict)
    query = (
        select(LedgerEntry).where(LedgerEntry.action == ACTION).order_by(LedgerEntry.seq)  # type: ignore[arg-type]
    )
    for entry in session.execute(query).scalars():
        rows: Mapping[str, Mapping[str, str | None]] = entry.details["rows"]
        for name, digests in rows.items():
            at = Seen(entry.seq, entry.at)
            seen[name].update({number: (one, at) for number, one in digests.items()})
    return seen
