"""The audit trail's head as a pack froze it, to hold a running database against."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.canonical import read_json
from core.errors import Refused
from validation.pack.manifest import LEDGER
from validation.verify.findings import ExitCode
from validation.verify.verification import verify_pack


def ledger_of(path: Path, key_paths: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the member ``ledger.json`` of a pack that is as its maker left it.

    Raises
    ------
    Refused
        If the pack was changed, or was not signed by any of the keys given: it proves nothing then.
    """
    verdict = verify_pack(path, key_paths)
    if verdict.exit_code is ExitCode.CHANGED:
        found = "; ".join(str(finding) for finding in verdict.findings[:3])
        raise Refused(f"{path} is not as its maker left it, so it proves nothing: {found}")
    with zipfile.ZipFile(path) as archive:
        ledger: dict[str, Any] = read_json(archive.read(LEDGER))
    return ledger
