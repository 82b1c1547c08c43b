"""QATrack+ over HTTP: servers for who administers the installation, tests for who links them."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError, Invalid, NotFound, Refused
from core.jobs.models import Job
from core.jobs.service import may_see, workers_seen
from core.people.actor import Actor
from core.records import service as records
from core.records.models import Project, Record
from core.records.types import get_registry
from core.settings import Settings
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, require, say
from core.web.answers import NEEDS_ROLE
from core.web.refusals import refuse_within, status_of
from core.web.transaction import settings_of
from dataflows.frame import NAV
from dataflows.qatrack import linking, queries, tokens
from dataflows.qatrack import servers as naming
from dataflows.qatrack.models import QatrackServer
from dataflows.qatrack.standing import WORDS

router = APIRouter(tags=["QATrack+"])

PAGE_SIZE = 50
READINGS = 3
"""Readings of each server that its page shows."""

MAY_READ_AGAIN = ("author", "developer", "technical_reviewer", "quality_manager", "administrator")
"""Roles of a project that may have a server read before the night comes."""


class ServerForm(BaseModel):
    """What names or changes a server; the token is never shown again."""

    name: str = Field(default="", max_length=200)
    address: str = Field(default="", max_length=2000)
    time_zone: str = Field(default="", max_length=100)
    token: str = Field(default="", max_length=1000, repr=False)

    def wish(self, name: str = "") -> naming.Wish:
        """Return what is asked for; a server that there is keeps its name."""
        return naming.Wish(
            name or self.name.strip(), self.address, self.time_zone.strip(), self.token
        )


class View(BaseModel):
    """Which tests are offered."""

    q: str = Field(default="", max_length=200)
    kind: str = Field(default="", max_length=20)
    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("/qatrack", responses=NEEDS_ROLE)
def show_servers(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """Show the servers, their last readings, and the form that names another."""
    _require_administrator(person)
    return _servers_page(request, session)


@router.post("/qatrack", status_code=303)
def name_server(
    request: Request,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ServerForm, Form()],
) -> Response:
    """Name a server; what is wrong comes back beside what was typed, but for the token."""
    _require_administrator(person)
    try:
        server = naming.name_server(session, form.wish(), person, settings_of(request))
    except FiducialError as error:
        refuse_within(request, session, "/qatrack", error)
        return _servers_page(request, session, form, error)
    return _said(f"{server.name} is named. Test it, then read it.")


@router.post("/qatrack/{instance}/change", status_code=303)
def change_server(
    request: Request,
    instance: str,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ServerForm, Form()],
) -> Response:
    """Change address, time zone or token of a server, or read a retired one again."""
    _require_administrator(person)
    server = naming.find_server(session, instance)
    try:
        naming.change_server(session, server, form.wish(instance), person, settings_of(request))
    except FiducialError as error:
        refuse_within(request, session, "/qatrack", error)
        return _servers_page(request, session, form, error, changing=instance)
    return _said(f"{instance} is changed. Test it, then read it.")


@router.post("/qatrack/{instance}/test", status_code=303)
def try_server(instance: str, person: CurrentPerson, session: WriteSession) -> RedirectResponse:
    """Let a worker try whether a server answers and the token reads."""
    _require_administrator(person)
    server = naming.find_server(session, instance)
    job = naming.ask_to_read(session, server, person, test=True)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.post("/qatrack/{instance}/read", status_code=303)
def read_server(instance: str, person: CurrentPerson, session: WriteSession) -> RedirectResponse:
    """Let a worker read a server now."""
    _require_administrator(person)
    job = naming.ask_to_read(session, naming.find_server(session, instance), person)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.post("/qatrack/{instance}/retire", status_code=303)
def retire_server(
    request: Request, instance: str, person: CurrentPerson, session: WriteSession
) -> RedirectResponse:
    """Read a server no more and forget its token; what was read stays."""
    _require_administrator(person)
    server = naming.find_server(session, instance)
    naming.retire_server(session, server, person, settings_of(request))
    return _said(f"{instance} is read no more and its token is forgotten.")


@router.get("/p/{project}/map/qatrack/{uid}")
def offer_tests(
    *,
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    uid: str,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Offer what the servers have, for a QA procedure, a connection or a pathway."""
    record = _linkable(session, project, uid)
    choice = linking.Choice(expected=_token_of(session, record))
    return _choosing_page(request, session, project, record, view, choice)


@router.post("/p/{project}/map/qatrack/{uid}", status_code=303)
def link_test(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    view: Annotated[View, Query()],
    choice: Annotated[linking.Choice, Form()],
) -> Response:
    """Link the chosen test; a new draft says so, and a new procedure where there was none."""
    require(project, person, *get_registry().of(queries.PROCEDURE).authors)
    record = _linkable(session, project, uid)
    try:
        procedure = linking.choose(session, project, record, choice, by=person)
    except FiducialError as error:
        refuse_within(request, session, uid, error)
        record = _linkable(session, project, uid)
        return _choosing_page(request, session, project, record, view, choice, error)
    response = RedirectResponse(f"/p/{project.key}/{procedure.uid}", status_code=303)
    controls = f" and controls {uid}" if procedure.uid != uid else ""
    say(
        response,
        f"{procedure.uid} is kept in QATrack+{controls}; that is a draft. Submit it for review.",
    )
    return response


@router.post("/p/{project}/map/qatrack/{uid}/read", status_code=303)
def read_again(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    choosing: bool = False,
) -> RedirectResponse:
    """Let a worker read the servers now, so that a page is of today; the job leads back to it."""
    require(project, person, *MAY_READ_AGAIN)
    record = _linkable(session, project, uid)
    back = f"/p/{project.key}/{'map/qatrack/' if choosing else ''}{record.uid}"
    jobs = [
        naming.ask_to_read(session, server, person, project_id=project.id, back=back)
        for server in naming.servers(session)
    ]
    if not jobs:
        raise NotFound("No QATrack+ server is named here; an administrator names one.")
    return _to_job(jobs[0], person, back)


def _to_job(job: Job, person: Actor, back: str) -> RedirectResponse:
    """Lead to a job, or back where somebody else has asked for it already."""
    if may_see(person, job):
        return RedirectResponse(f"/jobs/{job.id}", status_code=303)
    response = RedirectResponse(back, status_code=303)
    say(response, "The server is being read already; look again in a minute.")
    return response


def _require_administrator(person: Actor) -> None:
    if not person.is_administrator:
        raise Refused(f"{person.name} may not do this; that needs administrator.")


def _said(sentence: str) -> RedirectResponse:
    response = RedirectResponse("/qatrack", status_code=303)
    say(response, sentence)
    return response


def _linkable(session: Session, project: Project, uid: str) -> Record:
    record = records.find_record(session, project, uid)
    if record.type != queries.PROCEDURE and record.type not in linking.ROLES:
        raise NotFound(f"No test of QATrack+ is chosen for {uid}; it is a {record.type}.")
    return record


def _token_of(session: Session, record: Record) -> str:
    return records.edit_token(records.latest_revision(session, record))


def _servers_page(
    request: Request,
    session: Session,
    form: ServerForm | None = None,
    error: FiducialError | None = None,
    changing: str = "",
) -> HTMLResponse:
    settings: Settings = settings_of(request)

    def told(server: QatrackServer) -> dict[str, object]:
        return {
            "server": server,
            "has_token": tokens.is_kept(settings.data_dir, server.id or 0),
            "readings": queries.latest_readings(session, server, READINGS),
        }

    return page(
        request,
        "dataflows/qatrack/servers.html",
        status=status_of(error) if error else 200,
        servers=[told(one) for one in naming.servers(session, retired=True)],
        allowed=settings.qatrack_servers,
        form=form or ServerForm(),
        changing=changing,
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
        workers=workers_seen(session),
    )


def _choosing_page(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    view: View,
    choice: linking.Choice,
    error: FiducialError | None = None,
) -> HTMLResponse:
    found = linking.lines(session, view.kind, view.q)
    begin = (view.page - 1) * PAGE_SIZE
    query = urlencode({"q": view.q, "kind": view.kind})
    return page(
        request,
        "dataflows/qatrack/choose.html",
        status=status_of(error) if error else 200,
        project=project,
        nav=NAV,
        record_uid=record.uid,
        record_title=records.read_content(session, record).title,
        is_procedure=record.type == queries.PROCEDURE,
        role=linking.ROLES.get(record.type, ""),
        view=view,
        kinds=[(kind.value, word) for kind, word in WORDS.items()],
        lines=found[begin : begin + PAGE_SIZE],
        total=len(found),
        page=view.page,
        page_size=PAGE_SIZE,
        here=f"/p/{project.key}/map/qatrack/{record.uid}",
        page_address=f"?{query}&page=",
        servers=[one.name for one in naming.servers(session)],
        frequencies=get_registry().of(queries.PROCEDURE).fields["frequency"].choices,
        choice=choice,
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
    )
