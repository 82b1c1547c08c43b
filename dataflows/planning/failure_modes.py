"""What can go wrong on each connection, how much it asks for action, and the QA that controls it.

Pure. Severity, occurrence and detection are ordinal, so the action priority is looked up from
bands of the three and never multiplied.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.exports import Sheet
from core.records.snapshot import Key, Snapshot, natural_order
from dataflows.inventory import Department
from dataflows.planning.plan import QaStatus

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

ORDER = {priority: place for place, priority in enumerate(reversed(Priority))}


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


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One thing that can go wrong on a connection, with the QA procedures that control it.

    Attributes
    ----------
    looked_up : Priority or None
        What the table says; None where a scale is not stated.
    stated : str
        What the connection states; empty where it leaves it to the table.
    """

    connection: str
    what: str
    severity: int | None
    occurrence: int | None
    detection: int | None
    looked_up: Priority | None
    stated: str
    controls: tuple[str, ...]

    @property
    def priority(self) -> str:
        """The stated priority, or else the one that was looked up."""
        return self.stated or (self.looked_up.value if self.looked_up else "")

    @property
    def departs(self) -> bool:
        """Whether the connection states something else than the table."""
        return bool(self.stated and self.looked_up and self.stated != self.looked_up.value)

    def not_effective(self, qa: Mapping[str, QaStatus]) -> tuple[str, ...]:
        """Return its controls that a server was asked about and that cannot be relied on."""
        return tuple(uid for uid in self.controls if qa[uid].asked and not qa[uid].effective)


def failure_modes(
    snapshot: Snapshot, department: Department, connections: Collection[str] | None = None
) -> tuple[FailureMode, ...]:
    """Return the failure modes of some connections, or all: the most urgent first."""
    chosen = department.connections if connections is None else connections
    found = []
    for uid in sorted(chosen, key=natural_order):
        view = snapshot.records.get(Key(department.project, uid))
        rows = (view.fields.get("failure_modes") if view else None) or ()
        found += [_mode(department, uid, row) for row in rows]
    return tuple(sorted(found, key=_urgency))


def _mode(department: Department, uid: str, row: Mapping[str, Any]) -> FailureMode:
    severity, occurrence, detection = (
        value if type(value := row.get(name)) is int and value in SCALE else None
        for name in ("severity", "occurrence", "detection")
    )
    looked_up = (
        action_priority(severity, occurrence, detection)
        if severity and occurrence and detection
        else None
    )
    stated = str(row.get("action_priority") or "")
    controls = department.qa_of_connection.get(uid, ())
    what = str(row.get("what") or "")
    return FailureMode(
        uid, what, severity, occurrence, detection, looked_up, stated, tuple(controls)
    )


def _urgency(mode: FailureMode) -> tuple[int, int]:
    known = mode.priority in set(Priority)
    return (ORDER[Priority(mode.priority)] if known else -1, -(mode.severity or 0))


HEADINGS = (
    "Connection", "What can go wrong", "Severity", "Occurrence", "Detection", "Action priority",
    "Looked up", "Controls", "Control",
)  # fmt: skip


def failure_sheet(
    department: Department, modes: Collection[FailureMode], qa: Mapping[str, QaStatus]
) -> Sheet:
    """List failure modes, one per row, with their controls and how these stand."""
    rows = [
        (
            mode.connection,
            mode.what,
            mode.severity,
            mode.occurrence,
            mode.detection,
            mode.priority,
            mode.looked_up.value if mode.looked_up else "",
            "; ".join(f"{uid} {qa[uid].words}" for uid in mode.controls),
            control_word(mode, qa),
        )
        for mode in modes
    ]
    return Sheet("Failure modes of connections", HEADINGS, rows, {"project": department.project})


def control_word(mode: FailureMode, qa: Mapping[str, QaStatus]) -> str:
    """Say in one word whether a failure mode is controlled; never good news by default."""
    if not mode.controls:
        return "no control"
    if mode.not_effective(qa):
        return "control not effective"
    if all(qa[uid].asked for uid in mode.controls):
        return "control effective"
    return "not asked"
