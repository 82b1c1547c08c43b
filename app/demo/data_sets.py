"""Build the data sets that release 0.1.0 is tested on as DICOM, and freeze them by digest."""

import shutil
from collections.abc import Callable
from pathlib import Path

from engine.synth.closed_form import members
from engine.synth.faults import SEEDED_FAULTS, write_sets
from validation.runs.data import RunData

Tell = Callable[[int, int, str], None]

FAULTS, PHANTOMS = "DS-002", "DS-003"


def counts() -> dict[str, int]:
    """Return how many sets of files each data set holds."""
    return {FAULTS: len(SEEDED_FAULTS) + 1, PHANTOMS: sum(1 for _ in members())}


def build_data_sets(folder: Path, tell: Tell) -> dict[str, str]:
    """Write the seeded-fault sets and the closed-form phantoms; return each set's digest by uid."""
    total = sum(counts().values())
    for uid in (FAULTS, PHANTOMS):
        shutil.rmtree(folder / uid, ignore_errors=True)
    done = 0
    for done, name in enumerate(write_sets(folder / FAULTS), start=1):
        tell(done, total, f"{FAULTS}, {name}")
    for number, one in enumerate(members(), start=done + 1):
        one.write(folder / PHANTOMS)
        tell(number, total, f"{PHANTOMS}, {one.phantom.name}")
    return RunData(folder, (FAULTS, PHANTOMS)).digests()
