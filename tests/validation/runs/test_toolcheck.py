"""The tools of a run are validated by planted outcomes, and a tool that lies is found."""

import platform
from copy import deepcopy
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from app.cli import cli
from validation.recorder.evidence import ScenarioEvidence, Status
from validation.runs import toolcheck
from validation.runs.toolcheck import PLANTED, check_tools


@pytest.fixture(scope="module")
def executed():
    """What the child and the recorder leave of each planted scenario, executed once."""
    kept = {}
    real = toolcheck.run_scenario

    def run(device, planned, work):
        kept[planned.title] = real(device, planned, work)
        return deepcopy(kept[planned.title])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toolcheck, "run_scenario", run)
        return check_tools(), kept


@pytest.fixture
def found(executed):
    return executed[0]


def test_every_planted_outcome_is_recorded_truly(found):
    assert found.held
    assert {one.title: one.recorded for one in found.scenarios} == PLANTED
    assert found.versions == {
        "Fiducial": version("fiducial"),
        "pytest": version("pytest"),
        "pytest-bdd": version("pytest-bdd"),
        "Python": platform.python_version(),
    }
    assert found.sentence.startswith(f"{len(PLANTED)} of {len(PLANTED)} planted outcomes")


def lying(monkeypatch, executed, change):
    """Let what a child recorded be another thing before it is looked at."""

    def run(_device, planned, _work):
        done = deepcopy(executed[1][planned.title])
        change(done.evidence)
        return done

    monkeypatch.setattr(toolcheck, "run_scenario", run)


def test_a_recorder_that_calls_everything_passed_is_found(monkeypatch, executed):
    def always_passed(evidence: ScenarioEvidence) -> None:
        evidence.status = Status.PASSED

    lying(monkeypatch, executed, always_passed)

    told = CliRunner().invoke(cli, ["tools", "check"])

    assert told.exit_code == 1
    assert told.output.count("FAILED") == len(PLANTED) - 1
    assert "1 of 6 planted outcomes were recorded truly" in told.output


def test_a_recorder_that_loses_a_figure_or_turns_its_verdict_is_found(monkeypatch, executed):
    def loses_or_turns(evidence: ScenarioEvidence) -> None:
        for step in evidence.steps:
            if evidence.status == Status.PASSED:
                step.measurements = []
            for figure in step.measurements:
                figure.passed = True

    lying(monkeypatch, executed, loses_or_turns)

    found = {one.title: one.faults for one in check_tools().scenarios if not one.held}

    assert found == {
        "A figure within its tolerance": ("holds 0 figures where one was compared",),
        "A figure just beyond its tolerance": ("holds a figure with the wrong verdict",),
        "A figure that is no number": ("holds a figure with the wrong verdict",),
    }
