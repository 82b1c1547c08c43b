"""Jobs as programs are told of them: what was asked for, and where it stands."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from core.jobs.models import AttemptOutcome, JobState


class StartedTold(BaseModel):
    """Work that goes on after the answer; `follow` is where a program reads how far it is."""

    follow: str


class AttemptTold(BaseModel):
    """One try at a job, and how it ended."""

    model_config = ConfigDict(extra="forbid")

    number: int
    worker: str
    outcome: AttemptOutcome
    reason: str
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None


class JobTold(BaseModel):
    """Where a job stands; `progress` has `percent`, and `result` what the job came to."""

    model_config = ConfigDict(extra="forbid")

    id: int
    kind: str
    state: JobState
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: str
    created_at: AwareDatetime | None
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    attempts: list[AttemptTold]


def follow_of(job: int | None) -> str:
    """Return where a program reads how far a job is."""
    return f"/jobs/{job}.json"
