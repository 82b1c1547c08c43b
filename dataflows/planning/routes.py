"""Planning over HTTP: what a change touches, for a purpose, and the coverage by event."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlmodel import Session

from core.errors import NotFound
from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    readable_projects,
)
from core.web.downloads import exported
from core.web.transaction import settings_of
from dataflows import service, sheets
from dataflows.coverage import (
    Event,
    by_event,
    connections_by_event,
    connections_in_order,
    coverage,
)
from dataflows.frame import View, address, frame
from dataflows.planning import service as planning
from dataflows.planning.by import BY, By, coverage_by_sheet, rows_by
from dataflows.planning.failure_modes import control_word, failure_modes, failure_sheet
from dataflows.planning.pack.build import (
    MEDIA_TYPE,
    PackFile,
    ask_for_pack,
    latest_pack,
    pack_in_work,
)
from dataflows.planning.pack.contents import sign_off_of
from dataflows.planning.plan import Purpose, why_not_asked
from dataflows.planning.sheets import plan_sheet
from dataflows.qatrack.queries import standings_on
from dataflows.qatrack.standing import counts, worst_first
from dataflows.tones import CATEGORY_TONES

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

ROWS = 200
"""Connections on one page of the coverage."""

PURPOSES = (
    (Purpose.UPGRADE, "Upgrade"),
    (Purpose.REPLACE, "Replace"),
    (Purpose.RETIRE, "Retire"),
    (Purpose.QA, "Design a QA programme"),
)


class PlanView(View):
    """A page of the map that also asks for what somebody plans."""

    purpose: Purpose = Purpose.UPGRADE


class PackAsked(BaseModel):
    """Which pack: the one of a system for a purpose."""

    purpose: Purpose = Purpose.UPGRADE


class CoverageView(View):
    """The coverage, told one way or another."""

    by: By = "gaps"


@router.get("/coverage")
def show_coverage(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[CoverageView, Query()],
) -> Response:
    """Show what no QA procedure controls, the QA of everything by event, or what it controls."""
    if view.by == "failure":
        return _failure_modes(request, project, person, session, view)
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    found, standings = coverage(department), standings_on(session, department)
    if view.format:
        sheet = (
            sheets.coverage_sheet(department, found, standings)
            if view.by == "gaps"
            else coverage_by_sheet(department, view.by)
        )
        return exported(sheet, view.format, f"{project.key}-coverage")
    shared = frame(project, person, view, department, "Coverage")
    choices = _choices(project, view)
    if view.by == "gaps":
        return page(
            request,
            "dataflows/coverage.html",
            **shared,
            choices=choices,
            choice=dict(BY)[view.by],
            found=found,
            standings=worst_first(standings),
            counts=counts(standings),
            tones=CATEGORY_TONES,
        )
    first = (view.page - 1) * ROWS
    window = slice(first, first + ROWS)
    if view.by == "connection":
        # Of a large map only the page that is shown is worked out.
        listed = connections_in_order(department)
        total, rows = len(listed), connections_by_event(department, listed[window])
    else:
        every = rows_by(department, view.by)
        total, rows = len(every), every if view.by == "event" else every[window]
    return page(
        request,
        "dataflows/planning/coverage.html",
        **shared,
        choices=choices,
        choice=dict(BY)[view.by],
        found=found,
        rows=rows,
        total=total,
        page_size=ROWS,
        page_address=address(project, "/coverage", view.query(page=1), "page="),
        events=list(Event),
        at_events=by_event(rows) if view.by == "event" else (),
    )


def _failure_modes(
    request: Request, project: Project, person: Actor, session: Session, view: CoverageView
) -> Response:
    read = planning.read_map(session, project.key, person, drafts=view.drafts)
    department = read.department
    modes = failure_modes(read.snapshot, department)
    qa = planning.statuses(session, department, {uid for one in modes for uid in one.controls})
    if view.format:
        sheet = failure_sheet(department, modes, qa)
        return exported(sheet, view.format, f"{project.key}-failure-modes")
    first = (view.page - 1) * ROWS
    return page(
        request,
        "dataflows/planning/failure_modes.html",
        **frame(project, person, view, department, "Coverage"),
        choices=_choices(project, view),
        choice=dict(BY)[view.by],
        modes=[
            (one, control_word(one, qa), one.not_effective(qa))
            for one in modes[first : first + ROWS]
        ],
        qa=qa,
        unasked=why_not_asked(qa.values()),
        counts=Counter(one.priority or "not stated" for one in modes).most_common(),
        total=len(modes),
        page_size=ROWS,
        page_address=address(project, "/coverage", view.query(page=1), "page="),
    )


def _choices(project: Project, view: CoverageView) -> list[tuple[str, str]]:
    return [
        (words, address(project, "/coverage", view.query(by=by, page=1, format="")))
        for by, words in BY
    ]


@router.get("/impact/{uid}")
def show_impact(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    view: Annotated[PlanView, Query()],
) -> Response:
    """Answer what is touched when a system or a connection changes, for one purpose."""
    read = planning.read_map(session, project.key, person, drafts=view.drafts)
    department = read.department
    made = planning.plan(session, read, uid, view.purpose)
    sheet = plan_sheet(department, made)
    if view.format:
        return exported(sheet, view.format, f"{project.key}-{view.purpose}-{uid}")
    here = address(project, f"/impact/{uid}", view.query(format=""))
    join = "&" if "?" in here else "?"
    pack = latest_pack(session, settings_of(request), project, uid, view.purpose, read.readable)
    model = planning.model_digest(read.snapshot, project.key)
    shared = frame(project, person, view, department, "")
    shared["export_addresses"] = [
        (name.upper(), f"{here}{join}format={name}") for name in forms_for(len(sheet.rows))
    ]
    return page(
        request,
        "dataflows/planning/impact.html",
        **shared,
        plan=made,
        unasked=why_not_asked(made.qa.values()),
        found=made.impact,
        purposes=[
            (words, address(project, f"/impact/{uid}", view.query(purpose=one, format="")))
            for one, words in PURPOSES
        ],
        chosen=dict(PURPOSES)[view.purpose],
        events=list(Event),
        tones=CATEGORY_TONES,
        map_address=address(project, "", view.query(focus=uid, format="")),
        pack_address=address(project, f"/impact/{uid}/pack", f"purpose={view.purpose}"),
        pack=pack,
        outdated=_outdated(session, read, pack, model) if pack and not view.drafts else "",
        pack_job=pack_in_work(session, project, read, uid, view.purpose),
        model=model,
    )


def _outdated(session: Session, read: planning.ReadMap, pack: PackFile, model: str) -> str:
    """Say why a pack no longer tells of the map as it is; empty where it does."""
    if pack.model != model:
        return "the map has changed since"
    frozen = sign_off_of(session, read)
    if pack.baseline != (frozen.root if frozen else ""):
        return "the map has been signed off or frozen since"
    return ""


@router.post("/impact/{uid}/pack", status_code=303)
def build_pack(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    asked: Annotated[PackAsked, Query()],
) -> RedirectResponse:
    """Let a worker build the change-impact pack; its page shows how far it is."""
    job = ask_for_pack(session, project, uid, asked.purpose, person)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.get("/impact/{uid}/pack")
def download_pack(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    asked: Annotated[PackAsked, Query()],
) -> FileResponse:
    """Send the newest change-impact pack that tells no more than its reader may read."""
    readable = [one.key for one in readable_projects(session, person)]
    settings = settings_of(request)
    found = latest_pack(session, settings, project, uid, asked.purpose, readable)
    if found is None:
        raise NotFound(f"There is no pack of {uid} for that yet; build it on the page of its plan.")
    return FileResponse(found.path, media_type=MEDIA_TYPE, filename=found.name)
