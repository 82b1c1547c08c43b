"""Faults seeded in the risk file: family D."""

from datetime import timedelta

import pytest

from core.qa_controls import ControlWord, QaControl
from core.records.snapshot import Key
from core.verdicts import Verdict, VerdictWord
from tests.qms.rules.conftest import APPROVED


def test_harm_missing(demo) -> None:
    demo.fill("RSK-001", harm=None)

    demo.must_name("D01", "RSK-001")


def test_severity_off_the_scale(demo) -> None:
    demo.fill("RSK-001", severity=99)

    demo.must_name("D02", "RSK-001")


def test_likelihood_after_missing(demo) -> None:
    demo.fill("RSK-002", likelihood_after=None)

    demo.must_name("D02", "RSK-002")


def test_policy_is_only_drafted(demo) -> None:
    demo.change("DOC-RMP-MATRIX", state="draft")

    demo.must_name("D02", *(f"RSK-{number:03d}" for number in range(1, 14)))


def test_policy_has_a_hole(demo) -> None:
    demo.fill("DOC-RMP-MATRIX", matrix={"rows": [[1, 2]]})

    assert "has no level at Very low x Considerable" in demo.result("D02").findings[0].sentence


def test_likelier_after_controls(demo) -> None:
    demo.fill("RSK-003", likelihood_before=1, likelihood_after=2)

    demo.must_name("D03", "RSK-003")


def test_severity_falls_by_information(demo) -> None:
    demo.fill("RSK-011", severity_after=3)

    demo.must_name("D03", "RSK-011")


def test_further_reduction_unanswered(demo) -> None:
    demo.unlink("RSK-001", "further_reduction_judged_by", "PPL-DM")

    demo.must_name("D03", "RSK-001")


def test_high_risk_uncontrolled(demo) -> None:
    demo.unlink("REQ-005", "mitigates", "RSK-003")

    demo.must_name("D04", "RSK-003")


def test_control_not_in_force(demo) -> None:
    demo.change("REQ-005", state="draft")

    demo.must_name("D05", "REQ-005")


def test_control_without_kind(demo) -> None:
    demo.unlink("REQ-009", "mitigates", "RSK-004")
    demo.link("REQ-009", "mitigates", "RSK-004")

    demo.must_name("D05", "REQ-009")


def test_information_alone_unjustified(demo) -> None:
    demo.fill("RSK-011", benefit_risk=None)

    demo.must_name("D06", "RSK-011")


def test_control_failed_its_test(demo) -> None:
    demo.verdicts["TST-009"] = Verdict(VerdictWord.FAILED, "15")
    demo.unlink("TST-009", "verifies", "REQ-010")

    demo.must_name("D07", "REQ-009")


def test_control_without_test_in_the_release(demo) -> None:
    demo.unlink("TST-009", "verifies", "REQ-009")

    demo.must_name("D07", "REQ-009")


def test_effect_not_shown(demo) -> None:
    demo.unlink("TST-005", "verifies", "RSK-002")
    demo.unlink("TST-007", "verifies", "RSK-002")

    demo.must_name("D08", "RSK-002")


def test_qa_that_controls_a_risk_does_not_work(demo) -> None:
    """RSK-002 is controlled by what the release delivers; its level is not lowered meanwhile."""
    requirement = demo.key("REQ-004")
    lowered = demo.result("D10").remark
    demo.qa = [
        QaControl(
            Key("DEPT", "QA-022"),
            frozenset({requirement}),
            ControlWord.NOT_EFFECTIVE,
            "unknown since 2026-11-18 09:00 UTC: It is down.",
        )
    ]

    demo.must_name("D08", "RSK-002")
    assert "QA-022 unknown since 2026-11-18 09:00 UTC" in told(demo, "D08")
    assert "not verified or not effective" in demo.result("D10").remark
    assert "RSK-002" in demo.result("D10").remark
    assert "RSK-002" not in lowered


def test_a_concession_about_tests_lets_no_qa_through(demo) -> None:
    """One finding of RSK-002 is of a test that is not run, the other of QA that is overdue."""
    demo.verdicts[demo.key("TST-005").uid] = Verdict(VerdictWord.NOT_RUN)
    demo.add("waiver", "WVR-901", rule="D08", reason="Run next week.", expires="2026-12-01")
    demo.link("WVR-901", "concerns", "RSK-002")
    watched = frozenset({demo.key("REQ-004")})
    demo.qa = [QaControl(Key("DEPT", "QA-022"), watched, ControlWord.NOT_EFFECTIVE, "overdue")]

    found = [one for one in demo.result("D08").findings if one.record.uid == "RSK-002"]

    assert [(bool(one.waiver), one.blocks) for one in found] == [(True, False), (False, True)]
    assert "no concession lets this through" in found[1].mend


def test_qa_that_nobody_was_asked_about_is_no_finding(demo) -> None:
    before = demo.check()
    demo.qa = [
        QaControl(
            Key("DEPT", "QA-022"),
            frozenset({demo.key("REQ-004")}),
            ControlWord.NOT_ASKED,
            "No QATrack+ server is named, so nobody was asked.",
        )
    ]

    assert demo.check() == before


def test_effect_test_not_run(demo) -> None:
    del demo.verdicts["TST-007"]

    demo.must_name("D08", "RSK-002")


def test_residual_risk_intolerable(demo) -> None:
    demo.fill("RSK-011", severity=5, likelihood_before=4, likelihood_after=4)

    demo.must_name("D09", "RSK-011")


def test_middle_risk_without_benefit(demo) -> None:
    demo.fill("RSK-011", benefit_risk="")

    demo.must_name("D10", "RSK-011")


def test_new_risks_not_considered(demo) -> None:
    demo.fill("RSK-001", new_risks=None)

    demo.must_name("D11", "RSK-001")


def test_no_item_named(demo) -> None:
    demo.unlink("RSK-003", "involves", "SI-02")

    demo.must_name("D12", "RSK-003")


def test_item_not_considered(demo) -> None:
    demo.unlink("RSK-002", "involves", "SI-04")

    demo.must_name("D13", "SI-04")


def test_safety_need_reaches_no_risk(demo) -> None:
    for uid, risks in {
        "REQ-014": ["RSK-007"],
        "REQ-015": ["RSK-008"],
        "REQ-026": ["RSK-013"],
    }.items():
        for risk in risks:
            demo.unlink(uid, "mitigates", risk)
    for risk in ("RSK-005", "RSK-011"):
        demo.unlink("REQ-021", "mitigates", risk)

    demo.must_name("D14", "UN-003")


def test_safety_officer_unregistered(demo) -> None:
    demo.fill("PPL-DM", registration=None)

    demo.must_name("D17", "PRJ-RPM")


def test_no_safety_officer(demo) -> None:
    demo.fill("PPL-DM", roles=["clinical_lead"])

    demo.must_name("D17", "PRJ-RPM")


def test_safety_officer_untrained(demo) -> None:
    demo.fill("TRN-002", done="2027-01-01")

    demo.must_name("D17", "PRJ-RPM")


def test_security_not_analysed(demo) -> None:
    demo.fill("RSK-012", hazard="Incorrect information")

    demo.must_name("D18", "PRJ-RPM")


def test_information_not_in_the_instructions(demo) -> None:
    demo.unlink("REQ-010", "stated_in", "DOC-IFU")

    demo.must_name("D19", "REQ-010")


def test_instructions_not_approved(demo) -> None:
    demo.change("DOC-IFU", state="draft")

    demo.must_name("D19", "REQ-010", "REQ-019", "REQ-021")


@pytest.mark.parametrize("clinical", [True, False, None])
def test_claimed_level_counts_for_nothing_while_controls_are_not_verified(demo, clinical) -> None:
    """The controls of most risks are not delivered by 0.1.0, so their levels stand as before."""
    demo.fill("REL-0.1.0", clinical_use=clinical)
    demo.fill("RSK-013", severity=5, likelihood_before=5, severity_after=1, likelihood_after=1)

    demo.must_name("D09", "RSK-013")


def test_claimed_level_counts_for_nothing_where_no_release_is_judged(demo) -> None:
    demo.release = None
    demo.verdicts.clear()
    demo.fill("RSK-002", severity=5, likelihood_before=5, severity_after=1, likelihood_after=1)

    demo.must_name("D09", "RSK-002")


def test_risks_judged_as_if_uncontrolled_are_told_beside_the_verdict(demo) -> None:
    found = demo.result("D09")

    assert found.word == "passes"
    assert found.remark.startswith(
        "The controls of 11 of 13 risks are not verified, so their level"
    )
    assert "before the controls counts: RSK-001, " in found.remark
    assert found.remark == demo.result("D10").remark


def test_risk_lowered_without_any_control(demo) -> None:
    demo.unlink("REQ-005", "mitigates", "RSK-003")

    demo.must_name("D03", "RSK-003")
    assert "RSK-003 falls in likelihood from 3 to 1, and no requirement in force" in told(
        demo, "D03"
    )


def test_risk_lowered_by_a_control_that_is_only_drafted(demo) -> None:
    demo.change("REQ-005", state="draft", in_force=False)

    demo.must_name("D03", "RSK-003")


def test_issue_of_the_hazard_log_missing(demo) -> None:
    demo.unlink("DOC-CSCR", "accompanied_by", "DOC-HZL")

    demo.must_name("D16", "PRJ-RPM")
    assert "has DOC-CSCR without an issue of the hazard log" in told(demo, "D16")


def test_issue_of_the_hazard_log_only_drafted(demo) -> None:
    demo.change("DOC-HZL", state="in_review", in_force=False)

    assert "DOC-CSCR resting on DOC-HZL, which is in review" in told(demo, "D16")


def test_issue_of_the_hazard_log_for_another_release(demo) -> None:
    demo.unlink("DOC-HZL", "issued_for", "REL-0.1.0")
    demo.link("DOC-HZL", "issued_for", "REL-1.0.0")

    assert "DOC-HZL, which was issued for another release" in told(demo, "D16")


def test_risk_that_changed_since_the_issue_of_the_hazard_log(demo) -> None:
    demo.change("RSK-007", revision=2)

    assert "DOC-HZL, which holds RSK-007 as of revision 1, in force is 2" in told(demo, "D16")


def test_risk_that_the_issue_of_the_hazard_log_does_not_hold(demo) -> None:
    rows = demo.records[demo.key("DOC-HZL")].fields["hazards"]
    demo.fill("DOC-HZL", hazards=rows[1:])

    assert "DOC-HZL, which does not hold RSK-001." in told(demo, "D16")


def test_risk_that_the_issue_holds_and_that_was_withdrawn_since(demo) -> None:
    demo.change("RSK-007", state="withdrawn", withdrawn=True, in_force=False)

    assert "DOC-HZL, which still holds RSK-007, which is withdrawn." in told(demo, "D16")


def test_level_that_the_issue_states_too_low(demo) -> None:
    del demo.verdicts["TST-005"]

    assert "DOC-HZL, which states RSK-002 at level 2, it is at 3 now." in told(demo, "D16")


def test_level_that_the_issue_states_too_high_is_no_fault(demo) -> None:
    rows = demo.records[demo.key("DOC-HZL")].fields["hazards"]
    demo.fill("DOC-HZL", hazards=[{**row, "level": 3} for row in rows])

    demo.must_name("D16")


def told(demo, code: str) -> str:
    """Return everything that a rule says, in one text."""
    return " ".join(finding.sentence for finding in demo.result(code).findings)


def test_overall_risk_nobody_reviewed(demo) -> None:
    demo.change("DOC-RMR", state="draft")

    assert "PRJ-RPM" in demo.flawed("D15")
    demo.must_name("D15", "PRJ-RPM")


def test_risk_that_changed_after_the_review_is_named(demo) -> None:
    demo.change("RSK-007", approved_at=APPROVED + timedelta(days=1))

    demo.must_name("D15", "PRJ-RPM")
    (finding,) = demo.result("D15").findings
    assert "reviewed in DOC-RMR before RSK-007 changed" in finding.sentence


def test_overall_risk_called_not_acceptable(demo) -> None:
    demo.fill("DOC-RMR", conclusion="not acceptable")

    demo.must_name("D15", "PRJ-RPM")


def test_release_without_a_safety_case(demo) -> None:
    demo.unlink("REL-0.1.0", "includes_documents", "DOC-CSCR")

    demo.must_name("D16", "PRJ-RPM")


@pytest.mark.parametrize("uid", ["DOC-CSCR", "RSK-003"])
def test_safety_officer_did_not_sign(demo, uid) -> None:
    signatures = demo.records[demo.key(uid)].signatures
    kept = tuple(one for one in signatures if one.role != "clinical_safety_officer")
    demo.change(uid, signatures=kept)

    demo.must_name("D16", "PRJ-RPM")


def test_safety_case_of_another_release(demo) -> None:
    demo.unlink("DOC-CSCR", "argues_for", "REL-0.1.0")
    demo.link("DOC-CSCR", "argues_for", "REL-1.0.0")

    demo.must_name("D16", "PRJ-RPM")
