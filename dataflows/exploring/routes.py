"""The exploratory map over HTTP: a page that reads as tables, its picture as values, its parts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from core.people.actor import Actor
from core.records.models import Project
from core.web import CurrentPerson, ProjectInPath, ReadSession, page
from core.web.downloads import exported
from core.web.transaction import settings_of
from dataflows import sheets
from dataflows.exploring.scene import Scene, counts, focus_address, found_systems
from dataflows.exploring.service import Explored, explore
from dataflows.frame import View, address, frame
from dataflows.render import DrawingStore
from dataflows.tones import CATEGORY_TONES

router = APIRouter(prefix="/p/{project}/map/explore", tags=["department map"])

ViewInQuery = Annotated[View, Query()]


def _asked(
    request: Request, project: Project, person: Actor, session: Session, view: View
) -> Explored:
    store = DrawingStore(settings_of(request).data_dir)
    return explore(session, store, project.key, person, view)


def _context(project: Project, view: View, asked: Explored) -> dict[str, Any]:
    matches, total = found_systems(asked.department, view.q)
    systems, routes = counts(asked.scene)
    return {
        "project": project,
        "view": view,
        "department": asked.department,
        "shown": asked.shown,
        "scene": asked.scene,
        "legend": asked.drawn.legend,
        "systems": systems,
        "routes": routes,
        "matches": [(one, focus_address(asked.department, view, one.uid)) for one in matches],
        "matches_total": total,
        "tones": CATEGORY_TONES,
        "whole": address(project, "/explore", view.query(focus="", q="")),
        "closed_address": address(project, "/explore", view.query(open="", close="")),
    }


@router.get("")
def show_explore(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: ViewInQuery,
) -> Response:
    """Show a part of the map to open, close and follow; without scripts, as the same tables."""
    asked = _asked(request, project, person, session, view)
    if view.format:
        sheet = sheets.scene_sheet(asked.department, asked.scene)
        return exported(sheet, view.format, f"{project.key}-explore")
    return page(
        request,
        "dataflows/explore.html",
        **(
            frame(project, person, view, asked.department, "Explore")
            | _context(project, view, asked)
        ),
    )


@router.get("/facts")
def show_facts(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: ViewInQuery,
) -> HTMLResponse:
    """Show the tables alone: the part of the page that changes with the picture."""
    asked = _asked(request, project, person, session, view)
    return page(request, "dataflows/_facts.html", actor=person, **_context(project, view, asked))


@router.get("/scene")
def show_scene(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: ViewInQuery,
) -> Scene:
    """Return the picture as values: boxes with their places, lines with their facts, legend."""
    return _asked(request, project, person, session, view).scene
