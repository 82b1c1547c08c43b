"""The recorder at work in a real child: what each kind of scenario leaves behind."""

import ast
import hashlib
import sys
from pathlib import Path

import pytest

from tests.validation.runs.devices import FEATURE, STEPS, folder_with
from validation.recorder import evidence, plugin
from validation.recorder.evidence import ScenarioEvidence, Status
from validation.runs.execute import Executed, list_scenarios, run_scenario

pytestmark = pytest.mark.verifies("TST-019")

ODD_FEATURE = """Feature: Odd scenarios

  Background:
    Given a value of 3

  @TST-010 @skip
  Scenario: Skipped by its tag
    Then it is 3

  @TST-011 @xfail
  Scenario: Expected to fail and fails
    Then it is 4

  @TST-012 @xfail
  Scenario: Expected to fail and passes
    Then it is 3

  @TST-013
  Scenario: Measures nothing
    Then nothing is measured

  @TST-014
  Scenario: Swallows its failure
    Then it is 4 but nobody minds

  @TST-015
  Scenario: Skipped inside a step
    Then the step skips
    And it is 3

  @TST-016
  Scenario: Breaks in the middle
    Then it breaks
    And it is 3

  @TST-017
  Scenario: Breaks in a fixture
    Then a broken fixture is used

  @TST-018
  Scenario Outline: Rows
    Then it is <value>

    Examples:
      | value |
      | 3     |
      | 4     |

  @TST-020
  Scenario: Odd text
    Then text that no database takes is recorded

  @TST-019
  Scenario: Fails after its end
    Then it is 3 and the clean-up breaks
"""

ODD_STEPS = """
import pytest
from pytest_bdd import given, parsers, scenarios, then

scenarios("odd.feature")

@pytest.fixture
def broken():
    raise OSError("no such scanner")

@given(parsers.parse("a value of {value:d}"), target_fixture="value")
def a_value(value):
    return value

@then(parsers.parse("it is {expected:d}"))
def it_is(value, expected, evidence):
    evidence.measure("value", actual=value, expected=expected, tolerance=0)

@then("nothing is measured")
def nothing():
    assert True

@then("it is 4 but nobody minds")
def swallowed(value, evidence):
    try:
        evidence.measure("value", actual=value, expected=4, tolerance=0)
    except AssertionError:
        pass

@then("the step skips")
def skips():
    pytest.skip("no scanner today")

@then("it breaks")
def breaks():
    raise ZeroDivisionError("by zero")

@then("a broken fixture is used")
def uses(broken):
    pass

@then("text that no database takes is recorded")
def odd_text(evidence):
    evidence.input("name\\x00", "half \\udc80 nul \\x00")
    evidence.attach("a\\x00b", b"x", "text/plain")
    evidence.measure("odd", actual="\\x00", expected="\\udc80", comparison="equal")

@then("it is 3 and the clean-up breaks")
def cleans(value, evidence):
    evidence.measure("value", actual=value, expected=3, tolerance=0)
    yield
    raise OSError("cannot clean up")
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("odd")
    return folder_with(
        root,
        steps=STEPS.replace('"../features"', '"adding.feature"'),
        **{"features/odd.feature": ODD_FEATURE, "steps/test_odd.py": ODD_STEPS},
    )


@pytest.fixture(scope="module")
def listing(odd, tmp_path_factory) -> list[ScenarioEvidence]:
    held = list_scenarios(odd, tmp_path_factory.mktemp("work") / "listing")
    return [ScenarioEvidence.from_dict(one["scenario"]) for one in held["scenarios"]]


@pytest.fixture
def execute(odd, listing, tmp_path):
    def one(tag: str, row: int = 0) -> Executed:
        planned = [scenario for scenario in listing if tag in scenario.tags][row]
        return run_scenario(odd, planned, tmp_path / "attempt")

    return one


def test_a_passed_scenario_holds_inputs_values_times_and_files(execute) -> None:
    done = execute("TST-001")

    scenario = done.evidence
    given, when, then = scenario.steps
    assert scenario.status == Status.PASSED
    assert scenario.flags == []
    assert scenario.title == "Two numbers are added"
    assert scenario.feature == "features/adding.feature"
    assert given.inputs == {"numbers": [1.0, 2.0]}
    assert [step.keyword for step in scenario.steps] == ["Given", "When", "Then"]
    assert [step.status for step in scenario.steps] == ["passed"] * 3
    [measurement] = then.measurements
    assert (measurement.actual, measurement.expected, measurement.tolerance) == (3.0, 3.0, 0.5)
    assert measurement.unit == "Gy"
    [attached] = when.attachments
    content = (done.attachments / attached.sha256).read_bytes()
    assert content == b"[1.0, 2.0]"
    assert hashlib.sha256(content).hexdigest() == attached.sha256
    times = [scenario.started_at, *(t for s in scenario.steps for t in (s.started_at, s.ended_at))]
    assert [*times, scenario.ended_at] == sorted([*times, scenario.ended_at])
    assert all(moment.endswith("+00:00") for moment in times)


def test_a_table_of_the_feature_file_is_an_input(execute) -> None:
    done = execute("TST-002")

    assert done.evidence.steps[0].inputs == {"table": [["value"], ["1"], ["2.25"]]}
    assert done.evidence.status == Status.PASSED


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("TST-010", Status.SKIPPED),
        ("TST-011", Status.XFAILED),
        ("TST-012", Status.XPASSED),
        ("TST-013", Status.EMPTY),
        ("TST-014", Status.FAILED),
        ("TST-015", Status.SKIPPED),
        ("TST-016", Status.ERROR),
        ("TST-017", Status.ERROR),
        ("TST-019", Status.ERROR),
    ],
)
def test_nothing_but_a_met_measurement_passes(execute, tag, status) -> None:
    assert execute(tag).evidence.status == status


def test_a_swallowed_failure_is_flagged(execute) -> None:
    assert "swallowed" in execute("TST-014").evidence.flags[0]


def test_a_scenario_that_measured_nothing_is_flagged(execute) -> None:
    assert execute("TST-013").evidence.flags == ["no measurements"]


def test_steps_after_a_failure_read_not_reached(execute) -> None:
    scenario = execute("TST-016").evidence

    assert [step.status for step in scenario.steps] == ["passed", "error", "not reached"]
    assert "ZeroDivisionError" in scenario.steps[1].failure
    assert "steps/test_odd.py" in scenario.failure


def test_text_that_no_database_takes_is_made_readable(execute) -> None:
    scenario = execute("TST-020").evidence

    step = scenario.steps[1]
    assert step.inputs == {"name␀": "half \\udc80 nul ␀"}
    assert step.attachments[0].name == "a␀b"
    assert (step.measurements[0].actual, step.measurements[0].expected) == ("␀", "\\udc80")
    assert scenario.status == Status.FAILED
    assert "\0" not in scenario.as_line().decode()


def test_each_row_of_an_outline_is_a_scenario_of_its_own(execute, listing) -> None:
    rows = [scenario for scenario in listing if "TST-018" in scenario.tags]

    assert [row.example for row in rows] == [{"value": "3"}, {"value": "4"}]
    assert {row.title for row in rows} == {"Rows"}
    assert len({row.key for row in rows}) == 2
    failed = execute("TST-018", row=1).evidence
    assert failed.status == Status.FAILED
    assert failed.steps[1].measurements[0].actual == 3


def test_listing_names_undefined_steps_doubles_and_unread_features(tmp_path) -> None:
    broken = FEATURE + (
        "\n  @TST-003\n  Scenario: Twice\n    Given nobody wrote this\n"
        "\n  Scenario: Twice\n    Given nobody wrote this\n"
        "\n  Scenario Outline: No rows\n    Given the numbers of the table\n\n    Examples:\n"
        "      | a |\n"
    )
    root = folder_with(
        tmp_path / "device",
        broken,
        **{
            "features/z_broken.feature": "Feature: A\n  Scenario: B\n    Given c\n    nonsense\n",
            "features/empty.feature": "",
        },
        steps=STEPS.replace('"../features"', '"adding.feature"'),
    )

    held = list_scenarios(root, tmp_path / "work")

    assert [one["title"] for one in held["written"] if "fault" not in one].count("Twice") == 2
    assert [one["feature"] for one in held["written"] if "fault" in one] == [
        "features/empty.feature",
        "features/z_broken.feature",
    ]
    by_title = {one["scenario"]["title"]: one for one in held["scenarios"]}
    assert by_title["Twice"]["undefined"] == ["Given nobody wrote this"]
    assert by_title["No rows"]["outline_without_rows"] is True
    assert held["failures"] == []


def test_listing_names_step_code_that_cannot_be_imported(tmp_path) -> None:
    root = folder_with(tmp_path / "device", **{"steps/test_bad.py": "import no_such_module\n"})

    held = list_scenarios(root, tmp_path / "work")

    assert len(held["scenarios"]) == 2
    assert "no_such_module" in held["failures"][0]


def test_the_plugin_imports_only_pytest_pytest_bdd_and_the_standard_library() -> None:
    allowed = {"pytest", "pytest_bdd", "validation.recorder.evidence", *sys.stdlib_module_names}
    for module in (plugin, evidence):
        tree = ast.parse(Path(module.__file__).read_text("utf-8"))

        named = {
            alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
        }
        named |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}

        assert {name for name in named if not ({name, name.partition(".")[0]} & allowed)} == set()
