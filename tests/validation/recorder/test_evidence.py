"""The pure half of the recorder: values, comparisons and the status of a scenario."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from validation.recorder.evidence import (
    Comparison,
    Measurement,
    Phase,
    ScenarioEvidence,
    Status,
    StepEvidence,
    flags,
    holds,
    plain,
    verdict,
)

pytestmark = pytest.mark.verifies("TST-019")

SETUP, TEARDOWN = Phase("setup", "passed", False, False), Phase("teardown", "passed", False, False)
CALL = Phase("call", "passed", False, False)


def measured(passed: bool = True) -> Measurement:
    return Measurement("sum", 3, 0, 3 if passed else 4, "", "within", passed)


def step(status: Status = Status.PASSED, *measurements: Measurement) -> StepEvidence:
    return StepEvidence("Then", "the sum is 3", status, measurements=list(measurements))


@pytest.mark.parametrize(
    ("comparison", "actual", "expected", "tolerance", "met"),
    [
        (Comparison.WITHIN, 45.9, 45.88, 0.02, True),
        (Comparison.WITHIN, 45.86, 45.88, 0.01, False),
        (Comparison.WITHIN, np.float32(1.5), 1.5, 0, True),
        (Comparison.WITHIN, float("nan"), 1.0, 1e9, False),
        (Comparison.AT_MOST, 0.4, 0.4, None, True),
        (Comparison.AT_MOST, 0.41, 0.4, None, False),
        (Comparison.AT_LEAST, 0.39, 0.4, 0.02, True),
        (Comparison.AT_LEAST, float("nan"), 0.4, None, False),
        (Comparison.EQUAL, ["E1", "E2"], ("E1", "E2"), None, True),
        (Comparison.EQUAL, "refused", "accepted", None, False),
        (Comparison.EQUAL, np.int64(3), 3, None, True),
    ],
)
def test_a_comparison_is_inclusive_at_its_bound_and_false_for_nan(
    comparison, actual, expected, tolerance, met
) -> None:
    assert holds(comparison, actual, expected, tolerance) is met


@pytest.mark.parametrize(
    ("actual", "tolerance"), [("45.9", 0.1), (True, 0.1), (1.0, None), (1.0, -1.0), (1.0, "0.1")]
)
def test_a_comparison_that_means_nothing_is_refused(actual, tolerance) -> None:
    with pytest.raises((TypeError, ValueError)):
        holds(Comparison.WITHIN, actual, 1.0, tolerance)


def test_values_become_json_without_losing_their_meaning() -> None:
    @dataclasses.dataclass
    class Metric:
        name: str
        value: float

    kept = plain(
        {
            "metric": Metric("Dmean", float("inf")),
            "array": np.array([[1, 2], [3, 4]]),
            "long": np.zeros(500),
            "path": Path("rt/dose.dcm"),
            "at": datetime(2026, 11, 20, tzinfo=UTC),
            "codes": {"B", "A"},
            "bytes": b"abc",
            "big": 2**70,
        }
    )

    assert kept["metric"] == {"name": "Dmean", "value": "inf"}
    assert kept["array"] == [[1, 2], [3, 4]]
    assert kept["long"]["shape"] == [500]
    assert len(kept["long"]["sha256"]) == 64
    assert kept["path"] == "rt/dose.dcm"
    assert kept["at"] == "2026-11-20T00:00:00+00:00"
    assert kept["codes"] == ["A", "B"]
    assert kept["bytes"]["size"] == 3
    assert kept["big"] == str(2**70)


def test_a_value_without_a_plain_form_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="cannot hold a object"):
        plain(object())


@pytest.mark.parametrize(
    ("phases", "steps", "status"),
    [
        ([SETUP, CALL, TEARDOWN], [step(Status.PASSED, measured())], Status.PASSED),
        ([SETUP, CALL, TEARDOWN], [], Status.EMPTY),
        ([SETUP, CALL, TEARDOWN], [step()], Status.EMPTY),
        ([SETUP, CALL, TEARDOWN], [step(Status.PASSED, measured(False))], Status.FAILED),
        ([SETUP, CALL, TEARDOWN], [step(Status.RUNNING, measured())], Status.ERROR),
        ([SETUP, Phase("call", "failed", False, True)], [step()], Status.FAILED),
        ([SETUP, Phase("call", "failed", False, False)], [step()], Status.ERROR),
        ([Phase("setup", "failed", False, False)], [], Status.ERROR),
        ([Phase("setup", "skipped", False, False)], [step()], Status.SKIPPED),
        ([SETUP, Phase("call", "skipped", True, False)], [step()], Status.XFAILED),
        ([SETUP, Phase("call", "passed", True, False)], [step()], Status.XPASSED),
        (
            [SETUP, CALL, Phase("teardown", "failed", False, False)],
            [step(Status.PASSED, measured())],
            Status.ERROR,
        ),
        ([SETUP], [step(Status.PASSED, measured())], Status.ERROR),
    ],
)
def test_only_a_scenario_that_measured_something_and_met_it_passes(phases, steps, status) -> None:
    assert verdict(phases, steps) is status


def test_flags_name_what_a_status_alone_does_not_say() -> None:
    assert flags([]) == ["no steps", "no measurements"]
    assert flags([step()]) == ["no measurements"]
    assert flags([step(Status.PASSED, measured(False))]) == [
        "failed measurement was swallowed by the step"
    ]
    assert flags([step(Status.FAILED, measured(False))]) == []


def test_evidence_survives_the_way_through_json() -> None:
    evidence = ScenarioEvidence(
        "k",
        "T",
        "features/a.feature",
        3,
        ["TST-001"],
        {"x": "1"},
        [step(Status.PASSED, measured())],
    )

    assert ScenarioEvidence.from_dict(evidence.as_dict()) == evidence
    with pytest.raises(TypeError):
        ScenarioEvidence.from_dict({**evidence.as_dict(), "surprise": 1})
    with pytest.raises(ValueError, match="schema"):
        ScenarioEvidence.from_dict({**evidence.as_dict(), "schema": "other/9"})
