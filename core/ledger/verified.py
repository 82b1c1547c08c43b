"""What the last verification of the audit trail came to, kept in the trail itself."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

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
    told = {
        "entries": found.entries,
        "head": found.head,
        "findings": len(found.findings),
        "told": [str(one) for one in kept],
        "found": [[one.where, one.what] for one in kept],
    }
    return append(session, ACTION, None, data=told)


def last_verification(session: Session, until: datetime | None = None) -> Verified | None:
    """Return the last verification that was recorded, by some moment if one is given, or None."""
    query = select(LedgerEntry).where(col(LedgerEntry.action) == ACTION)
    if until is not None:
        query = query.where(col(LedgerEntry.at) <= until)
    entry = session.scalars(query.order_by(col(LedgerEntry.seq).desc()).limit(1)).first()
    if entry is None:
        return None
    told = entry.details
    return Verified(entry.at.date(), int(told["entries"]), int(told["findings"]))
