"""Who holds a role in place of whom, and from which day to which; and what was ended early."""

from datetime import date, datetime

from sqlalchemy import Text
from sqlmodel import Field

from core.clock import now
from core.db import Table, UtcDateTime
from core.ledger.guards import append_only
from core.ledger.witness import witnessed


@append_only
@witnessed(
    "project_id", "role", "principal_id", "deputy_id", "first_day", "last_day", "reason",
    "named_by", "named_at",
)  # fmt: skip
class Deputyship(Table, table=True):
    """One role of one person in one project, held by another from day to day (UTC), both whole.

    Attributes
    ----------
    principal_id : int
        Whose role it is.
    """

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    role: str
    principal_id: int = Field(foreign_key="person.id")
    deputy_id: int = Field(foreign_key="person.id", index=True)
    first_day: date
    last_day: date
    reason: str = Field(sa_type=Text)
    named_by: str
    named_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@append_only
@witnessed("deputyship_id", "reason", "ended_by", "ended_at")
class DeputyshipEnd(Table, table=True):
    """That a deputyship ended before its last day, or before it began."""

    __tablename__ = "deputyship_end"

    id: int | None = Field(default=None, primary_key=True)
    deputyship_id: int = Field(foreign_key="deputyship.id", unique=True)
    reason: str = Field(sa_type=Text)
    ended_by: str
    ended_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
