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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url, select
from sqlmodel import Session, col

from core import dumps
from core.archives import ArchiveReader, ArchiveWriter, open_archive
from core.blobs import Blob, BlobStore
from core.clock import now
from core.db import open_database
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger.chain import head
from core.ledger.verify import Anchor, Verification
from core.records.audit import verify_audit
from core.repository_copies import add_repositories
from core.sealing import seal, unseal
from core.settings import Settings

BLOBS = "blobs"
REPOSITORY_FOLDERS = ("repositories", "demo")
"""The mirrors, and the repositories that the demonstration made itself."""

KEYS = "keys"
SEALED_KEYS = "keys.sealed"

KEYS_LEFT_OUT = (
    "The signing keys are NOT in this backup. Keep a copy of the folder `keys` apart from it, or "
    "make the backup with a passphrase: nobody can sign as this installation without them."
)
KEYS_SEALED = (
    "The signing keys are in this backup, encrypted with the passphrase, which is stored nowhere."
)
NO_KEYS = "This installation has no signing keys yet."

Said = Callable[[str], None]


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
            faults, counts = _fill(writer, settings, Path(scratch), passphrase, say)
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


def _fill(
    writer: ArchiveWriter,
    settings: Settings,
    scratch: Path,
    passphrase: str | None,
    say: Said,
) -> tuple[list[Fault], dict[str, Any]]:
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        dumps.sqlite_file(url)
    say("Copying the database.")
    # Read before the copy is made, so the copy holds this entry and perhaps later ones.
    ledger, promised = _look(settings.database)
    copy = dumps.dump(url, scratch)
    writer.add(copy.name, copy)
    copy.unlink()
    say("Copying files.")
    faults, blobs = _add_blobs(writer, settings, promised)
    say("Copying repositories.")
    repositories = [
        f"{folder}/{name}"
        for folder in REPOSITORY_FOLDERS
        for name in add_repositories(writer, settings.data_dir, folder)
    ]
    facts = {
        "database": {
            "kind": url.get_backend_name(),
            "name": Path(url.database or "").name if copy.name == dumps.SQLITE else "",
        },
        "ledger": ledger,
        "blobs": blobs,
        "repositories": len(repositories),
        "keys": _add_keys(writer, settings.data_dir / KEYS, passphrase),
        "damaged": [f"{fault.code} {fault.where}" for fault in faults],
    }
    return faults, facts


def _look(database_url: str) -> tuple[dict[str, Any], set[str]]:
    """Return the end of the audit trail and the digests of the files that rows promise."""
    database = open_database(database_url)
    try:
        with database.reading() as session:
            last = head(session)
            return {"seq": last.seq, "hash": last.hash}, _promised(session)
    finally:
        database.engine.dispose()


def _add_blobs(
    writer: ArchiveWriter, settings: Settings, promised: set[str]
) -> tuple[list[Fault], int]:
    """Add every file; one that is damaged is added as it is, and named, as is one not there."""
    store, faults, kept = BlobStore(settings.data_dir / BLOBS), [], set()
    for sha256 in store.digests():
        member = writer.add(f"{BLOBS}/{sha256[:2]}/{sha256[2:]}", store.path(sha256))
        kept.add(sha256)
        if member.sha256 != sha256:
            faults.append(_damaged(sha256))
    return faults + _missing(promised - kept), len(kept)


def _promised(session: Session) -> set[str]:
    return set(session.execute(select(col(Blob.sha256))).scalars())


def _damaged(sha256: str) -> Fault:
    return Fault(
        "file-damaged",
        sha256,
        "no longer has the content that its name promises.",
        "Put the original back from an older backup.",
    )


def _add_keys(writer: ArchiveWriter, folder: Path, passphrase: str | None) -> str:
    present = sorted(path for path in folder.glob("*") if path.is_file())
    if not present:
        return NO_KEYS
    if passphrase is None:
        return KEYS_LEFT_OUT
    content = {path.name: path.read_text(encoding="ascii") for path in present}
    writer.add_bytes(SEALED_KEYS, seal(json.dumps(content).encode(), passphrase))
    return KEYS_SEALED


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
        dumps.load(folder / dumps.POSTGRESQL, make_url(database_url))
        (folder / dumps.POSTGRESQL).unlink()
        return database_url, database_url
    name = Path(str(reader.facts["database"]["name"])).name or "fiducial.sqlite"
    (folder / dumps.SQLITE).rename(folder / name)
    dumps.check_sqlite(folder / name)
    return f"sqlite:///{folder / name}", f"sqlite:///{data_dir.absolute() / name}"


def _put_in_place(
    reader: ArchiveReader, folder: Path, data_dir: Path, urls: tuple[str, str], keys: str
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
            missing = _missing(_promised(session) - set(store.digests()))
            audit = _audit(session, reader.facts["ledger"])
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


def _audit(session: Session, ledger: Mapping[str, Any]) -> Verification:
    """Verify the audit trail, which must still hold the entry that the backup began with."""
    anchor = Anchor(int(ledger["seq"]), str(ledger["hash"]), "the backup's manifest")
    return verify_audit(session, (anchor,) if anchor.seq else ())


def _as_faults(audit: Verification) -> list[Fault]:
    return [Fault(found.code, found.where, found.what) for found in audit.findings]


def _missing(digests: set[str]) -> list[Fault]:
    return [
        Fault(
            "file-missing",
            sha256,
            "is named by the database but is not there.",
            "Put it back from an older backup.",
        )
        for sha256 in sorted(digests)
    ]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
