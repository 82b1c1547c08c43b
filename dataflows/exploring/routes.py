"""The exploratory map over HTTP: a page that reads as tables, its picture as values, its parts."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from core.people.actor import Actor
from core.records.models import Project
from core.web import CurrentPerson, ProjectInPath, ReadSession, page
from core.web.downloads import exported
from core.web.transaction import settings_of
from dataflows import service, sheets
from dataflows.exploring.layout import layout
from dataflows.exploring.scene import (
    Scene,
    bounded,
    counts,
    focus_address,
    found_systems,
    scene,
)
from dataflows.frame import View, address, frame
from dataflows.inventory import Department
from dataflows.picture import Picture
from dataflows.qatrack.queries import states_on
from dataflows.render import DrawingStore
from dataflows.tones import CATEGORY_TONES
from dataflows.views import Shown, choose

router = APIRouter(prefix="/p/{project}/map/explore", tags=["department map"])

ViewInQuery = Annotated[View, Query()]


@dataclass(frozen=True)
class _Asked:
    department: Department
    shown: Shown
    drawn: Picture
    scene: Scene


def _asked(
    request: Request, project: Project, person: Actor, session: Session, view: View
) -> _Asked:
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown, left_out = bounded(choose(department, view.selection))
    states = states_on(session, department)
    drawn = shown.picture(department, states)
    placed = layout(DrawingStore(settings_of(request).data_dir), drawn)
    found = scene(department, view, shown, drawn, placed, states, left_out)
    return _Asked(department, shown, drawn, found)


def _context(project: Project, view: View, asked: _Asked) -> dict[str, Any]:
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
def explore(
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
        **frame(project, person, view, asked.department, "Explore"),
        **{
            name: value
            for name, value in _context(project, view, asked).items()
            if name not in ("project", "view", "department")
        },
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
