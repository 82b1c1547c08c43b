"""The whole installation lost and restored elsewhere: nothing differs, and people go on working."""

import hashlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.demonstration import BuiltDemo
from tests.journeys.command_line import fiducial
from tests.journeys.conftest import Desk, served

PASSPHRASE = {"FIDUCIAL_BACKUP_PASSPHRASE": "a passphrase that is kept elsewhere"}
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Held:
    """Everything that an installation holds, by digest."""

    rows: dict[str, str]
    files: dict[str, str]
    commits: dict[str, str]


def held_in(data_dir: Path) -> Held:
    """Read a data folder with nothing of ours: SQLite, SHA-256 and Git."""
    with closing(sqlite3.connect(f"file:{data_dir / 'fiducial.db'}?mode=ro", uri=True)) as database:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        tables = [str(name) for (name,) in database.execute(names)]
        rows = {name: _digest_of_rows(database, name) for name in tables}
        rows["(schema)"] = _digest(
            database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        )
    files = {
        path.relative_to(data_dir).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("blobs", "keys")
        for path in (data_dir / folder).rglob("*")
        if path.is_file()
    }
    commits = {
        mirror.name: subprocess.run(  # noqa: S603 (a fixed program)
            ["/usr/bin/git", "-C", mirror, "for-each-ref"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for mirror in (data_dir / "repositories").iterdir()
        if mirror.is_dir()
    }
    return Held(rows, files, commits)


def _digest_of_rows(database: sqlite3.Connection, table: str) -> str:
    return _digest(database.execute(f'SELECT * FROM "{table}" ORDER BY rowid').fetchall())


def _digest(value: list[Any]) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()


@dataclass(frozen=True)
class Moved:
    """An installation before it was destroyed, and where it is now."""

    before: Held
    password: str
    told: dict[str, Any]
    now: BuiltDemo
    folder: Path


@pytest.fixture(scope="module")
def moved(built_demo: BuiltDemo, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """Back up, destroy, restore into another folder; each by command."""
    folder = tmp_path_factory.mktemp("safe")
    lost = built_demo.copy_to(folder / "var")
    before, password = held_in(lost.data_dir), lost.password
    backup = folder / "elsewhere" / "today.zip"
    backup.parent.mkdir()

    made = fiducial("backup", backup, folder=folder, data_dir=lost.data_dir, environment=PASSPHRASE)
    assert made.returncode == 0, made.stderr
    shutil.rmtree(lost.data_dir)
    told = fiducial(
        *("restore", backup, "--into", folder / "another/place", "--json"),
        folder=folder,
        environment=PASSPHRASE,
    )
    assert told.returncode == 0, told.stderr
    restored = BuiltDemo(folder / "another/place", "")
    return Moved(before, password, json.loads(told.stdout), restored, folder)


def test_every_row_file_key_and_commit_is_the_same(moved: Moved) -> None:
    now = held_in(moved.now.data_dir)

    assert moved.told["faults"] == []
    assert now == moved.before
    assert len(now.files) > 40
    assert now.commits != {}


def test_the_restored_audit_trail_is_clean_alone_and_against_the_pack(
    moved: Moved, built_demo: BuiltDemo, tmp_path: Path
) -> None:
    for more in ((), ("--against", built_demo.pack)):
        done = fiducial(
            "audit", "verify", *more, "--json", folder=tmp_path, data_dir=moved.now.data_dir
        )

        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)["entries"] == moved.told["ledger_entries"]


def test_the_pack_built_from_what_was_restored_is_the_same_to_the_byte(
    moved: Moved, built_demo: BuiltDemo, tmp_path: Path
) -> None:
    """The one that was signed and handed over; the command tells its digest on one line."""
    # In a copy, so that nothing of the installation changes.
    copy, target = moved.now.copy_to(tmp_path / "copy"), tmp_path / "built.zip"

    done = fiducial(
        *("pack", "build", "RPM", "--release", "0.1.0", "-o", target),
        folder=tmp_path,
        data_dir=copy.data_dir,
        environment={"COLUMNS": "40"},
    )
    key = copy.data_dir / "keys/installation.pub.pem"
    verified = fiducial("verify", target, "--key", key, folder=tmp_path)

    assert (done.returncode, verified.returncode) == (0, 0), done.stderr + verified.stderr
    assert target.read_bytes() == built_demo.pack.read_bytes()
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert done.stdout.splitlines() == [str(target), f"SHA-256 {digest}"]


def test_people_sign_in_and_find_the_release_and_its_evidence(
    moved: Moved, desk_of: Callable[[str, str], Desk], tmp_path: Path
) -> None:
    copy = moved.now.copy_to(tmp_path / "var")
    with served(copy.data_dir) as origin:
        page = desk_of(origin, moved.password).person("esther.quill")

        page.goto("/p/RPM/REL-0.1.0")
        release = page.get_by_role("main").inner_text()
        page.goto("/p/RPM/runs/1")
        run = page.get_by_role("main").inner_text()
        page.context.close()

    assert "Esther Quill" in release
    assert "18 of 18 scenarios passed" in run


def test_the_demonstration_goes_on_from_what_was_restored(moved: Moved, tmp_path: Path) -> None:
    copy = moved.now.copy_to(tmp_path / "var")
    before = held_in(copy.data_dir)

    done = fiducial("demo", "--no-serve", folder=tmp_path, data_dir=copy.data_dir, longest_s=600)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "intact, and signed by the key of this installation" in done.stdout
    assert copy.password == moved.password
    now = held_in(copy.data_dir)
    # A worker enlists when it starts, whether or not it finds anything to do.
    assert {name for name in now.rows if now.rows[name] != before.rows[name]} <= {"job_worker"}
    assert now.files == before.files
