"""Binding scenarios to test records: every fault is found before anything runs."""

from datetime import UTC, datetime

import pytest

from validation.protocols.plan import (
    Listing,
    TestRecord,
    plan_numerical,
    plan_release,
)
from validation.recorder.evidence import ScenarioEvidence, StepEvidence


def scenario(title: str, *tags: str, feature: str = "features/a.feature", steps: int = 1, line=1):
    key = f"{feature}:{title}:{line}"
    held = [StepEvidence("Then", "it is so")] * steps
    return ScenarioEvidence(key, title, feature, line, list(tags), {}, held)


def listing(*scenarios: ScenarioEvidence, **changes) -> Listing:
    held = {
        "scenarios": scenarios,
        "undefined": {},
        "outlines_without_rows": frozenset(),
        "written": tuple((one.feature, one.title) for one in scenarios),
        "failures": (),
    }
    return Listing(**{**held, **changes})


def record(uid: str, title: str, **changes) -> TestRecord:
    held = {"state": "approved", "revision": 1, "approved_at": datetime(2026, 11, 1, tzinfo=UTC)}
    return TestRecord(uid, title, **{**held, **changes})


def codes(faults) -> list[str]:
    return [fault.code for fault in faults]


def test_each_scenario_of_a_release_is_planned_under_its_test_in_order():
    held = listing(
        scenario("Doses add", "TST-004", line=3),
        scenario("Doses add", "TST-004", feature="features/b.feature"),
        scenario("Later", "TST-019", line=9),
        scenario("Compared", "numerical", line=12),
    )

    planned, faults = plan_release(held, [record("TST-004", "Doses add")], ["TST-019"])

    assert faults == []
    assert [one.step_name for one in planned] == ["scenario:TST-004:0", "scenario:TST-004:1"]
    assert [one.scenario.feature for one in planned] == ["features/a.feature", "features/b.feature"]


def test_a_title_that_only_wraps_differently_is_the_same_title():
    held = listing(scenario("Doses  add\nup", "TST-004"))

    _, faults = plan_release(held, [record("TST-004", "Doses add up")], [])

    assert faults == []


def test_all_faults_are_told_at_once():
    held = listing(
        scenario("Doses subtract", "TST-004"),
        scenario("Old", "TST-099", line=2),
        scenario("Two", "TST-004", "TST-005", line=3),
        scenario("No steps", "TST-006", steps=0, line=4),
        scenario("Compared", "TST-007", "numerical", line=5),
        scenario("Half", "TST-008", line=6),
        undefined={"features/a.feature:Half:6": ("Given nothing",)},
        written=(
            *[("features/a.feature", "Half")] * 2,
            ("features/a.feature", "Never bound"),
        ),
        outlines_without_rows=frozenset({"features/a.feature:Half:6"}),
    )
    tests = [
        record("TST-004", "Doses add"),
        record("TST-005", "Two"),
        record("TST-006", "No steps", revision=None, state="in_review"),
        record("TST-007", "Compared", state="withdrawn"),
        record("TST-008", "Half"),
        record("TST-010", "Nobody wrote it"),
    ]

    _, faults = plan_release(held, tests, [])

    assert sorted(codes(faults)) == sorted(
        [
            "scenario-doubled",
            "scenario-unbound",
            "tag-unknown",
            "tag-several",
            "tag-numerical",
            "title-differs",
            "title-differs",
            "scenario-empty",
            "test-unapproved",
            "test-unapproved",
            "step-undefined",
            "outline-empty",
            "test-without-scenario",
        ]
    )
    said = "\n".join(str(fault) for fault in faults)
    assert "TST-010: no scenario of the repository" in said
    assert 'the scenario is called "Doses subtract" and the record "Doses add"' in said
    assert "TST-006: is in review;" in said


def test_a_fault_in_a_scenario_that_is_not_part_of_the_release_does_not_stop_it():
    held = listing(
        scenario("Doses add", "TST-004"),
        scenario("Later", "TST-019", line=2),
        undefined={"features/a.feature:Later:2": ("Given nothing",)},
    )

    _, faults = plan_release(held, [record("TST-004", "Doses add")], ["TST-019"])

    assert faults == []


def test_a_manual_test_needs_no_scenario_but_an_approval():
    held = listing(scenario("Doses add", "TST-004"))
    tests = [
        record("TST-004", "Doses add"),
        record("TST-020", "Read it", automated=False),
        record("TST-021", "Read that", automated=False, revision=None, state="draft"),
    ]

    planned, faults = plan_release(held, tests, [])

    assert [one.test for one in planned] == ["TST-004"]
    assert codes(faults) == ["test-unapproved"]


@pytest.mark.parametrize("tests", [[], [record("TST-020", "Read it", automated=False)]])
def test_a_release_without_an_automated_test_has_nothing_to_execute(tests):
    _, faults = plan_release(listing(scenario("Doses add", "TST-004")), tests, ["TST-004"])

    assert codes(faults) == ["protocol-empty"]


def test_step_code_that_cannot_be_imported_refuses_and_is_quoted():
    held = listing(failures=("steps/test_bad.py: No module named 'x'",), written=(("f", "T"),))

    _, faults = plan_release(held, [record("TST-004", "Doses add")], [])

    assert codes(faults) == ["protocol-unreadable", "test-without-scenario"]
    assert "No module named 'x'" in str(faults[0])


def test_a_scenario_bound_by_two_modules_would_count_twice():
    twice = scenario("Doses add", "TST-004")

    _, faults = plan_release(
        listing(twice, twice, written=((twice.feature, twice.title),)),
        [record("TST-004", "Doses add")],
        [],
    )

    assert codes(faults) == ["scenario-bound-twice"]


def test_numerical_scenarios_are_planned_apart_and_count_for_no_test():
    held = listing(scenario("Doses add", "TST-004"), scenario("Compared", "numerical", line=5))

    planned, faults = plan_numerical(held)

    assert faults == []
    assert [(one.test, one.step_name) for one in planned] == [(None, "scenario:numerical:0")]


def test_a_numerical_protocol_without_scenarios_is_refused():
    _, faults = plan_numerical(listing(scenario("Doses add", "TST-004")))

    assert codes(faults) == ["protocol-empty"]
