"""Reading a protocol from a folder: its digest covers all that decides what is executed."""

import pytest

from core.errors import Invalid
from tests.validation.runs.devices import FEATURE, STEPS, folder_with
from validation.protocols.reading import protocol_files, read_protocol


def test_a_protocol_lists_its_scenarios_in_the_order_of_its_features(tmp_path):
    root = folder_with(
        tmp_path / "device", **{"features/another.feature": FEATURE.replace("TST-00", "TST-10")}
    )

    protocol = read_protocol(root, tmp_path / "work")

    assert [tag for one in protocol.listing.scenarios for tag in one.tags] == [
        "TST-001",
        "TST-002",
        "TST-101",
        "TST-102",
    ]
    assert protocol.listing.failures == ()
    assert protocol.manifest_digest == protocol.files["app.yaml"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("features/adding.feature", FEATURE + "\n# a comment\n"),
        ("steps/test_adding.py", STEPS + "\n"),
        ("steps/tables/limits.csv", "name,limit\nsum,0.5\n"),
        ("steps/conftest.py", ""),
        ("app.yaml", "name: Adder\nversion: '0.1.1'\n"),
    ],
)
def test_one_changed_byte_of_features_steps_or_manifest_changes_the_digest(tmp_path, name, text):
    plain = read_protocol(folder_with(tmp_path / "a"), tmp_path / "wa").digest
    same = read_protocol(folder_with(tmp_path / "b"), tmp_path / "wb").digest
    other = folder_with(tmp_path / "c")
    (other / name).parent.mkdir(exist_ok=True)
    (other / name).write_text(text)

    assert plain == same
    assert read_protocol(other, tmp_path / "wc").digest != plain


def test_other_files_of_the_repository_do_not_change_the_protocol(tmp_path):
    root = folder_with(tmp_path / "a")
    before = protocol_files(root)

    (root / "README.md").write_text("Adds numbers.")

    assert protocol_files(root) == before


def test_every_missing_part_is_named(tmp_path):
    (tmp_path / "steps").mkdir()

    with pytest.raises(Invalid) as refusal:
        protocol_files(tmp_path)

    assert [fault.where for fault in refusal.value.faults] == ["app.yaml", "features"]


def test_an_empty_step_folder_lists_nothing_and_says_what_is_unbound(tmp_path):
    root = folder_with(tmp_path / "a")
    (root / "steps" / "test_adding.py").unlink()

    protocol = read_protocol(root, tmp_path / "work")

    assert protocol.listing.scenarios == ()
    assert len(protocol.listing.written) == 2


def test_step_code_that_ends_the_process_is_a_named_fault(tmp_path):
    root = folder_with(tmp_path / "a", steps="import os\nos._exit(7)\n")

    with pytest.raises(Invalid) as refusal:
        read_protocol(root, tmp_path / "work")

    assert "exit code 7" in str(refusal.value.faults[0])
