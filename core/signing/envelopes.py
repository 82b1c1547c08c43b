"""Signed statements: the DSSE envelope, holding a payload and any number of signatures over it.

A signature covers the payload's type as well as its bytes (the pre-authentication encoding of
DSSE v1), so a statement signed for one purpose cannot be shown for another.

References
----------
Dead Simple Signing Envelope, protocol v1.0, https://github.com/secure-systems-lab/dsse
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import NotCanonical, canonical_json, read_json
from core.signing.keys import PublicKey, SigningKey


class NotAnEnvelope(ValueError):
    """Bytes that claim to be a signed envelope and are not one."""


@dataclass(frozen=True)
class EnvelopeSignature:
    """One signature and the fingerprint of the key that is said to have made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload, its type and the signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    def to_bytes(self) -> bytes:
        """Return the envelope as the one canonical JSON text there is for it."""
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode()}
                    for s in self.signatures
                ],
            }
        )

    def signers(self, keys: Iterable[PublicKey]) -> frozenset[str]:
        """Return the fingerprints of those `keys` whose signature over this payload is good."""
        message = pre_authentication(self.payload_type, self.payload)
        by_fingerprint = {key.fingerprint: key for key in keys}
        return frozenset(
            signature.keyid
            for signature in self.signatures
            if signature.keyid in by_fingerprint
            and by_fingerprint[signature.keyid].verifies(signature.sig, message)
        )

    def claimed_signers(self) -> frozenset[str]:
        """Return the fingerprints the envelope names, whether or not their signatures are good."""
        return frozenset(signature.keyid for signature in self.signatures)


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed: type and payload, each with its length before it.

    Examples
    --------
    >>> pre_authentication("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, keys: Sequence[SigningKey]) -> Envelope:
    """Sign a payload with each of the keys."""
    if not keys:
        raise ValueError("An envelope needs at least one key to sign it.")
    message = pre_authentication(payload_type, payload)
    signatures = tuple(EnvelopeSignature(key.fingerprint, key.sign(message)) for key in keys)
    return Envelope(payload_type, payload, signatures)


def read_envelope(data: bytes) -> Envelope:
    """Read an envelope, refusing everything that is not byte for byte what `to_bytes` writes.

    Base64 and JSON both allow many spellings of one value. Only ours is taken, so no byte of an
    envelope can change without being noticed.
    """
    try:
        value = read_json(data)
        envelope = Envelope(
            payload_type=_text(value["payloadType"]),
            payload=base64.b64decode(_text(value["payload"]), validate=True),
            signatures=tuple(
                EnvelopeSignature(
                    _text(item["keyid"]), base64.b64decode(_text(item["sig"]), validate=True)
                )
                for item in value["signatures"]
            ),
        )
        rewritten = envelope.to_bytes()
    except (NotCanonical, KeyError, TypeError, binascii.Error) as error:
        raise NotAnEnvelope(f"This is not a signed envelope: {error}.") from error
    if rewritten != data:
        raise NotAnEnvelope("This envelope is not written in its canonical form.")
    if not envelope.signatures:
        raise NotAnEnvelope("This envelope carries no signature.")
    return envelope


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where text belongs")
    return value
