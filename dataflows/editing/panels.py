"""Where the facts of a connection come from, and who confirmed them, on its record's page."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.service import edit_token
from dataflows.editing.confirming import (
    CONFIRMERS,
    SOURCES,
    Standing,
    confirmations,
    shown_revision_of,
)


def provenance_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return when and from what a connection was surveyed, and its last confirmation."""
    if record.type != "connection" or record.withdrawn_at is not None:
        return None
    shown = shown_revision_of(session, record)
    known = confirmations(session, project, record.uid).get(record.uid)
    fields = shown.fields
    return Panel(
        "Where this is known from",
        "dataflows/editing/_confirm_panel.html",
        {
            "project_key": project.key,
            "uid": record.uid,
            "surveyed": [
                ("Surveyed from", str(fields.get("surveyed_from") or "").replace("-", " ")),
                ("Surveyed on", str(fields.get("surveyed_on") or "")),
                ("Surveyed by", str(fields.get("surveyed_by") or "")),
            ],
            "standing": Standing(known, shown.content_digest),
            "expected": edit_token(shown),
            "confirmers": CONFIRMERS,
            "sources": SOURCES,
        },
    )
