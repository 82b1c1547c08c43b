"""The installation's key, and the envelopes it signs."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import Conflict, Invalid, NotFound, Refused
from core.signing.envelopes import (
    Envelope,
    EnvelopeSignature,
    NotAnEnvelope,
    pre_authentication,
    read_envelope,
    seal,
)
from core.signing.keys import (
    PublicKey,
    SigningKey,
    create_key,
    has_key,
    load_key,
    print_fingerprint,
    public_key_from_pem,
    read_public_key,
)

PAYLOAD_TYPE = "application/vnd.example+json"


def test_a_new_key_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)

    try:
        create_key(tmp_path)
    finally:
        os.umask(old)

    private = tmp_path / "keys" / "installation.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o777 == 0o700


def test_a_key_is_found_again_with_the_same_fingerprint(tmp_path: Path) -> None:
    assert not has_key(tmp_path)

    made = create_key(tmp_path)

    assert has_key(tmp_path)
    assert load_key(tmp_path).fingerprint == made.fingerprint
    assert read_public_key(tmp_path / "keys" / "installation.pub.pem") == made.public


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = create_key(tmp_path)

    with pytest.raises(Conflict, match="already a signing key"):
        create_key(tmp_path)

    assert load_key(tmp_path).fingerprint == made.fingerprint


def test_a_missing_key_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="fiducial init"):
        load_key(tmp_path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_key(tmp_path)
    (tmp_path / "keys" / "installation.pem").chmod(0o640)

    with pytest.raises(Refused, match="mode 0640"):
        load_key(tmp_path)


def test_the_fingerprint_is_what_openssl_computes(tmp_path: Path) -> None:
    key = create_key(tmp_path)

    der = subprocess.run(  # noqa: S603 (our own key, a fixed program)
        ["/usr/bin/openssl", "pkey", "-pubin", "-outform", "DER",
         "-in", tmp_path / "keys" / "installation.pub.pem"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    hashed = subprocess.run(["/usr/bin/sha256sum"], input=der, capture_output=True, check=True)

    assert hashed.stdout.split()[0].decode() == key.fingerprint


def test_a_signature_is_the_one_published_in_rfc_8032() -> None:
    """RFC 8032, section 7.1, test 2."""
    key = PublicKey(
        bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    )
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert key.verifies(signature, b"\x72")
    assert not key.verifies(signature, b"\x73")
    assert not key.verifies(signature[:-1], b"\x72")


def test_a_fingerprint_is_printed_in_groups_of_four() -> None:
    assert print_fingerprint("00ff" * 16) == " ".join(["00ff"] * 16)


def test_the_secret_is_not_printed() -> None:
    key = SigningKey.generate()
    secret = key._private.private_bytes_raw()

    assert secret.hex() not in repr(key)
    assert repr(secret) not in repr(key)


def test_a_private_key_given_as_public_is_refused_by_name(tmp_path: Path) -> None:
    create_key(tmp_path)

    with pytest.raises(Invalid, match="holds a private key"):
        read_public_key(tmp_path / "keys" / "installation.pem")


def test_keys_of_another_kind_and_other_files_are_refused(tmp_path: Path) -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "large.pem").write_bytes(b"x" * 100_000)

    with pytest.raises(Invalid, match="not an Ed25519 key"):
        public_key_from_pem(pem, "other.pem")
    with pytest.raises(Invalid, match=r"other\.pem is not a public key"):
        public_key_from_pem(b"hello", "other.pem")
    with pytest.raises(Invalid, match="too large"):
        read_public_key(tmp_path / "large.pem")
    with pytest.raises(NotFound, match="no key file"):
        read_public_key(tmp_path / "absent.pem")


def test_the_signed_bytes_are_those_of_the_dsse_specification() -> None:
    """The example of the protocol text, DSSE v1.0."""
    signed = pre_authentication("http://example.com/HelloWorld", b"hello world")

    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_may_carry_several_signatures_and_names_whose_are_good() -> None:
    first, second, third = (SigningKey.generate() for _ in range(3))

    envelope = read_envelope(seal(PAYLOAD_TYPE, b"{}", [first, second]).to_bytes())

    assert envelope.signers([first.public, third.public]) == {first.fingerprint}
    assert envelope.signers([first.public, second.public]) == {
        first.fingerprint, second.fingerprint,
    }  # fmt: skip
    assert envelope.claimed_signers() == {first.fingerprint, second.fingerprint}


def test_the_same_payload_and_key_give_the_same_envelope() -> None:
    key = SigningKey.generate()

    assert seal(PAYLOAD_TYPE, b"{}", [key]) == seal(PAYLOAD_TYPE, b"{}", [key])


@pytest.mark.parametrize("change", ["payload", "type", "keyid"])
def test_a_signature_does_not_hold_for_another_payload_type_or_key(change: str) -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    sealed = seal(PAYLOAD_TYPE, b"{}", [key])
    changed = {
        "payload": Envelope(PAYLOAD_TYPE, b"[]", sealed.signatures),
        "type": Envelope("application/json", b"{}", sealed.signatures),
        "keyid": Envelope(
            PAYLOAD_TYPE,
            b"{}",
            (EnvelopeSignature(other.fingerprint, sealed.signatures[0].sig),),
        ),
    }[change]

    assert changed.signers([key.public, other.public]) == frozenset()


def test_no_byte_of_an_envelope_can_change_unnoticed() -> None:
    key = SigningKey.generate()
    data = seal(PAYLOAD_TYPE, b'{"a": 1}', [key]).to_bytes()
    unnoticed = []

    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            try:
                good = read_envelope(bytes(changed)).signers([key.public])
            except NotAnEnvelope:
                continue
            if good:
                unnoticed.append((position, bit))

    assert unnoticed == []


def test_an_envelope_spelt_otherwise_is_refused() -> None:
    data = seal(PAYLOAD_TYPE, b"{}", [SigningKey.generate()]).to_bytes()
    value = json.loads(data)
    spelt = dict(value, payload=base64.b64encode(b"{}").decode().rstrip("="))

    for other in (
        data + b"\n",
        json.dumps(value).encode(),
        json.dumps(spelt).encode(),
        b"{}",
        b"[",
    ):
        with pytest.raises(NotAnEnvelope):
            read_envelope(other)


def test_an_envelope_without_a_signature_is_refused() -> None:
    with pytest.raises(NotAnEnvelope, match="no signature"):
        read_envelope(Envelope(PAYLOAD_TYPE, b"{}", ()).to_bytes())
    with pytest.raises(ValueError, match="at least one key"):
        seal(PAYLOAD_TYPE, b"{}", [])
