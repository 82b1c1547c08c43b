"""``fiducial verify FILE [--key FILE] [--json]``: the verdict in words, or as JSON."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import FiducialError
from core.signing.keys import print_fingerprint
from validation.verify.findings import ExitCode, Kind, Verification
from validation.verify.verification import verify_pack

FEW = 8
"""So many repacked members are named in words; a whole repacked zip would fill the screen."""


def verify_command(
    file: Path,
    keys: Sequence[Path] = (),
    as_json: bool = False,
    write: Callable[[str], object] = sys.stdout.write,
) -> int:
    """Verify a pack, write the verdict, and return the process's exit status.

    A file that does not exist or a key that is no key gives 1 as well: nothing was verified.
    """
    try:
        verdict = verify_pack(file, keys)
    except FiducialError as error:
        said = {"file": str(file), "error": str(error), "exit_code": int(ExitCode.CHANGED)}
        write(json.dumps(said, indent=1) + "\n" if as_json else f"{error}\n")
        return ExitCode.CHANGED
    write(json.dumps(verdict.to_json(), indent=1) + "\n" if as_json else in_words(verdict))
    return verdict.exit_code


def in_words(verdict: Verification) -> str:
    """Return the verdict as lines for a person, the answer first."""
    lines = [f"{verdict.file}: {_ANSWERS[verdict.exit_code]}"]
    if verdict.document:
        demonstration = ", DEMONSTRATION" if verdict.demonstration else ""
        lines.append(
            f"  {verdict.product} {verdict.version}, {verdict.document}, "
            f"frozen {verdict.created}{demonstration}"
        )
        lines.append(f"  {verdict.members} members, digest {verdict.statement}")
    lines += [f"  signed by key {print_fingerprint(signer)}" for signer in verdict.signers]
    if verdict.exit_code is ExitCode.INTACT_SIGNER_UNKNOWN:
        lines.append("  Give the maker's public key with --key FILE to know who signed.")
    repacked = [f for f in verdict.findings if f.kind is Kind.REPACKED]
    shown = [f for f in verdict.findings if f.kind is not Kind.REPACKED or len(repacked) <= FEW]
    lines += [f"  {finding}" for finding in shown]
    if len(repacked) > FEW:
        lines.append(f"  {len(repacked)} members were packed again by another program (--json)")
    return "\n".join(lines) + "\n"


_ANSWERS = {
    ExitCode.INTACT_AND_TRUSTED: "intact, and signed by a key you trust.",
    ExitCode.INTACT_SIGNER_UNKNOWN: "intact, but its signer is unknown to you.",
    ExitCode.CHANGED: "NOT as its maker left it.",
}
