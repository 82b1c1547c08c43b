"""Backup of a whole installation into one file, and its restoration into an empty folder.

The database is copied first, in one consistent state, and the files after it. Files are never
changed or removed, so whatever that state names is among them.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url
from sqlmodel import Session

from core.blobs import BlobStore
from core.clock import now
from core.db import open_database
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger.verify import Anchor, Verification
from core.records.audit import verify_installation
from core.safekeeping import dumps
from core.safekeeping.archives import ArchiveReader, ArchiveWriter, open_archive
from core.safekeeping.contents import (
    BLOBS,
    KEYS,
    SEALED_KEYS,
    Said,
    fill,
    missing_files,
    promised_files,
)
from core.safekeeping.sealing import unseal
from core.settings import Settings


@dataclass(frozen=True)
class BackupMade:
    """What a backup holds and how to recognise it."""

    path: Path
    sha256: str
    size: int
    members: int
    blobs: int
    repositories: int
    keys: str
    faults: tuple[Fault, ...] = field(default=())
    """Files that were damaged or missing in the installation itself when it was backed up."""

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.path} holds the database, {self.blobs} files and {self.repositories} "
                f"repositories in {self.size:,} bytes.",
                f"SHA-256 {self.sha256}: keep it elsewhere.",
                self.keys,
                *_listed("Damaged or missing in the installation itself", self.faults),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "file": str(self.path),
            "sha256": self.sha256,
            "size": self.size,
            "members": self.members,
            "blobs": self.blobs,
            "repositories": self.repositories,
            "keys": self.keys,
            "faults": [asdict(fault) for fault in self.faults],
        }


@dataclass(frozen=True)
class Restored:
    """What was restored, and what is still to be done by hand."""

    data_dir: Path
    database_url: str
    made_at: str
    blobs: int
    ledger_entries: int
    keys: str
    faults: tuple[Fault, ...] = field(default=())
    """What did not fit already when the backup was made."""

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.data_dir} holds the installation as it was at {self.made_at}: "
                f"{self.blobs} files, {self.ledger_entries} entries of the audit trail.",
                f"Its database is {make_url(self.database_url).render_as_string()}.",
                self.keys,
                *_listed("Already wrong when the backup was made", self.faults),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return the same for programs, without a database's password."""
        return {
            "data_dir": str(self.data_dir),
            "database": make_url(self.database_url).render_as_string(),
            "made_at": self.made_at,
            "blobs": self.blobs,
            "ledger_entries": self.ledger_entries,
            "keys": self.keys,
            "faults": [asdict(fault) for fault in self.faults],
        }


def _listed(heading: str, faults: tuple[Fault, ...]) -> list[str]:
    return [f"{heading}:", *(f"  {fault}" for fault in faults)] if faults else []


def backup(
    settings: Settings,
    target: Path,
    passphrase: str | None = None,
    say: Said = lambda _sentence: None,
) -> BackupMade:
    """Back an installation up while it is in use.

    Parameters
    ----------
    target : Path
        The file to make, or a folder in which it gets a name with the time. Never overwritten.
    passphrase : str, optional
        Adds the signing keys, encrypted with it. Without it they are left out.
    say : callable
        Told in a sentence what is being done.

    Raises
    ------
    Conflict
        If there is such a file already.
    """
    at = now()
    if target.is_dir():
        target = target / f"fiducial-backup-{at:%Y%m%dT%H%M%SZ}.zip"
    if target.exists():
        raise Conflict(f"There is already a file {target}; choose another name.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent} for the backup.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
        unfinished = Path(scratch) / "unfinished.zip"
        with _private(unfinished) as file, zipfile.ZipFile(file, "w", compresslevel=1) as archive:
            writer = ArchiveWriter(archive)
            faults, counts = fill(writer, settings, Path(scratch), passphrase, say)
            counts["made_at"] = at.isoformat()
            writer.close_with(counts)
        sha256 = _checked(unfinished, say)
        # Refuses, as a rename would not, a file that has come there meanwhile.
        os.link(unfinished, target)
    _sync(target.parent)
    return BackupMade(
        path=target,
        sha256=sha256,
        size=target.stat().st_size,
        members=len(writer.members),
        blobs=counts["blobs"],
        repositories=counts["repositories"],
        keys=counts["keys"],
        faults=tuple(faults),
    )


def restore(
    source: Path,
    data_dir: Path,
    passphrase: str | None = None,
    database_url: str | None = None,
    say: Said = lambda _sentence: None,
) -> Restored:
    """Make an installation from a backup in a folder that is empty or does not exist.

    Parameters
    ----------
    passphrase : str, optional
        Restores the signing keys, when the backup was made with one.
    database_url : str, optional
        An empty PostgreSQL database, for the backup of one.

    Raises
    ------
    Invalid
        With every fault, before anything is written, when the backup is not what its manifest
        says, or when what came out of it does not hold together.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise Conflict(f"{data_dir} is not empty; restore into a new folder.")
    if not source.is_file():
        raise NotFound(f"There is no backup {source}.")
    parent = data_dir.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with _opened(source) as archive:
        say("Comparing the backup with its manifest.")
        reader = open_archive(archive)
        _require_space(parent, sum(member.size for member in reader.members.values()))
        with tempfile.TemporaryDirectory(dir=parent, prefix=".restore-") as scratch:
            folder = Path(scratch) / "installation"
            folder.mkdir(mode=0o700)
            say(f"Writing {len(reader.members)} files.")
            reader.extract(folder)
            keys = _restore_keys(reader, folder, passphrase)
            urls = _restore_database(reader, folder, data_dir, database_url)
            say("Checking the restored records, files and audit trail.")
            return _put_in_place(reader, folder, data_dir, urls, keys)


def _checked(path: Path, say: Said) -> str:
    """Read a finished backup through as a restoration would, and return its digest."""
    say("Reading the backup through.")
    with _opened(path) as archive:
        open_archive(archive)
    with path.open("rb") as opened:
        os.fsync(opened.fileno())
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextlib.contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that nobody else may read: it will hold the whole record."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
        yield file


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as fault:
        raise Invalid(
            "This is not a backup that can be restored.",
            (
                Fault(
                    "not-a-backup",
                    str(path),
                    f"is cut off or no zip file ({fault}).",
                    "Choose another backup.",
                ),
            ),
        ) from fault
    with archive:
        yield archive


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Refused(
            f"The backup needs {needed:,} bytes and {folder} has {free:,} left; make room first."
        )


def _restore_keys(reader: ArchiveReader, folder: Path, passphrase: str | None) -> str:
    sealed = folder / SEALED_KEYS
    if SEALED_KEYS not in reader.members:
        return str(reader.facts["keys"])
    sealed.unlink()
    if passphrase is None:
        return "The signing keys were left in the backup, because no passphrase was given."
    keys = folder / KEYS
    keys.mkdir(mode=0o700)
    for name, text in json.loads(unseal(reader.read(SEALED_KEYS), passphrase)).items():
        place = keys / Path(name).name
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    return "The signing keys were restored."


def _restore_database(
    reader: ArchiveReader, folder: Path, data_dir: Path, database_url: str | None
) -> tuple[str, str]:
    """Bring the database back; return its address now and when the folder is in place."""
    if dumps.POSTGRESQL in reader.members:
        if database_url is None:
            raise Refused(
                "This backup holds a PostgreSQL database; name an empty one to restore into."
            )
        dumps.load(folder / dumps.POSTGRESQL, database_url)
        (folder / dumps.POSTGRESQL).unlink()
        return database_url, database_url
    name = Path(str(reader.facts["database"]["name"])).name or "fiducial.sqlite"
    (folder / dumps.SQLITE).rename(folder / name)
    dumps.check_sqlite(folder / name)
    return f"sqlite:///{folder / name}", f"sqlite:///{data_dir.absolute() / name}"


def _put_in_place(
    reader: ArchiveReader,
    folder: Path,
    data_dir: Path,
    urls: tuple[str, str],
    keys: str,
) -> Restored:
    url_now, url_then = urls
    for path in (folder / BLOBS).rglob("*"):
        if path.is_file():
            path.chmod(0o440)
    database = open_database(url_now)
    store = BlobStore(folder / BLOBS)
    damaged = store.faults()
    try:
        with database.reading() as session:
            missing = missing_files(promised_files(session) - set(store.digests()))
            audit = _audit(session, store, reader.facts["ledger"])
    finally:
        database.engine.dispose()
    folder.rename(data_dir)
    _sync(data_dir.absolute().parent)
    return Restored(
        data_dir=data_dir,
        database_url=url_then,
        made_at=str(reader.facts["made_at"]),
        blobs=int(reader.facts["blobs"]),
        ledger_entries=audit.entries,
        keys=keys,
        faults=(*damaged, *missing, *_as_faults(audit)),
    )


def _audit(session: Session, store: BlobStore, ledger: Mapping[str, Any]) -> Verification:
    """Verify the audit trail, which must still hold the entry that the backup began with."""
    anchor = Anchor(int(ledger["seq"]), str(ledger["hash"]), "the backup's manifest")
    return verify_installation(session, store, (anchor,) if anchor.seq else ())


def _as_faults(audit: Verification) -> list[Fault]:
    return [Fault(found.code, found.where, found.what) for found in audit.findings]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
