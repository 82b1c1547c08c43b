"""What goes into a backup: the database, every file, the repositories, and perhaps the keys."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, select
from sqlmodel import Session, col

from core.blobs import Blob, BlobStore
from core.db import open_database
from core.errors import Fault
from core.ledger.chain import head
from core.safekeeping import dumps
from core.safekeeping.archives import ArchiveWriter
from core.safekeeping.repositories import add_repositories
from core.safekeeping.sealing import seal
from core.settings import Settings

BLOBS = "blobs"
REPOSITORY_FOLDERS = ("repositories", "demo")
"""The mirrors, and the repositories that the demonstration made itself."""

DEMO_SIGN_INS = "demo-sign-ins.json"
"""The password of the demonstration's fictional people, whom nobody could be without it."""

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


def fill(
    writer: ArchiveWriter,
    settings: Settings,
    scratch: Path,
    passphrase: str | None,
    say: Said,
) -> tuple[list[Fault], dict[str, Any]]:
    """Add everything; return what is wrong in the installation, and the manifest's facts."""
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
    if (settings.data_dir / DEMO_SIGN_INS).is_file():
        writer.add(DEMO_SIGN_INS, settings.data_dir / DEMO_SIGN_INS)
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
            return {"seq": last.seq, "hash": last.hash}, promised_files(session)
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
    return faults + missing_files(promised - kept), len(kept)


def promised_files(session: Session) -> set[str]:
    """Return the digests of the files that rows promise."""
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


def missing_files(digests: set[str]) -> list[Fault]:
    """Name files that are promised and not there."""
    return [
        Fault(
            "file-missing",
            sha256,
            "is named by the database but is not there.",
            "Put it back from an older backup.",
        )
        for sha256 in sorted(digests)
    ]
