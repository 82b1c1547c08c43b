"""Files by their SHA-256: written once, whole or not at all, never changed afterwards."""

import contextlib
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import BigInteger
from sqlmodel import Field, Session

from core.clock import now
from core.db import Table, UtcDateTime, insert_into
from core.errors import Fault, FiducialError, NotFound

CHUNK_BYTES = 1 << 20
ABANDONED_AFTER_S = 24 * 3600
"""No honest write takes a day: an older temporary file is what a killed process left behind."""

UNKNOWN_MEDIA_TYPE = "application/octet-stream"
_TEMPORARY = ".incoming-"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class DamagedBlob(FiducialError):
    """A stored file no longer has the content that its name promises."""


class Blob(Table, table=True):
    """One file that records and runs may name by its digest."""

    sha256: str = Field(primary_key=True, max_length=64)
    size: int = Field(sa_type=BigInteger)
    media_type: str = UNKNOWN_MEDIA_TYPE
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@dataclass(frozen=True)
class StoredBlob:
    """What is known of a file the moment it is durable on disk."""

    sha256: str
    size: int


class BlobStore:
    """The folder that keeps every file under ``ab/cdef...``, two digits of its digest apart.

    Parameters
    ----------
    root : Path
        The folder, ``data_dir / "blobs"`` in an installation. Made when the first file arrives.

    Examples
    --------
    >>> store = BlobStore(Path(tempfile.mkdtemp()))
    >>> stored = store.put(b"phantom")
    >>> store.put(b"phantom") == stored, store.read(stored.sha256)
    (True, b'phantom')
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def put(self, source: bytes | Path | BinaryIO) -> StoredBlob:
        """Keep a file; when this returns, it survives a power cut.

        A file that is already kept is checked, not written again.

        Raises
        ------
        DamagedBlob
            If the file kept under this digest has been altered on disk.
        """
        self._make_folder(self.root)
        with _opened(source) as incoming:
            # Written beside its final place, so the last step is a link inside one file system.
            temporary, stored = self._write_temporary(incoming)
        try:
            self._publish(temporary, stored)
        finally:
            temporary.unlink(missing_ok=True)
        return stored

    def path(self, sha256: str) -> Path:
        """Return where the file with this digest lies.

        Raises
        ------
        NotFound
            If the digest is not 64 hexadecimal digits, or no such file is kept.
        """
        path = self._place(sha256)
        if not path.is_file() or path.is_symlink():
            raise NotFound(f"There is no file with the SHA-256 {sha256} in this installation.")
        return path

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """Open a file for reading; `verify` reads it through once beforehand."""
        path = self.path(sha256)
        if verify:
            self.verify(sha256)
        return path.open("rb")

    def read(self, sha256: str, *, verify: bool = False) -> bytes:
        """Return the whole content of a file."""
        with self.open(sha256, verify=verify) as opened:
            return opened.read()

    def verify(self, sha256: str) -> None:
        """Read a file through and compare it with its name.

        Raises
        ------
        DamagedBlob
            If it has other content than its digest says.
        """
        with self.path(sha256).open("rb") as opened:
            actual = hashlib.file_digest(opened, "sha256").hexdigest()
        if actual != sha256:
            raise DamagedBlob(
                f"The file {sha256} has been altered on disk (its content now has the SHA-256 "
                f"{actual}). Put the original back from a backup; nothing may rely on this copy."
            )

    def digests(self) -> Iterator[str]:
        """Yield the digest of every file that is kept, in order."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                sha256 = folder.name + path.name
                if _SHA256.fullmatch(sha256):
                    yield sha256

    def faults(self) -> list[Fault]:
        """Read every file through and say of each that is damaged what is wrong."""
        found = []
        for sha256 in self.digests():
            try:
                self.verify(sha256)
            except (DamagedBlob, NotFound) as fault:
                found.append(Fault("file-damaged", sha256, str(fault)))
        return found

    def sweep(self, older_than_s: float = ABANDONED_AFTER_S) -> int:
        """Remove what killed writers left half-written; return how many files that was."""
        oldest = now().timestamp() - older_than_s
        removed = 0
        for path in self.root.glob(f"**/{_TEMPORARY}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise NotFound(f"{sha256[:80]!r} is not a SHA-256 in 64 lower-case hexadecimal digits.")
        return self.root / sha256[:2] / sha256[2:]

    def _write_temporary(self, incoming: BinaryIO) -> tuple[Path, StoredBlob]:
        handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.root)
        temporary, digest, size = Path(name), hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as outgoing:
                while chunk := incoming.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    outgoing.write(chunk)
                outgoing.flush()
                os.fchmod(outgoing.fileno(), 0o440)
                os.fsync(outgoing.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary, StoredBlob(digest.hexdigest(), size)

    def _publish(self, temporary: Path, stored: StoredBlob) -> None:
        place = self._place(stored.sha256)
        self._make_folder(place.parent)
        try:
            # A link, unlike a rename, refuses to replace what is there.
            os.link(temporary, place)
        except FileExistsError:
            self.verify(stored.sha256)
        # Also for a file found there: another process may have linked it a moment ago.
        _sync_folder(place.parent)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def keep(
    session: Session,
    store: BlobStore,
    source: bytes | Path | BinaryIO,
    media_type: str = UNKNOWN_MEDIA_TYPE,
) -> Blob:
    """Keep a file and its row; the row comes into being with the caller's transaction.

    The file is durable first: a row never names a file that is not there, and a file whose
    transaction failed is merely unused. A file that is already known keeps its media type.
    """
    return remember(session, store.put(source), media_type)


def remember(session: Session, stored: StoredBlob, media_type: str = UNKNOWN_MEDIA_TYPE) -> Blob:
    """Give a file that is durable already its row, with the caller's transaction.

    For slow work: the store is filled first, and the transaction stays short.
    """
    values = {
        "sha256": stored.sha256,
        "size": stored.size,
        "media_type": media_type,
        "created_at": now(),
    }
    # Two uploads of one file at once are no conflict, so the second insert says nothing.
    session.execute(insert_into(session, Blob).values(**values).on_conflict_do_nothing())
    return session.get_one(Blob, stored.sha256)


@contextlib.contextmanager
def _opened(source: bytes | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    elif isinstance(source, Path):
        with source.open("rb") as opened:
            yield opened
    else:
        yield source


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
