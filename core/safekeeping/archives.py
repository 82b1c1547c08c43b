"""Archives of our own: a zip whose manifest names every member with its size and SHA-256.

A backup is one; a project on its way to another installation is another (`core.archive`).
"""

import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

from core.canonical import canonical_json
from core.errors import Fault, Invalid

FORMAT = "fiducial-backup/1"
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
LARGEST_MANIFEST_BYTES = 512 << 20
"""A member takes some 150 bytes of it, so this is three million files."""

FASTEST = 1
"""Compression level: most of the bytes are images, and a nightly backup should be over soon."""


@dataclass(frozen=True)
class Kind:
    """What an archive is, and the words in which it is refused.

    Attributes
    ----------
    beside : frozenset of str
        Members that the manifest cannot name, because they are about it.
    most_unpacked : int
        How many times its packed size a member may take; 0 for as often as it says.
    """

    form: str
    noun: str
    unfit: str
    damaged: str
    choose: str
    beside: frozenset[str] = frozenset()
    most_unpacked: int = 0


BACKUP = Kind(
    form=FORMAT,
    noun="backup",
    unfit="This is not a backup that can be restored.",
    damaged="The backup is damaged; nothing was restored from it.",
    choose="Choose another backup.",
)

HARMLESS_BYTES = 16 << 20
"""A member of this size is unpacked however small it was packed."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError),
    # What zipfile raises for a member that says it is encrypted or uses an unknown method.
    *(RuntimeError, NotImplementedError),
)
"""What reading a member that is not as it should be raises."""


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    sha256: str
    size: int


@dataclass
class ArchiveWriter:
    """Adds files to a zip and remembers what it added."""

    archive: zipfile.ZipFile
    members: dict[str, Member] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    """Folders to be made even if they are empty."""
    kind: Kind = BACKUP

    def add(self, name: str, source: Path, *, packed: bool = True) -> Member:
        """Add a file as it is now, and return its digest and size as they were read."""
        # Opened before the member is begun: a file that is gone leaves no empty member behind.
        with source.open("rb") as opened:
            return self.add_pieces(name, iter(lambda: opened.read(CHUNK_BYTES), b""), packed=packed)

    def add_pieces(self, name: str, pieces: Iterable[bytes], *, packed: bool = True) -> Member:
        """Add a member piece by piece; `packed` makes it smaller where that can be done."""
        digest, size = hashlib.sha256(), 0
        with self._begin(name, packed=packed) as outgoing:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                outgoing.write(piece)
        self.members[name] = Member(digest.hexdigest(), size)
        return self.members[name]

    def add_bytes(self, name: str, content: bytes) -> Member:
        """Add bytes under a name."""
        with self._begin(name) as outgoing:
            outgoing.write(content)
        self.members[name] = Member(hashlib.sha256(content).hexdigest(), len(content))
        return self.members[name]

    def close_with(self, facts: Mapping[str, Any]) -> bytes:
        """Write the manifest, after every member that it names; return it."""
        members = {
            name: {"sha256": member.sha256, "size": member.size}
            for name, member in self.members.items()
        }
        manifest = canonical_json(
            {
                "format": self.kind.form,
                **facts,
                "folders": sorted(self.folders),
                "members": members,
            }
        )
        with self._begin(MANIFEST) as outgoing:
            outgoing.write(manifest)
        return manifest

    def add_beside(self, name: str, content: bytes) -> None:
        """Add what is about the manifest, and so cannot be in it."""
        with self._begin(name) as outgoing:
            outgoing.write(content)

    def _begin(self, name: str, *, packed: bool = True) -> IO[bytes]:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = (stat.S_IFREG | 0o600) << 16
        return self.archive.open(info, "w", force_zip64=True)


@dataclass(frozen=True)
class ArchiveReader:
    """An archive that has been read through and found to be what its manifest says."""

    archive: zipfile.ZipFile
    facts: Mapping[str, Any]
    members: Mapping[str, Member]
    folders: tuple[str, ...]

    def extract(self, folder: Path) -> None:
        """Write every member below a folder, checking each once more while it is written."""
        for name in self.folders:
            folder.joinpath(name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, member in self.members.items():
            place = folder.joinpath(*PurePosixPath(name).parts)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            digest = hashlib.sha256()
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with self.archive.open(name) as incoming, os.fdopen(handle, "wb") as outgoing:
                while chunk := incoming.read(CHUNK_BYTES):
                    digest.update(chunk)
                    outgoing.write(chunk)
                outgoing.flush()
                os.fsync(outgoing.fileno())
            if digest.hexdigest() != member.sha256:
                raise Invalid(
                    "The backup changed while it was read; nothing was restored.",
                    (Fault("member-changed", name, "differs from the manifest."),),
                )

    def read(self, name: str) -> bytes:
        """Return the content of a small member."""
        return self.archive.read(name)


def open_archive(archive: zipfile.ZipFile, kind: Kind = BACKUP) -> ArchiveReader:
    """Read a whole archive through and compare it with its manifest.

    Raises
    ------
    Invalid
        With every member that is changed, added, missing, doubled or unsafely named.
    """
    counted = Counter(info.filename for info in archive.infolist())
    manifest = read_manifest(archive, kind)
    members, faults = _members(manifest, kind)
    folders = tuple(str(name) for name in manifest.get("folders") or ())
    faults.extend(_unsafe(name) for name in folders if not _is_safe(name))
    for name in sorted((set(counted) | set(members)) - {MANIFEST}):
        if name in kind.beside:
            faults.extend(_doubled(name, counted[name]))
        else:
            faults.extend(_member_faults(archive, name, members.get(name), counted[name], kind))
    if faults:
        raise Invalid(kind.damaged, faults)
    return ArchiveReader(archive, manifest, members, folders)


def read_manifest(archive: zipfile.ZipFile, kind: Kind) -> dict[str, Any]:
    """Return what the manifest of an archive says.

    Raises
    ------
    Invalid
        If it is none of its kind.
    """
    count = archive.namelist().count(MANIFEST)
    if count != 1:
        raise unfit(kind, f"holds {count} manifests instead of one")
    info = archive.getinfo(MANIFEST)
    if info.file_size > LARGEST_MANIFEST_BYTES or _is_bomb(info, Member("", info.file_size), kind):
        raise unfit(kind, "has a manifest that is far too large")
    try:
        manifest = json.loads(read_at_most(archive, MANIFEST, info.file_size))
    except (RecursionError, *UNREADABLE) as fault:
        raise unfit(kind, "has a manifest that cannot be read") from fault
    if not isinstance(manifest, dict) or manifest.get("format") != kind.form:
        raise unfit(kind, f"is not of the format {kind.form}")
    return manifest


def read_at_most(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member of an archive that nothing vouches for yet.

    Raises
    ------
    ValueError
        If it is larger, whatever it says of its size.
    """
    with archive.open(name) as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return content


def unfit(kind: Kind, what: str) -> Invalid:
    """Return the refusal of a file that is no archive of a kind, or one that cannot be read."""
    fault = Fault(f"not-a-{kind.noun}", MANIFEST, f"The file {what}.", kind.choose)
    return Invalid(kind.unfit, (fault,))


def _members(manifest: Mapping[str, Any], kind: Kind) -> tuple[dict[str, Member], list[Fault]]:
    stated = manifest.get("members")
    if not isinstance(stated, dict):
        raise unfit(kind, "has a manifest without members")
    members, faults = {}, []
    for name, facts in stated.items():
        match facts:
            case {"sha256": str(sha256), "size": int(size)}:
                members[name] = Member(sha256, size)
            case _:
                faults.append(Fault("manifest-odd", name, "has no digest and size."))
    return members, faults


def _member_faults(
    archive: zipfile.ZipFile, name: str, stated: Member | None, count: int, kind: Kind
) -> Iterator[Fault]:
    if not _is_safe(name):
        yield _unsafe(name)
    elif stated is None:
        yield Fault("member-added", name, "is not in the manifest.")
    elif count == 0:
        yield Fault("member-missing", name, f"is in the manifest but not in the {kind.noun}.")
    elif count > 1:
        yield from _doubled(name, count)
    elif stat.S_ISLNK(archive.getinfo(name).external_attr >> 16):
        yield Fault("member-link", name, "leads to another file instead of holding something.")
    elif _is_bomb(archive.getinfo(name), stated, kind):
        yield Fault("member-bomb", name, f"unpacks into {stated.size:,} bytes; it is not ours.")
    elif _digest(archive, name, stated.size) != stated.sha256:
        yield Fault("member-changed", name, "differs from the manifest.")


def _doubled(name: str, count: int) -> Iterator[Fault]:
    if count > 1:
        yield Fault("member-doubled", name, f"stands {count} times in the archive.")


def _is_bomb(info: zipfile.ZipInfo, stated: Member, kind: Kind) -> bool:
    most = HARMLESS_BYTES + kind.most_unpacked * info.compress_size
    return bool(kind.most_unpacked) and stated.size > most


def _unsafe(name: str) -> Fault:
    return Fault("member-unsafe", repr(name), "would be written outside the data folder.")


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        str(path) == name
        and not path.is_absolute()
        and ".." not in path.parts
        and "\\" not in name
        and name.isprintable()
        and name != "."
    )


def _digest(archive: zipfile.ZipFile, name: str, size: int) -> str:
    digest, read = hashlib.sha256(), 0
    try:
        with archive.open(name) as opened:
            while chunk := opened.read(CHUNK_BYTES):
                read += len(chunk)
                if read > size:
                    # A small member may claim to unpack into terabytes.
                    return ""
                digest.update(chunk)
    except UNREADABLE:
        return ""
    return digest.hexdigest()
