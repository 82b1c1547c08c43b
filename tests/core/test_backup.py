"""Backup and restoration: everything comes back, and nothing that was tampered with does."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select
from sqlmodel import col

from app.schema import upgrade_database
from core.backup import BackupMade, backup, restore
from core.blobs import BlobStore, keep
from core.canonical import digest
from core.db import Database, Table, open_database
from core.errors import Conflict, FiducialError, Invalid, NotFound, Refused
from core.ledger import append
from core.people.service import actor_of, create_person, grant
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.models import Revision
from core.records.service import create_project, create_record
from core.safekeeping import dumps
from core.safekeeping.archives import MANIFEST
from core.settings import Settings
from core.signing.keys import create_key, load_key

ROOT = Path(__file__).parents[2]
WORDS = "four random words here"
GIT = [
    "git",
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.org",
    "-c",
    "init.defaultBranch=main",
]


@dataclass(frozen=True)
class Installation:
    """A small installation that is in use."""

    settings: Settings
    database: Database
    lost_commit: str


def git(*arguments: str, folder: Path) -> str:
    command = [*GIT, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def make_installation(data_dir: Path, database_url: str = "") -> Installation:
    """Make three records, two files, a key, and a mirror in which one commit was rewritten away."""
    data_dir.mkdir()
    settings = Settings(data_dir=data_dir, database_url=database_url)
    database = open_database(settings.database)
    upgrade_database(database)
    create_key(data_dir)
    store = BlobStore(data_dir / "blobs")
    with database.writing() as session:
        person = create_person(session, "ada", "PPL-AD", "Ada Field", "a long password", None)
        project = create_project(session, "RPM", "RT Plan Metrics", None)
        grant(session, person, ["author"], None, project.id)
        actor = actor_of(session, person)
        for number in range(3):
            create_record(
                session,
                project,
                "user_need",
                Content(f"Need {number}", "Trust the *numbers*"),
                actor,
            )
        keep(session, store, b"a phantom", "application/dicom")
        keep(session, store, os.urandom(300_000))
        append(session, "files:blob:keep", actor, project.id, "phantom")
    return Installation(settings, database, make_mirror(data_dir))


def make_mirror(data_dir: Path) -> str:
    work = data_dir.parent / "work"
    work.mkdir()
    git("init", "-q", folder=work)
    (work / "app.yaml").write_text("name: rpm\n")
    git("add", ".", folder=work)
    git("commit", "-q", "-m", "first", folder=work)
    lost = git("rev-parse", "HEAD", folder=work)
    mirror = data_dir / "repositories" / "1.git"
    mirror.parent.mkdir()
    git("clone", "-q", "--mirror", str(work), str(mirror), folder=work)
    git("commit", "-q", "--amend", "-m", "first, rewritten", folder=work)
    git("fetch", "-q", folder=mirror)
    # All references packed: the folders below `refs` are empty now.
    git("pack-refs", "--all", folder=mirror)
    (mirror / "hooks").mkdir(exist_ok=True)
    (mirror / "hooks" / "post-update").write_text("#!/bin/sh\n")
    return lost


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = make_installation(tmp_path / "var")
    yield made
    made.database.engine.dispose()


@pytest.fixture
def made(installation: Installation, tmp_path: Path) -> BackupMade:
    return backup(installation.settings, tmp_path / "backup.zip")


def digests(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        query = select(Revision.content_digest, Revision.envelope_digest).order_by(col(Revision.id))
        return [tuple(row) for row in session.execute(query)]


def everything(database: Database) -> str:
    """Return one digest over every row of every table."""
    rows: dict[str, Any] = {}
    with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            found = session.execute(select(table)).all()
            rows[table.name] = sorted([str(value) for value in row] for row in found)
    return digest(rows)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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
    assert (restored.blobs, restored.ledger_entries) == (2, 7)
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


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a backup anew with other members."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target


def blob_of(members: dict[str, bytes]) -> str:
    return min(name for name in members if name.startswith("blobs/"))


def test_every_fault_of_a_backup_is_named_and_nothing_is_written(
    made: BackupMade, tmp_path: Path
) -> None:
    altered: list[str] = []

    def change(members: dict[str, bytes]) -> None:
        first, second = sorted(name for name in members if name.startswith("blobs/"))
        altered.extend([first, second])
        members[first] = members[first] + b"!"
        del members[second]
        members["blobs/00/added"] = b"added"
        members["../outside"] = b"outside"
        database = bytearray(members[dumps.SQLITE])
        database[5000] ^= 1
        members[dumps.SQLITE] = bytes(database)

    bad = rewritten(made.path, tmp_path / "bad.zip", change)

    with pytest.raises(Invalid) as refused:
        restore(bad, tmp_path / "elsewhere")

    found = {(fault.code, fault.where) for fault in refused.value.faults}
    assert found == {
        ("member-changed", altered[0]),
        ("member-missing", altered[1]),
        ("member-added", "blobs/00/added"),
        ("member-unsafe", "'../outside'"),
        ("member-changed", dumps.SQLITE),
    }
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "outside").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_flipped_byte_in_any_member_is_named(made: BackupMade, tmp_path: Path) -> None:
    with zipfile.ZipFile(made.path) as archive:
        names = [name for name in archive.namelist() if archive.getinfo(name).file_size]

    for name in names:

        def flip(members: dict[str, bytes], name: str = name) -> None:
            content = bytearray(members[name])
            content[len(content) // 2] ^= 1
            members[name] = bytes(content)

        bad = rewritten(made.path, tmp_path / "bad.zip", flip)
        with pytest.raises(Invalid) as refused:
            restore(bad, tmp_path / "elsewhere")
        if name != MANIFEST:
            assert name in str(refused.value)
    assert len(names) > 10
    assert not (tmp_path / "elsewhere").exists()


def test_a_doubled_member_is_named(made: BackupMade, tmp_path: Path) -> None:
    doubled = tmp_path / "doubled.zip"
    shutil.copy(made.path, doubled)
    with zipfile.ZipFile(doubled, "a") as archive:
        name = blob_of(dict.fromkeys(archive.namelist(), b""))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(name, b"another")

    with pytest.raises(Invalid, match="stands 2 times"):
        restore(doubled, tmp_path / "elsewhere")


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/cron.d/x", "blobs/../../outside", "a\\b", "a//b", "./a", "a\nb"]
)
def test_a_manifest_that_leads_outside_is_refused(
    made: BackupMade, tmp_path: Path, name: str
) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        members[name] = b"outside"
        manifest["members"][name] = {"size": 7, "sha256": hashlib.sha256(b"outside").hexdigest()}
        members[MANIFEST] = json.dumps(manifest).encode()

    bad = rewritten(made.path, tmp_path / "bad.zip", change)

    with pytest.raises(Invalid, match="outside the data folder"):
        restore(bad, tmp_path / "elsewhere")


def test_a_member_that_unpacks_to_more_than_it_says_is_not_read_on(
    made: BackupMade, tmp_path: Path
) -> None:
    """A kilobyte that claims to hold a gigabyte: reading stops at the size in the manifest."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        manifest["members"]["bomb"] = {"size": 10, "sha256": "0" * 64}
        members[MANIFEST] = json.dumps(manifest).encode()

    bad = rewritten(made.path, tmp_path / "bad.zip", change)
    with zipfile.ZipFile(bad, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 200_000_000)

    with pytest.raises(Invalid, match="bomb: differs from the manifest"):
        restore(bad, tmp_path / "elsewhere")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.zip").write_bytes(content)

    with pytest.raises(Invalid, match="not a backup that can be restored"):
        restore(tmp_path / "bad.zip", tmp_path / "elsewhere")


def test_a_backup_that_was_cut_off_is_refused(made: BackupMade, tmp_path: Path) -> None:
    whole = made.path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "cut.zip").write_bytes(whole[: int(len(whole) * share)])

        with pytest.raises(Invalid, match="cut off or no zip file"):
            restore(tmp_path / "cut.zip", tmp_path / "elsewhere")


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
    assert (restored.blobs, restored.ledger_entries) == (2, 7)
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
    assert "2 files, 7 entries of the audit trail" in str(restored)
    assert "Already wrong" not in str(restored)
