"""What can go wrong on each connection, how much it asks for action, and the QA that controls it.

Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.exports import Sheet
from core.records.snapshot import Key, Snapshot, natural_order
from dataflows.inventory import Department
from dataflows.planning.plan import QaStatus
from dataflows.priorities import Priority, looked_up, priority_of, steps_of

ORDER = {priority: place for place, priority in enumerate(reversed(Priority))}


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One thing that can go wrong on a connection, with the QA procedures that control it.

    Attributes
    ----------
    looked_up : Priority or None
        What the table says; None where a scale is not stated.
    stated : str
        What the connection states; empty where it leaves it to the table.
    priority : str
        The stated priority, or else the one that was looked up.
    """

    connection: str
    what: str
    severity: int | None
    occurrence: int | None
    detection: int | None
    looked_up: Priority | None
    stated: str
    priority: str
    controls: tuple[str, ...]

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
    stated = str(row.get("action_priority") or "")
    controls = tuple(department.qa_of_connection.get(uid, ()))
    what = str(row.get("what") or "")
    return FailureMode(
        uid, what, *steps_of(row), looked_up(row), stated, priority_of(row), controls
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
