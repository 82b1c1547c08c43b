"""What the last verification of the audit trail came to, kept in the trail itself."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.ledger.brought import IMPORTED, PREFIX, Told, told
from core.ledger.chain import append
from core.ledger.models import LedgerEntry
from core.ledger.placing import ACTION, MOST_TOLD
from core.ledger.verify import Verification


@dataclass(frozen=True)
class Verified:
    """One verification that was recorded.

    Attributes
    ----------
    entries : int
        Length of the trail that was verified.
    findings : int
        How many things did not fit.
    """

    on: date
    entries: int
    findings: int


def record_verification(session: Session, found: Verification) -> LedgerEntry:
    """Write into the trail that it was verified, and what came of it."""
    kept = found.findings[:MOST_TOLD]
    said = {
        "entries": found.entries,
        "head": found.head,
        "findings": len(found.findings),
        "told": [str(one) for one in kept],
        "found": [[one.where, one.what] for one in kept],
    }
    return append(session, ACTION, None, data=said)


def last_verification(
    session: Session, until: datetime | None = None, project_id: int | None = None
) -> Verified | None:
    """Return the last verification that was recorded, by some moment if one is given, or None.

    Parameters
    ----------
    project_id : int, optional
        A project that is asked about. At a moment before it was brought here, what counts is what
        was verified where it then was.
    """
    if until is not None and (archive := _archive_after(session, until, project_id)):
        return _verified_elsewhere(session, until, archive)
    query = select(LedgerEntry).where(col(LedgerEntry.action) == ACTION)
    if until is not None:
        query = query.where(col(LedgerEntry.at) <= until)
    entry = session.scalars(query.order_by(col(LedgerEntry.seq).desc()).limit(1)).first()
    if entry is None:
        return None
    return _read(told(entry))


def _archive_after(session: Session, until: datetime, project_id: int | None) -> str:
    """Return the archive in which a project came after some moment; empty where it was here."""
    entry = session.scalars(
        select(LedgerEntry).where(
            col(LedgerEntry.action) == IMPORTED,
            col(LedgerEntry.project_id) == project_id,
            col(LedgerEntry.at) > until,
        )
    ).first()
    return str(entry.details["archive"]) if entry is not None else ""


def _verified_elsewhere(session: Session, until: datetime, archive: str) -> Verified | None:
    rows = session.scalars(
        select(LedgerEntry)
        .where(col(LedgerEntry.action) == f"{PREFIX}{ACTION}")
        .order_by(col(LedgerEntry.seq))
    )
    found = [told(one) for one in rows if one.details["archive"] == archive]
    before = [one for one in found if one.at <= until]
    return _read(max(before, key=lambda one: one.at)) if before else None


def _read(entry: Told) -> Verified:
    said = entry.details
    return Verified(entry.at.date(), int(said["entries"]), int(said["findings"]))
