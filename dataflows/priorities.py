"""The action priority of a failure mode: stated on its connection, or else looked up. Pure.

Severity, occurrence and detection are ordinal, so the priority is looked up from bands of the
three and never multiplied.
"""

from bisect import bisect_right
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

SCALE = range(1, 11)
"""Each scale runs from 1 (best) to 10 (worst)."""


class Priority(StrEnum):
    """How urgently a failure mode asks for action."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_L, _M, _H = Priority.LOW, Priority.MEDIUM, Priority.HIGH

SEVERITY_FROM = (4, 7, 9)
OCCURRENCE_FROM = (2, 3, 4, 6)
DETECTION_FROM = (4, 5, 7)
"""Where each further band of a scale begins."""

PRIORITIES: tuple[tuple[tuple[Priority, ...], ...], ...] = (
    ((_L, _L, _L, _L), (_L, _L, _L, _L), (_L, _L, _L, _L), (_L, _L, _L, _L), (_L, _L, _L, _M)),
    ((_L, _L, _L, _L), (_L, _L, _L, _L), (_L, _L, _L, _M), (_L, _L, _M, _M), (_M, _M, _H, _H)),
    ((_L, _L, _L, _L), (_L, _M, _M, _M), (_L, _M, _M, _H), (_M, _M, _H, _H), (_H, _H, _H, _H)),
    ((_L, _L, _L, _L), (_M, _M, _H, _H), (_M, _H, _H, _H), (_H, _H, _H, _H), (_H, _H, _H, _H)),
)
"""One block per band of severity, in it one row per band of occurrence, one cell per band of
detection. It is ours; a department that has its own states the priority on the connection."""


def action_priority(severity: int, occurrence: int, detection: int) -> Priority:
    """Look the action priority up.

    Examples
    --------
    >>> action_priority(severity=9, occurrence=2, detection=4).value
    'medium'
    """
    return PRIORITIES[bisect_right(SEVERITY_FROM, severity)][
        bisect_right(OCCURRENCE_FROM, occurrence)
    ][bisect_right(DETECTION_FROM, detection)]


def steps_of(row: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    """Return severity, occurrence and detection; None where one is not stated on its scale."""
    severity, occurrence, detection = (
        value if type(value := row.get(name)) is int and value in SCALE else None
        for name in ("severity", "occurrence", "detection")
    )
    return severity, occurrence, detection


def looked_up(row: Mapping[str, Any]) -> Priority | None:
    """Return what the table says of a failure mode; None where a scale is not stated."""
    severity, occurrence, detection = steps_of(row)
    if severity is None or occurrence is None or detection is None:
        return None
    return action_priority(severity, occurrence, detection)


def priority_of(row: Mapping[str, Any]) -> str:
    """Return the stated priority, or else the one that was looked up; empty without either."""
    found = looked_up(row)
    return str(row.get("action_priority") or "") or (found.value if found else "")
