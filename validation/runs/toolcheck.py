"""Validate the tools of a run here and now: planted outcomes, and whether each is recorded truly.

A recorder that called a failure passed would be worse than none. The scenarios below are executed
by the same child, plugin and reader that execute a device's, and what was recorded of each is held
against what was planted in it. What is found is evidence for the register of tools.
"""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from validation.recorder.evidence import ScenarioEvidence, Status
from validation.runs.execute import Executed, list_scenarios, run_scenario

TOOLS = {"fiducial": "Fiducial", "pytest": "pytest", "pytest-bdd": "pytest-bdd"}
"""Packages that execute and record, by distribution; the interpreter stands beside them."""

INTERPRETER = "Python"

FEATURE = """Feature: Planted outcomes

  @TST-001
  Scenario: A figure within its tolerance
    Given the figure 3.25
    Then it is 3 within 0.25

  @TST-002
  Scenario: A figure just beyond its tolerance
    Given the figure 3.2500001
    Then it is 3 within 0.25

  @TST-003
  Scenario: A figure that is no number
    Given the figure nan
    Then it is 3 within 0.25

  @TST-004
  Scenario: A step that raises an error
    Given a step that raises an error
    Then it is 3 within 0.25

  @TST-005
  Scenario: A step that leaves the scenario out
    Given a step that skips
    Then it is 3 within 0.25

  @TST-006
  Scenario: A step that ends its process as if all were well
    Given a step that ends the process
    Then it is 3 within 0.25
"""

STEPS = '''"""Steps with planted outcomes."""
import os

import pytest
from pytest_bdd import given, parsers, scenarios, then

scenarios("../features")


@given(parsers.parse("the figure {figure:g}"), target_fixture="figure")
def a_figure(figure):
    return figure


@given("the figure nan", target_fixture="figure")
def no_number():
    return float("nan")


@given("a step that raises an error", target_fixture="figure")
def raises():
    raise ValueError("planted")


@given("a step that skips", target_fixture="figure")
def skips():
    pytest.skip("planted")


@given("a step that ends the process", target_fixture="figure")
def ends():
    os._exit(0)


@then(parsers.parse("it is {expected:g} within {tolerance:g}"))
def compare(figure, expected, tolerance, evidence):
    evidence.measure("figure", actual=figure, expected=expected, tolerance=tolerance, unit="Gy")
'''

PLANTED: Mapping[str, Status] = {
    "A figure within its tolerance": Status.PASSED,
    "A figure just beyond its tolerance": Status.FAILED,
    "A figure that is no number": Status.FAILED,
    "A step that raises an error": Status.ERROR,
    "A step that leaves the scenario out": Status.SKIPPED,
    "A step that ends its process as if all were well": Status.ERROR,
}


@dataclass(frozen=True)
class Planted:
    """One scenario: what was planted in it and what was recorded of it.

    Attributes
    ----------
    faults : tuple of str
        What was recorded otherwise than planted, as clauses.
    """

    title: str
    expected: str
    recorded: str
    faults: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether what was recorded is what was planted."""
        return not self.faults


@dataclass(frozen=True)
class ToolCheck:
    """What was found of the tools of a run, and which versions they had."""

    versions: Mapping[str, str]
    scenarios: tuple[Planted, ...]

    @property
    def held(self) -> bool:
        """Whether every planted outcome was recorded as it was."""
        return all(one.held for one in self.scenarios)

    @property
    def sentence(self) -> str:
        """What the check tells, as the register of tools can keep it."""
        right = sum(one.held for one in self.scenarios)
        named = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return f"{right} of {len(self.scenarios)} planted outcomes were recorded truly by {named}."

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "held": self.held,
            "tools": dict(self.versions),
            "scenarios": [
                {
                    "title": one.title,
                    "planted": one.expected,
                    "recorded": one.recorded,
                    "faults": list(one.faults),
                }
                for one in self.scenarios
            ],
        }


def tool_versions(packages: Mapping[str, str], python: str) -> dict[str, str]:
    """Return the tools of a run with their versions, as its environment names them."""
    found = {name: packages[package] for package, name in TOOLS.items() if package in packages}
    return {**found, **({INTERPRETER: python} if python else {})}


def installed_tools() -> dict[str, str]:
    """Return the tools that a run would be executed with now."""
    return tool_versions({name: version(name) for name in TOOLS}, platform.python_version())


def check_tools() -> ToolCheck:
    """Execute every planted scenario and hold what was recorded against what was planted.

    It takes a few seconds: each scenario has a process of its own, as in a run.
    """
    with TemporaryDirectory(prefix="fiducial-tools-") as name:
        root = Path(name).resolve()
        device = _write(root / "device")
        listed = list_scenarios(device, root / "listing")["scenarios"]
        rows = [ScenarioEvidence.from_dict(row["scenario"]) for row in listed]
        found = {one.title: one for one in rows}
        executed = {
            title: run_scenario(device, planned, root / str(number))
            for number, (title, planned) in enumerate(found.items())
        }
        judged = tuple(
            _judge(title, expected, executed.get(title)) for title, expected in PLANTED.items()
        )
    return ToolCheck(installed_tools(), judged)


def _judge(title: str, expected: Status, executed: Executed | None) -> Planted:
    if executed is None:
        return Planted(title, expected, "not listed", ("was not found in the protocol",))
    evidence = executed.evidence
    faults = [] if evidence.status == expected else [f"was recorded as {evidence.status}"]
    faults += _figures(evidence, expected)
    return Planted(title, expected, evidence.status, tuple(faults))


def _figures(evidence: ScenarioEvidence, expected: Status) -> Iterator[str]:
    """Yield what is wrong with the figures: recorded where one was compared, and nowhere else."""
    kept = [value for step in evidence.steps for value in step.measurements]
    if not evidence.title.startswith("A figure"):
        if kept:
            yield "holds a figure that was never compared"
        return
    if len(kept) != 1:
        yield f"holds {len(kept)} figures where one was compared"
    elif kept[0].passed != (expected == Status.PASSED):
        yield "holds a figure with the wrong verdict"


def _write(device: Path) -> Path:
    for name, text in {
        "features/planted.feature": FEATURE,
        "steps/planted.py": STEPS,
    }.items():
        path = device / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return device
