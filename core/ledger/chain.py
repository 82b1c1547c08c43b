"""Append to the audit trail, in the same transaction as the change it records."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import canonical_json
from core.clock import now
from core.db import insert_into
from core.ledger.models import GENESIS, LedgerEntry, LedgerHead, entry_hash
from core.people.actor import Actor


def append(
    session: Session,
    action: str,
    by: Actor | None,
    project_id: int | None = None,
    subject: str = "",
    data: Mapping[str, Any] | None = None,
) -> LedgerEntry:
    """Record one event.

    Parameters
    ----------
    action : str
        "source:subject:action", e.g. "record:requirement:approve".
    by : Actor or None
        Who did it; None for the machine itself.
    subject : str
        Uid or name of what it happened to.
    data : mapping, optional
        The digest of a revision, or old and new values of what has no revisions. No secret and
        nothing of a patient.
    """
    last = head(session, lock=True)
    entry = LedgerEntry(
        seq=last.seq + 1,
        at=now(),
        person_id=by.person_id if by else None,
        person_name=by.name if by else "",
        action=action,
        project_id=project_id,
        subject=subject,
        data=canonical_json(dict(data or {})).decode(),
        previous=last.hash,
        hash="",
    )
    entry.hash = entry_hash(entry)
    last.seq, last.hash = entry.seq, entry.hash
    session.add(entry)
    session.flush()
    return entry


def hold_still(session: Session) -> None:
    """Let nobody else change the record until this transaction ends.

    Every change appends an entry, so whoever holds the end of the chain sees one state in all that
    it reads from here on, and nobody waits for somebody who waits for them: the end of the chain
    is held before any record or counter. On SQLite a writing session holds the only write lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        head(session, lock=True)


def head(session: Session, *, lock: bool = False) -> LedgerHead:
    """Return the end of the chain, locked until the transaction ends where asked for.

    On SQLite a writing session holds the only write lock already.
    """
    query = select(LedgerHead).where(col(LedgerHead.id) == 1)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.execute(query).scalar_one_or_none()
    if found is None and lock:
        # Whoever begins the trail at the same moment inserts the same row.
        begun = insert_into(session, LedgerHead).values(id=1, seq=0, hash=GENESIS)
        session.execute(begun.on_conflict_do_nothing())
        found = session.execute(query).scalar_one()
    return found or LedgerHead(id=1, seq=0, hash=GENESIS)
