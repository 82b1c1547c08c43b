"""Open an archive of projects: everything about the file itself is checked before it is used."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from core.archive import repositories
from core.archive.register import BLOB, PERSON, PROJECT, Register
from core.archive.rows import OddRow, Row, row_of
from core.archive.shape import (
    LARGEST_LINE,
    PAYLOAD_TYPE,
    PROJECT_ARCHIVE,
    PROOF,
    SIGNATURES,
    TRAIL,
    file_member,
    rows_member,
)
from core.blobs import BlobStore
from core.db import Table
from core.errors import Fault, FiducialError, Invalid, NotFound
from core.safekeeping.archives import (
    MANIFEST,
    UNREADABLE,
    ArchiveReader,
    open_archive,
    read_at_most,
    read_manifest,
    unfit,
)
from core.signing.envelopes import read_envelope
from core.signing.keys import PublicKey, public_key_from_pem

ROOM_BYTES = 1 << 16


@dataclass(frozen=True)
class Archive:
    """An archive that is what its manifest says.

    Attributes
    ----------
    signer : str
        Fingerprint of the key that signed the manifest; empty where nobody did.
    """

    path: Path
    sha256: str
    reader: ArchiveReader
    facts: Mapping[str, Any]
    signer: str

    @property
    def projects(self) -> list[str]:
        """The keys of its projects."""
        return [str(one["key"]) for one in self.facts["projects"]]

    def lines(self, member: str) -> Iterator[tuple[int, Row]]:
        """Yield the rows of a member with the number of their line.

        Raises
        ------
        Invalid
            If a line is no row.
        """
        with self.reader.archive.open(member) as opened:
            number = 0
            while line := opened.readline(LARGEST_LINE):
                number += 1
                try:
                    yield number, row_of(line)
                except OddRow as error:
                    fault = Fault("row-odd", f"{member} line {number}", str(error))
                    raise Invalid(PROJECT_ARCHIVE.damaged, [fault]) from error

    def rows(self, table: str) -> Iterator[tuple[int, Row]]:
        """Yield the rows of a table."""
        return self.lines(rows_member(table))


class ArchivedFiles(BlobStore):
    """The files of an installation, and with them those that an archive is about to bring."""

    def __init__(self, root: Path, reader: ArchiveReader) -> None:
        super().__init__(root)
        self.reader = reader

    def open(self, sha256: str, *, verify: bool = False) -> BinaryIO:
        """Open a file; those of the archive were compared with their digest already."""
        if (name := file_member(sha256)) in self.reader.members:
            return cast(BinaryIO, self.reader.archive.open(name))
        return super().open(sha256, verify=verify)

    def verify(self, sha256: str) -> None:
        """Compare a file with its name; those of the archive were compared already."""
        if file_member(sha256) not in self.reader.members:
            super().verify(sha256)


@contextmanager
def opened(
    path: Path, register: Register, schema: str, trusted: PublicKey | None
) -> Iterator[Archive]:
    """Open an archive and compare it with its manifest, the manifest with its signature.

    Raises
    ------
    Invalid
        With everything that is wrong with the file.
    NotFound
        If there is no such file.
    """
    if not path.is_file():
        raise NotFound(f"There is no archive {path}.")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with _zip(file) as found:
            # First whether the manifest is the one that was signed: members are held against it.
            signer = _signer(found, read_manifest(found, PROJECT_ARCHIVE), trusted)
            reader = open_archive(found, PROJECT_ARCHIVE)
            _refuse_another_version(reader.facts, schema)
            faults = _members(reader, register)
            faults += repositories.faults(reader)
            if faults:
                raise Invalid(PROJECT_ARCHIVE.damaged, faults)
            yield Archive(path, sha256, reader, reader.facts, signer)


def _zip(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as fault:
        raise unfit(PROJECT_ARCHIVE, f"is cut off or no zip file ({fault})") from fault


def _refuse_another_version(facts: Mapping[str, Any], schema: str) -> None:
    try:
        told = str(facts["schema"])
        {str(one["key"]) for one in facts["projects"]}
        str(facts["source"]["fingerprint"])
        str(facts["source"]["ledger"]["hash"])
        {(str(one["project"]), str(one["uid"]), str(one["type"])) for one in facts["elsewhere"]}
        [(str(where), str(what)) for where, what in facts["findings"]]
    except (KeyError, TypeError, ValueError) as error:
        raise unfit(PROJECT_ARCHIVE, "has a manifest that lacks what it must say") from error
    if told != schema:
        fault = Fault(
            "schema",
            str(facts.get("fiducial") or "the source"),
            f"wrote this archive from the schema {told[:40]}; this installation is at {schema}.",
            "Bring the older of the two installations to the other's version and run "
            "'fiducial db upgrade' there; where that was the source, export again.",
        )
        raise Invalid("The archive is of another version; nothing was imported.", [fault])


def _signer(found: zipfile.ZipFile, facts: Mapping[str, Any], trusted: PublicKey | None) -> str:
    """Return the fingerprint of the key that signed the manifest; empty where nobody did."""
    said = facts.get("source")
    source = said if isinstance(said, dict) else {}
    claimed = str(source.get("fingerprint") or "")
    if trusted is not None and claimed != trusted.fingerprint:
        whose = f"the installation {claimed[:16]}" if claimed else "nobody"
        raise _unproved(f"is of {whose}, not of the key given.", "Ask the source for its key.")
    if not claimed and PROOF not in found.namelist():
        return ""
    try:
        key = public_key_from_pem(str(source.get("public_key")).encode(), MANIFEST)
        manifest = read_at_most(found, MANIFEST, found.getinfo(MANIFEST).file_size)
        # It holds the manifest in four letters for three bytes, and a signature or two.
        envelope = read_envelope(read_at_most(found, PROOF, 2 * len(manifest) + ROOM_BYTES))
    except (*UNREADABLE, KeyError, FiducialError) as error:
        raise _unproved(f"does not prove {MANIFEST}: {error}.") from error
    good = (
        key.fingerprint == claimed
        and envelope.payload_type == PAYLOAD_TYPE
        and envelope.payload == manifest
        and claimed in envelope.signers([key])
    )
    if not good:
        raise _unproved(f"is no signature of this {MANIFEST}.", "One of them was changed.")
    return claimed


def _unproved(what: str, mend: str = "") -> Invalid:
    return Invalid(PROJECT_ARCHIVE.damaged, [Fault("signature", PROOF, what, mend)])


def _members(reader: ArchiveReader, register: Register) -> list[Fault]:
    """Name what is missing, what nobody asked for, and files that are not what they are called."""
    tables = {PROJECT, PERSON, BLOB, *(one.name for one, _ in register.moving(Table.metadata))}
    wanted = {TRAIL, SIGNATURES, *map(rows_member, tables)}
    found = [
        Fault("member-missing", name, "is not in the archive.")
        for name in sorted(wanted - set(reader.members))
    ]
    for name, member in sorted(reader.members.items()):
        if name.startswith("files/"):
            if name != file_member(member.sha256):
                found.append(Fault("member-odd", name, "is not the file that it is called after."))
        elif name not in wanted and not name.startswith("repositories/"):
            found.append(Fault("member-odd", name, "is nothing that a project holds."))
    return found
