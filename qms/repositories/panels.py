"""The commits that name a record, on the record's own page."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from qms.repositories.queries import commits_of_record


def code_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the panel of commits, or None when no commit names the record."""
    commits = commits_of_record(session, record.id or 0)
    if not commits:
        return None
    count = f"{len(commits)} commit{'' if len(commits) == 1 else 's'}"
    context = {"commits": commits, "project_key": project.key}
    return Panel(f"Code: {count}", "qms/repositories/_panel.html", context)
