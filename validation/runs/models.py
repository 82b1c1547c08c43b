"""What a validation run leaves in the database: machine-made rows, written whole and once.

A verdict is never a column: it is computed from the scenarios' statuses, so it cannot disagree
with them. A scenario's rows come into being in one transaction, with its audit entry.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only, controlled
from core.ledger.witness import witnessed


class RunState(StrEnum):
    """Where a run stands. Only a complete run says anything about a test."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    REFUSED = "refused"
    """The protocol could not be executed as approved; its faults are events of the run."""
    GIVEN_UP = "given up"
    """A person began it and did not bring it to its end; what was recorded stays to be read."""


ENDED = (RunState.COMPLETE, RunState.REFUSED, RunState.GIVEN_UP)


class EventKind(StrEnum):
    """What is noted of a run besides its scenarios."""

    STARTED = "started"
    INTERRUPTED = "interrupted"
    DEVIATION = "deviation"
    REFUSED = "refused"
    CHANGED = "changed"
    """Checked-out files or frozen data were changed while the run used them."""
    CHECKED = "checked"
    """The installation was looked at: before the first scenario, and when the run had ended."""
    ENTRY = "entry"
    """What a tester recorded of one step by hand; a later entry of the step corrects it."""
    SIGNED = "signed"
    GIVEN_UP = "given up"


@controlled
@witnessed(
    "project_id", "number", "protocol", "release_uid", "predecessor", "reason", "tester_id",
    "tester", "tester_uid", "tester_role", "state", "repository", "repository_id", "tag",
    "commit", "dirty", "manifest_digest", "protocol_digest", "engine_version", "engine_digest",
    "environment", "environment_digest", "data_folder", "data", "known_tests", "created_at",
    "started_at", "ended_at",
)  # fmt: skip
class Run(Table, table=True):
    """One execution of a protocol at one commit of a device's repository."""

    __tablename__ = "validation_run"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    number: int
    protocol: str
    release_uid: str | None = None
    predecessor: int | None = None
    reason: str = Field(default="", sa_type=Text)
    tester_id: int | None = None
    tester: str
    tester_uid: str = ""
    tester_role: str = ""
    state: str = RunState.QUEUED
    job_id: int | None = None
    repository: str
    repository_id: int = Field(foreign_key="repository.id")
    tag: str
    commit: str
    dirty: bool = False
    manifest_digest: str = ""
    protocol_digest: str = ""
    engine_version: str = ""
    engine_digest: str = ""
    environment: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    environment_digest: str = ""
    data_folder: str = ""
    data: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonColumn)
    steps_planned: int = 0
    known_tests: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@append_only
@witnessed(
    "run_id", "uid", "title", "automated", "revision", "content_digest", "approved_at",
    "approved_by",
    named="uid",
)  # fmt: skip
class RunTest(Table, table=True):
    """A test record as it was in force when the run began."""

    __tablename__ = "validation_run_test"
    __table_args__ = (UniqueConstraint("run_id", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="validation_run.id", index=True)
    uid: str
    title: str
    automated: bool
    revision: int
    content_digest: str
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_by: str = ""


@append_only
@witnessed("run_id", "uid", "title", "version", "revision", "content_digest", "digest", named="uid")
class RunDataSet(Table, table=True):
    """A data set that a run's tests are on, as it was registered when the run was asked for.

    ``digest`` is the registered one, of the files; ``content_digest`` that of the record.
    """

    __tablename__ = "validation_run_data_set"
    __table_args__ = (UniqueConstraint("run_id", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="validation_run.id", index=True)
    uid: str
    title: str
    version: str
    revision: int
    content_digest: str
    digest: str


@append_only
class RunScenario(Table, table=True):
    """One scenario, executed to its end in one attempt."""

    __tablename__ = "validation_run_scenario"
    __table_args__ = (
        UniqueConstraint("run_id", "name"),
        UniqueConstraint("run_id", "ordinal"),
        Index("ix_validation_run_scenario_test", "test_uid"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="validation_run.id", index=True)
    ordinal: int
    name: str
    key: str
    test_uid: str | None = None
    title: str
    feature: str
    line: int
    tags: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    example: dict[str, str] = Field(default_factory=dict, sa_type=JsonColumn)
    status: str
    flags: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    failure: str = Field(default="", sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exit_code: int = 0
    evidence_sha256: str
    stdout_sha256: str
    stderr_sha256: str


@append_only
class RunStep(Table, table=True):
    """One Given, When or Then line of an executed scenario."""

    __tablename__ = "validation_run_step"
    __table_args__ = (UniqueConstraint("scenario_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    scenario_id: int = Field(foreign_key="validation_run_scenario.id", index=True)
    ordinal: int
    keyword: str
    text: str = Field(sa_type=Text)
    inputs: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    status: str
    failure: str = Field(default="", sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


FIGURES = ("expected", "tolerance", "actual")
"""What every measurement keeps, each a number or a word."""


@append_only
class RunMeasurement(Table, table=True):
    """An expected value beside what was measured, in a step.

    ``figures`` holds expected, tolerance and actual: "equal" compares words as well as numbers.
    """

    __tablename__ = "validation_run_measurement"
    __table_args__ = (UniqueConstraint("step_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    step_id: int = Field(foreign_key="validation_run_step.id", index=True)
    ordinal: int
    name: str
    comparison: str
    figures: dict[str, Any] = Field(sa_type=JsonColumn)
    unit: str
    passed: bool


@append_only
class RunAttachment(Table, table=True):
    """A file of a step, kept by its SHA-256."""

    __tablename__ = "validation_run_attachment"
    __table_args__ = (UniqueConstraint("step_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    step_id: int = Field(foreign_key="validation_run_step.id", index=True)
    ordinal: int
    name: str
    media_type: str
    sha256: str = Field(index=True)
    size: int = Field(sa_type=BigInteger)


@append_only
@witnessed("run_id", "at", "kind", "scenario", "text", "by", "data")
class RunEvent(Table, table=True):
    """Something that happened to a run besides its scenarios; never changed, never hidden."""

    __tablename__ = "validation_run_event"

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="validation_run.id", index=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    kind: str
    scenario: str = ""
    text: str = Field(sa_type=Text)
    by: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
