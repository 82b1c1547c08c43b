"""Jobs, their attempts and their finished steps: everything needed to go on after a crash."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint, text
from sqlmodel import Field

import core.people.models
import core.records.models  # noqa: F401 - a job names a person and a project
from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime

MOST_ATTEMPTS = 3
"""Attempts that may end badly without finishing a step before a job is given up."""

_LIVE = text("state IN ('queued', 'running')")


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class AttemptOutcome(StrEnum):
    """How one attempt at a job ended."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


class JobWorker(Table, table=True):
    """One worker process, described so exactly that another on its machine can see it is dead."""

    __tablename__ = "job_worker"

    id: str = Field(primary_key=True)
    host: str
    boot_id: str
    process_space: str
    pid: int
    process_started: int = Field(sa_type=BigInteger)
    """Clock ticks since the boot, which outgrow 32 bits in 248 days."""

    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Job(Table, table=True):
    """One piece of work that outlives the request that asked for it."""

    __tablename__ = "job"
    __table_args__ = (
        # Partial: a finished job's key is free again.
        Index(
            "uq_job_live_key",
            "kind",
            "key",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_job_state_not_before", "state", "not_before"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    key: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    state: JobState = Field(default=JobState.QUEUED, sa_type=String)
    project_id: int | None = Field(default=None, foreign_key="project.id", index=True)
    created_by: int | None = Field(default=None, foreign_key="person.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    not_before: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    attempts: int = 0
    most_attempts: int = MOST_ATTEMPTS
    fruitless: int = 0
    """Attempts in a row that ended badly and brought the job no further."""

    token: int = 0
    """Counts the leases ever given or taken back; only the holder of the last one may write."""

    worker_id: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)

    progress: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn)
    error: str = Field(default="", sa_type=Text)


class JobStep(Table, table=True):
    """The remembered result of a finished step, committed with the rows that the step wrote."""

    __tablename__ = "job_step"
    __table_args__ = (UniqueConstraint("job_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id")
    name: str
    token: int
    value: Any = Field(default=None, sa_type=JsonColumn)
    ended_at: datetime = Field(sa_type=UtcDateTime)


class JobAttempt(Table, table=True):
    """One try at a job. A try that was cut short is never deleted: it is part of the evidence."""

    __tablename__ = "job_attempt"
    __table_args__ = (UniqueConstraint("job_id", "number"), UniqueConstraint("job_id", "token"))

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id")
    number: int
    token: int
    worker_id: str
    worker: str
    """Host and process id, for people."""

    child_pid: int | None = None
    child_started: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: AttemptOutcome = Field(default=AttemptOutcome.RUNNING, sa_type=String)
    reason: str = Field(default="", sa_type=Text)
    detail: str = Field(default="", sa_type=Text)
    """Where in the code an unexpected error arose, for administrators."""
