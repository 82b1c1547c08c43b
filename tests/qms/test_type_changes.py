"""A department edits the types that ship: more is asked, nothing that records hold is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.packs import PACKS, check_packs
from core.errors import Invalid
from core.people.roles import known_roles
from core.records.checking import content_faults, missing_content
from core.records.content import Content, LinkDraft
from core.records.leftovers import left_over, left_over_everywhere
from core.records.models import Revision
from core.records.service import create_record
from core.records.types import TypeRegistry, get_registry, use_packs
from core.records.writing import fingerprint, says_the_same
from core.settings import get_settings
from qms.rules.packs import framework_pack
from tests.conftest import Office

pytestmark = pytest.mark.verifies("TST-005")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/record-types.md"
OURS = [ROOT / "qms/types", ROOT / "dataflows/types"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A department's folder of types, named in the settings of this process."""
    monkeypatch.setenv("FIDUCIAL_TYPES_DIR", str(tmp_path))
    forget()
    use_packs(OURS)
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    for one in (get_settings, *PACKS):
        one.cache_clear()  # type: ignore[attr-defined]


def example() -> str:
    return PAGE.read_text().split("<!-- a change of a type -->")[1].split("```")[1][5:]


def faults(folder: Path) -> dict[str, str]:
    forget()
    with pytest.raises(Invalid) as refusal:
        check_packs()
    return {fault.where: fault.what for fault in refusal.value.faults}


def test_the_example_of_the_page_changes_the_requirement(folder: Path) -> None:
    (folder / "roles.yaml").write_text("roles: [medical_physics_expert]\n")
    (folder / "requirement.yaml").write_text(example())

    check_packs()

    changed, ships = get_registry().of("requirement"), TypeRegistry.load(OURS).of("requirement")
    assert changed.fields["category"].choices == (*ships.fields["category"].choices, "dosimetry")
    assert changed.fields["category"].trigger
    assert changed.fields["acceptance"].label == "Fit criterion"
    assert changed.sign["reviewed"] == ("technical_reviewer", "medical_physics_expert")
    assert changed.clauses == (*ships.clauses, "DCB0129-4.3")
    assert set(ships.links) < set(changed.links)
    content = Content("R", "It shall.", {"category": "dosimetry", "acceptance": "seen"})
    assert content_faults(changed, content, "REQ-001")[1] == []
    missing = [fault.what for fault in missing_content(changed, content, "REQ-001")]
    assert missing == ["Asked for by is empty."]


def test_what_became_other_is_told_with_its_file_wherever_the_release_check_is(folder) -> None:
    (folder / "roles.yaml").write_text("roles: [medical_physics_expert]\n")
    (folder / "requirement.yaml").write_text(example())

    told = framework_pack().changes

    assert "requirement, fields.asked_by: new, called 'Asked for by' (requirement.yaml)" in told
    assert (
        "requirement, fields.acceptance.label: Fit criterion instead of Acceptance criterion "
        "(requirement.yaml)"
    ) in told
    assert (
        "requirement, sign.reviewed: technical_reviewer, medical_physics_expert instead of "
        "technical_reviewer (requirement.yaml)"
    ) in told
    assert "requirement, clauses: also DCB0129-4.3 (requirement.yaml)" in told


def test_nothing_that_records_hold_is_taken_away_and_every_fault_is_said_at_once(folder) -> None:
    (folder / "a.yaml").write_text(
        "changes: requirement\n"
        "prefix: RQ\n"
        "fields:\n"
        "  category: null\n"
        "  acceptance: {kind: choice, colour: red}\n"
        "links:\n"
        "  derives_from: {many: false}\n"
        "sign: {approved: []}\n"
    )
    (folder / "b.yaml").write_text(
        "changes: test\nfields: {level: {label: Depth}, tolerance: {label: 5}}\n"
        "sign: {approved: [quality_managr]}\n"
    )
    (folder / "c.yaml").write_text("changes: test\nfields: {level: {label: Rank}}\n")
    (folder / "d.yaml").write_text("changes: testt\n")
    (folder / "e.yml").write_text("changes: test\n")

    assert faults(folder) == {
        "e.yml": f"lies in {folder} and is read by nothing.",
        "a.yaml:2 prefix": "stays what it is: the records of 'requirement' are kept under it.",
        "a.yaml:4 fields.category": "is not taken away: records hold it.",
        "a.yaml:5 fields.acceptance.colour": "Extra inputs are not permitted.",
        "a.yaml:5 fields.acceptance.kind": ("is of the kind text, and records hold such values."),
        "a.yaml:7 links.derives_from.many": "led to many records before, and records say so.",
        "a.yaml:8 sign.approved": (
            "is left to nobody; a signature that the type asks for is not dropped."
        ),
        "b.yaml:2 fields.tolerance.label": "Input should be a valid string.",
        "c.yaml:2 fields.level.label": "is changed in b.yaml too.",
        "d.yaml:1 changes": "changes 'testt', which is no type.",
    }


def test_a_role_or_a_clause_that_nobody_knows_is_a_fault(folder: Path) -> None:
    (folder / "test.yaml").write_text("changes: test\nsign: {approved: [quality_managr]}\n")
    assert faults(folder) == {
        "test.yaml:2 sign.approved": "names the role 'quality_managr', which nobody can be granted."
    }

    (folder / "test.yaml").write_text("changes: test\nclauses: [ISO13485-99.9, ISO 13485]\n")
    assert list(faults(folder).values()) == [
        "'ISO13485-99.9' is in no list of clauses.",
        "'ISO 13485' names no clause.",
    ]


def test_a_folder_that_is_not_there_is_named(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("FIDUCIAL_TYPES_DIR", str(folder / "nowhere"))

    assert list(faults(folder)) == ["FIDUCIAL_TYPES_DIR"]


def test_a_role_of_the_department_can_be_granted_and_a_misspelt_file_is_not_read(folder) -> None:
    (folder / "roles.yaml").write_text("roles: [medical_physics_expert]\n")
    forget()
    assert "medical_physics_expert" in known_roles()
    assert "quality_manager" in known_roles()

    (folder / "roles.yaml").write_text("role: [a]\nroles: [author, Two Words]\n")
    assert set(faults(folder)) == {
        "roles.yaml:1 role",
        "roles.yaml:2 roles.0",
        "roles.yaml:2 roles.1",
    }


def test_renaming_a_field_or_adding_one_throws_no_doubt_on_others(folder: Path) -> None:
    (folder / "roles.yaml").write_text("roles: [medical_physics_expert]\n")
    (folder / "requirement.yaml").write_text(example())
    ships, changed = TypeRegistry.load(OURS).of("requirement"), get_registry().of("requirement")
    said = Content("R", "It shall.", {"category": "functional", "acceptance": "seen"})
    before = Revision(title="R", body="It shall.", fields=dict(said.fields), fingerprint="")  # type: ignore[call-arg]

    assert fingerprint(ships, said) != fingerprint(changed, said)
    assert says_the_same(changed, before, said)
    other = Content("R", "It shall.", {"category": "functional", "acceptance": "measured"})
    assert not says_the_same(changed, before, other)


def test_what_a_type_no_longer_asks_for_is_named(folder: Path) -> None:
    fields = {"asked_by": "physics", "category": "dosimetry"}
    content = Content("R", fields=fields, links=(LinkDraft("planned_by", "DDP-001"),))

    assert left_over(TypeRegistry.load(OURS).of("requirement"), content) == [
        "field 'asked_by'",
        "'dosimetry' as Category",
        "link 'planned_by' to DDP-001",
    ]


def test_what_records_hold_and_no_type_knows_is_counted_for_the_doctor(office: Office) -> None:
    content = Content("Plan", "Text.", {"kind": "plan", "distribution": "everybody"})
    with office.writing() as session:
        create_record(session, office.project(session), "document", content, office.staff["PPL-AK"])
    ships = get_registry()
    bare = ships.of("document").model_copy(update={"fields": {}})

    with office.reading() as session:
        assert left_over_everywhere(session, ships) == []
        assert left_over_everywhere(session, TypeRegistry({"document": bare})) == [
            "document: field 'distribution' (1)",
            "document: field 'kind' (1)",
        ]
        assert left_over_everywhere(session, TypeRegistry({})) == ["type 'document' (1)"]
