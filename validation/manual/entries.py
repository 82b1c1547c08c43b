"""What a tester recorded by hand, step by step, and the evidence that it makes. Pure.

Entries are only ever added. The latest entry of a step counts; those before it stay, and go into
the evidence beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.canonical import canonical_json, digest
from validation.protocols.manual import ManualStep
from validation.recorder.evidence import (
    Attachment,
    Comparison,
    Measurement,
    ScenarioEvidence,
    Status,
    StepEvidence,
    holds,
    in_words,
)

OUTCOMES = (Status.PASSED, Status.FAILED, Status.BLOCKED)
"""What a person may say of a step that states no figure."""

KEY_DIGITS = 16
"""Hexadecimal digits that tell scenarios apart, as the recorder's keys have."""


@dataclass(frozen=True)
class Entry:
    """What was recorded of one step at one time.

    Attributes
    ----------
    step : int
        Counted from 1.
    at : str
        RFC 3339.
    actual : float or None
        What was measured, in the unit that the step states.
    """

    step: int
    status: str
    observed: str
    by: str
    at: str
    actual: float | None = None
    attachments: tuple[Attachment, ...] = ()

    @property
    def when(self) -> datetime:
        """When the entry was made, as pages show it."""
        return datetime.fromisoformat(self.at)

    def as_data(self) -> dict[str, Any]:
        """Return what an event of the run keeps of the entry beside its text, person and time."""
        return {
            "step": self.step,
            "status": str(self.status),
            "actual": self.actual,
            "attachments": [asdict(one) for one in self.attachments],
        }

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Entry":
        """Read an entry back from a run's event, as plain values."""
        data = event["data"]
        return cls(
            step=int(data["step"]),
            status=data["status"],
            observed=event["text"],
            by=event["by"],
            at=event["at"],
            actual=data["actual"],
            attachments=tuple(Attachment(**one) for one in data["attachments"]),
        )

    def says(self, other: "Entry") -> bool:
        """Whether another entry says the same, whenever it was made."""
        return (self.as_data(), self.observed) == (other.as_data(), other.observed)


@dataclass(frozen=True)
class StepRecord:
    """One step of the protocol with what was recorded of it, the latest entry last."""

    number: int
    step: ManualStep
    entries: tuple[Entry, ...] = ()

    @property
    def latest(self) -> Entry | None:
        """The entry that counts."""
        return self.entries[-1] if self.entries else None

    @property
    def status(self) -> str:
        """How the step stands."""
        return self.latest.status if self.latest else Status.NOT_REACHED

    @property
    def measurement(self) -> Measurement | None:
        """The value measured last beside what the step states."""
        stated, entry = self.step.expectation, self.latest
        if stated is None or entry is None or entry.actual is None:
            return None
        kind = Comparison(stated.comparison)
        return Measurement(
            name=self.step.measured,
            expected=stated.expected,
            tolerance=stated.tolerance,
            actual=entry.actual,
            unit=stated.unit,
            comparison=kind.value,
            passed=holds(kind, entry.actual, stated.expected, stated.tolerance),
        )


def step_records(steps: Sequence[ManualStep], entries: Sequence[Entry]) -> list[StepRecord]:
    """Return each step with its own entries, in the order in which they were made."""
    return [
        StepRecord(at, step, tuple(one for one in entries if one.step == at))
        for at, step in enumerate(steps, start=1)
    ]


def verdict_on(step: ManualStep, actual: float) -> Status:
    """Compare what was measured with what a step states, as the recorder compares."""
    stated = step.expectation
    if stated is None:
        raise ValueError(f"The step {step.text!r} states nothing that a value is compared with.")
    kind = Comparison(stated.comparison)
    met = holds(kind, actual, stated.expected, stated.tolerance)
    return Status.PASSED if met else Status.FAILED


def evidence_of(
    test: str, revision: int, title: str, records: Sequence[StepRecord], ended_at: str
) -> ScenarioEvidence:
    """Return the evidence of a run by hand, in the form in which the recorder leaves it."""
    corrected = [one.number for one in records if len(one.entries) > 1]
    times = [entry.at for one in records for entry in one.entries]
    return ScenarioEvidence(
        key=digest([test, revision])[:KEY_DIGITS],
        title=title,
        feature=f"{test} revision {revision}",
        line=0,
        tags=[test],
        example={},
        steps=[_step(one) for one in records],
        status=_status([one.status for one in records]),
        flags=[f"step {number} was corrected" for number in corrected],
        started_at=min(times, default=None),
        ended_at=ended_at,
    )


def _status(statuses: Sequence[str]) -> Status:
    """Return how a scenario ended: one failed step fails it, one blocked step blocks it."""
    if not statuses:
        return Status.EMPTY
    for status in (Status.FAILED, Status.BLOCKED):
        if status in statuses:
            return status
    met = all(one == Status.PASSED for one in statuses)
    return Status.PASSED if met else Status.ERROR


def _step(record: StepRecord) -> StepEvidence:
    entry, measurement = record.latest, record.measurement
    if entry is None:
        return StepEvidence(record.step.keyword, record.step.text)
    inputs: dict[str, Any] = {"observed": entry.observed}
    if len(record.entries) > 1:
        inputs["corrected"] = [_words(record.step, one) for one in record.entries[:-1]]
    return StepEvidence(
        keyword=record.step.keyword,
        text=record.step.text,
        status=entry.status,
        inputs=inputs,
        measurements=[measurement] if measurement else [],
        # What an earlier entry attached stays evidence of the step.
        attachments=list({a.sha256: a for e in record.entries for a in e.attachments}.values()),
        started_at=record.entries[0].at,
        ended_at=entry.at,
        failure=_failure(entry, measurement),
    )


def _failure(entry: Entry, measurement: Measurement | None) -> str:
    if entry.status == Status.PASSED:
        return ""
    if entry.status == Status.BLOCKED:
        return "The step could not be executed."
    return in_words(measurement) if measurement else "Judged as failed by the tester."


def _words(step: ManualStep, entry: Entry) -> str:
    """Say what an entry said that was corrected later."""
    unit = f" {step.expectation.unit}" if step.expectation and step.expectation.unit else ""
    measured = (
        "" if entry.actual is None else f", measured {canonical_json(entry.actual).decode()}{unit}"
    )
    return f"{entry.at}: {entry.status}{measured}: {entry.observed}"
