"""Faults seeded in the model and the data behind it: family H."""

import pytest


@pytest.mark.parametrize(
    "field", ["digest", "intended_use", "excluded_use", "failure_modes", "change_plan", "licence"]
)
def test_card_with_a_hole(whole, field) -> None:
    whole.fill("MDL-001", **{field: None})

    whole.must_name("H01", "MDL-001")


def test_model_nobody_owns(whole) -> None:
    whole.unlink("MDL-001", "owned_by", "PPL-DM")

    whole.must_name("H01", "MDL-001")


def figures(whole, **changed) -> None:
    first, *rest = whole.records[whole.key("MDL-001")].fields["performance"]
    whole.fill("MDL-001", performance=[{**first, **changed}, *rest])


@pytest.mark.parametrize("column", ["n", "value", "lower", "upper", "method"])
def test_figure_without_its_uncertainty(whole, column) -> None:
    figures(whole, **{column: None})

    whole.must_name("H03", "MDL-001")


@pytest.mark.parametrize(
    "changed",
    [{"value": 0.99}, {"lower": 0.96}, {"upper": float("inf")}, {"lower": 0.99, "upper": 0.89}],
)
def test_interval_that_does_not_hold_its_figure(whole, changed) -> None:
    figures(whole, **changed)

    whole.must_name("H03", "MDL-001")


def test_small_group_called_passed(whole) -> None:
    figures(whole, n=29)

    whole.must_name("H04", "MDL-001")


def test_thirty_cases_are_enough(whole) -> None:
    figures(whole, n=30)

    whole.must_name("H04")


def test_test_set_never_locked(whole) -> None:
    whole.fill("DS-006", locked=None)

    whole.must_name("H05", "MDL-001")


def test_test_set_that_does_not_say_it_is_apart(whole) -> None:
    whole.unlink("DS-006", "disjoint_from", "DS-004")

    whole.must_name("H05", "MDL-001")


def test_sets_that_share_a_patient(whole) -> None:
    whole.fill("DS-006", patients_first="SYN-0300")

    whole.must_name("H05", "DS-006")


def test_model_tested_on_nothing(whole) -> None:
    whole.unlink("MDL-001", "tested_on", "DS-006")

    whole.must_name("H05", "MDL-001")


@pytest.mark.parametrize(
    "drift", [None, [{"metric": "mean residual", "limit": "3 %", "action": " "}]]
)
def test_drift_without_limit_or_action(whole, drift) -> None:
    whole.fill("MDL-001", drift=drift)

    whole.must_name("H06", "MDL-001")
