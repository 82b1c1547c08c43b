"""The demonstration as a test fixture: built once for all workers of a test run, then copied.

`built_demo` is read only. `demo_copy` gives a folder of one's own to go on working in.
"""

import fcntl
import io
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from core.settings import DATA_SETS, Settings

SIGN_INS_FILE = "demo-sign-ins.json"
TOLD = "told.txt"
DATABASE = "fiducial.db"

KEPT = os.environ.get("FIDUCIAL_TEST_DEMO", "")
"""A folder that keeps the built demonstration from one test run to the next, while one writes
tests; whoever changes what the demonstration contains removes it."""


@dataclass(frozen=True)
class BuiltDemo:
    """A data folder after `fiducial demo`, and what the command said."""

    data_dir: Path
    told: str

    @property
    def settings(self) -> Settings:
        """The settings of this folder; nothing of the environment enters."""
        return Settings(data_dir=self.data_dir, database_url="")

    @property
    def password(self) -> str:
        """The password that all fictional people of this demo share."""
        return str(json.loads((self.data_dir / SIGN_INS_FILE).read_text())["password"])

    @property
    def pack(self) -> Path:
        """The pack of release 0.1.0."""
        [pack] = (self.data_dir / "packs").glob("*.zip")
        return pack

    def copy_to(self, folder: Path) -> "BuiltDemo":
        """Copy the data folder, so that it can be changed; its data sets never are."""
        # The database by its own means: somebody may read it meanwhile, and leave side files.
        leave = shutil.ignore_patterns(f"{DATABASE}*")
        shutil.copytree(self.data_dir, folder, copy_function=_copy, ignore=leave)
        with (
            closing(sqlite3.connect(self.data_dir / DATABASE)) as source,
            closing(sqlite3.connect(folder / DATABASE)) as copy,
        ):
            source.backup(copy)
        return BuiltDemo(folder, self.told)


def _copy(source: str, target: str) -> str:
    """Copy a file; one of a data set is large and only read, so it is the same file."""
    if f"/{DATA_SETS}/" in source:
        with suppress(OSError):  # of another file system
            os.link(source, target)
            return target
    return str(shutil.copy2(source, target))


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> BuiltDemo:
    """Build the demonstration once, whichever worker asks first; do not change it."""
    # Here, not above: every test run loads this file, few build the demonstration.
    from app.demo.demo import run_demo

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    if KEPT:
        shared = Path(KEPT)
        shared.mkdir(parents=True, exist_ok=True)
    folder = shared / "built-demo"
    with (shared / "built-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / TOLD).exists():
            said = io.StringIO()
            settings = Settings(data_dir=folder / "var", database_url="")
            run_demo(settings, Console(file=said, width=200), serve=False).db.engine.dispose()
            (folder / TOLD).write_text(said.getvalue())
    return BuiltDemo(folder / "var", (folder / TOLD).read_text())


@pytest.fixture
def demo_copy(built_demo: BuiltDemo, tmp_path: Path) -> BuiltDemo:
    """Give a demonstration of one's own for this test."""
    return built_demo.copy_to(tmp_path / "var")


@pytest.fixture(scope="module")
def module_demo(built_demo: BuiltDemo, tmp_path_factory: pytest.TempPathFactory) -> BuiltDemo:
    """Give a demonstration of one's own that the tests of a module change one after the other."""
    return built_demo.copy_to(tmp_path_factory.mktemp("demo") / "var")
