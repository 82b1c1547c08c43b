"""The level of a risk on its own page, and on the pages of the requirements that control it."""

from sqlmodel import Session

from core.errors import Invalid
from core.records.models import Project, Record
from core.records.panels import Panel
from qms.releases.scope import NEWEST, choose_release, releases_of
from qms.risks.policies import policy_in_force
from qms.risks.service import RISK, assessments_around, verdicts_by_key
from qms.risks.surroundings import load_surroundings

TEMPLATE = "qms/risks/_panel.html"

CONTROLLING_TYPE = "requirement"


def risk_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the risk panel, judged by the newest candidate; None where no risk is concerned."""
    if record.type not in (RISK, CONTROLLING_TYPE):
        return None
    snapshot = load_surroundings(session, record)
    view = snapshot.get(record.uid, project.key)
    if view is None:
        return None
    context = {"own": record.type == RISK, "faults": (), "address": f"/p/{project.key}/risks"}
    try:
        policy, _ = policy_in_force(snapshot, project.key)
    except Invalid as refusal:
        return Panel(
            "Level and controls", TEMPLATE, context | {"faults": refusal.faults, "assessments": ()}
        )
    release = choose_release(releases_of(snapshot, project.key), NEWEST)
    verdicts = verdicts_by_key(session, project.key, release.uid if release else None)
    assessments = assessments_around(snapshot, view, policy, verdicts)
    if not assessments:
        return None
    title = "Level and controls" if record.type == RISK else f"Controls {len(assessments)} risks"
    if record.type != RISK and len(assessments) == 1:
        title = "Controls 1 risk"
    return Panel(title, TEMPLATE, context | {"assessments": assessments, "policy": policy})
