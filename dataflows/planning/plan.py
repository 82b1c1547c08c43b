"""One plan: what a change of a system touches, for the purpose for which somebody asks. Pure.

Whatever shows a plan (page, table, program, command, print, pack) shows this one value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum

from core.errors import Invalid
from dataflows.coverage import (
    INTERNAL,
    AtEvent,
    EventRow,
    by_event,
    connections_by_event,
    pathways_by_event,
)
from dataflows.impact import Impact, Losses, losses
from dataflows.inventory import Connection, Department, Procedure, System
from dataflows.planning.evidence import Evidence, LastRun, TouchedDevice
from dataflows.qatrack.queries import KIND_OF_SOURCE
from dataflows.qatrack.standing import Standing, State


class Purpose(StrEnum):
    """Why somebody asks what a change touches."""

    UPGRADE = "upgrade"
    REPLACE = "replace"
    RETIRE = "retire"
    QA = "qa"


def purpose_named(word: str) -> Purpose:
    """Return a purpose by its word.

    Raises
    ------
    Invalid
        If there is no such purpose.
    """
    if word not in set(Purpose):
        raise Invalid(f"There is no purpose '{word[:20]}'; there are {', '.join(Purpose)}.")
    return Purpose(word)


HEADINGS: Mapping[Purpose, str] = {
    Purpose.UPGRADE: "If {} is upgraded",
    Purpose.REPLACE: "If {} is replaced",
    Purpose.RETIRE: "If {} is retired",
    Purpose.QA: "A QA programme for {}",
}

NO_SERVER = "No QATrack+ server is named, so nobody was asked."
KEPT_ELSEWHERE = "It is kept outside QATrack+, so it has no live status."


@dataclass(frozen=True, slots=True)
class QaStatus:
    """How a QA procedure stands, in words that a file can hold; good news is never made up.

    Attributes
    ----------
    word : str
        As QATrack+ has it, "unknown", or "not asked".
    since : str
        Since when it is unknown, in UTC; empty unless it is.
    effective : bool or None
        Whether it controls what it is to control; None where nobody can say.
    asked : bool
        Whether a QATrack+ server was asked at all.
    """

    word: str
    since: str = ""
    why: str = ""
    due: str = ""
    last: str = ""
    effective: bool | None = None
    asked: bool = True

    @property
    def words(self) -> str:
        """All of it in one phrase."""
        parts = [
            f"{self.word} since {self.since}" if self.since else self.word,
            f"due {self.due}" if self.due else "",
            f"last {self.last}" if self.last else "",
        ]
        told = ", ".join(filter(None, parts))
        return f"{told}: {self.why}" if self.why else told


def qa_status_of(procedure: Procedure, standing: Standing | None) -> QaStatus:
    """Say how a procedure stands, also where QATrack+ says nothing of it."""
    if standing is None:
        inside = procedure.source in KIND_OF_SOURCE
        return QaStatus("not asked", why=NO_SERVER if inside else KEPT_ELSEWHERE, asked=False)
    worst = standing.worst
    since = f"{standing.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if standing.since else ""
    known = worst if standing.state is not State.UNKNOWN else None
    return QaStatus(
        str(standing.state),
        since,
        standing.reason,
        known.due_on.isoformat() if known and known.due_on else "",
        str(known.result) if known else "",
        standing.effective,
    )


def why_not_asked(qa: Iterable[QaStatus]) -> str:
    """Return why nobody was asked, where one reason holds for every procedure; else nothing."""
    listed = list(qa)
    reasons = {one.why for one in listed if not one.asked}
    asked = any(one.asked for one in listed)
    return reasons.pop() if len(reasons) == 1 and not asked else ""


@dataclass(frozen=True, slots=True)
class Programme:
    """The connections of a system and the pathways over them, with their QA by event."""

    connections: tuple[EventRow, ...]
    pathways: tuple[EventRow, ...]
    events: tuple[AtEvent, ...]

    @property
    def gaps(self) -> tuple[EventRow, ...]:
        """External connections and pathways that no procedure controls at any event."""
        return tuple(
            one
            for one in (*self.connections, *self.pathways)
            if not one.covered and one.kind != INTERNAL
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer for one system, or one connection, and one purpose.

    Attributes
    ----------
    qa : mapping of str to QaStatus
        How each procedure to repeat stands.
    losses : Losses or None
        What goes for good; only where something is retired.
    hidden : tuple of str
        Projects of which records are named here by their uid alone, because the reader may not
        read them.
    """

    purpose: Purpose
    subject: System | Connection
    impact: Impact
    devices: tuple[TouchedDevice, ...]
    evidence: tuple[Evidence, ...]
    runs: tuple[LastRun, ...]
    qa: Mapping[str, QaStatus]
    losses: Losses | None
    programme: Programme
    hidden: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """What the plan is about."""
        return HEADINGS[self.purpose].format(self.impact.subject)

    @property
    def shows_endpoints(self) -> bool:
        """Whether both ends of every association are to be set again."""
        return self.purpose is Purpose.REPLACE


def programme_of(department: Department, found: Impact) -> Programme:
    """Return the QA of every connection that was asked about, by event, with the gaps."""
    connections = connections_by_event(department, [c.uid for c in found.direct])
    pathways = pathways_by_event(department, [t.pathway.uid for t in found.pathways])
    return Programme(connections, pathways, by_event((*connections, *pathways)))


def losses_for(department: Department, found: Impact, purpose: Purpose) -> Losses | None:
    """Return what goes for good, where the purpose is that something goes."""
    return losses(department, found) if purpose is Purpose.RETIRE else None
