"""Checks of the files of other tools: what was sent, and what came of it. Rows never change."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only


@append_only
class TraceCheck(Table, table=True):
    """One act of asking: the files that were sent, and how they are to be read."""

    __tablename__ = "trace_check"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    number: int
    """Counted from 1 in each project; how people name it."""
    job_id: int
    via: str
    asked_by: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    form: str
    """The format that was named; empty where it is to be found out."""
    levels: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    columns: list[str] = Field(default_factory=list, sa_type=JsonColumn)


@append_only
class TraceCheckFile(Table, table=True):
    """One file of a check."""

    __tablename__ = "trace_check_file"
    __table_args__ = (UniqueConstraint("check_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="trace_check.id")
    name: str
    sha256: str = Field(foreign_key="blob.sha256")
    size: int


@append_only
class TraceCheckResult(Table, table=True):
    """What a check came to; written once, by its job."""

    __tablename__ = "trace_check_result"
    __table_args__ = (UniqueConstraint("check_id"),)

    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="trace_check.id")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    sha256: str = Field(foreign_key="blob.sha256")
    """The whole result as the command prints it, with every finding."""
    refused: str = Field(default="", sa_type=Text)
    """Why nothing could be read; empty where it was."""
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonColumn)
    form: str = ""
    items: int = 0
    links: int = 0
    findings: int = 0
    counts: dict[str, int] = Field(default_factory=dict, sa_type=JsonColumn)
    left_out: dict[str, int] = Field(default_factory=dict, sa_type=JsonColumn)
    not_judged: dict[str, int] = Field(default_factory=dict, sa_type=JsonColumn)


@append_only
class TraceCheckFinding(Table, table=True):
    """One finding of a check, in the order of their places."""

    __tablename__ = "trace_check_finding"
    __table_args__ = (UniqueConstraint("check_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="trace_check.id")
    ordinal: int
    code: str
    place: str = Field(sa_type=Text)
    """File and line, as every way in tells it."""
    uid: str = Field(default="", sa_type=Text)
    what: str = Field(sa_type=Text)
    mend: str = Field(default="", sa_type=Text)
