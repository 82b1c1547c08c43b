"""A run as JSON Schema tells it: what `run_as_plain` returns, named and typed.

A row that somebody changed by hand still has to be read, so nothing here stands between a reader
and a run: the schema says which words there are, and the tests hold real runs against it.
"""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from validation.protocols.plan import MANUAL, NUMERICAL, VERIFICATION
from validation.recorder.evidence import Status
from validation.runs.models import EventKind, RunState

STOPPED = "stopped"
"""The state of a run whose job was given up before it ended."""

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"


def _one_of(words: Iterable[str]) -> Any:
    return Field(json_schema_extra={"enum": [str(word) for word in words]})


State = Annotated[str, _one_of([*RunState, STOPPED])]
Verdict = Annotated[str, _one_of([PASSED, FAILED, *RunState, STOPPED])]
"""Passed or failed once it is complete; before, and where it never will be, its state."""

TestVerdict = Annotated[str, _one_of([PASSED, FAILED, NOT_RUN, *RunState, STOPPED])]
Ended = Annotated[str, _one_of(Status)]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Sha256 = Annotated[str, Field(json_schema_extra={"pattern": "^([0-9a-f]{64})?$"})]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CountsTold(_Told):
    """How many there are of what; `by_status` counts scenarios."""

    scenarios: int
    by_status: dict[str, int]
    passed: int
    steps: int
    measurements: int
    measurements_failed: int


class TesterTold(_Told):
    """Who executed it, and in which role."""

    name: str
    uid: str
    role: str


class DeviceTold(_Told):
    """What was executed: a commit of the device's repository, and whether the folder stayed so."""

    repository: str
    tag: str
    commit: str
    clean: bool
    manifest_digest: str


class EngineTold(_Told):
    """The engine that executed it."""

    version: str
    digest: str


class DataTold(_Told):
    """One file of the frozen data."""

    path: str
    size: int
    sha256: Sha256


class DataSetTold(_Told):
    """A registered data set that the run was given; `digest` is of what lay there, if anything."""

    uid: str
    title: str
    version: str
    revision: int
    content_digest: str
    registered_digest: str
    digest: str | None


class ExecutedTest(_Told):
    """A test record as it was in force when the run began, with the run's verdict on it."""

    uid: str
    title: str
    automated: bool
    revision: int
    content_digest: str
    approved_at: Moment | None
    approved_by: str
    verdict: TestVerdict


class MeasurementTold(_Told):
    """One value beside what was expected of it; each figure is a number or a word."""

    name: str
    comparison: str
    expected: Any
    tolerance: Any
    actual: Any
    unit: str
    passed: bool


class AttachmentTold(_Told):
    """A file that a step kept, by its SHA-256."""

    name: str
    media_type: str
    sha256: Sha256
    size: int


class StepTold(_Told):
    """One Given, When or Then line of a scenario, with what was measured in it."""

    keyword: str
    text: str
    status: Ended
    inputs: dict[str, Any]
    measurements: list[MeasurementTold]
    attachments: list[AttachmentTold]
    started_at: Moment | None
    ended_at: Moment | None
    seconds: float | None
    failure: str


class ScenarioTold(_Told):
    """One scenario that was executed to its end."""

    ordinal: int
    name: str
    test: str | None
    title: str
    feature: str
    line: int
    tags: list[str]
    example: dict[str, str]
    status: Ended
    flags: list[str]
    failure: str
    started_at: Moment | None
    ended_at: Moment | None
    seconds: float | None
    exit_code: int
    evidence_sha256: Sha256
    stdout_sha256: Sha256
    stderr_sha256: Sha256
    steps: list[StepTold]


class EventTold(_Told):
    """Something that happened to the run besides its scenarios; `data` is of the event's kind."""

    at: Moment
    kind: Annotated[str, _one_of(EventKind)]
    scenario: str
    text: str
    by: str
    data: dict[str, Any]


class RunTold(_Told):
    """Everything recorded of a run, in the order of its protocol."""

    number: int
    project: str
    protocol: Annotated[str, _one_of([VERIFICATION, NUMERICAL, MANUAL])]
    release: str | None
    state: State
    verdict: Verdict
    counts: CountsTold
    tester: TesterTold
    predecessor: int | None
    reason: str
    device: DeviceTold
    protocol_digest: str
    engine: EngineTold
    environment: dict[str, Any]
    environment_digest: str
    data: list[DataTold]
    data_sets: list[DataSetTold]
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    tests: list[ExecutedTest]
    scenarios: list[ScenarioTold]
    events: list[EventTold]
