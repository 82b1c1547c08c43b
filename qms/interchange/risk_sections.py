"""The sections of a design record file that tell of its risks and of what people judged."""

from collections.abc import Mapping

from qms.interchange.draft_building import body, field_of, link, linked_from, nested, title
from qms.interchange.section import Section
from qms.interchange.special_keys import controls, matrix

RISK_SECTIONS: Mapping[str, Section] = {
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
    "hazard_logs": Section(
        "hazard_log",
        {
            "title": title,
            "text": body,
            "reason": field_of("reason"),
            "issued_for": link("issued_for"),
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
            "reviews": link("reviews"),
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
            "hazard_log": link("accompanied_by"),
            "argues_for": link("argues_for"),
            "rests_on": link("rests_on"),
        },
    ),
    "judgements": Section(
        "judgement",
        {
            "title": title,
            "text": body,
            "question": field_of("question"),
            "answer": field_of("answer"),
            "considered": field_of("considered_on"),
            "concerns": link("concerns"),
            "release": link("release"),
        },
    ),
    "concessions": Section(
        "waiver",
        {
            "title": title,
            "text": body,
            "rule": field_of("rule"),
            "reason": field_of("reason"),
            "expires": field_of("expires"),
            "concerns": link("concerns"),
            "release": link("release"),
        },
    ),
}
