"""Follow marked lines through moves and changes, and judge them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from qms.repositories.following import (
    LONGEST_DIFF,
    Approved,
    Doubt,
    Held,
    Spot,
    difference,
    doubt_of,
    follow,
)

pytestmark = pytest.mark.verifies("TST-026")

START = datetime(2026, 1, 1, tzinfo=UTC)


def spot(path: str, line: int, digest: str, record: int = 1) -> Spot:
    return Spot(record, "comment", "implements", "REQ-1", path, "b", line, line, line, digest)


def test_lines_that_say_the_same_are_followed_wherever_they_went() -> None:
    earlier = [spot("a.py", 1, "x"), spot("a.py", 9, "y"), spot("a.py", 20, "z", record=2)]
    now = [spot("a.py", 1, "y"), spot("b.py", 3, "x"), spot("c.py", 5, "new")]

    assert follow(earlier, now, {}) == {0: 1, 1: 0}


def test_lines_that_changed_are_followed_in_their_file_also_where_that_moved() -> None:
    earlier = [spot("a.py", 1, "x"), spot("a.py", 9, "y")]
    now = [spot("lib/a.py", 2, "x2"), spot("lib/a.py", 12, "y2")]

    assert follow(earlier, now, {}) == {}
    assert follow(earlier, now, {"lib/a.py": "a.py"}) == {0: 0, 1: 1}


@dataclass
class Lines:
    """Marked lines that changed five days after the start."""

    digest: str = "new"
    base_digest: str = "old"
    base_of: str = "revision 2"
    committed_at: datetime = START + timedelta(days=5)
    gone_at: datetime | None = None


def on(day: int, revision: int = 2) -> Approved:
    return Approved(revision, START + timedelta(days=day))


@pytest.mark.parametrize(
    ("lines", "approved", "held", "doubt"),
    [
        (Lines(), on(1), None, Doubt.CHANGED),
        (Lines(digest="old"), on(1), None, None),
        (Lines(), None, None, None),
        (Lines(), on(1), Held(START + timedelta(days=6), "new", False), None),
        (Lines(), on(1), Held(START + timedelta(days=6), "other", False), Doubt.CHANGED),
        (Lines(), on(6, revision=3), None, None),
        (Lines(base_of="revision 3"), on(6, revision=3), None, Doubt.CHANGED),
        (Lines(), on(4, revision=3), None, Doubt.CHANGED),
        (Lines(gone_at=START + timedelta(days=5)), on(1), None, Doubt.GONE),
        (Lines(gone_at=START + timedelta(days=5)), on(6), None, None),
        (
            Lines(gone_at=START + timedelta(days=5)),
            on(1),
            Held(START + timedelta(days=6), "new", True),
            None,
        ),
        (
            Lines(gone_at=START + timedelta(days=5)),
            on(1),
            Held(START + timedelta(days=6), "new", False),
            Doubt.GONE,
        ),
    ],
)
def test_lines_are_in_doubt_until_somebody_read_them_as_they_are(
    lines, approved, held, doubt
) -> None:
    assert doubt_of(lines, approved, held) is doubt


def test_an_endless_difference_is_cut() -> None:
    told = difference([], [str(n) for n in range(1000)]).splitlines()

    assert len(told) == LONGEST_DIFF + 1
    assert told[-1] == "... 801 more lines"
