"""Backup and restoration as commands: what they print, and what a nightly script can rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from core.db import open_database
from tests.conftest import ROOT
from tests.core.safekeeping.installations import Installation, make_installation
from tests.demonstration import BuiltDemo

DONE, REFUSED, DONE_WITH_FAULTS = 0, 1, 3
NARROW = 40


def fiducial(*arguments: object, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, in a terminal that is narrower than a digest."""
    told = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FIDUCIAL_")},
        "FIDUCIAL_DATA_DIR": str(data_dir),
        "COLUMNS": str(NARROW),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    return subprocess.run(command, env=told, cwd=data_dir.parent, capture_output=True, text=True)  # noqa: S603


@pytest.fixture
def kept(tmp_path: Path) -> Installation:
    made = make_installation(tmp_path / "var")
    made.database.engine.dispose()
    # A command opens what `fiducial init` made; the name is that of its database.
    assert (tmp_path / "var" / "fiducial.db").exists()
    return made


def lose_a_file_and_rot_another(installation: Installation) -> tuple[str, str]:
    """Return the digests of a file that is gone and of one with other bytes."""
    found = sorted(path for path in (installation.settings.data_dir / "blobs").glob("??/*"))
    lost, rotten = found
    lost.unlink()
    rotten.chmod(0o600)
    rotten.write_bytes(b"rotten")
    return tuple(path.parent.name + path.name for path in (lost, rotten))


def test_a_digest_stands_on_one_line_however_narrow_the_terminal(
    kept: Installation, tmp_path: Path
) -> None:
    made = fiducial("backup", tmp_path / "b.zip", data_dir=kept.settings.data_dir)

    assert made.returncode == DONE, made.stderr
    [line] = [line for line in made.stdout.splitlines() if line.startswith("SHA-256")]
    summed = subprocess.run(  # noqa: S603 (a fixed program)
        ["/usr/bin/sha256sum", tmp_path / "b.zip"], capture_output=True, text=True, check=True
    )
    assert summed.stdout.split()[0] in line


def test_a_script_reads_what_was_backed_up_and_restored(kept: Installation, tmp_path: Path) -> None:
    made = fiducial("backup", tmp_path / "b.zip", "--json", data_dir=kept.settings.data_dir)
    again = fiducial(
        "restore",
        *(tmp_path / "b.zip", "--into", tmp_path / "new", "--json"),
        data_dir=kept.settings.data_dir,
    )

    backed_up, restored = json.loads(made.stdout), json.loads(again.stdout)
    assert (made.returncode, again.returncode) == (DONE, DONE)
    assert backed_up["file"] == str(tmp_path / "b.zip")
    assert backed_up["size"] == (tmp_path / "b.zip").stat().st_size
    assert (backed_up["blobs"], backed_up["repositories"], backed_up["faults"]) == (2, 1, [])
    assert restored["data_dir"] == str(tmp_path / "new")
    assert (restored["blobs"], restored["ledger_entries"], restored["faults"]) == (2, 8, [])


def test_a_backup_of_a_damaged_installation_is_made_and_names_every_fault(
    kept: Installation, tmp_path: Path
) -> None:
    damaged = lose_a_file_and_rot_another(kept)

    told = fiducial("backup", tmp_path / "b.zip", data_dir=kept.settings.data_dir)
    again = fiducial("backup", tmp_path / "c.zip", "--json", data_dir=kept.settings.data_dir)

    assert (told.returncode, again.returncode) == (DONE_WITH_FAULTS, DONE_WITH_FAULTS)
    assert (tmp_path / "b.zip").exists()
    for sha256 in damaged:
        assert sha256 in told.stdout
    assert {one["where"] for one in json.loads(again.stdout)["faults"]} == set(damaged)


def test_a_restoration_of_what_was_damaged_names_it_and_ends_like_it(
    kept: Installation, tmp_path: Path
) -> None:
    damaged = lose_a_file_and_rot_another(kept)
    fiducial("backup", tmp_path / "b.zip", data_dir=kept.settings.data_dir)

    told = fiducial(
        "restore", tmp_path / "b.zip", "--into", tmp_path / "new", data_dir=kept.settings.data_dir
    )

    assert told.returncode == DONE_WITH_FAULTS
    assert (tmp_path / "new" / "fiducial.db").exists()
    for sha256 in damaged:
        assert sha256 in told.stdout


def test_a_refused_restoration_is_no_restoration_with_faults(
    kept: Installation, tmp_path: Path
) -> None:
    (tmp_path / "no.zip").write_bytes(b"no zip")

    told = fiducial(
        "restore", tmp_path / "no.zip", "--into", tmp_path / "new", data_dir=kept.settings.data_dir
    )

    assert told.returncode == REFUSED
    assert "not a backup that can be restored" in told.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_restored_run_is_held_against_its_evidence(demo_copy: BuiltDemo, tmp_path: Path) -> None:
    """A verdict was changed in the database before the backup: only its evidence says so."""
    database = open_database(demo_copy.settings.database, demo_copy.data_dir)
    with database.engine.begin() as connection:
        [guard] = connection.execute(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE "
                "'%BEFORE UPDATE%' AND tbl_name = 'validation_run_scenario'"
            )
        ).scalars()
        made_by = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": guard}
        ).scalar_one()
        connection.execute(text(f'DROP TRIGGER "{guard}"'))
        connection.execute(
            text("UPDATE validation_run_scenario SET status = 'failed' WHERE id = 1")
        )
        connection.execute(text(made_by))
    database.engine.dispose()

    made = fiducial("backup", tmp_path / "b.zip", data_dir=demo_copy.data_dir)
    told = fiducial(
        "restore",
        *(tmp_path / "b.zip", "--into", tmp_path / "new", "--json"),
        data_dir=demo_copy.data_dir,
    )

    assert made.returncode == DONE
    assert told.returncode == DONE_WITH_FAULTS
    [fault] = json.loads(told.stdout)["faults"]
    assert fault["code"] == "run-altered"
    assert "status is 'failed' in the database, 'passed' in evidence" in fault["what"]
