"""The deputies of a project: who holds whose role from when to when, named and ended here."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError, Invalid
from core.people.actor import Actor
from core.people.deputies import service
from core.people.deputies.lending import today
from core.people.deputies.service import NEVER_LENT, Wish
from core.records.models import Project
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    say,
)
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/p/{project_key}/deputies", tags=["people"])

USUAL_DAYS = 13


class DeputyForm(BaseModel):
    """What the form of a new deputy posts; `held` is "uid/role" of the person deputised for."""

    held: str = Field(default="", max_length=200)
    deputy: str = Field(default="", max_length=100)
    first_day: str = Field(default="", max_length=20)
    last_day: str = Field(default="", max_length=20)
    reason: str = Field(default="", max_length=10_000)


@router.get("")
def show_deputies(
    request: Request, project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """List the deputies of a project: current, coming and past."""
    return _deputies_page(request, session, project, person)


@router.post("", status_code=303)
def name_deputy(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[DeputyForm, Form()],
) -> Response:
    """Name a deputy for one role of one person."""
    uid, _, role = form.held.partition("/")
    wish = Wish(role, uid, form.deputy, form.first_day, form.last_day, form.reason)
    try:
        row = service.name_deputy(session, project, wish, person)
        sentence = f"The deputy is named from {row.first_day} to {row.last_day}."
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _deputies_page(request, session, project, person, form, error)
    response = RedirectResponse(f"/p/{project.key}/deputies", status_code=303)
    say(response, sentence)
    return response


@router.post("/{deputyship_id}/end", status_code=303)
def end_deputy(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    deputyship_id: NumberInPath,
    reason: Annotated[str, Form(max_length=10_000)] = "",
) -> Response:
    """End a deputyship before its last day."""
    try:
        service.end_deputy(session, project, deputyship_id, person, reason)
    except Invalid as error:
        refuse_within(request, session, request.url.path, error)
        return _deputies_page(request, session, project, person, None, error)
    response = RedirectResponse(f"/p/{project.key}/deputies", status_code=303)
    say(response, "The deputy holds the role no longer.")
    return response


def _deputies_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    form: DeputyForm | None = None,
    error: FiducialError | None = None,
) -> HTMLResponse:
    begins = today()
    usual = DeputyForm(first_day=str(begins), last_day=str(begins + timedelta(days=USUAL_DAYS)))
    held = service.own_roles(session, project).values()
    lines = service.deputies_of(session, project)
    return page(
        request,
        "people/deputies.html",
        status=status_of(error) if error else 200,
        project=project,
        groups=[
            (word, [one for one in lines if one.standing == word])
            for word in ("current", "coming", "past")
        ],
        may_name=service.may_name(project, person),
        holders=[
            (f"{one.uid}/{role}", f"{one.name}, {role.replace('_', ' ')}")
            for one, roles in held
            for role in sorted(roles)
            if role not in NEVER_LENT
        ],
        people=[(one.uid, f"{one.name} ({one.uid})") for one, _ in held if one.uid != person.uid],
        form=form or usual,
        faults=error.faults if isinstance(error, Invalid) else (),
        problem=error.message if error else "",
    )
