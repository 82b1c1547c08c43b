"""The keys of the project itself in a design record file."""

from collections.abc import Mapping

from qms.interchange.draft_building import Handler, field_of, link, nested
from qms.interchange.special_keys import categories_not_applicable

PROJECT: Mapping[str, Handler] = {
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
