"""What changed on the map between two days or baselines, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from core.errors import Invalid, NotFound
from core.exports import forms_for
from core.web import CurrentPerson, ProjectInPath, ReadSession, page
from core.web.downloads import exported
from core.web.refusals import status_of
from dataflows.frame import NAV
from dataflows.history import service
from dataflows.history.differing import WORDS
from dataflows.history.service import TODAY

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

MOST_SHOWN = 2_000
"""Lines on the page; an export has them all."""


class Asked(BaseModel):
    """Which two states are compared."""

    before: str = Field(default="", max_length=80)
    after: str = Field(default="", max_length=80)
    format: str = Field(default="", max_length=10)


@router.get("/history")
def show_history(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,  # noqa: ARG001 - whoever reads the project may read this
    session: ReadSession,
    asked: Annotated[Asked, Query()],
) -> Response:
    """Show what changed on the map between two days, times or baselines."""
    before = asked.before or service.usual_start()
    after = asked.after or TODAY
    error = found = None
    try:
        found = service.compared(session, project, before, after)
    except (Invalid, NotFound) as refusal:
        if asked.format:
            raise
        error = refusal
    if asked.format and found is not None:
        table = service.sheet(found, project.key)
        return exported(table, asked.format, f"{project.key}-map-history")
    lines = found.lines if found else ()
    return page(
        request,
        "dataflows/history/history.html",
        status=status_of(error) if error else 200,
        project=project,
        nav=NAV,
        before=before,
        after=after,
        found=found,
        lines=lines[:MOST_SHOWN],
        words=WORDS,
        forms=forms_for(len(lines)),
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) else (),
    )
