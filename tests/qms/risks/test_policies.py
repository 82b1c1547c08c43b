"""The policy in force comes from the project's own records before any default."""

import pytest

from core.errors import Invalid
from core.records.snapshot import Key
from qms.risks.policies import policy_in_force

pytestmark = pytest.mark.verifies("TST-011")

OWN = {
    "severity": ["Minor", "Major"],
    "likelihood": ["Low", "High"],
    "matrix": {"rows": [[1, 2], [2, 3]]},
    "acceptable_up_to": 1,
    "tolerable_with_benefit_risk": 2,
}


def test_an_empty_project_has_the_matrix_that_ships(book) -> None:
    policy, record = policy_in_force(book.snapshot(), "RPM")

    assert policy.identifier == "nhs-dcb-5x5"
    assert record is None


def test_a_project_may_name_a_matrix_that_ships(book) -> None:
    book.add("project", "PRJ-RPM", risk_matrix="nhs-dcb-5x5")

    assert policy_in_force(book.snapshot(), "RPM")[0].identifier == "nhs-dcb-5x5"


def test_a_matrix_that_does_not_ship_is_named(book) -> None:
    book.add("project", "PRJ-RPM", risk_matrix="nowhere-3x3")

    with pytest.raises(Invalid) as refusal:
        policy_in_force(book.snapshot(), "RPM")

    assert "nowhere-3x3" in str(refusal.value.faults[0])


def test_a_policy_record_comes_before_any_default(book) -> None:
    book.add("project", "PRJ-RPM", risk_matrix="nhs-dcb-5x5")
    book.add("risk_policy", "RMP-001", **OWN)

    policy, record = policy_in_force(book.snapshot(), "RPM")

    assert policy.cells == ((1, 2), (2, 3))
    assert record.key == Key("RPM", "RMP-001")


def test_an_approved_policy_comes_before_a_draft_and_a_withdrawn_one_counts_for_nothing(
    book,
) -> None:
    book.add("risk_policy", "RMP-001", state="draft", **OWN)
    book.add("risk_policy", "RMP-002", **OWN)
    book.add("risk_policy", "RMP-003", state="withdrawn", **OWN)

    assert policy_in_force(book.snapshot(), "RPM")[1].key.uid == "RMP-002"


def test_a_faulty_policy_record_names_itself_and_every_hole(book) -> None:
    book.add("risk_policy", "RMP-001", **(OWN | {"matrix": {"rows": [[1], [2, None]]}}))

    with pytest.raises(Invalid) as refusal:
        policy_in_force(book.snapshot(), "RPM")

    assert len(refusal.value.faults) == 2
    assert all("RMP-001" in fault.where for fault in refusal.value.faults)
