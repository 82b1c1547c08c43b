"""What one executed scenario leaves behind: steps, inputs, measurements, files and a status.

Standard library only: the recorder runs inside the isolated child, the reader in the service.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any

SCHEMA = "fiducial-evidence/1"

MAX_LISTED_VALUES = 200
"""A longer array is named by shape and hash; its numbers belong in an attachment."""

MAX_TEXT = 20_000
"""Characters kept of a failure text; the whole output is kept as a file by its hash."""

LARGEST_EXACT_INTEGER = 2**53
"""Beyond it an integer does not survive JSON readers that use doubles (RFC 8785)."""


class Status(StrEnum):
    """How a step or a scenario ended. Only ``PASSED`` passes."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    EMPTY = "empty"
    RUNNING = "running"
    NOT_REACHED = "not reached"
    BLOCKED = "blocked"
    """A person could not execute the step; no automated step ends so."""


class Comparison(StrEnum):
    """How an actual value is held against an expected one."""

    WITHIN = "within"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    EQUAL = "equal"


def plain(value: Any) -> Any:  # noqa: C901, PLR0911, PLR0912 - one return per kind of value
    """Return a value as JSON can hold it; refuse what would lose its meaning on the way.

    Examples
    --------
    >>> plain({"doses": (1, 2.5), "worst": float("nan")})
    {'doses': [1, 2.5], 'worst': 'nan'}
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool():
            return value
        case str():
            return readable(value)
        case int():
            return int(value) if abs(value) < LARGEST_EXACT_INTEGER else str(value)
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case datetime() | date():
            return value.isoformat()
        case PurePath():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return {"sha256": sha256(value).hexdigest(), "size": len(value)}
        case Mapping():
            return {readable(str(key)): plain(held) for key, held in value.items()}
        case set() | frozenset():
            return sorted((plain(held) for held in value), key=repr)
        case Sequence():
            return [plain(held) for held in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if hasattr(value, "tolist"):
        return _plain_array(value)
    raise TypeError(
        f"Evidence cannot hold a {type(value).__name__}; give a number, text, list or mapping, "
        "or attach the bytes as a file."
    )


def readable(text: str) -> str:
    """Return text that every database and every JSON reader takes: no NUL, no half characters.

    Examples
    --------
    >>> readable("a" + chr(0))
    'a␀'
    """
    return text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode("utf-8")


def _plain_array(value: Any) -> Any:
    """Return a NumPy scalar or array: its values while few, else its shape and hash."""
    if getattr(value, "size", 1) > MAX_LISTED_VALUES:
        return {
            "shape": list(value.shape),
            "dtype": str(value.dtype),
            "sha256": sha256(value.tobytes()).hexdigest(),
        }
    return plain(value.tolist())


def holds(comparison: Comparison, actual: Any, expected: Any, tolerance: float | None) -> bool:
    """Say whether an actual value meets its expectation.

    ``within`` is ``|actual - expected| <= tolerance``; ``at_most`` and ``at_least`` widen the
    limit by the tolerance where one is given; ``equal`` compares any two JSON values exactly.

    Examples
    --------
    >>> holds(Comparison.WITHIN, 45.89, 45.88, 0.02)
    True
    >>> holds(Comparison.WITHIN, 2.02, 2.0, 0.02)
    True
    >>> holds(Comparison.AT_MOST, float("nan"), 1.0, None)
    False
    """
    if comparison is Comparison.EQUAL:
        return bool(plain(actual) == plain(expected))
    measured, limit = _number("actual", actual), _number("expected", expected)
    allowed = 0.0 if tolerance is None else _number("tolerance", tolerance)
    if not math.isfinite(allowed) or allowed < 0:
        raise ValueError(f"The tolerance {tolerance!r} must be a finite number of at least 0.")
    if comparison is Comparison.WITHIN and tolerance is None:
        raise ValueError("A comparison 'within' needs a tolerance.")
    if not math.isfinite(measured) or not math.isfinite(limit):
        return _meets(comparison, measured, limit, allowed)
    # As the figures are written, so that 2.02 is within 2.00 ± 0.02 whatever halves make of it.
    return _meets(comparison, *(Decimal(repr(one)) for one in (measured, limit, allowed)))


def _meets(comparison: Comparison, measured: Any, limit: Any, allowed: Any) -> bool:
    match comparison:
        case Comparison.WITHIN:
            return bool(abs(measured - limit) <= allowed)
        case Comparison.AT_MOST:
            return bool(measured <= limit + allowed)
    return bool(measured >= limit - allowed)


def _number(name: str, value: Any) -> float:
    held = value.item() if hasattr(value, "item") else value
    if isinstance(held, bool) or not isinstance(held, int | float):
        raise TypeError(
            f"The {name} value {value!r} is not a number; use the comparison 'equal' for it."
        )
    return float(held)


@dataclass
class Measurement:
    """One expected value beside what was measured."""

    name: str
    expected: Any
    tolerance: float | None
    actual: Any
    unit: str
    comparison: str
    passed: bool


def in_words(measurement: Measurement) -> str:
    """Say what was measured and what was expected.

    Examples
    --------
    >>> in_words(Measurement("rectum Dmean", 39.113, 0.15, 39.5, "Gy", "within", False))
    'rectum Dmean: 39.5 Gy, expected 39.113 Gy within 0.15 Gy'
    """
    unit = f" {measurement.unit}" if measurement.unit else ""
    relation = {"at_most": "at most ", "at_least": "at least "}.get(measurement.comparison, "")
    bound = "" if measurement.tolerance is None else f" within {measurement.tolerance}{unit}"
    return (
        f"{measurement.name}: {measurement.actual}{unit}, "
        f"expected {relation}{measurement.expected}{unit}{bound}"
    )


@dataclass
class Attachment:
    """A file kept by its SHA-256."""

    name: str
    sha256: str
    size: int
    media_type: str


@dataclass
class StepEvidence:
    """One Given, When or Then line and what happened in it."""

    keyword: str
    text: str
    status: str = Status.NOT_REACHED
    inputs: dict[str, Any] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    started_at: str | None = None
    ended_at: str | None = None
    failure: str = ""


@dataclass
class ScenarioEvidence:
    """One scenario (or one row of its examples), from first to last step."""

    key: str
    title: str
    feature: str
    line: int
    tags: list[str]
    example: dict[str, str]
    steps: list[StepEvidence]
    status: str = Status.RUNNING
    flags: list[str] = field(default_factory=list)
    started_at: str | None = None
    ended_at: str | None = None
    failure: str = ""
    schema: str = SCHEMA

    def as_dict(self) -> dict[str, Any]:
        """Return the evidence as JSON-able values."""
        return dataclasses.asdict(self)

    def as_line(self) -> bytes:
        """Return the evidence as the one JSON line that is kept of it."""
        return json.dumps(self.as_dict(), ensure_ascii=False, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> "ScenarioEvidence":
        """Read evidence back; an unknown or missing name is a loud TypeError."""
        if held.get("schema") != SCHEMA:
            raise ValueError(f"Evidence of schema {held.get('schema')!r} is not {SCHEMA!r}.")
        steps = [
            StepEvidence(
                **{
                    **step,
                    "measurements": [Measurement(**one) for one in step["measurements"]],
                    "attachments": [Attachment(**one) for one in step["attachments"]],
                }
            )
            for step in held["steps"]
        ]
        return cls(**{**held, "steps": steps})

    @classmethod
    def read(cls, path: Path) -> "ScenarioEvidence":
        """Read the one JSON line that the recorder wrote."""
        return cls.from_dict(json.loads(path.read_text("utf-8")))


@dataclass(frozen=True)
class Phase:
    """What pytest said of one phase (setup, call, teardown) of a scenario."""

    when: str
    outcome: str
    expected_to_fail: bool
    by_assertion: bool


def verdict(  # noqa: PLR0911 - one return per reason not to pass
    phases: Sequence[Phase], steps: Sequence[StepEvidence]
) -> Status:
    """Return the status of a scenario from pytest's phases and our own record of its steps.

    pytest's word alone is not enough: a step may swallow the AssertionError of a failed
    measurement, and a scenario that measured nothing proves nothing.
    """
    called = [phase for phase in phases if phase.when == "call"]
    if any(phase.outcome == "failed" and phase.when != "call" for phase in phases):
        return Status.ERROR
    if any(phase.expected_to_fail for phase in phases):
        return Status.XPASSED if called and called[-1].outcome == "passed" else Status.XFAILED
    if any(phase.outcome == "skipped" for phase in phases):
        return Status.SKIPPED
    if not called:
        return Status.ERROR
    if called[-1].outcome == "failed":
        return Status.FAILED if called[-1].by_assertion else Status.ERROR
    measurements = [one for step in steps for one in step.measurements]
    if any(not one.passed for one in measurements):
        return Status.FAILED
    if not steps or not measurements:
        return Status.EMPTY
    return Status.PASSED if all(s.status == Status.PASSED for s in steps) else Status.ERROR


def flags(steps: Sequence[StepEvidence]) -> list[str]:
    """Name what a reader must be told of a scenario besides its status."""
    found = [] if steps else ["no steps"]
    measurements = [one for step in steps for one in step.measurements]
    if not measurements:
        found.append("no measurements")
    swallowed = any(
        not one.passed and step.status == Status.PASSED
        for step in steps
        for one in step.measurements
    )
    return [*found, "failed measurement was swallowed by the step"] if swallowed else found


def utc_text() -> str:
    """Return this moment as ISO 8601 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
