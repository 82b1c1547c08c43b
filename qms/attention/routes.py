"""What needs attention in a project, by kind, and how it moved night by night."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from core.exports import Sheet, forms_for
from core.records.models import Project
from core.web import ProjectInPath, ReadSession, page
from core.web.downloads import exported
from qms.attention.counting import MOST_NIGHTS, Night, nights
from qms.attention.drawing import lines_of, small_line
from qms.attention.kinds import KINDS, Kind, address
from qms.attention.standing import Attention, attention

router = APIRouter(prefix="/p/{project_key}/trend", tags=["quality record"])

HEADINGS = ("Night", "Release", "Rules failing", *(kind.label for kind in KINDS))


class View(BaseModel):
    """How many nights are looked at."""

    nights: int = Field(default=30, ge=1, le=MOST_NIGHTS)


@dataclass(frozen=True)
class KindLine:
    """One kind: how many now, where they are listed, and how it moved.

    Attributes
    ----------
    moved : int or None
        By how much since the last night; None where that night did not count it.
    drawn : str
        The corners of its small picture; empty where two nights have not counted it.
    """

    kind: Kind
    count: int
    listed: str
    moved: int | None
    drawn: str


@router.get("")
def show_trend(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what needs attention now, and how many of each there were in each of the last nights."""
    counted = nights(session, project, view.nights)
    found = attention(session, project)
    at = f"/p/{project.key}/trend"
    return page(
        request,
        "qms/attention/trend.html",
        project=project,
        nav="Trend",
        found=found,
        kinds=_lines(project, found, counted),
        nights=counted[::-1],
        lines=lines_of(counted),
        view=view,
        columns=KINDS,
        exports=[
            (name.upper(), f"{at}/export/{name}?nights={view.nights}")
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
    """Export the counts night by night."""
    sheet = _sheet(project, nights(session, project, view.nights))
    return exported(sheet, format_name, f"{project.key}-trend")


def _lines(project: Project, found: Attention, counted: Sequence[Night]) -> list[KindLine]:
    lines = []
    for kind in KINDS:
        series = [one.counts[kind.name] for one in counted if kind.name in one.counts]
        count = found.counts[kind.name]
        last = counted[-1].counts.get(kind.name) if counted else None
        lines.append(
            KindLine(
                kind,
                count,
                address(kind, project.key) if count else "",
                None if last is None else count - last,
                small_line(series),
            )
        )
    return lines


def _sheet(project: Project, counted: Sequence[Night]) -> Sheet:
    rows = [
        (
            one.at.date().isoformat(),
            one.release,
            one.failing,
            *(one.counts.get(kind.name) for kind in KINDS),
        )
        for one in counted[::-1]
    ]
    return Sheet(f"Findings of {project.key} by night", HEADINGS, rows, {"Project": project.key})
