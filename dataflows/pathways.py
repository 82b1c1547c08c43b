"""Pathways: the order in which data moves through a treatment, and where that order breaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dataflows.inventory import Connection, Department, Pathway


class StepFault(StrEnum):
    """What can be wrong with one step, in words for the page."""

    MISSING = "names a connection that is not on the map"
    BREAK = "starts at a system that no earlier step has reached, and is not marked as an entry"
    IDLE_ENTRY = "is marked as an entry, but its system was already reached"
    REPEATED = "repeats an earlier step"


@dataclass(frozen=True, slots=True)
class WalkedStep:
    """One step with its number (from 1), its connection where that exists, and its faults."""

    number: int
    uid: str
    entry: bool
    connection: Connection | None
    faults: tuple[StepFault, ...]

    def __str__(self) -> str:
        start = f" ({self.connection.source})" if self.connection else ""
        return f"Step {self.number}, {self.uid}{start}: it " + ", and ".join(self.faults)


def walk(department: Department, pathway: Pathway) -> Iterator[WalkedStep]:
    """Go through a pathway in its order and judge each step by the steps before it.

    A system is visited once it was source or target of an earlier step. A **break** is a step
    whose source was not visited and which is not an entry.
    """
    visited: set[str] = set()
    walked: set[str] = set()
    for number, step in enumerate(pathway.steps, start=1):
        connection = department.connections.get(step.connection)
        faults = []
        if connection is None:
            faults.append(StepFault.MISSING)
        else:
            if connection.source not in visited and not step.entry:
                faults.append(StepFault.BREAK)
            if connection.source in visited and step.entry:
                faults.append(StepFault.IDLE_ENTRY)
            visited |= {connection.source, connection.target}
        if step.connection in walked:
            faults.append(StepFault.REPEATED)
        walked.add(step.connection)
        yield WalkedStep(number, step.connection, step.entry, connection, tuple(faults))


def breaks(department: Department, pathway: Pathway) -> tuple[WalkedStep, ...]:
    """Return the steps at which the pathway breaks."""
    return tuple(s for s in walk(department, pathway) if StepFault.BREAK in s.faults)


def faults(department: Department, pathway: Pathway) -> tuple[WalkedStep, ...]:
    """Return every step that something is wrong with, breaks included."""
    return tuple(s for s in walk(department, pathway) if s.faults)


def downstream(
    department: Department,
    pathway: Pathway,
    touched: frozenset[str],
    changed: frozenset[str] = frozenset(),
) -> tuple[WalkedStep, ...]:
    """Return the steps that carry data on from what changes, in pathway order.

    A step counts when its source was touched before; its target is touched from then on. Plain
    reachability would ignore the order and soon name the whole department.

    Parameters
    ----------
    touched : frozenset of str
        Systems that are touched from the first step on, because they change.
    changed : frozenset of str
        Connections that change: each touches its target when its own step is walked.
    """
    reached = set(touched)
    found = []
    for step in walk(department, pathway):
        if step.connection is None:
            continue
        carries_on = step.connection.source in reached
        if carries_on or step.uid in changed:
            reached.add(step.connection.target)
        if carries_on:
            found.append(step)
    return tuple(found)
