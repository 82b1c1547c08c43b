"""Reading a verdict in tests."""

from pathlib import Path

from validation.verify.findings import Kind
from validation.verify.verification import verify_pack

RECORD = "records/RPM/REQ-001.json"


def found(path: Path, *keys: Path) -> set[tuple[str, Kind]]:
    """Return what is named, and see that the exit code is 1."""
    verdict = verify_pack(path, keys)
    assert verdict.exit_code == 1
    return {(finding.member, finding.kind) for finding in verdict.findings}
