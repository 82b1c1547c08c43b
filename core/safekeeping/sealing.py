"""Small secrets under a passphrase: scrypt (RFC 7914) for the key, AES-256-GCM for the content."""

import base64
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from core.errors import Fault, Invalid, Refused

FORMAT = "fiducial-sealed/1"
SHORTEST_PASSPHRASE = 12

_COST, _BLOCK, _PARALLEL = 2**17, 8, 1
"""128 MB and a third of a second for each guess, as OWASP's password storage sheet advises."""

_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12


def seal(content: bytes, passphrase: str) -> bytes:
    """Encrypt content so that only the passphrase opens it, and any change to it is noticed.

    Examples
    --------
    >>> unseal(seal(b"secret", "correct horse battery"), "correct horse battery")
    b'secret'
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise Invalid(
            "The passphrase is too short.",
            (
                Fault(
                    "passphrase-short",
                    "passphrase",
                    f"has fewer than {SHORTEST_PASSPHRASE} characters.",
                    "Four random words are easy to keep and hard to guess.",
                ),
            ),
        )
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, content, FORMAT.encode())
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    written = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return json.dumps({"format": FORMAT, **written}).encode()


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Return the content.

    Raises
    ------
    Refused
        If the passphrase is another one or the sealed bytes were changed.
    """
    try:
        parts = json.loads(sealed)
        salt, nonce, content = (
            base64.b64decode(parts[name], validate=True) for name in ("salt", "nonce", "sealed")
        )
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, content, FORMAT.encode())
    except (InvalidTag, ValueError, KeyError, TypeError) as fault:
        raise Refused(
            "The passphrase does not open the signing keys of this backup; nothing was restored. "
            "Try again with the right one, or restore without the keys."
        ) from fault


def _key(passphrase: str, salt: bytes) -> bytes:
    derivation = Scrypt(salt=salt, length=_KEY_BYTES, n=_COST, r=_BLOCK, p=_PARALLEL)
    return derivation.derive(passphrase.encode())
