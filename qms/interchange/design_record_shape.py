"""The sections of a design record file and where each of their keys goes."""

from collections.abc import Mapping
from dataclasses import dataclass

from qms.interchange.draft_building import (
    Handler,
    body,
    field_of,
    link,
    linked_from,
    nested,
    second_statement,
    title,
)
from qms.interchange.special_keys import (
    categories_not_applicable,
    control_kind,
    controls,
    demographics,
    matrix,
    training_matrix,
)

SCHEMA = "rsq-demo/2"

STATES: Mapping[str, str] = {
    "draft": "draft",
    "planned": "draft",
    "candidate": "draft",
    "in_review": "in_review",
    "approved": "approved",
    "complete": "recorded",
    "recorded": "recorded",
    **{
        s: s for s in ("open", "assessed", "in_work", "verifying", "closed", "deferred", "rejected")
    },
}
"""The words the file uses for a state, and the state of the record's lifecycle each one means."""


@dataclass(frozen=True)
class Section:
    """One list of the file: the type its entries become, and the keys they may have."""

    type: str
    keys: Mapping[str, Handler]


_PROJECT = {
    "manufacturer": field_of("manufacturer"),
    "regulatory_route": field_of("regulatory_route"),
    "hie_conditions": field_of("hie_conditions", "texts"),
    "premises": nested(
        {
            "legal_entity": field_of("premises_legal_entity"),
            "made_at": field_of("premises_made_at"),
            "used_at": field_of("premises_used_at", "texts"),
            "rationale": field_of("premises_rationale"),
            "rationale_ref": link("premises_justified_by"),
            "decided": nested(
                {
                    "by": link("premises_decided_by"),
                    "date": field_of("premises_decided_on"),
                    "next_review": field_of("premises_next_review"),
                }
            ),
        }
    ),
    "market_scan": nested(
        {
            "date": field_of("market_scan_date"),
            "result": field_of("market_scan_result"),
            "next_review": field_of("market_scan_next_review"),
            "basis": field_of("market_scan_basis", "texts"),
        }
    ),
    "device_class": nested(
        {
            "scheme": field_of("device_class_scheme"),
            "class": field_of("device_class"),
            "rule": field_of("device_class_rule"),
            "reasoning": field_of("device_class_reasoning"),
            "rationale_ref": link("device_class_justified_by"),
        }
    ),
    "device_class_eu_ni": nested(
        {
            "applies": field_of("eu_ni_applies"),
            "scheme": field_of("eu_ni_scheme"),
            "class": field_of("eu_ni_class"),
            "rule": field_of("eu_ni_rule"),
            "reasoning": field_of("eu_ni_reasoning"),
            "mdr_5_5": field_of("eu_ni_mdr_5_5"),
        }
    ),
    "software_class": nested(
        {
            "scheme": field_of("software_class_scheme"),
            "class": field_of("software_class"),
            "rationale_ref": link("software_class_justified_by"),
        }
    ),
    "dcb": field_of("dcb", "texts"),
    "intended_use": field_of("intended_use"),
    "not_for": field_of("not_for", "texts"),
    "patient_population": field_of("patient_population"),
    "intended_users": field_of("intended_users", "texts"),
    "use_environment": field_of("use_environment"),
    "principle": field_of("principle"),
    "rigour_note": field_of("rigour_note"),
    "categories_not_applicable": categories_not_applicable,
}

SECTIONS: Mapping[str, Section] = {
    "project": Section(
        "project", {"title": title, "fields": nested(_PROJECT), "training_matrix": training_matrix}
    ),
    "people": Section(
        "person",
        {
            "name": title,
            "roles": field_of("roles", "texts"),
            "registration": field_of("registration"),
            "staff_group": field_of("staff_group"),
            "independent_of_design": field_of("independent_of_design", "boolean"),
        },
    ),
    "training": Section(
        "training",
        {
            "title": title,
            "person": link("person"),
            "covers": link("covers"),
            "due": field_of("due"),
            "done": field_of("done"),
        },
    ),
    "risk_policy": Section(
        "risk_policy",
        {
            "title": title,
            "severity": field_of("severity", "texts"),
            "likelihood": field_of("likelihood", "texts"),
            "matrix": matrix,
            "acceptable_up_to": field_of("acceptable_up_to", "integer"),
            "tolerable_with_benefit_risk": field_of("tolerable_with_benefit_risk", "integer"),
            "further_reduction_asked_at": field_of("further_reduction_asked_at", "integer"),
        },
    ),
    "documents": Section(
        "document",
        {
            "title": title,
            "type": field_of("kind"),
            "text": body,
            "covers": field_of("covers", "texts"),
            "review_by": field_of("review_by"),
        },
    ),
    "user_needs": Section(
        "user_need",
        {
            "title": title,
            "text": body,
            "stakeholder": field_of("stakeholder"),
            "source": field_of("source"),
            "priority": field_of("priority"),
            "safety": field_of("safety", "boolean"),
            "acceptance": field_of("acceptance"),
            "premises_ref": link("premises_stated_in"),
        },
    ),
    "software_items": Section(
        "software_item",
        {
            "title": title,
            "kind": field_of("kind"),
            "class": field_of("class"),
            "purpose": field_of("purpose"),
            "interfaces": field_of("interfaces", "texts"),
            "path": field_of("path"),
            "segregation": field_of("segregation"),
            "parent": link("part_of"),
            "uses": link("uses"),
            "owner": link("owned_by"),
            "design": second_statement("designs"),
        },
    ),
    "designs": Section(
        "design",
        {
            "title": title,
            "text": body,
            "implements": link("designs"),
            "satisfies": link("satisfies"),
        },
    ),
    "soup": Section(
        "soup",
        {
            "name": title,
            "version": field_of("version"),
            "supplier": field_of("supplier"),
            "licence": field_of("licence"),
            "purl": field_of("purl"),
            "functions": field_of("functions"),
            "needs": field_of("needs"),
            "risk": field_of("risk"),
            "anomaly_list": field_of("anomaly_list"),
            "reviewed": nested(
                {
                    "date": field_of("evaluated_on"),
                    "by": link("evaluated_by"),
                    "outcome": field_of("evaluation_outcome"),
                }
            ),
            "used_by": second_statement("uses"),
        },
    ),
    "requirements": Section(
        "requirement",
        {
            "title": title,
            "text": body,
            "category": field_of("category"),
            "acceptance": field_of("acceptance"),
            "derives_from": link("derives_from"),
            "allocated_to": link("allocated_to"),
            "risk_control": link("mitigates"),
            "risk_control_kind": control_kind,
            "received_over": link("received_over", department=True),
            "stated_in": link("stated_in"),
        },
    ),
    "risks": Section(
        "risk",
        {
            "title": title,
            "hazard": field_of("hazard"),
            "sequence": field_of("sequence", "texts"),
            "situation": field_of("situation"),
            "harm": field_of("harm"),
            "severity": field_of("severity", "integer"),
            "severity_after": field_of("severity_after", "integer"),
            "p_before": field_of("likelihood_before", "integer"),
            "p_after": field_of("likelihood_after", "integer"),
            "items": link("involves"),
            "controls": controls,
            "effectiveness": linked_from("verifies"),
            "new_risks": field_of("new_risks"),
            "benefit_risk": field_of("benefit_risk"),
            "arises_on": link("arises_on", department=True),
            "owner": link("owned_by"),
            "further_reduction": nested(
                {
                    "answer": field_of("further_reduction_answer"),
                    "reason": field_of("further_reduction_reason"),
                    "question": field_of("further_reduction_question"),
                    "by": link("further_reduction_judged_by"),
                    "date": field_of("further_reduction_date"),
                }
            ),
        },
    ),
    "residual_risk_reviews": Section(
        "residual_risk_review",
        {
            "title": title,
            "text": body,
            "reviewed": field_of("reviewed_on"),
            "method": field_of("method"),
            "benefits": field_of("benefits"),
            "conclusion": field_of("conclusion"),
            "conditions": field_of("conditions"),
            "covers": link("covers"),
            "judged_by": link("judged_by"),
        },
    ),
    "safety_cases": Section(
        "safety_case",
        {
            "title": title,
            "text": body,
            "phase": field_of("phase"),
            "scope": field_of("scope"),
            "process": field_of("process"),
            "hazard_summary": field_of("hazard_summary"),
            "assessment": field_of("assessment"),
            "test_issues": field_of("test_issues"),
            "configuration": field_of("configuration"),
            "hazard_log": field_of("hazard_log"),
            "argues_for": link("argues_for"),
            "rests_on": link("rests_on"),
        },
    ),
    "tests": Section(
        "test",
        {
            "title": title,
            "text": body,
            "level": field_of("level"),
            "stage": field_of("stage"),
            "method": field_of("method"),
            "tolerance": field_of("tolerance"),
            "sample_size": field_of("sample_size"),
            "verifies": link("verifies"),
            "validates": link("validates"),
            "exercises": link("exercises", department=True),
            "data": link("data"),
            "users": link("performed_by"),
        },
    ),
    "tools": Section(
        "equipment",
        {
            "title": title,
            "kind": field_of("kind"),
            "identity": field_of("identity"),
            "location": field_of("location"),
            "version": field_of("version"),
            "criticality": field_of("criticality"),
            "validated": nested(
                {
                    "version": field_of("validated_version"),
                    "date": field_of("validated_on"),
                    "evidence": field_of("validation_evidence"),
                }
            ),
            "owner": link("owned_by"),
            "used_for": link("used_for"),
        },
    ),
    "datasets": Section(
        "dataset",
        {
            "title": title,
            "version": field_of("version"),
            "count": field_of("count", "integer"),
            "patients": nested(
                {"first": field_of("patients_first"), "last": field_of("patients_last")}
            ),
            "origin": field_of("origin"),
            "generator": field_of("generator"),
            "seed": field_of("seed", "integer"),
            "digest": field_of("digest"),
            "consent": field_of("consent"),
            "role": field_of("role"),
            "population": field_of("population"),
            "locked": field_of("locked"),
            "split_from": link("split_from"),
            "disjoint_from": link("disjoint_from"),
            "demographics": demographics,
        },
    ),
    "change_requests": Section(
        "change",
        {
            "title": title,
            "text": body,
            "reason": field_of("reason"),
            "raised_by": link("raised_by"),
            "approved_by": link("approved_by"),
            "impacts": link("impacts"),
            "risk_reviewed": field_of("risk_reviewed", "boolean"),
            "kind": field_of("kind"),
            "class_impact": field_of("class_impact"),
            "regulatory_impact": field_of("regulatory_impact"),
            "decision": field_of("decision"),
            "implemented_in": field_of("implemented_in", "texts"),
            "verified_by": link("verified_by"),
        },
    ),
    "problem_reports": Section(
        "problem",
        {
            "title": title,
            "text": body,
            "found_in": field_of("found_in"),
            "severity": field_of("severity"),
            "safety_relevant": field_of("safety_relevant", "boolean"),
            "evaluated_by": link("evaluated_by"),
            "rationale": field_of("rationale"),
            "environment": field_of("environment"),
            "reproduction": field_of("reproduction"),
            "safety_assessment": field_of("safety_assessment"),
            "trend": field_of("trend"),
            "cause": field_of("cause"),
            "decision": field_of("decision"),
            "risks": link("related_risks"),
            "resolved_by": link("resolved_by"),
            "plan": link("planned_for"),
            "affects": link("affects"),
            "found_by": link("raised_by_test"),
        },
    ),
    "releases": Section(
        "release",
        {
            "title": title,
            "version": field_of("version"),
            "clinical_use": field_of("clinical_use", "boolean"),
            "purpose": field_of("purpose"),
            "git_tag": field_of("git_tag"),
            "commit": field_of("commit"),
            "scope": link("scope"),
            "needs": link("meets", extent="whole"),
            "needs_in_part": link("meets", extent="part"),
            "requirements": link("delivers"),
            "software_items": link("contains"),
            "tests": link("tested_by"),
            "includes_documents": link("includes_documents"),
            "known_anomalies": link("known_anomalies"),
            "build": nested(
                {
                    "command": field_of("build_command"),
                    "image_digest": field_of("build_digest"),
                    "sbom": field_of("sbom"),
                }
            ),
            "archive": nested(
                {
                    "location": field_of("archive_location"),
                    "retention_years": field_of("retention_years", "integer"),
                }
            ),
            "required_signatures": field_of("required_signatures", "texts"),
        },
    ),
}
