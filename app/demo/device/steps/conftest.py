"""What the steps of every feature share."""

# The sentence above each step says what it does; its arguments are fixtures of these files.
# ruff: noqa: ANN201

import pytest

from engine.dicom.sandbox import Reader


@pytest.fixture
def reader():
    """One reading child for the scenario."""
    with Reader() as child:
        yield child
