"""Follow marked lines from commit to commit, and judge whether they still say what was approved.

Pure. A link continues the earlier one that says the same, wherever its file went; where the lines
changed, the one in the same file.
"""

import difflib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

LONGEST_DIFF = 200
"""Lines of a difference that are kept; the file's own page has the rest."""


@dataclass(frozen=True)
class Spot:
    """Marked lines of a record in one commit; the path may have been another one before."""

    record_id: int
    form: str
    role: str
    named: str
    path: str
    blob: str
    line: int
    first: int
    last: int
    digest: str


class Placed(Protocol):
    """What is compared of marked lines, whether read now or kept from an earlier scan."""

    @property
    def record_id(self) -> int:
        """The record that the lines are marked with."""

    @property
    def role(self) -> str:
        """What the lines do for it."""

    @property
    def path(self) -> str:
        """Their file."""

    @property
    def digest(self) -> str:
        """Of what they say."""

    @property
    def line(self) -> int:
        """The marker's line."""


class Doubt(StrEnum):
    """Why marked lines need re-review."""

    CHANGED = "changed"
    GONE = "marker removed"


def follow(
    earlier: Sequence[Placed], now: Sequence[Spot], came: Mapping[str, str]
) -> dict[int, int]:
    """Return for each place in `now` the place in `earlier` that it continues.

    Parameters
    ----------
    came : mapping of str to str
        Where a file that moved was before; a path that is not in it was where it is.
    """
    left: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place in sorted(range(len(earlier)), key=lambda at: earlier[at].line):
        left[earlier[place].record_id, earlier[place].role].append(place)
    order = sorted(range(len(now)), key=lambda at: (now[at].path, now[at].line))
    found: dict[int, int] = {}

    def same_file(old: Placed, new: Spot) -> bool:
        return old.path == came.get(new.path, new.path)

    def same_lines(old: Placed, new: Spot) -> bool:
        return old.digest == new.digest

    tests: tuple[Callable[[Placed, Spot], bool], ...] = (
        lambda old, new: same_file(old, new) and same_lines(old, new),
        same_lines,
        same_file,
    )
    for fits in tests:
        for at in order:
            spot = now[at]
            free = left[spot.record_id, spot.role]
            if at not in found:
                chosen = next((place for place in free if fits(earlier[place], spot)), None)
                if chosen is not None:
                    free.remove(chosen)
                    found[at] = chosen
    return found


def difference(before: Sequence[str], after: Sequence[str]) -> str:
    """Return what changed between two texts as a unified difference, cut where it is endless."""
    told = list(difflib.unified_diff(before, after, lineterm="", n=2))[2:]
    if len(told) > LONGEST_DIFF:
        told = [*told[:LONGEST_DIFF], f"... {len(told) - LONGEST_DIFF} more lines"]
    return "\n".join(told)


@dataclass(frozen=True)
class Held:
    """What somebody accepted of marked lines, last."""

    at: datetime
    digest: str
    gone: bool


@dataclass(frozen=True)
class Approved:
    """The revision of a record that is in force, and since when."""

    revision: int
    at: datetime


class Kept(Protocol):
    """What is judged of a link to marked lines."""

    digest: str
    base_digest: str
    base_of: str
    committed_at: datetime
    gone_at: datetime | None


def doubt_of(kept: Kept, approved: Approved | None, held: Held | None) -> Doubt | None:
    """Return why marked lines need re-review, or None while they do not.

    A record that is not in force relies on nothing. An approval that came after the commit was
    given with the lines as they are, also before a scan has taken it for the base.
    """
    if approved is None:
        return None
    if kept.gone_at is not None:
        seen = held is not None and held.gone and held.at >= kept.gone_at
        return None if seen or approved.at >= kept.gone_at else Doubt.GONE
    if kept.digest == kept.base_digest or (held is not None and held.digest == kept.digest):
        return None
    rebased = kept.base_of == f"revision {approved.revision}"
    return None if approved.at >= kept.committed_at and not rebased else Doubt.CHANGED
