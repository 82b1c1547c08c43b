"""The form of a pack that its builder and its verifier share: names, the manifest, digests.

Light on purpose: the offline verifier imports this and nothing of the printing or the database.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.canonical import NotCanonical, digest, plain, read_json

FORMAT = "fiducial-pack/1"

MANIFEST = "manifest.json"
MANIFEST_ENVELOPE = "manifest.dsse.json"
PDF = "pack.pdf"
README = "README.txt"
RELEASE = "release.json"
BASELINE = "baseline.json"
LEDGER = "ledger.json"
SBOM = "sbom.cdx.json"
PACK_STATEMENT = "attestations/pack.dsse.json"

UNLISTED = (MANIFEST_ENVELOPE, MANIFEST)
"""The two members that stand first in the file and not in the manifest: they are about it."""

REQUIRED = (README, PACK_STATEMENT, BASELINE, LEDGER, PDF, RELEASE, SBOM)
"""What every pack holds, whatever it is about."""

MANIFEST_TYPE = "application/vnd.fiducial.manifest+json"
STATEMENT_TYPE = "application/vnd.in-toto+json"

LONGEST_PATH = 200
_SEGMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._+~-]*[A-Za-z0-9_+~-])?")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class NotAManifest(ValueError):
    """Bytes that claim to be a pack's manifest and are not one."""


@dataclass(frozen=True)
class ManifestMember:
    """One member of the pack, by the size and SHA-256 of its decompressed bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Signer:
    """A key that signed the pack, carried along so that the signature can be checked at all."""

    fingerprint: str
    public_key: str


@dataclass(frozen=True)
class Manifest:
    """The table of a pack: what it is about, what it holds, who signed it."""

    product: str
    version: str
    document: str
    created: str
    demonstration: bool
    statement: str
    """SHA-256 of the pack's statement; the PDF prints it at the foot of every page."""
    signers: tuple[Signer, ...]
    members: tuple[ManifestMember, ...]

    @cached_property
    def by_path(self) -> dict[str, ManifestMember]:
        """The members by their paths."""
        return {member.path: member for member in self.members}

    def to_bytes(self) -> bytes:
        """Return the manifest as it stands in the pack."""
        return member_json(
            {
                "format": FORMAT,
                "product": self.product,
                "version": self.version,
                "document": self.document,
                "created": self.created,
                "demonstration": self.demonstration,
                "statement": self.statement,
                "signers": [vars(signer) for signer in self.signers],
                "members": [vars(member) for member in self.members],
            }
        )


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest, refusing everything that is not byte for byte what `to_bytes` writes."""
    try:
        value = read_json(data)
        manifest = Manifest(
            product=_text(value["product"]),
            version=_text(value["version"]),
            document=_text(value["document"]),
            created=_text(value["created"]),
            demonstration=bool(value["demonstration"]),
            statement=_text(value["statement"]),
            signers=tuple(
                Signer(_text(item["fingerprint"]), _text(item["public_key"]))
                for item in value["signers"]
            ),
            members=tuple(_member(item) for item in value["members"]),
        )
        rewritten = manifest.to_bytes()
    except (NotCanonical, KeyError, TypeError) as error:
        raise NotAManifest(f"this is not the manifest of a pack: {error}.") from error
    if rewritten != data:
        raise NotAManifest("this manifest is not written as a pack's builder writes it.")
    faults = path_faults(member.path for member in manifest.members)
    faults += [f"{name} is missing" for name in REQUIRED if name not in manifest.by_path]
    faults += [f"{name} lists itself" for name in UNLISTED if name in manifest.by_path]
    if faults:
        raise NotAManifest(f"the manifest lists what no pack may hold: {'; '.join(faults)}.")
    return manifest


def path_fault(path: str) -> str | None:
    """Say why a path has no place in a pack, or return None when it has.

    Only plain names below the pack's own folder are allowed: nothing absolute, no ``..``, no
    character or name that another system reads otherwise.

    Examples
    --------
    >>> path_fault("records/RPM/REQ-001.json") is None
    True
    >>> path_fault("../etc/passwd")
    "'../etc/passwd' is not a plain path inside the pack"
    """
    segments = path.split("/")
    if len(path) > LONGEST_PATH or not all(_SEGMENT.fullmatch(segment) for segment in segments):
        return f"{path[:LONGEST_PATH]!r} is not a plain path inside the pack"
    if any(_RESERVED.fullmatch(segment) for segment in segments):
        return f"{path!r} has a name that Windows reserves"
    return None


def path_faults(paths: Iterable[str]) -> list[str]:
    """Return every fault of the paths of one pack, doubled and case-colliding ones included."""
    faults: list[str] = []
    seen: dict[str, str] = {}
    for path in paths:
        if fault := path_fault(path):
            faults.append(fault)
        other = seen.get(path.casefold())
        if other is None:
            seen[path.casefold()] = path
        elif other == path:
            faults.append(f"{path!r} stands twice")
        else:
            faults.append(f"{path!r} differs from {other!r} only in case")
    return faults


def assign_paths(folder: str, names: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return a path of its own for each JSON member, given the names people chose.

    A name that a path may not hold, that Windows reserves, or that differs from another one only
    in case, is spelt in the characters a path may have and marked with its digest.

    Examples
    --------
    >>> paths = assign_paths("records", [("RPM", "REQ-001"), ("RPM", "CON")])
    >>> paths["RPM", "REQ-001"], paths["RPM", "CON"]
    ('records/RPM/REQ-001.json', 'records/RPM/CON~6d5a8f5f.json')
    """
    plainly = {name: "/".join((folder, *name)) + ".json" for name in names}
    spellings = Counter(path.casefold() for path in plainly.values())
    return {
        name: path
        if path_fault(path) is None
        and spellings[path.casefold()] == 1
        and not any("/" in part or "~" in part for part in name)
        else _marked_path(folder, name)
        for name, path in plainly.items()
    }


def _marked_path(folder: str, name: tuple[str, ...]) -> str:
    parts = [re.sub(r"[^A-Za-z0-9_]", "_", part)[:60] or "_" for part in name]
    return f"{folder}/{'/'.join(parts)}~{digest(list(name))[:8]}.json"


def run_attestation(run_path: str) -> str:
    """Return where the attestation of a run stands.

    Examples
    --------
    >>> run_attestation("runs/14.json")
    'attestations/run-14.dsse.json'
    """
    return f"attestations/run-{run_path.removeprefix('runs/').removesuffix('.json')}.dsse.json"


def in_file_order(paths: Iterable[str]) -> list[str]:
    """Return the paths as they stand in the file: the manifest's two first, the rest sorted."""
    return [*UNLISTED, *sorted(set(paths) - set(UNLISTED))]


def member_json(value: Any) -> bytes:
    """Return a member's JSON: indented for people, ordered and spelt one way for machines."""
    text = json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def _member(item: Mapping[str, Any]) -> ManifestMember:
    size, hashed = item["size"], _text(item["sha256"])
    if type(size) is not int or size < 0:
        raise TypeError(f"the size {size!r} is not a number of bytes")
    if not _SHA256.fullmatch(hashed):
        raise TypeError(f"{hashed[:80]!r} is not a SHA-256")
    return ManifestMember(_text(item["path"]), size, hashed)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text belongs")
    return value
