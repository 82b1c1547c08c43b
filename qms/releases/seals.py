"""The text that binds a release to a Git commit: small, stable, signed, read by machines. Pure.

It says which baseline and which end of the audit trail there were, in a place that whoever might
change the database does not hold: a tag or a note of the team's own repository.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import Fault, Invalid

FIRST_LINE = "Fiducial seal 1"
"""The first line of every seal; another number would mean other fields."""

LONGEST_TEXT = 4_000
"""A seal has some 600 characters; what is longer is none."""

_NAMES = (
    "product", "release", "version", "commit", "baseline", "root", "ledger-seq", "ledger-head",
    "key",
)  # fmt: skip
_SIGNATURE = "signature"
_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,12}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Seal:
    """What a seal says.

    Attributes
    ----------
    baseline, root : int, str
        Number and root hash of the release's baseline.
    seq, head : int, str
        The last entry of the audit trail when it was sealed, and its hash.
    key : str
        Fingerprint of the installation's key.
    """

    product: str
    release: str
    version: str
    commit: str
    baseline: int
    root: str
    seq: int
    head: str
    key: str
    signature: bytes = b""

    @property
    def bound(self) -> tuple[str | int, ...]:
        """What two seals of one release have in common, whenever they were made."""
        return (
            self.product, self.release, self.version, self.commit, self.baseline, self.root,
            self.key,
        )  # fmt: skip

    @property
    def body(self) -> str:
        """The lines that the signature covers."""
        values = (
            self.product, self.release, self.version, self.commit, self.baseline, self.root,
            self.seq, self.head, self.key,
        )  # fmt: skip
        lines = [f"{name}: {value}" for name, value in zip(_NAMES, values, strict=True)]
        return "\n".join([FIRST_LINE, "", *lines]) + "\n"

    @property
    def text(self) -> str:
        """The whole seal, as it stands in Git."""
        return f"{self.body}{_SIGNATURE}: {base64.b64encode(self.signature).decode()}\n"

    def signed_by(self, verifies: Callable[[bytes, bytes], bool]) -> bool:
        """Whether a key signed exactly these lines."""
        return verifies(self.signature, self.body.encode())


def is_seal(text: str) -> bool:
    """Whether a message of Git means to be a seal."""
    return text.startswith(f"{FIRST_LINE}\n")


def read_seal(text: str, place: str) -> Seal:
    """Read a seal back.

    Parameters
    ----------
    place : str
        Where the text stands, for the message.

    Raises
    ------
    Invalid
        With code GIT18 if it is none, or not whole.
    """
    said = _fields(text) if is_seal(text) and len(text) <= LONGEST_TEXT else {}
    faults = [
        Fault("GIT18", f"{place} {name}", "is missing or malformed.", "Seal the release again.")
        for name, fits in _FITS.items()
        if not fits(said.get(name, ""))
    ]
    if faults:
        raise Invalid(f"{place} holds no seal of a release.", faults)
    seal = Seal(
        product=said["product"],
        release=said["release"],
        version=said["version"],
        commit=said["commit"],
        baseline=int(said["baseline"]),
        root=said["root"],
        seq=int(said["ledger-seq"]),
        head=said["ledger-head"],
        key=said["key"],
        signature=_decoded(said[_SIGNATURE]) or b"",
    )
    if seal.text.strip() != text.strip():
        what = "holds more than the lines of a seal."
        raise Invalid(f"{place} holds no seal of a release.", [Fault("GIT18", place, what)])
    return seal


def _fields(text: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in text.split("\n")[1:] if line)
    return {name: value for name, _, value in pairs}


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _plain(value: str) -> bool:
    return bool(value) and value.isprintable()


def _hash(value: str) -> bool:
    return _HASH.fullmatch(value) is not None


def _number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None


_FITS: dict[str, Callable[[str], bool]] = {
    "product": _plain,
    "release": _plain,
    "version": _plain,
    "commit": lambda value: _COMMIT.fullmatch(value) is not None,
    "baseline": _number,
    "root": _hash,
    "ledger-seq": _number,
    "ledger-head": _hash,
    "key": _hash,
    _SIGNATURE: lambda value: len(_decoded(value) or b"") == 64,
}
