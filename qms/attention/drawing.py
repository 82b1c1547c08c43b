"""Counts as lines of a small picture. Pure; the table beside it says the same in figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from qms.attention.counting import Night

WIDTH, HEIGHT, EDGE = 640, 160, 24
"""Of the picture, in its own units; the edge holds the figures of the axis."""

SMALL_WIDTH, SMALL_HEIGHT, SMALL_EDGE = 160, 28, 3
"""Of the small picture beside one count; its line does not touch the edge."""


@dataclass(frozen=True)
class Line:
    """One series: what it counts, and its corners as SVG writes them."""

    label: str
    name: str
    points: str
    last: tuple[float, float]


@dataclass(frozen=True)
class Lines:
    """Every series on one scale.

    Attributes
    ----------
    most : int
        The highest count, at the top of the picture.
    """

    most: int
    lines: tuple[Line, ...]
    first: str
    last: str


def lines_of(nights: Sequence[Night]) -> Lines | None:
    """Return what is drawn of some nights, the oldest first; None where two are not there yet."""
    if len(nights) < 2:
        return None
    series = (
        ("errors", "error", [one.errors for one in nights]),
        ("needs re-review", "review", [one.re_review for one in nights]),
    )
    most = max(max(counts) for _, _, counts in series)
    return Lines(
        most,
        tuple(_line(label, name, counts, most) for label, name, counts in series),
        nights[0].at.date().isoformat(),
        nights[-1].at.date().isoformat(),
    )


def small_line(counts: Sequence[int]) -> str:
    """Return the corners of one series in a small picture of its own; empty for less than two.

    Examples
    --------
    >>> small_line([0, 2, 1])
    '3.0,25.0 80.0,3.0 157.0,14.0'
    >>> small_line([4])
    ''
    """
    if len(counts) < 2:
        return ""
    across = (SMALL_WIDTH - 2 * SMALL_EDGE) / (len(counts) - 1)
    high, most = SMALL_HEIGHT - 2 * SMALL_EDGE, max(*counts, 1)
    return " ".join(
        f"{round(SMALL_EDGE + place * across, 1)},"
        f"{round(SMALL_HEIGHT - SMALL_EDGE - high * count / most, 1)}"
        for place, count in enumerate(counts)
    )


def _line(label: str, name: str, counts: Sequence[int], most: int) -> Line:
    across = (WIDTH - 2 * EDGE) / (len(counts) - 1)
    high = HEIGHT - 2 * EDGE
    corners = [
        (round(EDGE + place * across, 1), round(HEIGHT - EDGE - high * count / max(most, 1), 1))
        for place, count in enumerate(counts)
    ]
    return Line(label, name, " ".join(f"{x},{y}" for x, y in corners), corners[-1])
