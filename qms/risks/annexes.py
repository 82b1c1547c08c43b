"""The issue of the hazard log behind the documents that rest on it, as it was frozen."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from qms.risks.issuing import Issue, issue_of
from qms.risks.logged import HAZARD_LOG, NAMING

TITLE = "Annex: hazard log"
TEMPLATE = "pdf/_hazard_log.html"


def hazard_log(session: Session, project: Project, record: Record) -> Panel | None:
    """Return an issue itself, or the one that a safety case or residual risk review rests on.

    What is printed was frozen with the issue, so the same signature always stands beside the same
    hazards.
    """
    if record.type == HAZARD_LOG:
        # Printed as its table where a draft stands beside the revision in force.
        drafted = record.effective_id not in (None, record.latest_id)
        return None if drafted else _panel("Hazards as they stood", Issue.of(session, record))
    if record.type not in NAMING:
        return None
    return _panel(TITLE, issue_of(session, project, record))


def _panel(title: str, issue: Issue | None) -> Panel:
    return Panel(title, TEMPLATE, {"issue": issue, "rows": issue.hazards if issue else ()})
