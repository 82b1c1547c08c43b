"""Tables of baselines: written whole and once, never changed. What belongs in is for `service`."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import Table, UtcDateTime
from core.ledger.guards import append_only


@append_only
class Baseline(Table, table=True):
    """A list of records, each at one revision, under one root hash."""

    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    number: int
    root: str = Field(index=True)
    count: int
    purpose: str
    person_id: int | None = Field(default=None, foreign_key="person.id")
    person_name: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@append_only
class BaselineEntry(Table, table=True):
    """One line of a baseline; it names records of other projects that the project's link to."""

    __tablename__ = "baseline_entry"
    __table_args__ = (Index("ix_baseline_entry_baseline_id", "baseline_id"),)

    id: int | None = Field(default=None, primary_key=True)
    baseline_id: int = Field(foreign_key="baseline.id")
    project: str
    uid: str
    revision: int
    digest: str
