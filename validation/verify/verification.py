"""Verify a pack: offline, without a database, believing nothing the file says about itself."""

from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

from core.errors import NotFound
from core.signing.keys import PublicKey, read_public_key
from validation.pack.container import Span
from validation.verify.agreement import contradictions
from validation.verify.authority import Authority, find_authority, trust_findings
from validation.verify.findings import Finding, Kind, Verification
from validation.verify.listing import by_directory, by_headers
from validation.verify.members import ZIP, Expectation, differences, expectation, structure


def verify_pack(path: Path, key_paths: Sequence[Path] = ()) -> Verification:
    """Return the verdict on one pack.

    Parameters
    ----------
    path : Path
        The zip file.
    key_paths : sequence of Path
        Public keys of makers you trust, in PEM form. When any is given, a pack that none of them
        signed counts as changed.

    Raises
    ------
    NotFound
        If the pack or a key file does not exist.
    Invalid
        If a key file holds no Ed25519 public key.
    """
    trusted = [read_public_key(key_path) for key_path in key_paths]
    if not path.is_file():
        raise NotFound(f"There is no pack {path}.")
    if path.stat().st_size == 0:
        return Verification(str(path), (Finding(ZIP, Kind.REMOVED, "the file is empty."),))
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return _verify(str(path), data, trusted)


def _verify(name: str, data: mmap, trusted: Sequence[PublicKey]) -> Verification:
    listings = directory, headers = by_directory(data), by_headers(data)
    authority, refusals = find_authority(data, listings)
    if authority is None:
        return Verification(name, tuple(refusals))
    expected = expectation(authority.manifest, authority.table, authority.envelope, len(data))
    same_length = expected.layout.length == len(data)
    found = list(authority.findings)
    found += (
        differences(data, expected)
        if same_length
        else structure(data, expected, directory, headers)
    )
    found += trust_findings(authority, trusted)
    if not found:
        found = contradictions(authority, _Reader(data, expected).read)
    return _verdict(name, authority, found, trusted)


def _verdict(
    name: str, authority: Authority, found: list[Finding], trusted: Sequence[PublicKey]
) -> Verification:
    manifest = authority.manifest
    return Verification(
        file=name,
        findings=tuple(dict.fromkeys(found)),
        signers=authority.signers,
        trusted=bool(set(authority.signers) & {key.fingerprint for key in trusted}),
        product=manifest.product,
        version=manifest.version,
        document=manifest.document,
        created=manifest.created,
        statement=manifest.statement,
        demonstration=manifest.demonstration,
        members=len(manifest.members),
    )


class _Reader:
    """Reads members of a file that is known to be laid out as expected."""

    def __init__(self, data: mmap, expected: Expectation) -> None:
        self.data = data
        self.spans: dict[str, Span] = {span.path: span for span in expected.layout.spans}

    def read(self, path: str) -> bytes:
        span = self.spans[path]
        return self.data[span.data : span.end]
