"""Find the manifest of a pack, and who signed it.

The signed envelope holds the manifest too, so one of the two members may be damaged and the other
still tells what every member must be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap

from core.errors import Invalid
from core.signing.envelopes import Envelope, NotAnEnvelope, read_envelope
from core.signing.keys import PublicKey, print_fingerprint, public_key_from_pem
from validation.pack.manifest import (
    MANIFEST,
    MANIFEST_ENVELOPE,
    MANIFEST_TYPE,
    Manifest,
    NotAManifest,
    read_manifest,
)
from validation.verify.findings import Finding, Kind
from validation.verify.listing import Listing, content

LARGEST_MANIFEST = 64 << 20
"""65,000 members take some 15 MB; more is not a manifest."""


@dataclass(frozen=True)
class Authority:
    """What the rest of the pack is held against.

    `envelope` is None when no signature over the manifest is good: the manifest then only serves
    to name what is wrong.
    """

    manifest: Manifest
    table: bytes
    envelope: bytes | None
    keys: tuple[PublicKey, ...]
    findings: tuple[Finding, ...]

    @property
    def signers(self) -> tuple[str, ...]:
        """Fingerprints of the keys that signed the manifest."""
        return tuple(key.fingerprint for key in self.keys) if self.envelope is not None else ()


def find_authority(
    data: mmap, listings: Sequence[Listing]
) -> tuple[Authority | None, list[Finding]]:
    """Return the manifest to believe, or None and the reasons why there is none."""
    refusals: list[str] = []
    for read in _candidates(data, listings, MANIFEST_ENVELOPE):
        try:
            return _signed(read), []
        except (NotAnEnvelope, NotAManifest, Invalid) as error:
            refusals.append(str(error))
    why = refusals[0] if refusals else "it is absent or cannot be read."
    unsigned = Finding(MANIFEST_ENVELOPE, Kind.SIGNATURE, why)
    for read in _candidates(data, listings, MANIFEST):
        try:
            manifest = read_manifest(read)
            keys = _signer_keys(manifest)
        except (NotAManifest, Invalid) as error:
            return None, [unsigned, Finding(MANIFEST, Kind.CHANGED, str(error))]
        return Authority(manifest, read, None, keys, (unsigned,)), []
    return None, [unsigned, Finding(MANIFEST, Kind.REMOVED, "it is absent or cannot be read.")]


def trust_findings(authority: Authority, trusted: Sequence[PublicKey]) -> list[Finding]:
    """Object when keys were given and none of them signed."""
    if not trusted or authority.envelope is None:
        return []
    if set(authority.signers) & {key.fingerprint for key in trusted}:
        return []
    signed = " and ".join(print_fingerprint(name) for name in authority.signers)
    given = " or ".join(print_fingerprint(key.fingerprint) for key in trusted)
    what = f"it is signed by the key {signed}, not by the key you gave ({given})."
    return [Finding(MANIFEST_ENVELOPE, Kind.SIGNATURE, what)]


def signature_fault(envelope: Envelope, keys: Sequence[PublicKey], payload_type: str) -> str | None:
    """Say why an envelope is not signed as the pack's signers sign, or return None."""
    if envelope.payload_type != payload_type:
        return f"it is signed as {envelope.payload_type[:80]}, not as {payload_type}."
    signers = {key.fingerprint for key in keys}
    claimed = [signature.keyid for signature in envelope.signatures]
    if not signers or sorted(claimed) != sorted(signers):
        return "it does not carry the signatures of the pack's signers."
    if envelope.signers(keys) != signers:
        return "its signature does not fit its content."
    return None


def _signed(read: bytes) -> Authority:
    envelope = read_envelope(read)
    manifest = read_manifest(envelope.payload)
    keys = _signer_keys(manifest)
    if fault := signature_fault(envelope, keys, MANIFEST_TYPE):
        raise NotAnEnvelope(fault)
    return Authority(manifest, envelope.payload, read, keys, ())


def _signer_keys(manifest: Manifest) -> tuple[PublicKey, ...]:
    keys = tuple(
        public_key_from_pem(signer.public_key.encode(), f"{MANIFEST}, signer")
        for signer in manifest.signers
    )
    for key, signer in zip(keys, manifest.signers, strict=True):
        if key.fingerprint != signer.fingerprint or key.to_pem().decode() != signer.public_key:
            raise NotAManifest("a signer's key does not have the fingerprint beside it.")
    return keys


def _candidates(data: mmap, listings: Sequence[Listing], path: str) -> Iterator[bytes]:
    """Yield what may be the content of a member, once for each place it is said to stand."""
    seen: set[tuple[int, int]] = set()
    for listing in listings:
        for sighting in listing.sightings:
            place = (sighting.data, sighting.size)
            if sighting.path == path and place not in seen:
                seen.add(place)
                read = content(data, sighting, LARGEST_MANIFEST)
                if read is not None:
                    yield read
