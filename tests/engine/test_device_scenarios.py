"""The demo device's own scenarios against the engine, with a recorder that only compares.

That all of them pass is what the demonstration's recorded run says.

A second engine, broken in one place, shows that the scenarios can fail and which of them do.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.synth import closed_form

ROOT = Path(__file__).parents[2]
DEVICE = ROOT / "app" / "demo" / "device"
DATA = Path(os.environ.get("FIDUCIAL_REFERENCE_DATA", ROOT.parent / "shared" / "data"))

RECORDER = '''
"""Compares and counts; the product's recorder does the rest."""
import json, os
import pytest

kept = {}

class Evidence:
    def __init__(self, name):
        self.rows = kept.setdefault(name, [])
    def input(self, name, value):
        json.dumps(value)
    def attach(self, name, data, media_type):
        assert isinstance(data, bytes) and data and media_type
    def measure(self, name, *, actual, expected, tolerance, unit, comparison="within"):
        self.rows.append([name, actual, expected, tolerance, unit, comparison])
        json.dumps(self.rows[-1])
        passed = {
            "within": lambda: abs(actual - expected) <= tolerance,
            "at_most": lambda: actual <= expected,
            "at_least": lambda: actual >= expected,
            "equal": lambda: actual == expected,
        }[comparison]()
        assert passed, self.rows[-1]

@pytest.fixture
def evidence(request):
    return Evidence(request.node.name)

def pytest_bdd_apply_tag(tag, function):
    return True

def pytest_sessionfinish(session):
    with open(os.environ["KEPT"], "w") as stream:
        json.dump({"kept": kept, "failed": session.testsfailed}, stream)
'''

SCALED_TWICE = """
import engine.dicom.dose as dose
true_pixels = dose._pixels
dose._pixels = lambda *given: None if (p := true_pixels(*given)) is None else p * 1.0001
"""


def run(tmp_path: Path, data: Path, *chosen: str, defect: str = "") -> dict:
    """Run the device's steps in a process of their own and return what was measured."""
    (tmp_path / "small_recorder.py").write_text(RECORDER + defect)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\npython_files = steps/*.py\nbdd_features_base_dir = features\n"
    )
    environment = {
        "PATH": os.environ["PATH"], "KEPT": str(tmp_path / "kept.json"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "FIDUCIAL_RUN_DATA": str(data),
    }  # fmt: skip
    done = subprocess.run(  # noqa: S603  (our own interpreter and code)
        [sys.executable, "-B", "-m", "pytest", "-q", "-c", str(tmp_path / "pytest.ini"),
         f"--rootdir={DEVICE}", f"--confcutdir={DEVICE / 'steps'}", "--import-mode=importlib",
         "-p", "pytest_bdd.plugin", "-p", "small_recorder", "-p", "no:cacheprovider",
         "--ignore-glob=*/conftest.py", *chosen, str(DEVICE / "steps")],
        cwd=DEVICE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (tmp_path / "kept.json").exists(), done.stdout + done.stderr
    return json.loads((tmp_path / "kept.json").read_text()) | {"said": done.stdout}


@pytest.mark.skipif(not (DATA / "rt").is_dir(), reason="FIDUCIAL_REFERENCE_DATA holds no rt folder")
def test_the_numerical_comparison_measures_the_figures_of_eclipse(tmp_path: Path) -> None:
    found = run(tmp_path, DATA / "rt" / "eclipse-prostate", "-k", "eclipse")

    assert found["failed"] == 0, found["said"]
    (rows,) = found["kept"].values()
    assert [row[0] for row in rows] == ["PTV Dmean", "Rectum Dmean", "Rectum V30Gy%"]


def test_a_dose_one_part_in_ten_thousand_too_large_is_found(tmp_path: Path) -> None:
    for spacing_mm in (1.0, 2.0, 3.0):
        for member in closed_form.linear(spacing_mm):
            member.write(tmp_path / closed_form.NAME)

    found = run(tmp_path, tmp_path, "-k", "mean_dose", defect=SCALED_TWICE)

    assert found["failed"] == 3, found["said"]
