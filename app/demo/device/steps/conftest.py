"""What the steps of every feature share."""

import pytest
from engine.dicom.sandbox import Reader


@pytest.fixture
def reader():
    """One reading child for the scenario."""
    with Reader() as child:
        yield child
