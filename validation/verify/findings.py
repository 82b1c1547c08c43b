"""What the verification of a pack says: findings, signers, and one exit code."""

from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum
from typing import Any


class ExitCode(IntEnum):
    """The answer as a process gives it; scripts rely on these numbers."""

    INTACT_AND_TRUSTED = 0
    CHANGED = 1
    INTACT_SIGNER_UNKNOWN = 2


class Kind(StrEnum):
    """What is wrong with a member."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    DOUBLED = "doubled"
    REPACKED = "repacked"
    """The content may be the same, but its place or headers in the zip are not those we write."""
    SIGNATURE = "signature"
    CONTRADICTS = "contradicts"
    """The member is as signed, but what it says does not agree with the other members."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the pack's maker left it, at the member it was found in."""

    member: str
    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.member}: {self.kind}: {self.what}"


@dataclass(frozen=True)
class Verification:
    """The verdict on one pack.

    Attributes
    ----------
    signers : tuple of str
        Fingerprints of the keys whose signatures over the manifest are good.
    trusted : bool
        Whether one of them is a key that the verifier was given.
    product, version, document, created, statement, demonstration, members
        What the manifest says; empty where no manifest could be read.
    """

    file: str
    findings: tuple[Finding, ...]
    signers: tuple[str, ...] = ()
    trusted: bool = False
    product: str = ""
    version: str = ""
    document: str = ""
    created: str = ""
    statement: str = ""
    demonstration: bool = False
    members: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """Return 1 when anything was found; else 0 with, 2 without a trusted signer."""
        if self.findings:
            return ExitCode.CHANGED
        return ExitCode.INTACT_AND_TRUSTED if self.trusted else ExitCode.INTACT_SIGNER_UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {**asdict(self), "exit_code": int(self.exit_code)}
