"""One installation per test, and a backup of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.backup import BackupMade, backup
from tests.core.safekeeping.installations import Installation, make_installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(tmp_path / "var")
    yield made
    made.database.engine.dispose()


@pytest.fixture
def made(installation: Installation, tmp_path: Path) -> BackupMade:
    return backup(installation.settings, tmp_path / "backup.zip")
