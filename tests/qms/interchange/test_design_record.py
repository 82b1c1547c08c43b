"""The demo's design record is read whole, and every fault of a bad one is named with its place."""

import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.content import LinkDraft
from core.records.types import TypeRegistry
from qms.interchange.design_record import load_design_record, read_design_record

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "app/demo/project.yaml"


@pytest.fixture(scope="module")
def registry() -> TypeRegistry:
    return TypeRegistry.load([ROOT / "qms/types", ROOT / "dataflows/types"])


@pytest.fixture(scope="module")
def demo():
    return load_design_record(DEMO, "RPM", today=date(2026, 11, 20))


def faults_of(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read_design_record(text.encode(), "bad.yaml", "RPM")
    return [str(fault) for fault in caught.value.faults]


def small(*sections: str) -> str:
    return "\n".join(["schema: rsq-demo/2", *sections])


def test_the_demo_becomes_one_draft_per_entry(demo) -> None:
    assert Counter(draft.type for draft in demo.drafts) == {
        "project": 1,
        "person": 14,
        "training": 17,
        "risk_policy": 1,
        "document": 9,
        "hazard_log": 1,
        "residual_risk_review": 1,
        "safety_case": 1,
        "waiver": 1,
        "judgement": 2,
        "equipment": 4,
        "user_need": 8,
        "software_item": 12,
        "design": 4,
        "soup": 11,
        "requirement": 26,
        "risk": 13,
        "test": 26,
        "dataset": 6,
        "change": 2,
        "problem": 1,
        "release": 2,
    }
    assert demo.title == "RT Plan Metrics"


def test_every_field_and_link_of_the_demo_fits_its_type(demo, registry) -> None:
    types = {draft.uid: draft.type for draft in demo.drafts}

    for draft in demo.drafts:
        kind = registry.of(draft.type)
        assert set(draft.content.fields) <= set(kind.fields), draft.uid
        for link in draft.content.links:
            assert link.role in kind.links, f"{draft.uid} {link.role}"
            if link.project is None:
                assert types[link.target] in kind.links[link.role].to, f"{draft.uid} {link}"
        choices = {n: s.choices for n, s in kind.fields.items() if s.kind == "choice"}
        for name, allowed in choices.items():
            assert draft.content.fields.get(name, allowed[0]) in allowed, f"{draft.uid} {name}"


def links_of(demo, uid: str) -> set[tuple[str, str | None, str]]:
    draft = next(draft for draft in demo.drafts if draft.uid == uid)
    return {(link.role, link.project, link.target) for link in draft.content.links}


def test_links_of_the_file_become_typed_links(demo) -> None:
    assert links_of(demo, "REQ-003") == {
        ("derives_from", None, "UN-005"),
        ("allocated_to", None, "SI-02"),
        ("mitigates", None, "RSK-001"),
        ("received_over", "DEPT", "C023"),
    }
    assert links_of(demo, "TST-002") == {
        ("verifies", None, "REQ-001"),
        ("exercises", "DEPT", "C023"),
        ("data", None, "DS-001"),
    }
    assert ("deployed_on", "DEPT", "PQA") in links_of(demo, "SI-00")
    assert ("arises_on", "DEPT", "C023") in links_of(demo, "RSK-012")


def test_effectiveness_of_a_risk_is_stored_once_at_the_test(demo) -> None:
    assert ("verifies", None, "RSK-001") in links_of(demo, "TST-004")
    assert not any("TST" in target for _, _, target in links_of(demo, "RSK-001"))


def test_the_kind_of_a_control_is_an_attribute_of_the_requirements_link(demo) -> None:
    draft = next(draft for draft in demo.drafts if draft.uid == "REQ-019")

    assert LinkDraft("mitigates", "RSK-001", None, {"kind": "information"}) in draft.content.links


def test_training_keeps_the_revision_it_covered(demo) -> None:
    draft = next(draft for draft in demo.drafts if draft.uid == "TRN-001")

    assert LinkDraft("covers", "DOC-SDP", None, {"revision": 2}) in draft.content.links
    assert draft.content.fields["outcome"] == "complete"


def test_states_and_revisions_are_those_of_the_file(demo) -> None:
    by_uid = {draft.uid: draft for draft in demo.drafts}

    assert (by_uid["PRJ-RPM"].state, by_uid["PRJ-RPM"].number) == ("approved", 2)
    assert by_uid["TST-001"].state == "draft"
    assert by_uid["REL-1.0.0"].content.fields["stage"] == "planned"
    assert by_uid["REL-0.1.0"].content.fields["stage"] == "candidate"
    assert by_uid["PR-001"].state == "deferred"
    assert by_uid["TRN-011"].content.fields == {"outcome": "planned", "due": "2026-11-30"}


def test_what_the_build_must_give_is_listed_and_never_stored(demo) -> None:
    assert "DS-003.digest" in demo.pending
    assert "REL-0.1.0.build.image_digest" in demo.pending
    assert "CR-001.implemented_in" in demo.pending
    for draft in demo.drafts:
        assert "build>" not in repr(draft.content.fields), draft.uid


def test_what_the_build_gives_is_taken() -> None:
    built = {"DS-003.digest": "sha256:ab", "CR-001.implemented_in": "commit:3f2c1a9"}

    demo = load_design_record(DEMO, "RPM", built=built)

    by_uid = {draft.uid: draft for draft in demo.drafts}
    assert by_uid["DS-003"].content.fields["digest"] == "sha256:ab"
    assert by_uid["CR-001"].content.fields["implemented_in"] == ["commit:3f2c1a9"]
    assert "DS-003.digest" not in demo.pending


def test_days_of_the_story_follow_the_day_of_build(demo) -> None:
    by_uid = {draft.uid: draft for draft in demo.drafts}

    assert by_uid["SOUP-04"].content.fields["evaluated_on"] == "2026-11-20"
    assert by_uid["PRJ-RPM"].content.fields["market_scan_next_review"] == "2027-11-20"


def test_a_build_value_nobody_asked_for_is_a_fault() -> None:
    with pytest.raises(Invalid, match=r"DS-099\.digest"):
        load_design_record(DEMO, "RPM", built={"DS-099.digest": "sha256:ab"})


def test_every_fault_of_a_file_is_named_with_line_and_record() -> None:
    text = small(
        "user_needs:",
        "  - {id: UN-001, title: One, colour: red, safety: maybe}",
        "  - {id: UN-001, title: Two}",
        "  - {title: Three}",
        "  - {id: UN-004, state: someday}",
        "requirements:",
        "  - id: REQ-001",
        "    title: A requirement",
        "    derives_from: [UN-099]",
        "    rev: none",
        "wishes: []",
    )

    found = "\n".join(faults_of(text))

    assert "bad.yaml:3 UN-001: has the unknown key colour." in found
    assert "bad.yaml:3 UN-001: safety is 'maybe'. Write true or false." in found
    assert "bad.yaml:4: has the id UN-001 again (first on line 3)." in found
    assert "bad.yaml:5: entry 3 of user_needs has no id." in found
    assert "bad.yaml:6 UN-004: has the state 'someday'." in found
    assert "bad.yaml:6 UN-004: has no title." in found
    assert "bad.yaml:10 REQ-001: names UN-099, which is not in the file." in found
    assert "bad.yaml:11 REQ-001: has the revision 'none'." in found
    assert "bad.yaml:12: has the unknown section wishes." in found
    assert len(faults_of(text)) == 9


@pytest.mark.parametrize(
    ("risk_side", "requirement_side", "told"),
    [
        ("[{req: REQ-001, kind: protective}]", "[]", "risk_control of the requirement"),
        ("[]", "[RSK-001]", "controls of the risk"),
    ],
)
def test_two_statements_of_one_control_must_agree(risk_side, requirement_side, told) -> None:
    text = small(
        "requirements:",
        f"  - {{id: REQ-001, title: Control, risk_control: {requirement_side}}}",
        "risks:",
        f"  - {{id: RSK-001, title: Risk, controls: {risk_side}}}",
    )

    [fault] = faults_of(text)

    assert "REQ-001" in fault
    assert "RSK-001" in fault
    assert told in fault


def test_the_kind_a_requirement_claims_must_be_the_kind_the_risk_says() -> None:
    text = small(
        "requirements:",
        "  - {id: REQ-001, title: T, risk_control_kind: information, risk_control: [RSK-001]}",
        "risks:",
        "  - {id: RSK-001, title: Risk, controls: [{req: REQ-001, kind: inherent}]}",
    )

    [fault] = faults_of(text)

    assert "risk_control_kind is information, but RSK-001 lists REQ-001 as inherent" in fault


def test_users_of_a_component_and_designs_of_an_item_must_agree() -> None:
    text = small(
        "software_items:",
        "  - {id: SI-01, title: Item, uses: [SOUP-01], design: [DD-01]}",
        "  - {id: SI-02, title: Other}",
        "designs:",
        "  - {id: DD-01, title: Design, implements: SI-02}",
        "soup:",
        "  - {id: SOUP-01, name: numpy, used_by: [SI-02]}",
    )

    found = faults_of(text)

    assert len(found) == 4
    assert all("does not agree" in fault for fault in found)


def test_a_link_reviewed_against_another_revision_is_named() -> None:
    text = small(
        "user_needs:",
        "  - {id: UN-001, title: Need, rev: 2}",
        "requirements:",
        "  - {id: REQ-001, title: Requirement, derives_from: ['UN-001@1']}",
        "  - {id: REQ-002, title: Requirement, derives_from: ['UN-001@2']}",
    )

    [fault] = faults_of(text)

    assert "bad.yaml:5 REQ-001: was reviewed against UN-001@1; the file holds 2." in fault


def test_the_same_link_twice_is_a_fault() -> None:
    text = small(
        "user_needs:",
        "  - {id: UN-001, title: Need}",
        "requirements:",
        "  - {id: REQ-001, title: R, derives_from: [UN-001, UN-001]}",
    )

    [fault] = faults_of(text)

    assert "says twice that REQ-001 derives_from UN-001" in fault


def test_another_schema_is_refused() -> None:
    [fault] = faults_of("schema: rsq-demo/1")

    assert "has the schema 'rsq-demo/1'. This reader knows rsq-demo/2." in fault


def test_words_that_yaml_1_1_takes_for_booleans_stay_words() -> None:
    record = read_design_record(
        small("user_needs:", "  - {id: UN-001, title: on, source: no}").encode(), "x.yaml", "RPM"
    )

    assert record.drafts[0].content.title == "on"
    assert record.drafts[0].content.fields == {"source": "no"}


def test_the_reference_file_is_read_too(reference_file) -> None:
    record = load_design_record(reference_file, "RPM")

    assert len(record.drafts) == 152


@pytest.fixture
def reference_file() -> Path:
    data = Path(os.environ.get("FIDUCIAL_REFERENCE_DATA", ROOT.parent / "shared/data"))
    path = data.parent / "reference/example_project.yaml"
    if not path.is_file():
        pytest.skip(f"{path} is not there: the original of the demo record cannot be compared")
    return path


def test_what_the_demo_says_of_training_documents_designs_and_data_is_kept(demo) -> None:
    fields = {one.uid: one.content.fields for one in demo.drafts}

    assert fields["TRN-003"]["method"] == "practice"
    assert fields["DOC-RMP"]["review_interval_months"] == 24
    assert fields["DD-03"]["error_handling"].startswith("a point outside the grid")
    assert fields["DS-006"]["split_rule"].startswith("by patient")
    assert fields["TST-007"]["independence"] == "another_developer"
    assert {fields[uid]["priority"] for uid in fields if uid.startswith("REQ-")} == {"must"}


def test_a_table_of_a_design_record_is_read_row_by_row() -> None:
    test = "{id: TST-001, title: T, level: unit, stage: OQ, method: manual, steps: [%s]}"
    rows = "{step: Open the plan, expected: It opens}"
    text = small("tests:", f"  - {test % rows}")

    [draft] = read_design_record(text.encode(), "one.yaml", "RPM").drafts

    assert draft.content.fields["steps"] == [{"step": "Open the plan", "expected": "It opens"}]
    assert any(
        "steps needs rows of step, expected." in one
        for one in faults_of(small("tests:", f"  - {test % '{shade: red}'}"))
    )
