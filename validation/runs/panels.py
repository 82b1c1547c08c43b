"""The runs that executed a test, belong to a release or used a data set, on its own page."""

from sqlmodel import Session

from core.records.models import Project, Record, Revision
from core.records.panels import Panel
from validation.protocols.plan import MANUAL
from validation.runs.listing import lines_of_test, run_lines, running_by_hand

SHOWN = 10
"""Runs of a release or of a data set shown on its page; the list of runs has them all."""


def runs_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the panel of runs for a test, a release or a data set; None for any other record."""
    if record.type == "test":
        lines = lines_of_test(session, project, record.uid)
        context = {
            "lines": lines,
            "project_key": project.key,
            "uid": record.uid,
            "by_hand": _by_hand(session, record),
            "running": running_by_hand(session, project, record.uid),
        }
        return Panel(_title(len(lines)), "validation/_test_panel.html", context)
    if record.type == "release":
        runs = run_lines(session, project, size=SHOWN, release=record.uid)
        context = {"runs": runs, "project_key": project.key}
        return Panel(_title(len(runs)), "validation/_release_panel.html", context)
    if record.type == "dataset":
        runs = run_lines(session, project, size=SHOWN, data_set=record.uid)
        place = f"{project.key}/{record.uid}"
        context = {"runs": runs, "project_key": project.key, "place": place}
        return Panel("Runs on this data set", "validation/_data_set_panel.html", context)
    return None


def _by_hand(session: Session, record: Record) -> bool:
    """Whether the test in force is one that a person executes."""
    if record.effective_id is None or record.withdrawn_at is not None:
        return False
    fields = session.get_one(Revision, record.effective_id).fields or {}
    return fields.get("method") == MANUAL


def _title(count: int) -> str:
    return f"Runs: {count}" if count else "Runs: not run"
