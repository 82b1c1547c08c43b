"""A scenario of Cucumber passes only where all that ran for it did."""

import hashlib
import json

import pytest

from qms.results.cases import Case, Outcome
from qms.results.reading import read_results

pytestmark = pytest.mark.verifies("TST-028")


def scenarios(*elements: dict[str, object], **feature: object) -> tuple[Case, ...]:
    content = json.dumps([{"name": "Doses", "elements": list(elements), **feature}])
    return read_results(content.encode(), "one.json").cases


def step(status: str, **more: object) -> dict[str, object]:
    return {"name": "a plan", "result": {"status": status, **more}}


def test_a_scenario_passes_only_where_every_step_passed() -> None:
    cases = scenarios(
        {"name": "good", "steps": [step("passed", duration=2_000_000_000)]},
        {"name": "bad", "steps": [step("failed", error_message="off by 2"), step("skipped")]},
        {"name": "undefined", "steps": [step("passed"), step("undefined")]},
        {"name": "pending", "steps": [step("passed"), step("pending")]},
        {"name": "empty", "steps": []},
        {"name": "torn", "steps": [step("passed")], "after": [step("failed")]},
        {"name": "odd", "steps": [{"name": "a plan"}]},
    )

    assert [str(case.outcome) for case in cases] == [
        "passed", "failed", "error", "skipped", "skipped", "error", "skipped",
    ]  # fmt: skip
    assert cases[0].seconds == 2.0
    assert cases[1].message == "The step a plan failed: off by 2"


def test_what_behave_leaves_out_was_not_run_and_what_it_says_of_a_scenario_counts() -> None:
    listed = {"name": "a plan", "location": "dose.feature:3"}
    cases = scenarios(
        {"type": "background", "steps": [listed]},
        {"name": "good", "status": "passed", "steps": [step("passed")], "location": "d.feature:4"},
        {"type": "background", "steps": [listed]},
        {"name": "skipped", "status": "skipped", "steps": [listed]},
        {"name": "bad", "status": "failed",
         "steps": [step("failed", error_message=["off", "by 2"]), listed]},
        {"name": "hook", "status": "hook_error", "steps": [step("passed")]},
        {"name": "bare", "status": "failed", "steps": []},
        {"name": "odd", "status": "dreamt", "steps": [step("passed")]},
        {"name": "half", "status": "passed", "steps": [step("passed"), listed]},
        status="failed",
    )  # fmt: skip

    assert {case.name: str(case.outcome) for case in cases} == {
        "good": "passed", "skipped": "skipped", "bad": "failed", "hook": "error",
        "bare": "failed", "odd": "error", "half": "skipped",
    }  # fmt: skip
    assert [case.message for case in cases][1:4] == [
        "The step a plan was not run.",
        "The step a plan failed: off\nby 2",
        "The scenario says hook_error.",
    ]
    assert cases[0].source == "d.feature:4"


def test_tags_of_feature_and_scenario_name_records() -> None:
    (case,) = scenarios(
        {"name": "a", "steps": [step("passed")], "tags": [{"name": "@TST-004"}, {"name": "@slow"}]},
        tags=[{"name": "@REQ-0031", "line": 1}],
    )

    assert [one.uid for one in case.named] == ["REQ-0031", "TST-004"]


def test_a_failing_background_fails_its_scenario() -> None:
    (case,) = scenarios(
        {"type": "background", "steps": [step("failed")]},
        {"type": "scenario", "name": "a", "steps": [step("skipped")]},
    )

    assert case.outcome is Outcome.FAILED


GOOD = {"result": {"status": "passed"}}
BAD = {"result": {"status": "failed", "error_message": "no beam"}}


@pytest.mark.parametrize(
    "elements",
    [
        ({"name": "a", "steps": [{**GOOD, "after": [BAD]}]},),
        ({"name": "a", "steps": [{**GOOD, "before": [GOOD, BAD]}]},),
        ({"type": "background", "steps": [GOOD], "before": [BAD]}, {"name": "a", "steps": [GOOD]}),
        ({"type": "background", "before": [BAD]},
         {"name": "a", "steps": [{"result": {"status": "skipped"}}]}),
        ({"type": "background", "steps": [{**GOOD, "after": [BAD]}]},
         {"type": "background", "steps": [GOOD]}, {"name": "a", "steps": [GOOD]}),
        ({"name": "a", "steps": [GOOD, {"keyword": "After", "hidden": True, **BAD}]},),
        ({"name": "a", "steps": [GOOD], "after": BAD},),
    ],
    ids=["after", "before", "background", "skipped", "two backgrounds", "hidden", "alone"],
)  # fmt: skip
def test_a_hook_that_failed_anywhere_fails_its_scenario(
    elements: tuple[dict[str, object], ...],
) -> None:
    (case,) = scenarios(*elements)

    assert case.outcome is Outcome.ERROR
    assert case.message == "Set-up or tear-down failed: no beam"


def test_a_failed_background_is_not_hidden_by_a_second_one() -> None:
    (case,) = scenarios(
        {"type": "background", "steps": [BAD]},
        {"type": "background", "steps": [GOOD]},
        {"name": "a", "steps": [GOOD]},
    )

    assert case.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "elements",
    [
        ({"name": "a", "steps": [{"keyword": "Before", "hidden": True, **GOOD}]},),
        ({"type": "background", "steps": [GOOD]}, {"name": "a", "steps": []}),
    ],
)
def test_hooks_and_a_background_are_no_step_of_a_scenario(
    elements: tuple[dict[str, object], ...],
) -> None:
    (case,) = scenarios(*elements)

    assert (case.outcome, case.message) == (Outcome.SKIPPED, "The scenario has no step.")


@pytest.mark.parametrize(
    ("status", "other", "expected"),
    [
        ("hook_error", GOOD, "error"),
        ("failed", GOOD, "error"),
        ("dreamt", GOOD, "error"),
        (None, GOOD, "error"),
        ("skipped", GOOD, "error"),
        ("hook_error", BAD, "error"),
        ("failed", BAD, "passed"),
        ("untested", {}, "passed"),
        ("Passed", GOOD, "passed"),
    ],
)
def test_no_scenario_passes_where_its_feature_failed_and_none_shows_why(
    status: str | None, other: dict[str, object], expected: str
) -> None:
    elements = [{"name": "a", "steps": [GOOD]}, {"name": "b", "steps": [other]}]
    features = [{"elements": elements, "status": status}, {"elements": elements[:1]}]

    report = read_results(json.dumps(features).encode(), "one.json")

    assert report.cases[0].outcome == expected
    assert report.cases[2].outcome is Outcome.PASSED
    assert [one.code for one in report.findings] == ["TR616"] * (expected == "error")


def test_a_file_inside_a_scenario_is_known_by_its_digest() -> None:
    (case,) = scenarios(
        {
            "name": "a",
            "steps": [
                {**step("passed"), "embeddings": [{"name": "dvh.txt", "data": "cGhhbnRvbQ=="}]}
            ],
        }
    )

    (file,) = case.attached
    assert file.data == b"phantom"
    assert file.sha256 == hashlib.sha256(b"phantom").hexdigest()
