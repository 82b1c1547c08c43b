"""What is remembered of QATrack+ servers: machine-made rows, written once and never changed.

A reading that failed is kept like one that succeeded. Of what a reading brought only what differs
from before is written, so that the rows of an item are its history. The token is not among them:
it is a file in the folder of keys.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

import core.people.models  # noqa: F401 - a reading may name who asked for it
from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only, controlled
from core.ledger.witness import witnessed


@controlled
@witnessed("name", "address", "time_zone", "named_at", "retired_at", named="name")
class QatrackServer(Table, table=True):
    """A QATrack+ server that an administrator named; QA procedures refer to its name."""

    __tablename__ = "qatrack_server"
    __table_args__ = (UniqueConstraint("name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    address: str = Field(sa_type=Text)
    time_zone: str
    named_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@append_only
@witnessed("server_id", "begun_at", "ended_at", "problem", "items", "changed")
class QatrackReading(Table, table=True):
    """One attempt to read a whole server."""

    __tablename__ = "qatrack_reading"
    __table_args__ = (Index("ix_qatrack_reading_server", "server_id", "begun_at"),)

    id: int | None = Field(default=None, primary_key=True)
    server_id: int = Field(foreign_key="qatrack_server.id")
    begun_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    problem: str = Field(default="", sa_type=Text)
    """Why nothing was learned; empty after a complete reading."""
    items: int = 0
    changed: int = 0


@append_only
@witnessed("reading_id", "server_id", "kind", "slug", "number", "name", "told", "gone")
class QatrackItem(Table, table=True):
    """A test list, a cycle, or one of them on a unit, from one reading on until its next row."""

    __tablename__ = "qatrack_item"
    __table_args__ = (
        UniqueConstraint("reading_id", "kind", "slug"),
        Index("ix_qatrack_item_key", "server_id", "kind", "slug"),
    )

    id: int | None = Field(default=None, primary_key=True)
    reading_id: int = Field(foreign_key="qatrack_reading.id")
    server_id: int = Field(foreign_key="qatrack_server.id")
    kind: str
    slug: str
    number: int
    name: str
    told: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    gone: bool = False
    """Whether the server no longer has it."""
