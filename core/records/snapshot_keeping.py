"""Keep the last snapshots in memory, and bring them up to date by what the audit trail names.

Every change of a record appends an entry naming that record, in the same transaction. So two
reading transactions that see the same end of the audit trail see the same records, and the
entries between two ends name every record that differs: a kept snapshot is exact, whichever
process wrote. A writing session sees its own changes before they are recorded; it never asks here.
"""

import gc
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlmodel import Session, col

from core.collector import collector_at_rest
from core.db import Database
from core.ledger.chain import head
from core.ledger.models import LedgerEntry, LedgerHead
from core.records.models import Record
from core.records.snapshot import Snapshot
from core.records.snapshot_rows import (
    RecordRow,
    read_rows,
    read_rows_of,
    snapshot_after,
    snapshot_of,
)

Fact = TypeVar("Fact")

MOST_RECORDS = 100_000
"""Kept at once, some 3 kB each; the snapshot that was asked for last is kept whatever its size."""

MANY_RECORDS = 1_000
"""From here on a snapshot is worth keeping from the garbage collector."""

MOST_RENEWED = 400
"""Above this, reading everything is not slower, and the statement stays short."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot and the end of the audit trail that it was true at."""

    seq: int
    hash: str
    rows: dict[int, RecordRow]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Known(Generic[Fact]):
    """What was read of all records, and the end of the audit trail that it was true at."""

    seq: int
    hash: str
    value: Fact


class SnapshotKeeper:
    """The snapshots kept for one database, the least used first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[tuple[str, ...], bool], Kept] = OrderedDict()
        self._facts: dict[Callable[[Session], Any], Known[Any]] = {}
        self._lock = Lock()

    def snapshot(self, session: Session, projects: Sequence[str], *, effective: bool) -> Snapshot:
        """Return the snapshot as this reading transaction sees it."""
        end = head(session)
        asked = (tuple(sorted(projects)), effective)
        # Whoever asks for the same while it is read waits for it instead of reading it too.
        with self._lock:
            known = self._kept.get(asked)
            if known is None or known.hash != end.hash:
                with collector_at_rest():
                    rows, snapshot = _renewed(session, asked[0], known, end, effective=effective)
                if known is not None and known.seq > end.seq:
                    # This transaction began before the one that made what is kept.
                    return snapshot
                known = Kept(end.seq, end.hash, rows, snapshot)
            self._keep(asked, known)
            return known.snapshot

    def fact(
        self,
        session: Session,
        read: Callable[[Session], Fact],
        renew: Callable[[Session, Fact, set[int]], Fact],
    ) -> Fact:
        """Return what `read` says of all records and links.

        Read again only where the audit trail went on; `renew` brings it up to date by the ids of
        the records that were named since.
        """
        end = head(session)
        known: Known[Fact] | None = self._facts.get(read)
        if known is not None and known.hash == end.hash:
            return known.value
        named = None
        if known is not None and known.seq < end.seq:
            named = _records_named_since(session, known.seq, known.hash)
        if known is None or named is None:
            value = read(session)
        else:
            value = renew(session, known.value, named) if named else known.value
        if known is None or known.seq <= end.seq:
            self._facts[read] = Known(end.seq, end.hash, value)
        return value

    def _keep(self, asked: tuple[tuple[str, ...], bool], known: Kept) -> None:
        self._kept[asked] = known
        self._kept.move_to_end(asked)
        while len(self._kept) > 1 and sum(len(one.rows) for one in self._kept.values()) > (
            MOST_RECORDS
        ):
            self._kept.popitem(last=False)


def _renewed(
    session: Session,
    projects: Sequence[str],
    known: Kept | None,
    end: LedgerHead,
    *,
    effective: bool,
) -> tuple[dict[int, RecordRow], Snapshot]:
    earlier = known is not None and known.seq < end.seq
    named = (
        _records_named_since(session, known.seq, known.hash)
        if known is not None and earlier
        else None
    )
    if known is None or named is None:
        rows = read_rows(session, projects, effective=effective)
        snapshot = snapshot_of(rows)
        if len(rows) >= MANY_RECORDS:
            _spare_the_collector()
        return rows, snapshot
    changed = {
        number: row
        for number, row in read_rows_of(session, named, effective=effective).items()
        if row.view.key.project in projects
    }
    if not changed:
        return known.rows, known.snapshot
    rows = {**known.rows, **changed}
    return rows, snapshot_after(known.snapshot, rows, changed.values())


def _spare_the_collector() -> None:
    """Take what is alive now out of what the garbage collector walks through again and again.

    Ten thousand records are half a million objects in no ring; to look through them costs more
    than the page that is drawn from them. They are freed as ever when nothing names them.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _records_named_since(session: Session, seq: int, known_hash: str) -> set[int] | None:
    """Return the ids of the records that the audit trail names since then, or None for too many.

    None too when the audit trail is another one: a database that was restored from a backup.
    """
    last = session.get(LedgerEntry, seq)
    if last is None or last.hash != known_hash:
        return None
    query = (
        select(col(Record.id))
        .join(
            LedgerEntry,
            (col(LedgerEntry.project_id) == col(Record.project_id))
            & (col(LedgerEntry.subject) == col(Record.uid)),
        )
        .where(col(LedgerEntry.seq) > seq)
        .distinct()
        .limit(MOST_RENEWED + 1)
    )
    found = set(session.execute(query).scalars())
    return found if len(found) <= MOST_RENEWED else None


_KEEPERS: WeakKeyDictionary[Database, SnapshotKeeper] = WeakKeyDictionary()


def keeper_of(session: Session) -> SnapshotKeeper | None:
    """Return what keeps snapshots for a session, or None for one that may write."""
    database = session.info.get(Database.READS)
    if database is None:
        return None
    return _KEEPERS.setdefault(database, SnapshotKeeper())
