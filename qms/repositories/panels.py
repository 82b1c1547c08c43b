"""The commits that name a record and the lines that are marked with it, on the record's page."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from qms.repositories.lines import lines_of_record
from qms.repositories.queries import commits_of_record
from qms.repositories.released import lines_released
from qms.repositories.released_code import code_released


def code_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the panel of commits and marked lines, or None when nothing names the record."""
    commits = commits_of_record(session, record.id or 0)
    lines = lines_of_record(session, record.id or 0)
    released = lines_released(session, project, record)
    if not commits and not lines and not released:
        return None
    doubtful = sum(one.doubt is not None for one in lines)
    told = [
        _count(len(commits), "commit"),
        _count(len(lines), "marked place"),
        f"{doubtful} {'needs' if doubtful == 1 else 'need'} re-review" if doubtful else "",
    ]
    context: dict[str, object] = {"commits": commits, "lines": lines, "project_key": project.key}
    context["released"] = code_released(session, project, released)
    title = f"Code: {', '.join(filter(None, told))}"
    return Panel(title, "qms/repositories/_panel.html", context)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""
