"""The table of signatures."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import Table, UtcDateTime
from core.ledger.guards import append_only
from core.people.actor import as_deputy


@append_only
class Signature(Table, table=True):
    """One signature: it binds the envelope digest of one revision and can be moved to no other.

    Attributes
    ----------
    deputy_for, deputy_for_uid : str
        In whose place the role was held; empty where it was the signer's own.
    """

    __table_args__ = (UniqueConstraint("envelope_digest", "meaning", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    person_id: int = Field(foreign_key="person.id")
    printed_name: str
    person_uid: str
    role: str
    meaning: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    envelope_digest: str
    reason: str = Field(default="", sa_type=Text)
    deputy_for: str = ""
    deputy_for_uid: str = ""

    @property
    def capacity(self) -> str:
        """The role in words, with whose deputy the signer was."""
        return as_deputy(self.role.replace("_", " "), self.deputy_for)
