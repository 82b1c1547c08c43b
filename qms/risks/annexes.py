"""The hazard log behind the documents that argue from it, rendered from the records."""

from sqlmodel import Session

from core.errors import Invalid
from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.queries import load_snapshot
from core.records.snapshot import Key
from qms.releases.scope import NEWEST
from qms.risks.service import risk_file

TITLE = "Annex: hazard log"
TEMPLATE = "pdf/_hazard_log.html"
FAULTY_TEMPLATE = "pdf/_no_hazard_log.html"

WITH_HAZARD_LOG = ("safety_case", "residual_risk_review")


def hazard_log(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the hazard log for a safety case or a review of the residual risk; None for others.

    A safety case is judged by the release that it argues for, a review by the newest.
    """
    if record.type not in WITH_HAZARD_LOG:
        return None
    links = load_snapshot(session, [project.key]).outgoing(Key(project.key, record.uid))
    releases = [one.target.uid for one in links if one.role == "argues_for"]
    try:
        file = risk_file(session, project.key, releases[0] if releases else NEWEST)
    except Invalid as refusal:
        return Panel(TITLE, FAULTY_TEMPLATE, {"problem": refusal.message, "faults": refusal.faults})
    return Panel(TITLE, TEMPLATE, {"file": file, "shown": file.assessments})
