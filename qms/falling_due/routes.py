"""The page of what falls due in a project."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from core.records.types import get_registry
from core.web import ProjectInPath, ReadSession, page
from qms.falling_due.service import SOON, falling_due
from qms.rules.packs import framework_pack

router = APIRouter(prefix="/p/{project_key}/due", tags=["quality record"])


@router.get("")
def show_due(request: Request, project: ProjectInPath, session: ReadSession) -> HTMLResponse:
    """Show what is overdue and what falls due soon, the most pressing first."""
    return page(
        request,
        "qms/falling_due/due.html",
        project=project,
        nav="Trend",
        found=falling_due(session, project),
        labels={one.name: one.label for one in get_registry().all()},
        within=framework_pack().limits["due_within_days"],
        soon=SOON,
    )
