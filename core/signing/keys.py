"""The installation's Ed25519 key: made once, kept in one file, known by its fingerprint.

The private key signs packs and never leaves the data folder; the public key and its fingerprint
are given to everybody who is to verify a pack.
"""

import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from core.errors import Conflict, Fault, Invalid, NotFound, Refused

PRIVATE_NAME = "installation.pem"
PUBLIC_NAME = "installation.pub.pem"

LARGEST_KEY_FILE = 64 * 1024
"""A PEM key has some hundred bytes; a larger file was named by mistake."""


@dataclass(frozen=True)
class PublicKey:
    """The half of a key that verifies.

    Examples
    --------
    >>> key = PublicKey(bytes.fromhex(
    ...     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
    >>> print_fingerprint(key.fingerprint)[:24]
    '06e3 fd8f da29 bb60 ab59'
    """

    raw: bytes

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the DER public key, as ``openssl pkey -pubin -outform DER | sha256sum``."""
        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def to_pem(self) -> bytes:
        """Return the key as the PEM text that is handed out."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether this key's owner signed exactly these bytes."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True)
class SigningKey:
    """The half of a key that signs; its secret is never printed."""

    _private: Ed25519PrivateKey

    @cached_property
    def public(self) -> PublicKey:
        """The half that may be given away."""
        return PublicKey(self._private.public_key().public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """Name of the key: the fingerprint of its public half."""
        return self.public.fingerprint

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature; RFC 8032 gives the same bytes every time."""
        return self._private.sign(message)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key that stands in no file yet."""
        return cls(Ed25519PrivateKey.generate())


def key_folder(data_dir: Path) -> Path:
    """Return the folder of the data folder that holds the keys."""
    return data_dir / "keys"


def create_key(data_dir: Path) -> SigningKey:
    """Make the installation's key and write both halves, the private one readable by us alone.

    Raises
    ------
    Conflict
        If there is one already: packs that were handed out name it, so it is never overwritten.
    """
    folder = key_folder(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = folder / PRIVATE_NAME
    key = SigningKey.generate()
    pem = key._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write_new(private, pem, mode=0o600)
    except FileExistsError:
        raise Conflict(
            f"There is already a signing key in {private}. Packs that were handed out name it; "
            "move it away by hand if you really want a new one."
        ) from None
    (folder / PUBLIC_NAME).write_bytes(key.public.to_pem())
    return key


def has_key(data_dir: Path) -> bool:
    """Tell whether this installation has its key already."""
    return (key_folder(data_dir) / PRIVATE_NAME).exists()


def load_key(data_dir: Path) -> SigningKey:
    """Return the installation's key.

    Raises
    ------
    NotFound
        If there is none yet.
    Refused
        If the file can be read by other accounts of the machine.
    Invalid
        If the file does not hold an Ed25519 private key.
    """
    path = key_folder(data_dir) / PRIVATE_NAME
    if not path.exists():
        raise NotFound(f"There is no signing key {path}; make it with `fiducial init`.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise Refused(
            f"The signing key {path} has mode {mode:04o}, so other accounts can read it; "
            f"set it right with `chmod 600 {path}` and think about who may have copied it."
        )
    return SigningKey(_private_from_pem(path.read_bytes(), str(path)))


def read_public_key(path: Path) -> PublicKey:
    """Read a public key from the PEM file that its owner handed out."""
    if not path.is_file():
        raise NotFound(f"There is no key file {path}.")
    if path.stat().st_size > LARGEST_KEY_FILE:
        raise _not_a_key(str(path), "is far too large for a key")
    return public_key_from_pem(path.read_bytes(), str(path))


def public_key_from_pem(pem: bytes, where: str) -> PublicKey:
    """Return the Ed25519 public key of a PEM text; `where` names it in the error."""
    if b"PRIVATE KEY" in pem:
        raise _not_a_key(where, "holds a private key, which never leaves its installation")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key(where, "is not a public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key(where, f"holds a {type(key).__name__}, not an Ed25519 key")
    return PublicKey(key.public_bytes_raw())


def print_fingerprint(fingerprint: str) -> str:
    """Write a fingerprint in groups of four, as it is read aloud or compared on paper.

    Examples
    --------
    >>> print_fingerprint("0123456789abcdef")
    '0123 4567 89ab cdef'
    """
    return " ".join(fingerprint[n : n + 4] for n in range(0, len(fingerprint), 4))


def _private_from_pem(pem: bytes, where: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _not_a_key(where, "is not an unencrypted private key in PEM form") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(where, f"holds a {type(key).__name__}, not an Ed25519 key")
    return key


def _not_a_key(where: str, what: str) -> Invalid:
    mend = f"Give the {PUBLIC_NAME} that the pack's maker published."
    return Invalid(f"{where} {what}.", (Fault("key", where, f"{what}.", mend),))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        # The mode given to open() is cut by the umask, never widened; so this only confirms it.
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
