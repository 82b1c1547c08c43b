"""What the map says about one record, on the record's own page."""

from typing import Any

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.queries import load_snapshot
from core.records.snapshot import natural_order
from dataflows import qa_links
from dataflows.inventory import Department
from dataflows.pathways import faults, walk
from dataflows.qatrack.queries import standings_on
from dataflows.service import department_of, systems_that_realise
from dataflows.tones import CATEGORY_TONES


def system_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return parts, connections, pathways and QA of a system; None for any other record."""
    if record.type != "system":
        return None
    department = _department(session, project)
    system = department.systems.get(record.uid)
    if system is None:
        return None
    inside = department.within(record.uid)
    touching = {uid for part in inside for uid in department.touching.get(part, ())}
    connections = [department.connections[uid] for uid in sorted(touching, key=natural_order)]
    within = frozenset(inside)
    return Panel(
        "On the department map",
        "dataflows/_system_panel.html",
        {
            **_shared(project, department),
            "system": system,
            "parts": department.children.get(record.uid, ()),
            "receives": [c for c in connections if c.source not in within],
            "sends": [c for c in connections if c.target not in within],
            "inside": [c for c in connections if {c.source, c.target} <= within],
            "pathways": _steps_on(department, frozenset(touching)),
        },
    )


def connection_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return ends, QA and pathways of a connection, and the form that links a QA procedure."""
    if record.type != qa_links.CONNECTION:
        return None
    department = _department(session, project)
    connection = department.connections.get(record.uid)
    if connection is None:
        return None
    controls = department.qa_of_connection.get(record.uid, ())
    latest = _department(session, project, drafts=True)
    proposed = set(latest.qa_of_connection.get(record.uid, ())) - set(controls)
    return Panel(
        "On the department map",
        "dataflows/_connection_panel.html",
        {
            **_shared(project, department),
            "connection": connection,
            "controls": [department.procedures[uid] for uid in controls],
            "standings": standings_on(session, department, controls),
            "proposed": [latest.procedures[uid] for uid in sorted(proposed, key=natural_order)],
            "pathways": _steps_on(department, frozenset({record.uid})),
            "choices": qa_links.choices(session, project, record.uid),
            "form": qa_links.QaLinkForm(),
        },
    )


def pathway_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return whether the order of a pathway holds; None for any other record."""
    if record.type != "pathway":
        return None
    department = _department(session, project)
    pathway = department.pathways.get(record.uid)
    if pathway is None:
        return None
    controls = department.qa_of_pathway.get(record.uid, ())
    return Panel(
        "On the department map",
        "dataflows/_pathway_panel.html",
        {
            **_shared(project, department),
            "pathway": pathway,
            "faulty": faults(department, pathway),
            "controls": controls,
            "standings": standings_on(session, department, controls),
        },
    )


def device_panel(session: Session, project: Project, record: Record) -> Panel | None:  # noqa: ARG001 - the form of a panel
    """Return the systems that realise a device; None where no system does."""
    systems = systems_that_realise(session, record)
    if not systems:
        return None
    return Panel("On the department map", "dataflows/_device_panel.html", {"systems": systems})


PANELS = (system_panel, connection_panel, pathway_panel, device_panel)


def _department(session: Session, project: Project, *, drafts: bool = False) -> Department:
    # The project's own records alone: a panel does not know what else its reader may read.
    snapshot = load_snapshot(session, [project.key], effective=not drafts)
    return department_of(snapshot, project.key)


def _shared(project: Project, department: Department) -> dict[str, Any]:
    return {
        "project_key": project.key,
        "department": department,
        "tones": CATEGORY_TONES,
        "address": f"/p/{project.key}/map",
    }


def _steps_on(
    department: Department, connections: frozenset[str]
) -> list[tuple[str, str, list[int]]]:
    """Return uid and title of each pathway over some connections, with the step numbers there."""
    found = []
    for pathway in department.pathways.values():
        numbers = [step.number for step in walk(department, pathway) if step.uid in connections]
        if numbers:
            found.append((pathway.uid, pathway.title, numbers))
    return found
