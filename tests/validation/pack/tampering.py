"""Ways to change a pack, for tests: what an attacker, a mail gateway or a bad disk would do."""

import io
import struct
import warnings
import zipfile
from pathlib import Path

from core.signing.envelopes import seal
from core.signing.keys import SigningKey
from validation.pack.container import Entry, Span, layout, measure, write_archive
from validation.pack.manifest import (
    MANIFEST,
    MANIFEST_ENVELOPE,
    MANIFEST_TYPE,
    UNLISTED,
    Manifest,
    ManifestMember,
    Signer,
    in_file_order,
    read_manifest,
)


def read_members(pack: Path) -> dict[str, bytes]:
    """Return the members in file order."""
    with zipfile.ZipFile(pack) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def spans(pack: Path) -> list[Span]:
    """Return where each member stands."""
    return list(layout([(name, len(data)) for name, data in read_members(pack).items()]).spans)


def write_members(target: Path, members: dict[str, bytes], order: list[str] | None = None) -> Path:
    """Write members in our own zip form, whatever they are."""
    entries: list[Entry] = [measure(path, members[path]) for path in order or members]
    write_archive(target, entries, members.__getitem__)
    return target


def sign_again(members: dict[str, bytes], key: SigningKey, target: Path, **changes) -> Path:
    """Rebuild the manifest over the given members and sign it with a key."""
    old = read_manifest(members[MANIFEST])
    listed = [measure(path, data) for path, data in members.items() if path not in UNLISTED]
    fields = {
        **{name: getattr(old, name) for name in Manifest.__dataclass_fields__},
        "signers": (Signer(key.fingerprint, key.public.to_pem().decode()),),
        "members": tuple(
            ManifestMember(e.path, e.size, e.sha256) for e in sorted(listed, key=lambda e: e.path)
        ),
        **changes,
    }
    table = Manifest(**fields).to_bytes()
    signed = {
        **members,
        MANIFEST: table,
        MANIFEST_ENVELOPE: seal(MANIFEST_TYPE, table, [key]).to_bytes(),
    }
    return write_members(target, {path: signed[path] for path in in_file_order(signed)})


def append(pack: Path, name: str, data: bytes, target: Path, **options) -> Path:
    """Add a member as Python's zipfile does, even one whose name is there already."""
    target.write_bytes(pack.read_bytes())
    with warnings.catch_warnings(), zipfile.ZipFile(target, "a", **options) as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, data)
    return target


def repack(members: dict[str, bytes], target: Path, method: int) -> Path:
    """Write the members as another program would, with its own times and compression."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    target.write_bytes(stream.getvalue())
    return target


def with_comment(pack: Path, comment: bytes, target: Path) -> Path:
    """Give the zip a comment, with a correct length."""
    data = pack.read_bytes()
    target.write_bytes(data[:-2] + struct.pack("<H", len(comment)) + comment)
    return target
