"""How the findings of a project moved, night by night."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from core.exports import Sheet, forms_for
from core.records.models import Project
from core.web import ProjectInPath, ReadSession, page
from core.web.downloads import exported
from qms.attention.counting import MOST_NIGHTS, Night, nights
from qms.attention.drawing import lines_of

router = APIRouter(prefix="/p/{project_key}/trend", tags=["quality record"])

HEADINGS = ("Night", "Release", "Rules failing", "Errors", "Warnings", "Needs re-review")


class View(BaseModel):
    """How many nights are looked at."""

    nights: int = Field(default=30, ge=1, le=MOST_NIGHTS)


@router.get("")
def show_trend(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show how many findings each of the last nights had."""
    counted = nights(session, project, view.nights)
    address = f"/p/{project.key}/trend"
    return page(
        request,
        "qms/attention/trend.html",
        project=project,
        nav="Trend",
        nights=counted[::-1],
        lines=lines_of(counted),
        view=view,
        headings=HEADINGS,
        exports=[
            (name.upper(), f"{address}/export/{name}?nights={view.nights}")
            for name in forms_for(len(counted))
        ],
    )


@router.get("/export/{format_name}")
def export_trend(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Export what the page shows."""
    sheet = _sheet(project, nights(session, project, view.nights))
    return exported(sheet, format_name, f"{project.key}-trend")


def _sheet(project: Project, counted: Sequence[Night]) -> Sheet:
    rows = [
        (one.at.date().isoformat(), one.release, one.failing, one.errors, one.warnings,
         one.re_review)
        for one in counted[::-1]
    ]  # fmt: skip
    return Sheet(f"Findings of {project.key} by night", HEADINGS, rows, {"Project": project.key})
