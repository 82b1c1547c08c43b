"""Registers and a model around the demo device, as a department that keeps them would have them.

Plain values, made up so that every rule of the registers has something to look at and nothing to
object to. They are never loaded as the demonstration.
"""

from typing import Any

from core.verdicts import Verdict
from qms.results.judging import Imported, Standing
from qms.rules.facts import DeviationFact, LinesFact


def keep_registers(case: Any) -> None:
    """Add one sound record of each register."""
    _quality_issues(case)
    _audit_and_complaint(case)
    _kept_up(case)
    _model(case)
    _plans_and_reviews(case)
    _by_hand(case)
    _outside(case)
    case.digests.update({key: r.content_digest for key, r in case.records.items()})


def _by_hand(case: Any) -> None:
    """One test was run by hand, and what deviated in it was decided on; both are signed."""
    late = DeviationFact("Begun an hour late: the room was occupied.", "Accepted.", "PPL-EQ")
    case.rerun("TST-026", by_hand=True, signed_by=("PPL-BT",), deviations=(late,))


def _outside(case: Any) -> None:
    """Another tool reports a pass for a test, and a line is marked that still says the same."""
    said: Verdict = case.verdicts["TST-009"]
    case.imported["TST-009"] = Imported(
        "TST-009", Standing.PASSED, 3, said.commit, case.runs[0].started_at, "test_dvh", cases=1
    )
    key = case.key("REQ-009")
    case.lines.append(LinesFact(key, "device", "dvh.py:4-9", said.commit, "", "/p/RPM/lines/1"))


def _quality_issues(case: Any) -> None:
    case.add(
        "nonconformity",
        "NC-001",
        "closed",
        found_on="2026-05-04",
        containment="Figures of that day withheld.",
        disposition="rework",
        disposition_reason="The template was corrected and the pages printed again.",
    )
    case.add(
        "capa",
        "CAPA-001",
        "closed",
        kind="corrective",
        risk="medium",
        due="2026-07-01",
        root_cause_method="five whys",
        root_cause="Nobody compared the printed page with the stored result.",
        side_effects="none",
        verification="The comparison runs on every report.",
        effectiveness_criterion="No such report in three months.",
        effectiveness_result="None in 214 reports.",
        effectiveness_checked_on="2026-10-02",
        effective=True,
    )
    case.link("CAPA-001", "arises_from", "NC-001")
    case.link("CAPA-001", "owned_by", "PPL-DM")
    case.link("CAPA-001", "changes", "CR-001")
    for uid in ("NC-001", "CAPA-001"):
        case.change(uid, body="What happened, and where.")
        case.sign(uid, "approved", "quality_manager")


def _audit_and_complaint(case: Any) -> None:
    case.add(
        "audit",
        "AUD-001",
        scope="Design control",
        clauses_audited=["ISO13485-7.3"],
        held_on="2026-09-01",
        independence="The auditor works in another department.",
    )
    case.link("AUD-001", "audited_by", "PPL-EQ")
    case.add(
        "audit_finding",
        "AF-001",
        "in_work",
        clause="ISO13485-7.3.5",
        grade="minor",
        evidence="Minutes without a function beside one name.",
        respond_by="2026-12-15",
    )
    case.change("AF-001", body="What happened, and where.")
    case.link("AF-001", "found_in", "AUD-001")
    case.add("action", "ACT-001", "in_work", due="2026-12-10")
    case.link("ACT-001", "arises_from", "AF-001")
    case.link("ACT-001", "assigned_to", "PPL-EQ")
    case.add(
        "complaint",
        "CMP-001",
        "closed",
        source="physicist, peer review",
        received_on="2026-06-01",
        patient_effect="none",
        reportable="no",
        reportability_reason="No patient was affected or could have been.",
        decided_on="2026-06-02",
    )
    case.link("CMP-001", "about", "PRJ-RPM")
    case.link("CMP-001", "decided_by", "PPL-DM")
    case.link("CMP-001", "owned_by", "PPL-EQ")
    case.change("CMP-001", body="What happened, and where.")
    case.sign("CMP-001", "approved", "quality_manager")
    case.sign("AUD-001", "authored", "author")
    case.sign("AUD-001", "approved", "quality_manager")


def _kept_up(case: Any) -> None:
    case.add(
        "surveillance",
        "SRV-001",
        source="peer review",
        metric="plans sent back",
        limit="more than 5 in a month",
        action="problem report",
        interval_days=31,
        first_due="2026-07-01",
    )
    case.link("SRV-001", "responsible", "PPL-DM")
    case.link("SRV-001", "watches", "RSK-002")
    case.add(
        "surveillance_event",
        "SRE-001",
        "recorded",
        looked_on="2026-11-02",
        within_limit=True,
    )
    case.link("SRE-001", "result_of", "SRV-001")
    case.add(
        "supplier",
        "SUP-001",
        risk="low",
        criteria="Publishes its known problems.",
        evaluated_on="2026-03-01",
        evaluation="met",
        next_evaluation="2027-03-01",
    )
    case.add(
        "equipment",
        "EQP-005",
        kind="test object",
        criticality="medium",
        qa_next="2027-01-15",
    )
    case.add(
        "equipment",
        "EQP-006",
        kind="QMS tool",
        criticality="high",
        version="0.1.0",
        validated_version="0.1.0",
        validated_on="2026-11-01",
        validation_evidence="Its own protocol, run 3.",
    )
    for uid in ("SUP-001", "SRE-001"):
        case.change(uid, body="What happened, and where.")
    for uid in ("SRV-001", "SUP-001", "EQP-005", "EQP-006"):
        case.sign(uid, "authored", "author")
        case.sign(uid, "approved", "quality_manager")
    case.sign("SRE-001", "approved", "quality_manager")


def _model(case: Any) -> None:
    case.add(
        "model",
        "MDL-001",
        version="2.0.0",
        digest="sha256:" + "d" * 64,
        kind="linear regression",
        inputs=["overlap volume / cm3"],
        outputs=["expected rectal V30Gy / %"],
        intended_use="Shown beside the figure of the plan.",
        excluded_use="Other sites, other fractionations.",
        selection="One predictor, chosen before the data were seen.",
        failure_modes="Unusual anatomy near the edge of the fitted range.",
        uncertainty="95 percent prediction interval",
        change_plan="None without a new review.",
        licence="Apache-2.0",
        performance=[
            {
                "metric": "coverage of the interval",
                "group": "all",
                "n": 100,
                "value": 0.95,
                "lower": 0.89,
                "upper": 0.98,
                "method": "Wilson",
                "verdict": "passed",
            },
            {
                "metric": "coverage of the interval",
                "group": "70-79",
                "n": 22,
                "value": 0.91,
                "lower": 0.72,
                "upper": 0.97,
                "method": "Wilson",
                "verdict": "insufficient",
            },
        ],
        drift=[{"metric": "mean residual", "limit": "3 %", "action": "problem report"}],
    )
    case.link("MDL-001", "fitted_on", "DS-004")
    case.link("MDL-001", "tested_on", "DS-006")
    case.link("MDL-001", "realised_in", "SI-06")
    case.link("MDL-001", "owned_by", "PPL-DM")
    case.sign("MDL-001", "authored", "author")
    case.sign("MDL-001", "reviewed", "technical_reviewer")
    case.sign("MDL-001", "approved", "quality_manager")


def _plans_and_reviews(case: Any) -> None:
    case.add(
        "development_plan",
        "DDP-001",
        stages=[{"stage": "design", "activities": "detailed design", "review": "DR-001"}],
        traceability="Links in the record; the release check reads them.",
        resources="Two developers and a reviewer.",
        deliverables=["release 0.1.0"],
        configuration="One repository, one tag for each release.",
        problem_resolution="Problem reports, looked through each week.",
    )
    case.add("device_description", "DEV-001", rule="11", rationale="It informs a decision.")
    case.change("DEV-001", body="What it is, and where it is used.")
    case.link("DEV-001", "describes", "PRJ-RPM")
    case.add(
        "design_review",
        "DR-001",
        stage="design",
        held_on="2026-05-20",
        attendance=[{"person": "PPL-CV", "function": "reviewer", "independent": True}],
        findings="None that is open.",
        outcome="proceed",
    )
    case.link("DR-001", "reviews", "DD-04")
    case.add("item", "ITM-001", origin={"format": "doorstop", "id": "ITM-001", "kind": "heading"})
    case.link("ITM-001", "traces_to", "DD-04")
    case.sign("ITM-001", "authored", "author")
    case.sign("ITM-001", "approved", "quality_manager")
    case.link("DR-001", "chaired_by", "PPL-CV")
    case.add(
        "management_review",
        "MR-001",
        held_on="2026-09-30",
        next_due="2027-09-30",
        inputs=[{"input": "audits", "summary": "One finding, acted on."}],
        decisions=[
            {"output": "resources", "decision": "As they are.", "no_action": "Nothing changes."}
        ],
    )
    case.link("MR-001", "attended_by", "PPL-EQ")
    _use_and_transfer(case)
    exclusions = [{"clause": "ISO13485-7.5.5", "reason": "Software is not sterile."}]
    case.add("applicability", "SOA-001", exclusions=exclusions)
    case.add("waiver", "WVR-001", rule="C03", reason="Read next week.", expires="2026-12-24")
    case.link("WVR-001", "concerns", "REL-0.1.0")
    for uid, role in {
        "DDP-001": "quality_manager",
        "DEV-001": "quality_manager",
        "DR-001": "quality_manager",
        "MR-001": "top_management",
        "USC-001": "quality_manager",
        "CE-001": "clinical_lead",
        "TRF-001": "quality_manager",
        "WVR-001": "quality_manager",
        "SOA-001": "quality_manager",
    }.items():
        case.sign(uid, "authored", "author")
        case.sign(uid, "approved", role)
    for uid in ("DR-001", "TRF-001"):
        case.sign(uid, "reviewed", "technical_reviewer")


def _use_and_transfer(case: Any) -> None:
    case.add(
        "use_scenario",
        "USC-001",
        user_group="Physicists",
        use_error="Reads the figure of another structure.",
        critical=True,
        acceptance="Ten of ten readers name the right structure.",
    )
    case.link("USC-001", "serves", "UN-001")
    case.add(
        "clinical_evaluation",
        "CE-001",
        claims=["The figures are those of the plan."],
        endpoints=["difference in percent"],
        state_of_the_art="Figures are read from the planning system.",
        data="Twenty retrospective plans.",
        appraisal="Enough for a figure that is shown beside another.",
    )
    case.link("CE-001", "evaluates", "PRJ-RPM")
    case.add(
        "transfer",
        "TRF-001",
        site="The demonstration department",
        configuration="As delivered.",
        service_agreement="Within a working day.",
        instructions="DOC-IFU, handed over.",
        training="Before first use.",
        surveillance="SRV-001",
    )
    case.link("TRF-001", "transfers", "REL-0.1.0")
    case.add("pathway", "P01", project="DEPT", modality="external-beam")
    for uid in ("USC-001", "CE-001", "TRF-001"):
        case.change(uid, body="What it is, and where it is used.")
