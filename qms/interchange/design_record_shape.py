"""The sections of a design record file and where each of their keys goes."""

from collections.abc import Mapping

from qms.interchange.draft_building import (
    body,
    field_of,
    link,
    nested,
    second_statement,
    table,
    title,
)
from qms.interchange.project_shape import PROJECT
from qms.interchange.risk_sections import RISK_SECTIONS
from qms.interchange.section import Section
from qms.interchange.special_keys import (
    control_kind,
    demographics,
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


SECTIONS: Mapping[str, Section] = {
    "project": Section(
        "project", {"title": title, "fields": nested(PROJECT), "training_matrix": training_matrix}
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
            "method": field_of("method"),
            "result": field_of("result"),
            "trainer": link("trainer"),
        },
    ),
    "risk_policy": RISK_SECTIONS["risk_policy"],
    "documents": Section(
        "document",
        {
            "title": title,
            "type": field_of("kind"),
            "text": body,
            "covers": field_of("covers", "texts"),
            "number": field_of("number"),
            "review_by": field_of("review_by"),
            "review_interval_months": field_of("review_interval_months", "integer"),
            "retention_years": field_of("retention_years", "integer"),
            "distribution": field_of("distribution"),
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
            "interfaces": field_of("interfaces"),
            "algorithm": field_of("algorithm"),
            "error_handling": field_of("error_handling"),
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
            "digest": field_of("digest"),
            "end_of_support": field_of("end_of_support"),
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
            "priority": field_of("priority"),
            "acceptance": field_of("acceptance"),
            "derives_from": link("derives_from"),
            "allocated_to": link("allocated_to"),
            "risk_control": link("mitigates"),
            "risk_control_kind": control_kind,
            "received_over": link("received_over", department=True),
            "stated_in": link("stated_in"),
        },
    ),
    "risks": RISK_SECTIONS["risks"],
    "hazard_logs": RISK_SECTIONS["hazard_logs"],
    "residual_risk_reviews": RISK_SECTIONS["residual_risk_reviews"],
    "safety_cases": RISK_SECTIONS["safety_cases"],
    "tests": Section(
        "test",
        {
            "title": title,
            "text": body,
            "level": field_of("level"),
            "stage": field_of("stage"),
            "method": field_of("method"),
            "preconditions": field_of("preconditions"),
            "steps": table("steps", ("step", "expected")),
            "expected": field_of("expected"),
            "tolerance": field_of("tolerance"),
            "sample_size": field_of("sample_size"),
            "tester_competence": field_of("tester_competence"),
            "independence": field_of("independence"),
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
            "inclusion": field_of("inclusion"),
            "exclusion": field_of("exclusion"),
            "deidentification": field_of("deidentification"),
            "label_definition": field_of("label_definition"),
            "labellers": table("labellers", ("who", "qualification", "agreement")),
            "reference_standard": field_of("reference_standard"),
            "split_rule": field_of("split_rule"),
            "known_bias": field_of("known_bias"),
            "storage": field_of("storage"),
            "access": field_of("access"),
            "retention_years": field_of("retention_years", "integer"),
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
    "judgements": RISK_SECTIONS["judgements"],
    "concessions": RISK_SECTIONS["concessions"],
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
