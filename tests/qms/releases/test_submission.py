"""A risk is not handed to review, nor signed, with what its rules would object to."""

import pytest

from core.errors import Invalid, Refused
from core.records import approval
from core.records.service import find_project, find_record
from qms.submission import approval_obstacles, submission_faults


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> None:
    monkeypatch.setattr(approval.ports, "submission", submission_faults)


def codes(device, uid: str, **fields) -> list[str]:
    """Propose a change of a risk and submit it; return the codes of what is objected to."""
    with pytest.raises(Invalid) as refusal:
        device.edit(uid, **fields)
    assert {fault.where for fault in refusal.value.faults} == {uid}
    return sorted({fault.code for fault in refusal.value.faults})


@pytest.mark.parametrize(
    ("uid", "fields", "expected"),
    [
        ("RSK-011", {"benefit_risk": ""}, ["D06", "D10"]),
        ("RSK-003", {"likelihood_before": 1, "likelihood_after": 2}, ["D03"]),
        ("RSK-011", {"severity_after": 3}, ["D03"]),
        ("RSK-001", {"harm": " ", "severity": 99}, ["D01", "D02"]),
    ],
)
def test_a_risk_with_a_flaw_is_not_submitted(device, uid, fields, expected) -> None:
    assert codes(device, uid, **fields) == expected


def test_every_risk_of_the_demonstration_may_be_submitted_again(device) -> None:
    with device.db.writing() as session:
        project = find_project(session, "RPM")
        for number in range(1, 14):
            uid = f"RSK-{number:03d}"
            device.change(session, project, uid, body="Said in other words.")
            record = find_record(session, project, uid)
            assert submission_faults(session, project, record) == ()
        session.rollback()


def test_what_came_up_during_the_review_forbids_the_signature(device, monkeypatch) -> None:
    """Submitted before the department asked for benefits, signed after."""
    monkeypatch.setattr(approval.ports, "submission", None)
    monkeypatch.setattr(approval.ports, "gate", approval_obstacles)

    with pytest.raises(Refused) as refusal:
        device.edit("RSK-011", benefit_risk="")

    assert "RSK-011 cannot be signed while its check fails." in str(refusal.value)
    assert "D10 RSK-011: remains at level 3 without a benefit-risk analysis." in str(refusal.value)


def test_a_record_of_another_type_has_no_such_rules(device) -> None:
    with device.db.reading() as session:
        project = find_project(session, "RPM")
        assert submission_faults(session, project, find_record(session, project, "REQ-001")) == ()
