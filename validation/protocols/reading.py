"""Read a protocol from a device's repository: its files, their digest, and what they list."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from core.canonical import digest
from core.errors import Fault, Invalid
from validation.protocols.plan import Listing
from validation.runs.execute import DEFAULT_LIMITS, Limits, ListingFailed, list_scenarios

MANIFEST = "app.yaml"
PARTS = ("features", "steps")


@dataclass(frozen=True)
class Protocol:
    """A protocol as it lies in a checkout.

    Attributes
    ----------
    files : dict
        Path to SHA-256 of the manifest and of everything below ``features/`` and ``steps/``:
        the feature text, the step code and the tables they read.
    digest : str
        Of those paths and hashes: one changed byte in any of them changes it.
    manifest_digest : str
        SHA-256 of ``app.yaml``.
    """

    listing: Listing
    files: dict[str, str]
    digest: str
    manifest_digest: str


def protocol_files(checkout: Path) -> dict[str, str]:
    """Return path and SHA-256 of every file that makes up the protocol.

    Raises
    ------
    Invalid
        If ``app.yaml``, ``features/`` or ``steps/`` is missing; each is named.
    """
    absent = [name for name in (MANIFEST, *PARTS) if not (checkout / name).exists()]
    if absent:
        raise Invalid(
            "The device's repository holds no protocol at this tag.",
            [
                Fault("protocol-incomplete", name, "is missing.", "Add it and tag a new commit.")
                for name in absent
            ],
        )
    paths = [checkout / MANIFEST]
    for part in PARTS:
        paths.extend(path for path in (checkout / part).rglob("*") if path.is_file())
    return {path.relative_to(checkout).as_posix(): _sha256(path) for path in sorted(paths)}


def read_protocol(
    checkout: Path, work: Path, limits: Limits = DEFAULT_LIMITS, protected: Sequence[Path] = ()
) -> Protocol:
    """Read the protocol of a checkout, listing its scenarios in an isolated child.

    Parameters
    ----------
    work : Path
        An empty folder for the child.
    protected : sequence of Path, optional
        What the child cannot read.
    """
    files = protocol_files(checkout)
    try:
        listing = Listing.from_child(list_scenarios(checkout, work, limits, protected))
    except ListingFailed as failed:
        raise Invalid(
            "The scenarios of this protocol cannot be listed.",
            [Fault("protocol-unreadable", "steps", str(failed), "Mend the step code.")],
        ) from failed
    return Protocol(listing, files, digest(files), files[MANIFEST])


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
