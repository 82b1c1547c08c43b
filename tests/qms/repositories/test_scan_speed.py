"""A long history is scanned quickly, and without being held in memory."""

import tracemalloc

from qms.repositories.mirror import Mirror
from qms.repositories.scanning import ScanReport, scan_repository
from qms.repositories.service import mirror_in
from tests.effort import effort
from tests.qms.repositories.conftest import Registered, SourceRepository

COMMITS = 5_000
FILES = 500


def history(source: SourceRepository, commits: int) -> None:
    """Commit so often, every file once and then again, 30 % with trailers and every one marked."""
    parts: list[bytes] = []
    for number in range(commits):
        trailers = "Implements: REQ-001\nVerifies: TST-001\n" if number % 10 < 3 else ""
        text = f"Change {number}\n\n{trailers}".encode()
        content = (
            f"# REQ-00{1 + number % 2}\ndef compute():\n    return {number}\n" + "x = 1\n" * 100
        ).encode()
        path = f"rpm/part{number % FILES}.py"
        parts.append(
            f"commit refs/heads/{source.branch}\n"
            f"committer A <a@example.org> {1_700_000_000 + number} +0000\n".encode()
            + b"data %d\n%s\n" % (len(text), text)
            + f"M 100644 inline {path}\n".encode()
            + b"data %d\n%s\n" % (len(content), content)
        )
    source.feed(b"".join(parts))


def test_five_thousand_commits_are_scanned_in_seconds_and_again_at_once_in_little_memory(
    registered: Registered, source: SourceRepository
) -> None:
    """The budgets are 10 s and 1 s of a machine of its own: so many hundredths of a second."""
    history(source, COMMITS)
    number = registered.register(source, "long")

    reports: list[ScanReport] = []

    def scan() -> None:
        reports.append(scan_repository(registered.db, registered.settings, number))

    first, again = effort(scan), effort(scan)

    report = reports[-1]
    assert (report.commits, report.read, report.marked) == (0, 0, FILES)
    assert first < 1000
    assert again < 100
    assert _peak(mirror_in(registered.settings.data_dir, number)) < 2_000_000


def _peak(mirror: Mirror) -> int:
    """Return the most bytes that reading the whole history holds at once."""
    tracemalloc.start()
    count = sum(1 for _ in mirror.commits())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == COMMITS
    return peak
