"""Faults seeded in the quality registers: family F, second part."""

from datetime import UTC, date, datetime

import pytest


@pytest.mark.parametrize(
    "field", ["root_cause", "effectiveness_result", "effectiveness_checked_on"]
)
def test_capa_closed_half_done(whole, field) -> None:
    whole.fill("CAPA-001", **{field: None})

    whole.must_name("F11", "CAPA-001")


def test_capa_closed_without_any_action(whole) -> None:
    whole.unlink("CAPA-001", "changes", "CR-001")

    whole.must_name("F11", "CAPA-001")


def test_capa_whose_action_is_an_action_record(whole) -> None:
    whole.unlink("CAPA-001", "changes", "CR-001")
    whole.link("ACT-001", "arises_from", "CAPA-001")

    whole.must_name("F11")


def test_capa_closed_although_it_did_not_help(whole) -> None:
    whole.fill("CAPA-001", effective=False)

    whole.must_name("F11", "CAPA-001")


def test_nonconformity_closed_without_disposition(whole) -> None:
    whole.fill("NC-001", disposition=None)

    whole.must_name("F12", "NC-001")


def test_nonconformity_used_as_it_is_needs_a_concession(whole) -> None:
    whole.fill("NC-001", disposition="use as is")
    whole.must_name("F12", "NC-001")

    whole.fill("NC-001", concession="The pages of that week, for reading only.")
    whole.must_name("F12")


def test_audit_finding_nobody_acts_on(whole) -> None:
    whole.unlink("ACT-001", "arises_from", "AF-001")

    whole.must_name("F13", "AF-001")


def test_audit_finding_whose_action_was_rejected(whole) -> None:
    whole.change("ACT-001", state="rejected")

    whole.must_name("F13", "AF-001")


def test_complaint_not_assessed_names_the_last_day_of_a_report(whole) -> None:
    whole.fill("CMP-001", reportable=None, patient_effect="death")

    whole.must_name("F14", "CMP-001")
    (finding,) = whole.result("F14").findings
    assert "would be due by 2026-06-11" in finding.sentence


def test_complaint_assessed_by_nobody(whole) -> None:
    whole.unlink("CMP-001", "decided_by", "PPL-DM")

    whole.must_name("F14", "CMP-001")


@pytest.mark.parametrize(
    ("reported", "named"), [(None, True), ("2026-06-17", True), ("2026-06-16", False)]
)
def test_reportable_complaint_is_reported_in_time(whole, reported, named) -> None:
    whole.fill("CMP-001", reportable="yes", reported_on=reported)

    whole.must_name("F14", *(["CMP-001"] if named else []))


def test_surveillance_overdue_after_its_last_result(whole) -> None:
    whole.fill("SRE-001", looked_on="2026-10-19")

    whole.must_name("F15", "SRV-001")


def test_surveillance_never_looked_at(whole) -> None:
    whole.unlink("SRE-001", "result_of", "SRV-001")

    whole.must_name("F15", "SRV-001")


def test_training_overdue(whole) -> None:
    whole.fill("TRN-012", due="2026-11-19")

    whole.must_name("F16", "TRN-012")


def test_training_planned_for_no_day(whole) -> None:
    whole.fill("TRN-012", due=None)

    whole.must_name("F16", "TRN-012")


@pytest.mark.parametrize("due", [None, "2026-11-19"])
def test_supplier_not_evaluated_again(whole, due) -> None:
    whole.fill("SUP-001", next_evaluation=due)

    assert "SUP-001" in whole.flawed("F17")
    whole.must_name("F17", "SUP-001")


@pytest.mark.parametrize("due", [None, "2026-11-19"])
def test_test_object_not_checked(whole, due) -> None:
    whole.fill("EQP-005", qa_next=due)

    whole.must_name("F18", "EQP-005")


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "0.2.0"},
        {"version": None},
        {"validated_version": None},
        {"validated_on": None},
        {"validation_evidence": None},
    ],
)
def test_tool_of_quality_work_not_validated_at_its_version(whole, changed) -> None:
    whole.fill("EQP-006", **changed)

    whole.must_name("F19", "EQP-006")


def test_training_that_was_given_since_it_was_planned(whole) -> None:
    whole.fill("TRN-012", due="2026-11-19")
    whole.add("training", "TRN-900", "recorded", outcome="complete", done="2026-11-18")
    whole.link("TRN-900", "person", "PPL-HO")
    whole.link("TRN-900", "covers", "DOC-IFU", revision=2)

    whole.must_name("F16")


def test_surveillance_result_of_a_day_to_come_counts_for_nothing(whole) -> None:
    whole.fill("SRE-001", looked_on="2062-11-02")

    whole.must_name("F15", "SRV-001")


def test_closed_complaint_that_no_safety_officer_signed(whole) -> None:
    whole.unaccepted["CMP-001"] = ("reviewed",)

    whole.must_name("F14", "CMP-001")


@pytest.mark.parametrize("said", [False, None])
def test_capa_closed_though_it_did_not_help(whole, said) -> None:
    whole.fill("CAPA-001", effective=said)

    assert whole.flawed("F11") == ["CAPA-001"]


def test_capa_checked_before_its_action_was_done(whole) -> None:
    whole.add("action", "ACT-009", "closed", due="2026-10-20", done_on="2026-10-20", outcome="So.")
    whole.link("ACT-009", "assigned_to", "PPL-EQ")
    whole.link("ACT-009", "arises_from", "CAPA-001")

    assert whole.flawed("F11") == ["CAPA-001"]


def test_action_without_a_day_and_action_past_its_day(whole) -> None:
    whole.fill("ACT-001", due=None)
    whole.must_name("F20", "ACT-001")

    whole.fill("ACT-001", due="2026-11-19")
    whole.must_name("F20", "ACT-001")


@pytest.mark.parametrize(("risk", "late"), [("high", True), ("low", False)])
def test_capa_due_later_than_its_risk_allows(whole, risk, late) -> None:
    whole.opened["CAPA-001"] = date(2026, 11, 1)
    # Saved today, which begins nothing anew.
    whole.change("CAPA-001", state="in_work", signatures=(), approved_at=datetime.now(UTC))
    whole.fill("CAPA-001", risk=risk, due="2027-03-01")

    assert whole.flawed("F20") == (["CAPA-001"] if late else [])


def test_decisions_of_a_meeting_that_nobody_carries_out(whole) -> None:
    whole.fill("MR-001", decisions=[{"output": "resources", "decision": "One more developer."}])
    whole.fill("DR-001", outcome="proceed with actions")
    whole.must_name("F21", "MR-001", "DR-001")

    for uid in ("MR-001", "DR-001"):
        whole.link("ACT-001", "arises_from", uid)
    whole.must_name("F21")


def test_management_review_overdue_until_the_next_is_held(whole) -> None:
    whole.fill("MR-001", next_due="2026-11-01")
    whole.must_name("F22", "MR-001")

    later = dict(whole.records[whole.key("MR-001")].fields, held_on="2026-11-02")
    whole.add("management_review", "MR-002", **later | {"next_due": "2027-11-01"})
    whole.link("MR-002", "attended_by", "PPL-EQ")
    assert whole.flawed("F22") == []
