"""The shipped types are sound, and docs/record-types.md lists them and leads to a working one."""

from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.checking import content_faults, missing_content
from core.records.content import Content, LinkDraft
from core.records.forms import from_address
from core.records.types import TypeRegistry
from qms.interchange.design_record_shape import SECTIONS
from qms.record_types import roles_as_markdown, types_as_markdown

pytestmark = pytest.mark.verifies("TST-005")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/record-types.md"
PACKS = [ROOT / "qms/types", ROOT / "dataflows/types"]

DEMO_ROLES = {
    "author",
    "developer",
    "technical_reviewer",
    "tester",
    "user",
    "validation_tester",
    "clinical_lead",
    "clinical_safety_officer",
    "quality_manager",
    "release_manager",
    "trainer",
    "trainee",
    "auditor",
    "top_management",
    "usability_lead",
}


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return TypeRegistry.load(PACKS)


def between(text: str, begin: str, end: str) -> str:
    return text.split(begin)[1].split(end)[0].strip("\n")


def test_the_page_lists_the_types_and_roles_that_ship(registry) -> None:
    text = PAGE.read_text()

    types = between(text, "<!-- types: printed by qms.record_types -->", "<!-- end of types -->")
    roles = between(text, "<!-- roles: printed by qms.record_types -->", "<!-- end of roles -->")

    assert types == types_as_markdown(registry)
    assert roles == roles_as_markdown(registry)


def test_the_steps_of_the_page_lead_to_a_working_type(tmp_path) -> None:
    (tmp_path / "service_contract.yaml").write_text(between(PAGE.read_text(), "```yaml", "```"))

    contract = TypeRegistry.load([*PACKS, tmp_path]).of("service_contract")

    content = Content("NumFOCUS", links=(LinkDraft("maintains", "SOUP-04"),))
    assert content_faults(contract, content, "SLA-001") == ({}, [])
    assert len(missing_content(contract, content, "SLA-001")) == 2
    whole = Content("NumFOCUS", "Arrays.", {"criticality": "high", "reviewed_on": "2026-11-02"})
    assert missing_content(contract, whole, "SLA-001") == []
    _, faults = content_faults(contract, Content("N", fields={"criticality": "extreme"}), "SLA-001")
    assert [fault.code for fault in faults] == ["wrong-value"]


def test_a_type_without_its_prefix_is_refused_with_its_place(tmp_path) -> None:
    text = between(PAGE.read_text(), "```yaml", "```")
    (tmp_path / "service_contract.yaml").write_text(text.replace("prefix: SLA\n", "colour: red\n"))

    with pytest.raises(Invalid) as caught:
        TypeRegistry.load([*PACKS, tmp_path])

    assert {fault.where for fault in caught.value.faults} == {
        "service_contract.yaml:1 prefix",
        "service_contract.yaml:2 colour",
    }


def test_whoever_writes_a_record_is_never_the_only_one_who_can_approve_it(registry) -> None:
    for one in registry.all():
        for meaning, roles in one.sign.items():
            assert set(roles) <= DEMO_ROLES, one.name
            if meaning != "authored":
                assert set(roles) - {"author", "developer"}, f"{one.name} {meaning}"


def test_status_and_bookkeeping_fields_trigger_no_rereview(registry) -> None:
    """Otherwise freezing a release or reading an anomaly list would put the design in doubt."""
    quiet = {
        "soup": ["reviewed_on", "evaluation_outcome", "anomaly_list"],
        "project": ["market_scan_date", "premises_decided_on", "training_matrix"],
        "risk": ["further_reduction_answer", "further_reduction_date", "new_risks"],
        "software_item": ["path"],
        "document": ["covers", "review_by"],
        "release": ["stage", "archive_location"],
    }

    for name, fields in quiet.items():
        assert not set(fields) & set(registry.of(name).triggers()), name


def test_directions_of_re_review_are_those_of_the_design(registry) -> None:
    directions = {
        (one.name, role): spec.suspect for one in registry.all() for role, spec in one.links.items()
    }

    assert directions["requirement", "derives_from"] == "source"
    assert directions["requirement", "allocated_to"] == "target"
    assert directions["requirement", "mitigates"] == "both"
    assert directions["test", "verifies"] == "source"
    assert directions["test", "validates"] == "source"
    assert directions["design", "designs"] == "both"
    assert directions["design", "satisfies"] == "source"
    assert directions["software_item", "uses"] == "source"
    assert directions["qa_procedure", "controls_connection"] == "source"


def test_a_type_may_narrow_which_of_its_records_speak_to_a_clause(registry, tmp_path) -> None:
    test = registry.of("test")

    assert "ISO13485-7.3.7" in test.clauses_of({"level": "validation"})
    assert "ISO13485-7.3.7" not in test.clauses_of({"level": "unit"})
    assert registry.of("training").clauses_of({"outcome": "planned"}) == ()
    text = between(PAGE.read_text(), "```yaml", "```")
    for condition, told in (
        ("{ISO13485-7.4.1: {colour: [red]}}", "there is no field colour"),
        ("{ISO13485-7.4.1: {criticality: [severe]}}", "no choice of criticality: severe"),
        ("{ISO13485-7.4.1: {reviewed_on: [now]}}", "no choice of reviewed_on"),
        ("{ISO13485-7.4.2: {criticality: [low]}}", "ISO13485-7.4.2 is not among the clauses"),
    ):
        (tmp_path / "service_contract.yaml").write_text(f"{text}\nclauses_when: {condition}\n")
        with pytest.raises(Invalid) as caught:
            TypeRegistry.load([*PACKS, tmp_path])
        assert told in caught.value.faults[0].what


def test_an_address_fills_in_the_form_that_it_leads_to(registry) -> None:
    given = {"covers": "ISO13485-7.5.5", "exclusions.clause": "ISO13485-7.5.5", "rests_on": "DOC-1"}

    document = from_address(registry.of("document"), given)
    statement = from_address(registry.of("applicability"), {**given, "title": "no field"})

    assert document.values == {"covers": "ISO13485-7.5.5"}
    assert statement.rows == {"exclusions": [{"clause": "ISO13485-7.5.5"}]}
    assert [one.target for one in statement.links["rests_on"]] == ["DOC-1"]
    assert len(from_address(registry.of("document"), {"covers": "x" * 999}).values["covers"]) == 200


def test_the_types_hold_what_the_standards_ask_them_to_say(registry) -> None:
    asked = {
        "training": "due done method result",
        "document": "number review_by review_interval_months retention_years distribution",
        "design": "interfaces algorithm error_handling",
        "test": "preconditions steps expected tolerance tester_competence independence",
        "soup": "digest end_of_support",
        "requirement": "priority",
        "dataset": "inclusion exclusion deidentification label_definition labellers "
        "reference_standard split_rule storage access known_bias retention_years",
    }

    for name, words in asked.items():
        fields = set(words.split())
        assert fields <= set(registry.of(name).fields), name
        sections = [one for one in SECTIONS.values() if one.type == name]
        assert [fields - set(one.keys) for one in sections] == [set()], name
    assert registry.of("training").links["trainer"].to == ("person",)
