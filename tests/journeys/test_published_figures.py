"""A numerical comparison by command: published figures, recorded values, and the pack's PDF."""

import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.demonstration import BuiltDemo
from tests.journeys.command_line import fiducial
from tests.peers import need

PUBLISHED = {
    "PTV Dmean": (45.880, 0.02, "Gy"),
    "Rectum Dmean": (39.113, 0.15, "Gy"),
    "Rectum V30Gy%": (87.57, 0.6, "%"),
}
"""Name, figure, tolerance and unit, as they were published for the phantom's plan."""


@pytest.mark.slow
def test_the_published_figures_are_recorded_by_command_and_stand_in_the_pdf(
    demo_copy: BuiltDemo, reference_data: Path, tmp_path: Path
) -> None:
    asked = ("validate", "RPM", "--protocol", "numerical")
    plan = Path(reference_data.name) / "rt/eclipse-prostate"

    done = fiducial(
        *asked, "--data", plan, "--json", folder=reference_data.parent, data_dir=demo_copy.data_dir
    )

    assert done.returncode == 0, done.stderr
    assert "Ben Tarrant (PPL-BT) tests." in done.stderr
    run = json.loads(done.stdout)
    assert (run["verdict"], run["release"]) == ("passed", None)
    measured = {
        one["name"]: one
        for scenario in run["scenarios"]
        for step in scenario["steps"]
        for one in step["measurements"]
    }
    assert set(measured) == set(PUBLISHED)
    for name, (figure, tolerance, unit) in PUBLISHED.items():
        one = measured[name]
        assert one["actual"] == pytest.approx(figure, abs=tolerance)
        assert (one["expected"], one["tolerance"], one["unit"]) == (figure, tolerance, unit)
        assert one["passed"]
    assert {file["path"] for file in run["data"]} >= {"rtss.dcm", "rtdose.dcm"}

    printed = text_of(demo_copy.pack, tmp_path)
    for name, one in measured.items():
        # A number a person can read: six digits, and what was expected beside it.
        line = next(line for line in printed if name in line and "Gy" in line)
        assert f"{one['actual']:.6g}" in line, line
        assert f"{one['expected']:.6g} ± {one['tolerance']:.6g}" in line, line


def text_of(pack: Path, folder: Path) -> list[str]:
    """Return the lines of the pack's PDF, each with its columns."""
    pdf = folder / "pack.pdf"
    with zipfile.ZipFile(pack) as archive:
        pdf.write_bytes(archive.read("pack.pdf"))
    told = subprocess.run(  # noqa: S603 (a fixed program)
        [need("poppler"), "-layout", pdf, "-"], capture_output=True, text=True, check=True
    )
    return [re.sub(r"\s+", " ", line).strip() for line in told.stdout.splitlines()]


def test_somebody_who_may_not_test_is_refused_by_name(demo_copy: BuiltDemo, tmp_path: Path) -> None:
    tmp_path.joinpath("data").mkdir()

    done = fiducial(
        *("validate", "DEPT", "--as", "PPL-AK", "--protocol", "numerical", "--data", "data"),
        folder=tmp_path,
        data_dir=demo_copy.data_dir,
    )

    assert done.returncode == 1
    assert "Amara Kole is none of them" in done.stderr
