"""Where a release stands, on the page of its own record: the way to its five steps."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from qms.releases.pages import line_of

TEMPLATE = "qms/releases/_panel.html"


def release_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the step a release is at and what its check says; None for any other record."""
    if record.type != "release" or record.withdrawn_at is not None:
        return None
    line = line_of(session, project, record.uid)
    address = f"/p/{project.key}/releases/{record.uid}"
    return Panel("The way to the release", TEMPLATE, {"line": line, "address": address})
