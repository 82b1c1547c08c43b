"""The issue of the hazard log behind the documents that rest on it, as it was frozen."""

from sqlmodel import Session

from core.records.models import Project, Record
from core.records.panels import Panel
from qms.risks.issuing import issue_of
from qms.risks.logged import NAMING

TITLE = "Annex: hazard log"
TEMPLATE = "pdf/_hazard_log.html"


def hazard_log(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the issue that a safety case or a residual risk review rests on; None for others.

    What is printed was frozen with the issue, so the same signature always stands beside the same
    hazards.
    """
    if record.type not in NAMING:
        return None
    issue = issue_of(session, project, record)
    return Panel(TITLE, TEMPLATE, {"issue": issue, "rows": issue.hazards if issue else ()})
