"""What the steps of every feature share."""

# The sentence above each step says what it does; its arguments are fixtures of these files.
# ruff: noqa: ANN001, ANN201, ANN202

import os
from pathlib import Path

import pytest

from engine.dicom.sandbox import Reader


@pytest.fixture
def reader():
    """One reading child for the scenario."""
    with Reader() as child:
        yield child


@pytest.fixture
def data_set():
    """Return where a data set of this run lies, by its uid; the run holds it to its digest."""
    named = os.environ.get("FIDUCIAL_RUN_DATA")

    def place(uid):
        folder = Path(named or "") / uid
        if not named or not folder.is_dir():
            pytest.fail(f"This run was given no data set {uid}.")
        return folder

    return place
