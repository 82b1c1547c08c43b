"""Build the data sets that release 0.1.0 is tested on as DICOM, and freeze them by digest."""

import shutil
from collections.abc import Callable
from pathlib import Path

from core.canonical import digest
from engine.synth.curved import curved_phantoms
from engine.synth.faults import SEEDED_FAULTS, write_set
from engine.synth.phantoms import SPACINGS_MM, Phantom, reference_phantoms
from validation.runs.data import freeze

Tell = Callable[[int, int, str], None]


def closed_form_phantoms() -> tuple[Phantom, ...]:
    """Return the phantoms of DS-003: shapes in even gradients, boxes and a diamond in curves."""
    curved = (made for spacing in SPACINGS_MM for made in curved_phantoms(spacing))
    return (*reference_phantoms(), *curved)


def build_data_sets(folder: Path, tell: Tell) -> dict[str, str]:
    """Write the seeded-fault sets and the closed-form phantoms; return each set's digest by uid.

    The digest is over path, size and SHA-256 of every file of the set.
    """
    phantoms = closed_form_phantoms()
    total = len(phantoms) + len(SEEDED_FAULTS)
    faults_folder, phantoms_folder = folder / "DS-002", folder / "DS-003"
    for place in (faults_folder, phantoms_folder):
        shutil.rmtree(place, ignore_errors=True)
    for number, fault in enumerate(SEEDED_FAULTS, start=1):
        tell(number, total, f"DS-002, {fault.name}")
        write_set(faults_folder / f"{number:02d}", fault)
    for number, phantom in enumerate(phantoms, start=1):
        tell(len(SEEDED_FAULTS) + number, total, f"DS-003, {phantom.name}")
        phantom.write(phantoms_folder / f"{number:02d}", "DS-003")
    return {place.name: digest(freeze(place)) for place in (faults_folder, phantoms_folder)}
