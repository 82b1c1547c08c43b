"""Published data against declared figures; what has no plan stays out of the clinical intake."""

import json
import os
from pathlib import Path

import pytest

from engine.comparison import SHIPPED, compare, load_expectations
from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.intake.intake import examine, files_of

DATA = Path(
    os.environ.get("FIDUCIAL_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data")
)
needs_data = pytest.mark.skipif(
    not (DATA / "rt").is_dir(), reason="FIDUCIAL_REFERENCE_DATA holds no rt folder"
)
ECLIPSE = DATA / "rt" / "eclipse-prostate"


@needs_data
def test_the_eclipse_phantom_gives_the_figures_of_eclipse(reader: Reader) -> None:
    result = compare(ECLIPSE, load_expectations("eclipse-prostate"), reader)

    declared = [c.expected for c in result.comparisons]
    assert [(e.name, e.value, e.tolerance) for e in declared] == [
        ("PTV Dmean", 45.880, 0.02), ("Rectum Dmean", 39.113, 0.15), ("Rectum V30Gy%", 87.57, 0.6),
    ]  # fmt: skip
    assert result.passed
    assert result.dose_result.provenance.parameters["end_caps"] == "none"


@needs_data
def test_a_figure_outside_its_tolerance_does_not_pass(reader: Reader, tmp_path: Path) -> None:
    declared = json.loads((SHIPPED / "eclipse_prostate.json").read_text())
    declared["expected"][0]["value"] = 45.0
    declared["expected"][1]["structure"] = "PTV"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(declared))

    result = compare(ECLIPSE, load_expectations(path), reader)

    assert [comparison.within for comparison in result.comparisons] == [False, False, True]
    assert not result.passed


@needs_data
def test_the_clinical_intake_refuses_the_same_data(reader: Reader) -> None:
    files = [path for path in files_of(ECLIPSE) if path.suffix == ".dcm"]

    report = examine(files, reader)

    assert report.accepted is None
    assert {Reason.OBJECT_MISSING, Reason.PLAN_REFERENCE_MISSING, Reason.IDENTITY_MISSING} <= (
        report.codes
    )


def test_every_fault_of_a_declaration_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"name": 5, "expected": [{"structure": "PTV", "value": "x"}]}))

    with pytest.raises(Refusal) as caught:
        load_expectations(path)

    assert caught.value.codes == {Reason.EXPECTATION_INVALID}
    assert len(caught.value.faults) == 11


def test_a_declaration_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    declared = json.loads((SHIPPED / "eclipse_prostate.json").read_text()) | {"expected": []}
    path = tmp_path / "none.json"
    path.write_text(json.dumps(declared))

    with pytest.raises(Refusal, match="Nothing is expected"):
        load_expectations(path)


def test_a_file_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    declared = json.loads((SHIPPED / "eclipse_prostate.json").read_text())
    declared["files"]["dose"] = "../../etc/passwd"
    path = tmp_path / "out.json"
    path.write_text(json.dumps(declared))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "rtss.dcm").touch()

    with pytest.raises(Refusal) as caught:
        compare(folder, load_expectations(path))
    assert caught.value.codes == {Reason.FILE_MISSING}


def test_names_of_shipped_expectations_are_told() -> None:
    with pytest.raises(Refusal, match="there are eclipse-prostate"):
        load_expectations("nothing")
