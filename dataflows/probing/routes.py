"""Probes and drift over HTTP. A request only asks; a worker speaks with the network."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session

from core.errors import Conflict, Fault, FiducialError, Invalid, NotFound
from core.exports import forms_for
from core.jobs.service import workers_seen
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    require,
    say,
)
from core.web.answers import MAY_CONFLICT
from core.web.downloads import exported
from core.web.refusals import refuse_within, status_of
from core.web.transaction import settings_of
from dataflows.frame import View, frame
from dataflows.inventory import Department
from dataflows.probing import drifting, service, sheets
from dataflows.probing.associations import ROLE_WORDS
from dataflows.probing.lists import LARGEST_BYTES
from dataflows.probing.standing import counts, word_of
from dataflows.service import read_department

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

ROWS = 200
LISTS = 25
HISTORY = 100
"""Results of one connection on its page; the export of the list has the last of each."""


class ProbeView(View):
    """Which associations are listed."""

    outcome: str = Field(default="", max_length=40)


@router.get("/probes")
def show_probes(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[ProbeView, Query()],
) -> Response:
    """Show every DICOM association with the last result of its probe."""
    department = read_department(session, project.key, person, drafts=view.drafts)
    settings = settings_of(request)
    everything = service.standings_of(session, project, department, settings)
    found = [one for one in everything if view.outcome in ("", one.outcome)]
    if view.format:
        sheet = sheets.probes_sheet(department, found, "Probes of DICOM associations")
        return exported(sheet, view.format, f"{project.key}-probes")
    at, first = f"/p/{project.key}/map/probes", (view.page - 1) * ROWS
    filters = [("all", len(everything), at)] + [
        (word_of(outcome)[0], number, f"{at}?{urlencode({'outcome': outcome})}")
        for outcome, number in counts(everything)
    ]
    return page(
        request,
        "dataflows/probing/probes.html",
        **_framed(project, person, view, department, "Probes"),
        standings=found[first : first + ROWS],
        total=len(found),
        page_size=ROWS,
        page_address=f"{at}?{view.query(page=1)}&page=" if view.query(page=1) else f"{at}?page=",
        filters=filters if everything else [],
        current=word_of(view.outcome)[0] if view.outcome else "all",
        role_words=ROLE_WORDS,
        able=sum(not one.obstacles for one in everything),
        may_ask=person.has(project.id or 0, *service.MAY_PROBE) or person.is_administrator,
        allowed=settings.probe_hosts,
        off=service.OFF,
        workers=workers_seen(session),
    )


@router.post("/probes", status_code=303)
def ask_for_probes(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    connection: Annotated[list[str] | None, Form(max_length=500)] = None,
) -> RedirectResponse:
    """Let a worker probe some connections, or all that may be probed."""
    require(project, person, *service.MAY_PROBE)
    department = read_department(session, project.key, person)
    job = service.ask(session, project, department, connection or (), person, settings_of(request))
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.get("/probes/{uid}")
def show_history(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
) -> HTMLResponse:
    """Show how the associations of one connection stand, and every result before."""
    department = read_department(session, project.key, person)
    connection = department.connections.get(uid)
    if connection is None:
        raise NotFound(f"There is no connection {uid[:40]} on this map.")
    settings = settings_of(request)
    return page(
        request,
        "dataflows/probing/history.html",
        **_framed(project, person, View(), department, "Probes"),
        connection=connection,
        standings=service.standings_of(session, project, department, settings, uid),
        results=service.history(session, project, uid, HISTORY),
        most=HISTORY,
        role_words=ROLE_WORDS,
        word_of=word_of,
        may_ask=person.has(project.id or 0, *service.MAY_PROBE) or person.is_administrator,
        allowed=settings.probe_hosts,
        off=service.OFF,
        workers=workers_seen(session),
    )


@router.get("/drift")
def show_lists(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show the destination lists that were imported, and the form that imports another."""
    department = read_department(session, project.key, person, drafts=view.drafts)
    return _lists_page(request, session, project, person, department, view)


@router.post("/drift", status_code=303)
def import_list(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    system: Annotated[str, Form(max_length=80)] = "",
    sent: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Keep a destination list and show what it says against the map."""
    require(project, person, *_authors())
    department = read_department(session, project.key, person)
    try:
        if sent is None or not sent.filename:
            fault = Fault("DST00", "sent", "no file was chosen.", "Choose one.")
            raise Invalid("Nothing was imported.", [fault])
        content = sent.file.read(LARGEST_BYTES + 1)
        kept = drifting.import_list(
            session, project, department, system, sent.filename, content, person
        )
    except FiducialError as error:
        refuse_within(request, session, "/drift", error)
        return _lists_page(request, session, project, person, department, View(), system, error)
    return RedirectResponse(f"/p/{project.key}/map/drift/{kept.id}", status_code=303)


@router.get("/drift/{number}", responses=MAY_CONFLICT)
def show_drift(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    number: NumberInPath,
    view: Annotated[View, Query()],
) -> Response:
    """Show what a destination list says against the map as it is now."""
    return _drift_page(request, session, project, person, number, view)


@router.post("/drift/{number}/propose", status_code=303)
def propose(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    connection: Annotated[list[str] | None, Form(max_length=500)] = None,
) -> Response:
    """Make drafts of connections with the endpoints of the list; another person accepts them."""
    require(project, person, *_authors())
    department = read_department(session, project.key, person)
    try:
        found = drifting.report(department, drifting.find_list(session, project, number))
        made = drifting.propose(session, project, found, connection or (), person)
    except (Invalid, Conflict) as error:
        refuse_within(request, session, f"/drift/{number}", error)
        return _drift_page(request, session, project, person, number, View(), error)
    response = RedirectResponse(f"/p/{project.key}/map/drift/{number}", status_code=303)
    drafts = ", ".join(record.uid for record in made)
    say(response, f"Proposed: {drafts}. It counts when another person has approved the draft.")
    return response


def _authors() -> tuple[str, ...]:
    return tuple(get_registry().of("connection").authors)


def _framed(
    project: Project, person: Actor, view: View, department: Department, tab: str
) -> dict[str, Any]:
    framed = frame(project, person, view, department, tab)
    rows = sum(len(one.associations) for one in department.connections.values())
    here = view.query(format="", page=1)
    framed["export_addresses"] = [
        (name.upper(), "?" + "&".join(filter(None, [here, f"format={name}"])))
        for name in forms_for(rows)
    ]
    return framed


def _lists_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    department: Department,
    view: View,
    system: str = "",
    error: FiducialError | None = None,
) -> HTMLResponse:
    framed = _framed(project, person, view, department, "Drift")
    listed = drifting.lists_of(session, project, (view.page - 1) * LISTS, LISTS)
    at, rest = f"/p/{project.key}/map/drift", view.query(page=1)
    return page(
        request,
        "dataflows/probing/lists.html",
        status=status_of(error) if error else 200,
        **{**framed, "export_addresses": []},
        lists=list(zip(listed, drifting.drifts(department, listed), strict=True)),
        total=drifting.count_lists(session, project),
        page_size=LISTS,
        page_address=f"{at}?{rest}&page=" if rest else f"{at}?page=",
        systems=[
            (uid, f"{uid} {department.systems[uid].title}")
            for uid in sorted(department.systems, key=department.reading_order)
        ],
        system=system,
        may_import=person.has(project.id or 0, *_authors()),
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
    )


def _drift_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    number: int,
    view: View,
    error: FiducialError | None = None,
) -> Response:
    department = read_department(session, project.key, person, drafts=view.drafts)
    found = drifting.report(department, drifting.find_list(session, project, number))
    if view.format:
        title = f"Destinations of {found.listed.system}"
        sheet = sheets.drift_sheet(department, found.drift, title)
        return exported(sheet, view.format, f"{project.key}-drift-{number}")
    return page(
        request,
        "dataflows/probing/drift.html",
        status=status_of(error) if error else 200,
        **_framed(project, person, view, department, "Drift"),
        listed=found.listed,
        system=department.systems[found.listed.system],
        drift=found.drift,
        proposable=found.proposable,
        newer=drifting.superseding(session, project, found.listed),
        may_propose=person.has(project.id or 0, *_authors()),
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
    )
