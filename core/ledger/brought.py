"""Entries of another installation's audit trail, that came with a project.

An entry that was made elsewhere is never written as if it had been made here. What is written is
an entry of today, by whoever imported the project, that holds the other one word for word: its
number, time, person, data and hash. Whoever asks the trail what was done finds both kinds with
`acts` and reads either with `told`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from core.canonical import read_json, rfc3339
from core.ledger.models import LedgerEntry, entry_hash

PREFIX = "brought:"
"""Begins the action of an entry that holds one of another installation."""

IMPORTED = "archive:project:import"
"""What the audit trail calls the arrival of a project; its entry names the archive."""


@dataclass(frozen=True)
class Told:
    """What an entry says happened, wherever it was made.

    Attributes
    ----------
    seq, hash, written : int, str, datetime
        Of the entry here.
    at, person_name, action, details
        As they were where it was made.
    origin : str
        Fingerprint of the key of the installation that made it; empty for this one.
    signature : str
        Digest of the signature that it is about, as rows are numbered here; empty for others.
    """

    seq: int
    at: datetime
    person_name: str
    action: str
    project_id: int | None
    subject: str
    details: Mapping[str, Any]
    hash: str
    written: datetime
    origin: str = ""
    signature: str = ""


def acts(*actions: str) -> ColumnElement[bool]:
    """Return the condition that an entry is one of some actions, made here or brought."""
    return col(LedgerEntry.action).in_([*actions, *(f"{PREFIX}{one}" for one in actions)])


def acts_like(*patterns: str) -> ColumnElement[bool]:
    """Return the condition that an entry's action is like a pattern, made here or brought."""
    both = (*patterns, *(f"{PREFIX}{one}" for one in patterns))
    return or_(*(col(LedgerEntry.action).like(one) for one in both))


def told(entry: LedgerEntry) -> Told:
    """Read an entry as what it says, whether it was made here or brought."""
    details = entry.details
    if not entry.action.startswith(PREFIX):
        return Told(
            entry.seq, entry.at, entry.person_name, entry.action, entry.project_id, entry.subject,
            details, entry.hash, entry.at, signature=str(details.get("signature") or ""),
        )  # fmt: skip
    kept = details["entry"]
    return Told(
        seq=entry.seq,
        at=datetime.fromisoformat(kept["at"]),
        person_name=kept["person_name"],
        action=kept["action"],
        project_id=entry.project_id,
        subject=kept["subject"],
        details=read_json(kept["data"].encode()),
        hash=entry.hash,
        written=entry.at,
        origin=details["of"],
        signature=str((details.get("signature") or {}).get("here") or ""),
    )


def arrivals_from(session: Session, keys: Collection[str]) -> list[str]:
    """Return the projects that came from installations with some keys, straight or by others."""
    entries = session.scalars(select(LedgerEntry).where(acts(IMPORTED)))
    return sorted({one.subject for one in map(told, entries) if one.details.get("source") in keys})


def verbatim(entry: LedgerEntry) -> dict[str, Any]:
    """Return an entry word for word, so that its hash can be computed again anywhere."""
    return {
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "person_id": entry.person_id,
        "person_name": entry.person_name,
        "action": entry.action,
        "project_id": entry.project_id,
        "subject": entry.subject,
        "data": entry.data,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def is_whole(kept: Mapping[str, Any]) -> bool:
    """Whether an entry that was kept word for word still has the hash that it was given."""
    try:
        entry = LedgerEntry(**{**kept, "at": datetime.fromisoformat(kept["at"])})
        return bool(entry_hash(entry) == kept["hash"])
    except (KeyError, OverflowError, TypeError, ValueError):
        return False
