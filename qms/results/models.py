"""What was imported of the results of tests: machine-made rows that are never changed.

The report itself is kept as a file by its digest, and the audit trail names that digest; these
rows are what was read of it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint, false
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only


@append_only
class ResultImport(Table, table=True):
    """One act of importing: one or more reports of tests that ran on one commit."""

    __tablename__ = "result_import"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    number: int
    """Counted from 1 in each project; how people name it."""
    commit: str
    environment: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Where the tests ran, in a build that runs them in several; empty where nobody said."""
    rerun: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether it says that its cases ran again, and count instead of what they said before."""
    via: str
    """How it came: command line, program or page."""
    imported_by: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonColumn)
    """What was odd about it and did not keep it from being imported."""


@append_only
class ResultReport(Table, table=True):
    """One file of an import."""

    __tablename__ = "result_report"
    __table_args__ = (UniqueConstraint("import_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    import_id: int = Field(foreign_key="result_import.id")
    name: str
    sha256: str = Field(foreign_key="blob.sha256")
    tool: str


@append_only
class ResultCase(Table, table=True):
    """One executed test case of a report."""

    __tablename__ = "result_case"
    __table_args__ = (UniqueConstraint("report_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    report_id: int = Field(foreign_key="result_report.id")
    ordinal: int
    suite: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    outcome: str
    message: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    line: int | None = None
    """Of the report, where the format has lines."""
    seconds: float | None = None
    files: list[list[str]] = Field(default_factory=list, sa_type=JsonColumn)
    """Name and SHA-256 of each file that belongs to it and was kept."""


@append_only
class ResultNaming(Table, table=True):
    """One record that a case names; the project may get that record later."""

    __tablename__ = "result_naming"
    __table_args__ = (UniqueConstraint("case_id", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="result_case.id")
    uid: str = Field(index=True)
    stated: bool
