"""What probes found, and the destination lists that were imported: written once, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field

import core.people.models
import core.records.models  # noqa: F401 - a result names who asked, and belongs to a project
from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only
from core.ledger.witness import witnessed


@append_only
@witnessed(
    "project_id", "connection", "number", "key", "question", "outcome", "sentence", "took_ms",
    "address", "accepted", "refused", "probed_at", "person_id", "person", "tool",
)  # fmt: skip
class ProbeResult(Table, table=True):
    """What one probe of one association found."""

    __tablename__ = "probe_result"
    __table_args__ = (Index("ix_probe_result_association", "project_id", "connection", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    connection: str
    number: int
    """Which association of the connection, from 1."""
    key: str
    """Digest of the question: another endpoint or data type is another question."""
    question: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    outcome: str
    sentence: str = Field(sa_type=Text)
    took_ms: int
    address: str = ""
    accepted: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    refused: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    probed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    person: str = ""
    tool: str = ""


@append_only
@witnessed(
    "project_id", "system", "name", "digest", "destinations", "imported_at", "person_id", "person",
)  # fmt: skip
class DestinationList(Table, table=True):
    """The destinations that a system itself says it has, as they were imported."""

    __tablename__ = "destination_list"
    __table_args__ = (Index("ix_destination_list_project", "project_id", "system"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    system: str
    name: str
    """Of the file."""
    digest: str
    """SHA-256 of the file."""
    destinations: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonColumn)
    imported_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    person: str = ""
