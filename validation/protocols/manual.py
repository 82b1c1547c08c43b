"""Read the protocol of a manual test, as its record holds it, into steps for a person. Pure.

A step is a numbered line (``1. Open the report``) or a line of Gherkin (``When the report is
opened``). Lines that follow belong to it until an empty line or a heading. What is to be measured
stands in square brackets: ``[2.00 ± 0.02 Gy]``, ``[at most 3 s]``, ``[at least 10 mm]`` or
``[exactly 12 rows]``.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import Fault
from validation.recorder.evidence import Comparison

_NUMBERED = re.compile(r"\s{0,2}\d{1,3}[.)]\s+(?P<text>\S.*)")
_GHERKIN = re.compile(
    r"\s*(?:[-*]\s+)?(?P<mark>\**)(?P<keyword>Given|When|Then|And|But)(?P=mark)\s+(?P<text>\S.*)"
)
_BETWEEN = re.compile(
    r"\s*(#|```|~~~|@|---|\*\*\*|(Feature|Background|Rule|Scenario|Scenario Outline|Example):)"
)
_OUTLINE = re.compile(r"\s*(Examples|Scenario Outline|Scenario Template|Scenarios):")
_BRACKET = re.compile(r"\[(?P<held>[^\[\]]*)\](?!\()")
_FIGURE = re.compile(r"\s*(expected\b|at most\b|at least\b|exactly\b)|[\d±≤≥<>]")
_NAMES = re.compile(r"\b[A-Z]{2,}-[\w.-]*\w")
"""Ids of records, whose digits are no figures."""

_PLUS_MINUS = r"\s*(?:±|\+/-|\+-)\s*"
_NUMBER = r"[-+\u2212]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_SIZE = r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_UNIT = r"[^\W\d_][\w/%·^²³⁻.-]*|%|°C?"
_WITHIN = re.compile(
    rf"(?:expected:?\s+)?(?P<expected>{_NUMBER})\s*(?P<unit>{_UNIT})?{_PLUS_MINUS}"
    rf"(?P<tolerance>{_SIZE})\s*(?P<unit_after>{_UNIT})?"
)
_BOUND = re.compile(
    rf"(?:expected:?\s+)?(?P<word>at most|at least|exactly)\s+(?P<expected>{_NUMBER})\s*"
    rf"(?P<unit>{_UNIT})?"
)
_WORDS = {
    "at most": Comparison.AT_MOST,
    "at least": Comparison.AT_LEAST,
    "exactly": Comparison.EQUAL,
}

FORMS = "[2.00 ± 0.02 Gy], [at most 3 s], [at least 10 mm] or [exactly 12 rows]"

LONGEST_NAME = 120
"""Characters of a step's text that name what was measured in it."""


@dataclass(frozen=True)
class Expectation:
    """What a step says will be measured."""

    comparison: str
    expected: float
    tolerance: float | None
    unit: str


@dataclass(frozen=True)
class ManualStep:
    """One step of a manual protocol.

    Attributes
    ----------
    keyword : str
        "3." or "Then".
    expectation : Expectation or None
        None where a person judges.
    """

    keyword: str
    text: str
    expectation: Expectation | None = None

    @property
    def measured(self) -> str:
        """What its value is called: the step's own words, without the figures in brackets."""
        words = " ".join(_BRACKET.sub(" ", self.text).split()).rstrip(" :.,")
        return words if len(words) <= LONGEST_NAME else words[: LONGEST_NAME - 1] + "…"

    def as_dict(self) -> dict[str, Any]:
        """Return the step as a run keeps it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> "ManualStep":
        """Read a step back as a run kept it."""
        stated = held["expectation"]
        return cls(held["keyword"], held["text"], Expectation(**stated) if stated else None)


def read_steps(uid: str, body: str) -> tuple[tuple[ManualStep, ...], list[Fault]]:
    """Return the steps of a protocol in order, and everything that keeps it from being executed.

    Examples
    --------
    >>> steps, faults = read_steps("TST-001", "1. Read the mean dose [2.00 ± 0.02 Gy]")
    >>> steps[0].expectation
    Expectation(comparison='within', expected=2.0, tolerance=0.02, unit='Gy')
    """
    faults = []
    if any(_OUTLINE.match(line) for line in body.splitlines()):
        faults.append(
            Fault(
                "protocol-outline",
                uid,
                "is written as an outline with examples, which nobody fills in for a person.",
                "Write out each scenario.",
            )
        )
    steps = []
    for at, step in enumerate(_lines(body), start=1):
        read, problem = _with_expectation(step)
        steps.append(read)
        if problem:
            mend = f"Write what is to be measured as {FORMS}."
            faults.append(Fault("step-unclear", f"{uid} step {at}", problem, mend))
    if not steps:
        faults.append(
            Fault(
                "protocol-empty",
                uid,
                "has no step that can be recognised in its protocol.",
                "Write numbered lines (1. ...) or lines that begin with Given, When or Then, and "
                "have the new revision approved.",
            )
        )
    return tuple(steps), faults


def _lines(body: str) -> list[ManualStep]:
    """Return every step with the lines that belong to it, still without its expectation."""
    steps: list[ManualStep] = []
    numbered = 0
    within = apart = False
    for line in body.splitlines():
        if found := _NUMBERED.fullmatch(line):
            numbered += 1
            # Markdown counts for itself, so that "1. 1. 1." is read as 1, 2, 3.
            steps.append(ManualStep(f"{numbered}.", found["text"].strip()))
            within, apart = True, False
        elif found := _GHERKIN.fullmatch(line):
            steps.append(ManualStep(found["keyword"], found["text"].strip()))
            within, apart = True, False
        elif _BETWEEN.match(line):
            within = False
        elif not line.strip():
            apart = True
        elif within and (not apart or line.startswith("  ")):
            steps[-1] = replace(steps[-1], text=f"{steps[-1].text} {line.strip()}")
            apart = False
        else:
            within = False
    return steps


def _with_expectation(step: ManualStep) -> tuple[ManualStep, str]:
    """Return a step with what it expects, and what is wrong with how it says so."""
    stated = [one for one in _BRACKET.findall(step.text) if _FIGURE.search(_NAMES.sub("", one))]
    outside = _BRACKET.sub("", step.text)
    if "±" in outside or "+/-" in outside:
        return step, "states a tolerance outside square brackets, so that nothing would compare it."
    if not stated:
        return step, ""
    if len(stated) > 1:
        return step, "states several figures; one step measures one."
    expectation = _expectation(stated[0].strip())
    if expectation is None:
        return step, f"states [{stated[0]}], which cannot be compared."
    return replace(step, expectation=expectation), ""


def _expectation(text: str) -> Expectation | None:
    if found := _WITHIN.fullmatch(text):
        before, after = found["unit"] or "", found["unit_after"] or ""
        if before and after != before:
            return None
        expected, allowed = _number(found["expected"]), float(found["tolerance"])
        if not (math.isfinite(expected) and math.isfinite(allowed)):
            return None
        return Expectation(Comparison.WITHIN.value, expected, allowed, after)
    if found := _BOUND.fullmatch(text):
        kind, limit = _WORDS[found["word"]].value, _number(found["expected"])
        return Expectation(kind, limit, None, found["unit"] or "") if math.isfinite(limit) else None
    return None


def _number(text: str) -> float:
    return float(text.replace("\u2212", "-"))
