"""Protocols that a person executes: which lines are steps, and what is measured in them."""

import pytest

from validation.protocols.manual import Expectation, ManualStep, read_steps
from validation.recorder.evidence import Comparison, holds


def steps_in(body: str) -> list[tuple[str, str]]:
    steps, faults = read_steps("TST-001", body)
    assert faults == []
    return [(one.keyword, one.text) for one in steps]


def expectation_in(text: str) -> Expectation | None:
    steps, faults = read_steps("TST-001", f"1. {text}")
    assert faults == []
    return steps[0].expectation


def faults_in(body: str) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in read_steps("TST-001", body)[1]]


def test_numbered_lines_are_steps_and_what_follows_belongs_to_them() -> None:
    body = """Before you begin, read the manual.

1. Open the report
   and wait for the figures.
1) Press [Save].

   Nothing else is pressed.

Afterwards the room is left as it was.

## Notes
2. Close it.
"""

    assert steps_in(body) == [
        ("1.", "Open the report and wait for the figures."),
        ("2.", "Press [Save]. Nothing else is pressed."),
        ("3.", "Close it."),
    ]


def test_gherkin_lines_are_steps_fenced_or_not() -> None:
    body = """@TST-001
```gherkin
Scenario: A report is read
  Given the report of plan 7
  When it is opened
  Then the page shows its number
    and the name of the plan
  But no name of a patient
```
- **Then** it is closed
"""

    assert steps_in(body) == [
        ("Given", "the report of plan 7"),
        ("When", "it is opened"),
        ("Then", "the page shows its number and the name of the plan"),
        ("But", "no name of a patient"),
        ("Then", "it is closed"),
    ]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Read it [2.00 ± 0.02 Gy]", Expectation("within", 2.0, 0.02, "Gy")),
        ("Read it [expected -1.5 mm +/- 0.5 mm]", Expectation("within", -1.5, 0.5, "mm")),
        ("Read it [37 ± 1e-1 °C].", Expectation("within", 37.0, 0.1, "°C")),
        ("Read it [50 ± 0.5 %]", Expectation("within", 50.0, 0.5, "%")),
        ("Wait [at most 3 s]", Expectation("at_most", 3.0, None, "s")),
        ("Count [at least 10]", Expectation("at_least", 10.0, None, "")),
        ("Count [exactly 12 rows]", Expectation("equal", 12.0, None, "rows")),
        ("Press [Save] as in [1](https://example.org)", None),
    ],
)
def test_figures_in_brackets_are_what_is_measured(text: str, stated: Expectation | None) -> None:
    assert expectation_in(text) == stated


def test_a_value_is_called_by_the_words_of_its_step() -> None:
    steps, _ = read_steps("TST-001", "1. Read the mean dose [2.00 ± 0.02 Gy].")

    assert steps[0].measured == "Read the mean dose"


@pytest.mark.parametrize("body", ["", "Do as you think best.", "# 1. A heading", "10 steps follow"])
def test_a_protocol_without_a_step_is_refused_by_name(body: str) -> None:
    assert faults_in(body) == [("protocol-empty", "TST-001")]


def test_every_step_that_cannot_be_compared_is_named_at_once() -> None:
    body = """1. The dose is 2.00 ± 0.02 Gy
2. Read it [2.00 Gy ± 1 %]
3. Read it [2 ± 1 mm] and wait [at most 3 s]
4. Read it [about 2 ± 1]
5. Close it
"""

    assert faults_in(body) == [("step-unclear", f"TST-001 step {at}") for at in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "figure",
    [
        "≤ 3 s",
        "< 3 s",
        "more than 3 Gy",
        "between 2 and 3 Gy",
        "~3 s",
        "approx. 3 s",
        "1e400 ± 1 Gy",
        "2 ± 1e400 Gy",
    ],
)
def test_a_figure_that_nothing_would_compare_is_no_plain_word(figure: str) -> None:
    assert faults_in(f"1. Read it [{figure}]\n") == [("step-unclear", "TST-001 step 1")]


@pytest.mark.parametrize("words", ["see DOC-IFU", "as REQ-012 says", "room next door"])
def test_words_and_ids_in_brackets_are_words(words: str) -> None:
    [step], faults = read_steps("TST-001", f"1. Look at the report [{words}]\n")

    assert (step.expectation, faults) == (None, [])


@pytest.mark.parametrize(
    ("stated", "measured", "met"),
    [
        ("2.00 ± 0.02 Gy", 2.02, True),
        ("2.00 ± 0.02 Gy", 1.98, True),
        ("2.00 ± 0.02 Gy", 2.0201, False),
        ("1.0 ± 0.1 mm", 1.1, True),
        ("5 ± 0.3", 5.3, True),
        ("at most 0.3 s", 0.3, True),
    ],
)
def test_a_value_on_the_limit_is_within_it_as_the_figures_are_written(
    stated: str, measured: float, met: bool
) -> None:
    [step], _ = read_steps("TST-001", f"1. Read it [{stated}]")
    told = step.expectation

    assert told is not None
    assert holds(Comparison(told.comparison), measured, told.expected, told.tolerance) is met


def test_an_outline_is_refused() -> None:
    body = "Scenario Outline: Reports\n  Given report <n>\n  Examples:\n  | n |\n  | 1 |\n"

    assert ("protocol-outline", "TST-001") in faults_in(body)


def test_a_step_comes_back_as_a_run_keeps_it() -> None:
    [step], _ = read_steps("TST-001", "1. Read it [2.00 ± 0.02 Gy]")

    assert ManualStep.from_dict(step.as_dict()) == step
