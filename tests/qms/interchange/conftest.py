"""What several tests of the interchange read."""

from pathlib import Path

import pytest

from tests.qms.interchange.seeded import sow


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    """A Doorstop tree with each defect once."""
    folder = tmp_path / "seeded"
    folder.mkdir()
    return sow(folder)
