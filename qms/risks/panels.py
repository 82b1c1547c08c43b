"""The level of a risk on its own page, and on the pages of the requirements that control it."""

from sqlmodel import Session

from core import ports
from core.errors import Invalid
from core.records.lifecycle import DRAFT
from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.service import edit_token, latest_revision
from qms.releases.scope import NEWEST, choose_release, releases_of
from qms.risks.issuing import Issue, changed_since
from qms.risks.logged import HAZARD_LOG
from qms.risks.policies import policy_in_force
from qms.risks.service import RISK, assessments_around, verdicts_by_key
from qms.risks.surroundings import load_surroundings

TEMPLATE = "qms/risks/_panel.html"
ISSUE_TEMPLATE = "qms/risks/_issue_panel.html"

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
    assessments = assessments_around(
        snapshot, view, policy, verdicts, ports.qa_controls(session, project.key)
    )
    if not assessments:
        return None
    title = "Level and controls" if record.type == RISK else f"Controls {len(assessments)} risks"
    if record.type != RISK and len(assessments) == 1:
        title = "Controls 1 risk"
    return Panel(title, TEMPLATE, context | {"assessments": assessments, "policy": policy})


def issue_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the hazards of an issue of the log, and what its draft can still take up."""
    if record.type != HAZARD_LOG:
        return None
    latest = latest_revision(session, record)
    drafted = latest.state == DRAFT and record.withdrawn_at is None
    context = {
        "rows": Issue.of(session, record).hazards,
        "project": project.key,
        "uid": record.uid,
        "address": f"/p/{project.key}/risks",
        "drafted": drafted,
        "expected": edit_token(latest),
        "taken": bool(latest.fields.get("hazards")),
        "changed": (),
        "faults": (),
    }
    if drafted:
        try:
            context["changed"] = changed_since(session, project, record)
        except Invalid as refusal:
            context["faults"] = refusal.faults
    return Panel("Hazards as they stood", ISSUE_TEMPLATE, context)
