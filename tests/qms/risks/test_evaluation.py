"""The matrix is looked up, never computed, and a faulty one never comes into force."""

from copy import deepcopy
from typing import Any

import pytest

from core.errors import Invalid
from qms.risks.evaluation import Acceptability, RiskPolicy, evaluate, policy_from
from qms.risks.packs import matrix_packs

pytestmark = pytest.mark.verifies("TST-011")

NHS_CELLS = {
    "Very high": "34455",
    "High": "23345",
    "Medium": "22334",
    "Low": "12234",
    "Very low": "11223",
}
"""Written as the matrix is printed: highest likelihood on top, severity growing to the right."""


@pytest.fixture
def nhs() -> RiskPolicy:
    return matrix_packs()["nhs-dcb-5x5"]


def data() -> dict[str, Any]:
    return {
        "severity": ["Minor", "Major"],
        "likelihood": ["Low", "Medium", "High"],
        "matrix": [[1, 2], [1, 3], [2, 3]],
        "acceptable_up_to": 1,
        "tolerable_with_benefit_risk": 2,
    }


@pytest.mark.parametrize("likelihood", range(1, 6))
@pytest.mark.parametrize("severity", range(1, 6))
def test_every_cell_of_the_nhs_matrix_gives_its_printed_level(
    nhs: RiskPolicy, severity: int, likelihood: int
) -> None:
    printed = int(NHS_CELLS[nhs.likelihood[likelihood - 1]][severity - 1])

    level = evaluate(severity, likelihood, nhs)

    assert level.number == printed
    assert (
        level.acceptability
        is {
            1: Acceptability.ACCEPTABLE,
            2: Acceptability.ACCEPTABLE,
            3: Acceptability.TOLERABLE,
            4: Acceptability.UNACCEPTABLE,
            5: Acceptability.UNACCEPTABLE,
        }[printed]
    )


def test_equal_products_have_different_levels(nhs: RiskPolicy) -> None:
    """1 x 4, 2 x 2 and 4 x 1 are all 4; the matrix of a policy need not agree, nor be symmetric."""
    policy = policy_from(data() | {"matrix": [[1, 1], [1, 3], [2, 3]]})

    assert evaluate(1, 2, policy).number == 1
    assert evaluate(2, 1, policy).number == 1
    assert evaluate(2, 2, nhs).number == 2
    assert evaluate(5, 1, nhs).number == 3
    assert evaluate(1, 5, nhs).number == 3
    assert evaluate(3, 2, nhs).number == 2
    assert evaluate(1, 3, policy).number == 2


@pytest.mark.parametrize("value", [0, 6, -1, True, 2.0, "3", None])
def test_a_value_off_the_scale_is_refused_on_both_axes_at_once(nhs: RiskPolicy, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        evaluate(value, value, nhs)

    assert [fault.where for fault in refusal.value.faults] == ["severity", "likelihood"]


def test_levels_compare_by_number(nhs: RiskPolicy) -> None:
    assert evaluate(1, 1, nhs) < evaluate(5, 5, nhs)
    assert max(evaluate(3, 3, nhs), evaluate(2, 2, nhs)).number == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matrix": [[1, 2], [1, None], [2, 3]]}, "has no level at Medium x Major"),
        ({"matrix": [[1, 2], [1], [2, 3]]}, "has no level at Medium x Major"),
        ({"matrix": [[1, 2], [1, 3]]}, "has no row for likelihood High"),
        ({"matrix": [[1, 2], [1, 3], [2, 3], [3, 3]]}, "row 4 ([3, 3]) has no likelihood"),
        ({"matrix": [[1, 2, 4], [1, 3], [2, 3]]}, "Low: level 4 has no severity"),
        ({"matrix": [[1, 2], [1, 0], [2, 3]]}, "says 0 at Medium x Major"),
        ({"matrix": [[1, 2], [1, "3"], [2, 3]]}, "says '3' at Medium x Major"),
        ({"matrix": [[1, 2], [1, True], [2, 3]]}, "says True at Medium x Major"),
        (
            {"matrix": [[1, 3], [1, 2], [2, 3]]},
            "falls to 2 at Medium x Major from 3 at Low",
        ),
        ({"matrix": None}, "matrix is missing"),
        ({"severity": ["Minor", "Minor"]}, "severity says Minor twice"),
        ({"likelihood": []}, "likelihood is missing"),
        ({"acceptable_up_to": None}, "acceptable_up_to is None"),
        ({"acceptable_up_to": 3}, "is 2, below acceptable_up_to 3"),
        ({"colour": "red"}, "colour is not part of a risk policy"),
    ],
)
def test_a_faulty_policy_names_what_is_wrong(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        policy_from(data() | change, where="plan")

    assert any(said in f"{fault.where} {fault.what}" for fault in refusal.value.faults)


def test_every_hole_is_named_at_once() -> None:
    holes = deepcopy(data())
    holes["matrix"] = [[None, 2], [1, None], [2]]
    holes["acceptable_up_to"] = "two"

    with pytest.raises(Invalid) as refusal:
        policy_from(holes)

    assert [fault.code for fault in refusal.value.faults] == ["RM05", "RM05", "RM05", "RM08"]
