"""The ways to tell the coverage: the gaps alone, or everything by connection, pathway or event."""

from typing import Literal

from core.exports import Sheet
from dataflows.coverage import EventRow, by_event, connections_by_event, pathways_by_event
from dataflows.inventory import Department
from dataflows.planning.sheets import at_event_sheet, event_sheet

By = Literal["gaps", "connection", "pathway", "event", "failure"]
BY: tuple[tuple[By, str], ...] = (
    ("gaps", "What has no QA"),
    ("connection", "By connection"),
    ("pathway", "By pathway"),
    ("event", "By event"),
    ("failure", "Failure modes"),
)


def rows_by(department: Department, by: By) -> tuple[EventRow, ...]:
    """Return what is listed one way: connections, pathways, or both for the events."""
    connections = connections_by_event(department) if by != "pathway" else ()
    pathways = pathways_by_event(department) if by != "connection" else ()
    return (*connections, *pathways)


def coverage_by_sheet(department: Department, by: By) -> Sheet:
    """List the QA of everything one way."""
    rows = rows_by(department, by)
    if by == "event":
        return at_event_sheet(department, by_event(rows))
    return event_sheet(department, rows, f"QA {dict(BY)[by].lower()}")
