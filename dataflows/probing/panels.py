"""What probes found of a connection, on its own page."""

from sqlmodel import Session

from core.records.models import Project, Record, Revision
from core.records.panels import Panel
from core.records.queries import load_snapshot
from dataflows.probing import service
from dataflows.probing.associations import ROLE_WORDS
from dataflows.service import department_of


def probe_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return how each DICOM association of a connection stood at its last probe.

    None for any other record, and where nothing is modelled that could be probed.
    """
    if record.type != "connection":
        return None
    shown = session.get_one(Revision, record.effective_id or record.latest_id or 0)
    if not shown.fields.get("associations"):
        return None
    department = department_of(load_snapshot(session, [project.key]), project.key)
    if record.uid not in department.connections:
        return None
    found = service.standings_of(session, project, department, None, record.uid)
    if not found:
        return None
    return Panel(
        "Probed on the network",
        "dataflows/probing/_panel.html",
        {
            "project_key": project.key,
            "project_id": project.id,
            "record_uid": record.uid,
            "standings": found,
            "role_words": ROLE_WORDS,
            "may_probe": service.MAY_PROBE,
        },
    )
