"""Backup and restoration: everything comes back, from one consistent state."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import make_url

from core.backup import BackupMade, backup, restore
from core.blobs import BlobStore, keep
from core.db import Database, open_database
from core.errors import Conflict, FiducialError, Invalid, NotFound, Refused
from core.ledger import append
from core.records.audit import verify_audit
from core.safekeeping import dumps
from core.safekeeping.archives import MANIFEST
from core.settings import Settings
from core.signing.keys import load_key
from tests.core.safekeeping.installations import (
    ROOT,
    WORDS,
    Installation,
    digests,
    everything,
    files,
    git,
    make_installation,
)

pytestmark = pytest.mark.verifies("TST-037")


def test_a_destroyed_installation_comes_back_whole(
    installation: Installation, tmp_path: Path
) -> None:
    before, rows = digests(installation.database), everything(installation.database)
    blobs = files(installation.settings.data_dir / "blobs")
    key = load_key(installation.settings.data_dir).fingerprint
    made = backup(installation.settings, tmp_path / "backup.zip", WORDS)
    installation.database.engine.dispose()
    shutil.rmtree(installation.settings.data_dir)

    restored = restore(made.path, tmp_path / "elsewhere", WORDS)

    assert restored.faults == ()
    assert (restored.blobs, restored.ledger_entries) == (2, 8)
    database = open_database(restored.database_url)
    assert Settings(data_dir=tmp_path / "elsewhere").database == restored.database_url
    assert len(before) == 3
    assert digests(database) == before
    assert everything(database) == rows
    assert files(tmp_path / "elsewhere" / "blobs") == blobs
    with database.reading() as session:
        assert verify_audit(session).clean
    assert load_key(tmp_path / "elsewhere").fingerprint == key
    mirror = tmp_path / "elsewhere" / "repositories" / "1.git"
    assert git("fsck", "--full", "--no-dangling", folder=mirror) == ""
    assert git("log", "-1", "--format=%s", "main", folder=mirror) == "first, rewritten"
    assert git("log", "-1", "--format=%s", installation.lost_commit, folder=mirror) == "first"
    assert not (mirror / "hooks" / "post-update").exists()
    database.engine.dispose()


def test_a_restored_audit_trail_still_refuses_changes_and_goes_on(
    made: BackupMade, tmp_path: Path
) -> None:
    restored = restore(made.path, tmp_path / "elsewhere")

    database = open_database(restored.database_url)
    with pytest.raises(Exception, match="append-only"), database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entry")
    with database.writing() as session:
        append(session, "test:entry:add", None)
    with database.reading() as session:
        assert verify_audit(session).clean
    database.engine.dispose()


def test_the_keys_stay_out_unless_they_are_encrypted(
    installation: Installation, made: BackupMade, tmp_path: Path
) -> None:
    secret = (installation.settings.data_dir / "keys" / "installation.pem").read_bytes()
    assert "NOT in this backup" in made.keys
    with zipfile.ZipFile(made.path) as archive:
        assert not [name for name in archive.namelist() if "key" in name]
        assert "NOT in this backup" in json.loads(archive.read(MANIFEST))["keys"]

    sealed = backup(installation.settings, tmp_path / "sealed.zip", WORDS)

    with zipfile.ZipFile(sealed.path) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    assert not [content for content in contents if secret[30:60] in content]
    with pytest.raises(Refused, match="passphrase does not open"):
        restore(sealed.path, tmp_path / "wrong", "not these four words")
    assert not (tmp_path / "wrong").exists()
    assert "no passphrase was given" in restore(sealed.path, tmp_path / "without").keys
    assert not (tmp_path / "without" / "keys").exists()
    restore(sealed.path, tmp_path / "with", WORDS)
    restored = tmp_path / "with" / "keys" / "installation.pem"
    assert restored.read_bytes() == secret
    assert restored.stat().st_mode & 0o777 == 0o600


def test_a_short_passphrase_is_refused_before_anything_is_kept(
    installation: Installation, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="too short"):
        backup(installation.settings, tmp_path / "backup.zip", "short")
    assert not list(tmp_path.glob("*backup*"))


def test_a_backup_is_for_its_owner_only_and_has_the_time_in_its_name(
    installation: Installation, tmp_path: Path
) -> None:
    made = backup(installation.settings, tmp_path)

    assert made.path.stat().st_mode & 0o077 == 0
    assert made.path.name.startswith("fiducial-backup-20")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_backup_never_overwrites_a_file(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "backup.zip").write_text("something else")

    with pytest.raises(Conflict, match="already a file"):
        backup(installation.settings, tmp_path / "backup.zip")
    with pytest.raises(NotFound, match="no folder"):
        backup(installation.settings, tmp_path / "nowhere" / "backup.zip")


def test_a_restoration_never_mixes_with_what_is_there(made: BackupMade, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("mine")
    (tmp_path / "empty").mkdir()

    with pytest.raises(Conflict, match="not empty"):
        restore(made.path, tmp_path / "full")
    with pytest.raises(Conflict, match="not empty"):
        restore(made.path, tmp_path / "full" / "note")
    assert files(tmp_path / "full") == {"note": b"mine"}
    assert restore(made.path, tmp_path / "empty").faults == ()


def test_damage_in_the_installation_is_named_and_does_not_stop_a_backup(
    installation: Installation, tmp_path: Path
) -> None:
    store = BlobStore(installation.settings.data_dir / "blobs")
    rotten, gone = store.digests()
    store.path(rotten).chmod(0o600)
    store.path(rotten).write_bytes(b"rotten")
    store.path(gone).unlink()

    made = backup(installation.settings, tmp_path / "backup.zip")
    restored = restore(made.path, tmp_path / "elsewhere")

    assert {(fault.code, fault.where) for fault in made.faults} == {
        ("file-damaged", rotten),
        ("file-missing", gone),
    }
    assert {(fault.code, fault.where) for fault in restored.faults} == {
        ("file-damaged", rotten),
        ("file-missing", gone),
    }


def test_a_backup_of_a_record_changed_behind_the_audit_trail_says_so_when_restored(
    installation: Installation, tmp_path: Path
) -> None:
    with installation.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE revision SET title = 'forged' WHERE id = 1")

    made = backup(installation.settings, tmp_path / "backup.zip")

    assert restore(made.path, tmp_path / "elsewhere").faults != ()


def test_a_backup_during_writing_holds_one_consistent_state(
    installation: Installation, tmp_path: Path
) -> None:
    """A writer keeps a file and its row, again and again, while four backups are made."""
    store = BlobStore(installation.settings.data_dir / "blobs")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with installation.database.writing() as session:
                blob = keep(session, store, os.urandom(1000))
                append(session, "files:blob:keep", None, subject=blob.sha256)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backup(installation.settings, tmp_path / f"{n}.zip") for n in range(4)]
    finally:
        stop.set()
        writer.join()

    entries = []
    for number, each in enumerate(made):
        restored = restore(each.path, tmp_path / f"restored-{number}")
        assert restored.faults == ()
        entries.append(restored.ledger_entries)
    assert entries == sorted(set(entries))


def test_a_backup_that_is_killed_leaves_no_backup(
    installation: Installation, tmp_path: Path
) -> None:
    store = BlobStore(installation.settings.data_dir / "blobs")
    for _ in range(40):
        store.put(os.urandom(2_000_000))
    program = (
        "import sys; from pathlib import Path; from core.backup import backup\n"
        "from core.settings import Settings\n"
        "def say(sentence):\n"
        "    print(sentence, flush=True)\n"
        "backup(Settings(data_dir=Path(sys.argv[1])), Path(sys.argv[2]), say=say)"
    )
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            "-c",
            program,
            str(installation.settings.data_dir),
            str(tmp_path / "b.zip"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if "files" in line:
                break
    process.kill()
    process.wait()

    assert not (tmp_path / "b.zip").exists()
    assert backup(installation.settings, tmp_path / "b.zip").faults == ()


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FiducialError, match="There is no database"):
        backup(Settings(data_dir=tmp_path / "nothing"), tmp_path / "backup.zip")
    assert not (tmp_path / "nothing").exists()


@pytest.mark.database
def test_a_postgresql_installation_comes_back_whole(database: Database, tmp_path: Path) -> None:
    if database.is_sqlite:
        pytest.skip("needs PostgreSQL: make test DB=postgresql")
    url = database.engine.url.render_as_string(hide_password=False)
    installation = make_installation(tmp_path / "var", url)
    installation.database.engine.dispose()
    rows = everything(database)
    name = f"restored_{os.getpid()}"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    target = database.engine.url.set(database=name).render_as_string(hide_password=False)

    made = backup(installation.settings, tmp_path / "backup.zip")
    with pytest.raises(Conflict, match="already holds"):
        restore(made.path, tmp_path / "elsewhere", database_url=url)
    with pytest.raises(Refused, match="name an empty one"):
        restore(made.path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
    restored = restore(made.path, tmp_path / "elsewhere", database_url=target)

    assert restored.faults == ()
    assert (restored.blobs, restored.ledger_entries) == (2, 8)
    assert "***" in str(restored)
    again = open_database(target)
    assert everything(again) == rows
    with again.reading() as session:
        assert verify_audit(session).clean
    with pytest.raises(Exception, match="append-only"), again.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entry")
    again.engine.dispose()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name}")


def test_the_missing_program_of_a_postgresql_backup_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FiducialError, match="pg_dump is not installed here"):
        dumps.dump(make_url("postgresql+psycopg://nobody@localhost/none"), tmp_path)


def test_what_was_made_is_told_in_sentences(installation: Installation, tmp_path: Path) -> None:
    made = backup(installation.settings, tmp_path / "backup.zip")
    restored = restore(made.path, tmp_path / "elsewhere")

    assert hashlib.sha256(made.path.read_bytes()).hexdigest() in str(made)
    assert "2 files and 1 repositories" in str(made)
    assert "NOT in this backup" in str(made)
    assert "2 files, 8 entries of the audit trail" in str(restored)
    assert "Already wrong" not in str(restored)
