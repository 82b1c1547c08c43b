"""The device is built of what its part of the engine loads, nothing more and nothing less."""

import subprocess
import sys

from qms.soup.components import Component
from validation.runs.bill import components, loaded_packages


def test_the_dose_part_of_the_engine_loads_what_the_register_names() -> None:
    assert loaded_packages() == ("numpy", "pydicom", "shapely")


def test_a_fresh_process_loads_the_same_packages() -> None:
    """The list read from the sources is the list that Python itself comes to."""
    script = (
        "import sys, engine.dicom.worker, engine.intake.intake, engine.dose.compute\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(names & {'numpy', 'pydicom', 'shapely', 'scipy', 'pynetdicom',\n"
        "    'matplotlib', 'jinja2', 'sqlmodel', 'fastapi'}))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)  # noqa: S603 - our own words

    assert tuple(done.stdout.decode().split()) == loaded_packages()


def test_versions_are_those_that_the_run_recorded() -> None:
    environment = {"python": "3.11.9", "packages": {"numpy": "2.4.6", "Shapely": "2.2.0"}}

    assert components(environment, ["numpy", "shapely", "pydicom"]) == [
        Component("cpython", "3.11.9"),
        Component("numpy", "2.4.6"),
        Component("shapely", "2.2.0"),
        Component("pydicom", "unknown"),
    ]
