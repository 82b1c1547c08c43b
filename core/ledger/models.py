"""The audit trail's table: one row per event, each bound to the one before it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field

from core.canonical import digest, read_json, rfc3339
from core.db import Table, UtcDateTime
from core.ledger.guards import append_only
from core.ledger.triggers import GENESIS as GENESIS


@append_only
class LedgerEntry(Table, table=True):
    """One event. `data` is kept as the canonical JSON text that was hashed."""

    __tablename__ = "ledger_entry"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    person_id: int | None = None
    person_name: str = ""
    action: str = Field(index=True)
    project_id: int | None = Field(default=None, index=True)
    subject: str = Field(default="", index=True)
    data: str = Field(default="{}", sa_type=Text)
    previous: str
    hash: str

    @property
    def details(self) -> dict[str, Any]:
        """What was recorded, read back."""
        found: dict[str, Any] = read_json(self.data.encode())
        return found


class LedgerHead(Table, table=True):
    """The end of the chain: one row, locked by whoever appends."""

    __tablename__ = "ledger_head"

    id: int = Field(default=1, primary_key=True)
    seq: int = 0
    hash: str = GENESIS


def entry_hash(entry: LedgerEntry) -> str:
    """Return the digest of an entry over everything it says and the entry before it."""
    return digest(
        {
            "seq": entry.seq,
            "at": rfc3339(entry.at),
            "person_id": entry.person_id,
            "person_name": entry.person_name,
            "action": entry.action,
            "project_id": entry.project_id,
            "subject": entry.subject,
            "data": entry.data,
            "previous": entry.previous,
        }
    )
