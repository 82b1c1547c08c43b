"""A department file is read strictly: every fault at once, each with its line and record."""

from collections import Counter
from pathlib import Path

import pytest

from core.errors import Invalid
from core.records.content import LinkDraft, RecordDraft
from dataflows.department import drafts, human_name, load_department, read_department

pytestmark = pytest.mark.verifies("TST-014")

GOOD = """\
schema: dataflows/2
department: {id: example, name: Example department}
systems:
- {id: A, name: Sender, kind: archive, parent: null, owner: Physics, criticality: high}
- {id: B, name: Receiver, kind: archive, parent: null, owner: Physics, criticality: low}
connections:
- id: C1
  source: A
  target: B
  category: dicom
  protocol: DICOM C-STORE
  data_types: [CT Image]
  trigger: automatic
  mode: push
  integrity: none
  responsible: Physics
  surveyed: {source: interview, date: 2026-03-10, staff_group: Physics}
  qa:
  - {kind: document, ref: check-ct, scope: connection, frequency: annual}
pathways:
- id: P1
  name: Only one
  modality: imaging
  steps:
  - {connection: C1, entry: true}
"""


def _faults(text: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read_department(text, "map.yaml")
    return {fault.code: f"{fault.where} | {fault.what}" for fault in refused.value.faults}


def _by_uid(found: list[RecordDraft]) -> dict[str | None, RecordDraft]:
    return {draft.uid: draft for draft in found}


def test_the_demo_file_gives_59_systems_91_connections_5_pathways_and_58_qa_procedures(
    department_drafts: list[RecordDraft],
) -> None:
    assert Counter(draft.type for draft in department_drafts) == {
        "system": 59,
        "connection": 91,
        "pathway": 5,
        "qa_procedure": 58,
    }
    assert {draft.project for draft in department_drafts} == {"DEPT"}
    assert len({draft.uid for draft in department_drafts}) == 213


def test_qa_procedures_are_numbered_in_file_order_and_keep_their_slug(
    department_drafts: list[RecordDraft],
) -> None:
    procedures = [d for d in department_drafts if d.type == "qa_procedure"]

    assert [d.uid for d in procedures] == [f"QA-{n:03d}" for n in range(1, 59)]
    assert procedures[0].content.fields["slug"] == "dt-ctsim-acq-to-pacs-arc"
    assert procedures[0].content.title == "Data transfer CTSIM.ACQ to PACS.ARC (C001)"
    assert procedures[-1].content.title == "End to end HDR annual"
    assert len({d.content.title for d in procedures}) == 58


def test_a_qa_procedure_may_name_the_server_and_the_unit_that_it_is_kept_at() -> None:
    kept = "{kind: qatrack-utc, ref: 1/testlist/annual/check-ct, instance: main, scope: connection"
    text = GOOD.replace("{kind: document, ref: check-ct, scope: connection", kept)

    [made] = [d for d in drafts(read_department(text, "map.yaml")) if d.type == "qa_procedure"]

    assert made.content.fields["source"] == "qatrack-utc"
    assert made.content.fields["instance"] == "main"


def test_the_join_with_the_device_is_made_of_links_into_its_project(
    department_drafts: list[RecordDraft],
) -> None:
    by_uid = _by_uid(department_drafts)
    end_to_end = next(
        d for d in department_drafts if d.content.fields.get("slug") == "rpm-end-to-end-monthly"
    )

    assert by_uid["PQA"].content.links == (LinkDraft("realises", "PRJ-RPM", project="RPM"),)
    assert end_to_end.content.title == "RPM end to end monthly"
    assert end_to_end.content.links == (
        LinkDraft("controls_connection", "C023"),
        LinkDraft("monitors", "REQ-001", project="RPM"),
        LinkDraft("monitors", "REQ-003", project="RPM"),
    )


def test_the_steps_of_a_pathway_keep_their_order_and_their_entries(
    department_drafts: list[RecordDraft],
) -> None:
    steps = _by_uid(department_drafts)["P4"].content.links

    assert len(steps) == 25
    assert [link.target for link in steps[:5]] == ["C052", "C053", "C054", "C066", "C067"]
    assert [bool(link.attributes.get("entry")) for link in steps[:5]] == [
        True, True, False, False, True,
    ]  # fmt: skip


def test_a_connection_carries_every_attribute_of_the_file(
    department_drafts: list[RecordDraft],
) -> None:
    content = _by_uid(department_drafts)["C065"].content

    assert content.fields["surveyed_on"] == "2026-02-03"
    assert content.fields["known_gaps"][0]["id"] == "KG-01"
    assert [mode["action_priority"] for mode in content.fields["failure_modes"]] == [
        "high", "medium", "medium",
    ]  # fmt: skip
    assert content.body.startswith("The source sheet in the chart")
    tls = _by_uid(department_drafts)["C023"].content.fields["tls"]
    assert tls is False


def test_every_draft_names_the_line_it_came_from(
    department_drafts: list[RecordDraft], department_file: Path
) -> None:
    lines = department_file.read_text(encoding="utf-8").splitlines()

    for draft in department_drafts:
        name, _, number = draft.origin.partition(":")
        assert name == "department.yaml"
        said = lines[int(number) - 1]
        expected = draft.content.fields["slug"] if draft.type == "qa_procedure" else draft.uid
        assert str(expected) in said


def test_a_small_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(GOOD, encoding="utf-8")

    assert [d.uid for d in load_department(path)] == ["A", "B", "C1", "P1", "QA-001"]


def test_a_date_may_stand_with_or_without_quotes() -> None:
    quoted = GOOD.replace("2026-03-10", "'2026-03-10'")

    for text in (GOOD, quoted):
        connection = drafts(read_department(text, "map.yaml"))[2]
        assert connection.content.fields["surveyed_on"] == "2026-03-10"


def test_all_faults_are_named_at_once_with_file_line_and_record() -> None:
    text = (
        GOOD.replace("criticality: low", "criticality: huge, colour: red")
        .replace("  target: B\n", "  target: X\n")
        .replace("  protocol: DICOM C-STORE\n", "")
        .replace("{connection: C1, entry: true}", "{connection: C7}")
        .replace("scope: connection", "scope: pathway")
        .replace("- {id: A,", "- {id: B,")
    )

    found = _faults(text)

    assert found == {
        "unknown-field": "map.yaml:5 B | There is no field 'colour'.",
        "wrong-value": found["wrong-value"],
        "missing-field": "map.yaml:7 C1 | The field 'protocol' is missing.",
        "duplicate-id": "map.yaml:5 B | The id B stands already at map.yaml:4.",
        "missing-system": found["missing-system"],
        "missing-connection": "map.yaml:24 P1 | Step 1 names C7, which is not a connection here.",
        "wrong-scope": found["wrong-scope"],
    }
    assert found["wrong-value"].startswith("map.yaml:5 B | The field 'criticality'")


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ("parent: null, owner: Physics, criticality: high", "parent: Z, owner: P, criticality: low",
         "missing-system", "map.yaml:4 A"),
        ("parent: null", "parent: B", "parent-circle", "map.yaml:5 B"),
        ("  target: B\n", "  target: A\n", "no-way", "map.yaml:9 C1"),
        ("category: dicom", "category: file\n  associations:\n  - {role: store, scu: {ae: A}, "
         "scp: {ae: B, host: 192.0.2.1, port: 104}, service: Storage}",
         "not-dicom", "map.yaml:11 C1"),
        ("  - {connection: C1, entry: true}\n",
         "  - {connection: C1, entry: true}\n  - {connection: C1}\n",
         "repeated-step", "map.yaml:26 P1"),
        ("frequency: annual}",
         "frequency: annual}\n  - {kind: document, ref: check-ct, scope: connection, "
         "frequency: annual}", "duplicate-qa", "map.yaml:20 C1"),
        ("frequency: annual}", "frequency: annual, monitors: [REQ-001]}",
         "unknown-device", "map.yaml:19 C1"),
        ("name: Example department}",
         "name: E, known_gaps: [{id: KG-1, connection: C9, what: gap}]}",
         "missing-connection", "map.yaml:2"),
        ("mode: push", "mode: push\n  mode: pull", "duplicate-key", "map.yaml:15"),
        ("id: example,", "id: &x example,", "yaml-anchor", "map.yaml:2"),
        ("integrity: none", "integrity: !!python/name:os.system x", "yaml-tag", "map.yaml:15"),
        ("dataflows/2", "dataflows/9", "wrong-value", "map.yaml:1"),
    ],
)  # fmt: skip
def test_each_fault_has_its_code_and_place(old: str, new: str, code: str, where: str) -> None:
    assert old in GOOD
    found = _faults(GOOD.replace(old, new))

    assert code in found
    assert found[code].startswith(f"{where} |"), found


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "yaml-empty"), ("a: [1, 2", "yaml-syntax"), ("[" * 5000, "yaml-depth")],
)
def test_text_that_is_no_yaml_is_refused_by_name(text: str, code: str) -> None:
    assert code in _faults(text)


@pytest.mark.parametrize("text", ["- 1\n", "just words\n", "systems: 3\nconnections: {a: 1}\n"])
def test_yaml_of_another_shape_is_refused_with_what_is_missing(text: str) -> None:
    assert set(_faults(text)) & {"missing-field", "wrong-value"}


def test_yaml_1_1_words_stay_words() -> None:
    text = GOOD.replace("integrity: none", "integrity: off").replace("name: Sender", "name: yes")

    found = drafts(read_department(text, "map.yaml"))

    assert found[0].content.title == "yes"
    assert found[2].content.fields["integrity"] == "off"


def test_a_project_written_before_a_requirement_decides_where_the_map_cannot() -> None:
    text = GOOD.replace("frequency: annual}", "frequency: annual, monitors: [RPM/REQ-001]}")

    procedure = drafts(read_department(text, "map.yaml"))[-1]

    assert procedure.content.links[-1] == LinkDraft("monitors", "REQ-001", project="RPM")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_bytes(b"schema: \xff\xfe")

    with pytest.raises(Invalid) as refused:
        load_department(path)

    assert refused.value.faults[0].code == "not-text"


@pytest.mark.parametrize(
    ("slug", "words"),
    [("e2e-vmat-annual", "End to end VMAT annual"), ("hdr_source-change", "HDR source change")],
)
def test_a_slug_is_said_in_words(slug: str, words: str) -> None:
    assert human_name(slug) == words
