"""Published data against declared figures; what has no plan stays out of the clinical intake."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.comparison import compare
from engine.dicom.sandbox import Reader
from engine.errors import Reason, Refusal
from engine.intake.intake import examine, files_of
from engine.published import SHIPPED, load_expectations

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


def declared(tmp_path: Path, change: Callable[[dict], None]) -> Path:
    """The shipped declaration, changed, as a file."""
    plain = json.loads((SHIPPED / "eclipse_prostate.json").read_text())
    change(plain)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(plain))
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(Refusal) as caught:
        load_expectations(path)
    assert caught.value.codes == {Reason.EXPECTATION_INVALID}
    return [f"{fault.where}: {fault.what}" for fault in caught.value.faults]


def test_every_fault_of_a_declaration_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"name": 5, "expected": [{"structure": "PTV", "value": "x"}]}))

    told = faults_of(path)

    named = ("name", "title", "source", "parameters_reason", "files", "parameters")
    assert [fault for fault in told if "top" in fault] == [
        f"bad.json, top: {key} is missing or of another type." for key in named
    ]
    assert len([fault for fault in told if "expected 1" in fault]) == 4


@pytest.mark.parametrize("value", ["Infinity", "NaN", "-0.01", "1e999", "true", "1" + 400 * "0"])
def test_a_tolerance_is_a_finite_length_on_the_scale(tmp_path: Path, value: str) -> None:
    path = declared(tmp_path, lambda plain: None)
    path.write_text(path.read_text().replace('"tolerance": 0.02', f'"tolerance": {value}'))

    (told,) = faults_of(path)

    assert told.startswith("mine.json, expected 1: tolerance")


@pytest.mark.parametrize(
    ("metric", "unit"),
    [("Dmean", "cGy"), ("Dmean", "%"), ("V30Gy%", "cc"), ("V30Gycc", "%"), ("V30Gy", "Gy"),
     ("HI", "%")],
)  # fmt: skip
def test_a_unit_is_that_of_its_metric(tmp_path: Path, metric: str, unit: str) -> None:
    path = declared(tmp_path, lambda plain: plain["expected"][0].update(metric=metric, unit=unit))

    (told,) = faults_of(path)

    assert told.startswith(f"mine.json, expected 1: unit is {unit!r}; {metric} is in")


def test_a_metric_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = declared(tmp_path, lambda plain: plain["expected"][2].update(metric="V30"))

    (told,) = faults_of(path)

    assert told == "mine.json, expected 3: There is no metric called 'V30'."


def test_what_is_not_known_is_refused_and_never_ignored(tmp_path: Path) -> None:
    def change(plain: dict) -> None:
        plain["nonsense"] = 1
        plain["parameters"]["limit_v_percent"] = 99
        plain["files"]["plan"] = "rtplan.dcm"
        plain["expected"][1]["tolerence"] = 5
        plain["parameters"]["end_caps"] = "quarter"
        del plain["files"]["dose"]

    told = faults_of(declared(tmp_path, change))

    assert sorted(told) == sorted(
        [
            "mine.json, top: nonsense is not known here.",
            "mine.json, parameters: limit_v_percent is not known here.",
            "mine.json, parameters: end_caps is 'quarter'; allowed are half, none, rounded.",
            "mine.json, files: plan is not known here.",
            "mine.json, files: dose is missing or of another type.",
            "mine.json, expected 2: tolerence is not known here.",
        ]
    )


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = declared(tmp_path, lambda plain: None)
    path.write_text(path.read_text().replace('"tolerance": 0.02', '"tolerance": 9, "tolerance": 1'))

    (told,) = faults_of(path)

    assert "tolerance stands twice" in told


def test_a_declaration_nested_too_deep_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)

    (told,) = faults_of(path)

    assert "not JSON" in told


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
