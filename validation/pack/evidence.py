"""What a run leaves behind: steps with values expected and measured, files, deviations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

RunState = Literal["passed", "failed", "interrupted"]
StepState = Literal["passed", "failed", "not run"]
Comparison = Literal["within", "at_most", "at_least", "equal"]
Value = Any
"""What JSON can say: None, bool, int, float, str, and lists and mappings of these."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One labelled statement: "Python", "3.11.7"."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class SignatureEntry:
    """One signature as it is shown: who, as what, meaning what, when, over which digest."""

    name: str
    role: str
    meaning: str
    signed_at: datetime
    digest: str
    signer: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AttachmentRef:
    """A file of evidence, named by its content."""

    name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, kw_only=True)
class StepInput:
    """An input a step was given."""

    name: str
    value: Value


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measured value beside what was expected of it."""

    name: str
    expected: Value
    actual: Value
    tolerance: float | None
    unit: str
    comparison: Comparison
    passed: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """One executed step of a scenario."""

    keyword: str
    text: str
    state: StepState
    started_at: datetime | None
    seconds: float
    inputs: tuple[StepInput, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    attachments: tuple[AttachmentRef, ...] = ()
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One executed scenario of a test.

    `files` belong to the scenario as a whole and to no step: the recorder's log, and what the
    scenario wrote to its output.
    """

    test: str
    test_revision: int | None
    title: str
    feature: str
    state: StepState
    started_at: datetime | None
    seconds: float
    steps: tuple[Step, ...]
    files: tuple[AttachmentRef, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Run:
    """One attempt at a protocol; failed and interrupted attempts are runs like any other.

    Attributes
    ----------
    number : str
        The run as people name it; unique in the pack.
    environment : tuple of Fact
        Machine, system, Python, package lock digest, model digests, ...
    data_sets : tuple of Fact
        Label is the data set, value its SHA-256.
    predecessor, reason : str
        The attempt that this one repeats, and why it was repeated.
    """

    number: str
    protocol: str
    protocol_digest: str
    protocol_approved: str
    state: RunState
    tester: str
    started_at: datetime
    ended_at: datetime | None
    tag: str
    commit: str
    clean: bool
    engine_digest: str
    environment: tuple[Fact, ...]
    scenarios: tuple[Scenario, ...]
    data_sets: tuple[Fact, ...] = ()
    predecessor: str = ""
    reason: str = ""
    signatures: tuple[SignatureEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """Something that did not go as the protocol says, and what was decided about it."""

    uid: str
    run: str
    what: str
    effect: str
    disposition: str
    decided_by: str


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """A test of the record without a run in this release, and why."""

    uid: str
    title: str
    reason: str
