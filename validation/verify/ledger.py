"""The audit trail's head as a pack froze it, to hold a running database against."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.canonical import read_json
from core.errors import Refused
from validation.pack.manifest import LEDGER
from validation.verify.findings import ExitCode, Verification
from validation.verify.verification import verify_pack


@dataclass(frozen=True)
class SeenHead:
    """The end of the audit trail that a pack saw, and by whose keys the pack is signed."""

    seq: int
    hash: str
    signers: tuple[str, ...]


def head_seen_by(path: Path) -> SeenHead:
    """Return which end of an audit trail a pack saw, and the fingerprints of who signed it.

    Raises
    ------
    Refused
        If the pack was changed: it proves nothing then.
    """
    ledger, verdict = _read(path, ())
    head = ledger["head"]
    return SeenHead(int(head["seq"]), str(head["hash"]), verdict.signers)


def ledger_of(path: Path, key_paths: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the member ``ledger.json`` of a pack that is as its maker left it.

    Raises
    ------
    Refused
        If the pack was changed, or was not signed by any of the keys given: it proves nothing then.
    """
    return _read(path, key_paths)[0]


def _read(path: Path, key_paths: Sequence[Path]) -> tuple[dict[str, Any], Verification]:
    verdict = verify_pack(path, key_paths)
    if verdict.exit_code is ExitCode.CHANGED:
        found = "; ".join(str(finding) for finding in verdict.findings[:3])
        raise Refused(f"{path} is not as its maker left it, so it proves nothing: {found}")
    with zipfile.ZipFile(path) as archive:
        ledger: dict[str, Any] = read_json(archive.read(LEDGER))
    return ledger, verdict
