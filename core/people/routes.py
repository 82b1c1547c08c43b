"""Signing in and out, one's own account, and the accounts and projects of an installation."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Conflict, FiducialError, Invalid, Refused, TooManyAttempts, Unauthenticated
from core.people import accounts, proving, service
from core.people.actor import Actor
from core.people.attempts import first_turned_away
from core.people.models import Person
from core.people.passwords import choose
from core.records.models import Project
from core.records.service import create_project
from core.web import CurrentPerson, ReadSession, WriteSession, page, say
from core.web.access import COOKIE
from core.web.answers import ASKS_PASSWORD, NEEDS_ROLE
from core.web.forgery import STALE, refuse_other_sites, same
from core.web.identity import Visitor, readable_projects
from core.web.proving import check
from core.web.refusals import address_of, record_refusal, refuse_within, status_of
from core.web.transaction import database_of, settings_of

router = APIRouter(tags=["people"])

BEFORE = "fiducial_before"
"""The cookie that ties the sign-in form to the browser before there is a session."""

FOUNDER_ROLES = ("author", "quality_manager")
"""What the founder of a project may do there at first; an administrator grants the rest."""


class SignInForm(BaseModel):
    """What the sign-in page posts."""

    username: str = Field(default="", max_length=200)
    password: str = Field(default="", max_length=1000)
    next: str = Field(default="/", max_length=2000)
    before: str = Field(default="", max_length=200)


class ProjectForm(BaseModel):
    """A new project."""

    key: str = Field(default="", max_length=200)
    title: str = Field(default="", max_length=200)


@router.get(
    "/sign-in",
    responses={
        303: {"description": "Somebody is signed in already."},
        401: {"description": "A token opens no page."},
    },
)
def show_sign_in(
    request: Request,
    session: ReadSession,
    visitor: Visitor,
    next: str = "/",  # noqa: A002 - the word in the address
) -> Response:
    """Ask who is there; whoever is signed in already goes on."""
    if visitor is not None:
        return RedirectResponse(_own_address(next), status_code=303)
    return _sign_in_page(request, session, SignInForm(next=_own_address(next)), "", 200)


@router.post("/sign-in", status_code=303, responses=ASKS_PASSWORD)
def sign_in(request: Request, form: Annotated[SignInForm, Form()]) -> Response:
    """Open a session, or say once more what is asked for."""
    # No transaction of the request: a password is looked at while nobody waits for it.
    settings, database = settings_of(request), database_of(request)
    address = address_of(request)
    try:
        _refuse_foreign_form(request, form)
        token, _ = proving.sign_in(database, form.username, form.password, address, settings)
    except (Unauthenticated, TooManyAttempts, Refused) as error:
        if isinstance(error, TooManyAttempts) and first_turned_away(database, address, settings):
            record_refusal(database, None, None, "/sign-in", error)
        with database.reading() as session:
            answer = _sign_in_page(request, session, form, error.message, status_of(error))
        if isinstance(error, TooManyAttempts):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    response = RedirectResponse(_own_address(form.next), status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(settings.session_hours * 3600),
        httponly=True,
        samesite="lax",
        secure=settings.https,
    )
    response.delete_cookie(BEFORE)
    return response


def _refuse_foreign_form(request: Request, form: SignInForm) -> None:
    refuse_other_sites(request)
    if not same(form.before, request.cookies.get(BEFORE, "")):
        raise Refused(STALE)


def _sign_in_page(
    request: Request, session: Session, form: SignInForm, problem: str, status: int
) -> HTMLResponse:
    before = secrets.token_urlsafe(24)
    demonstration = session.execute(
        select(col(Project.id)).where(col(Project.demonstration).is_(True)).limit(1)
    ).first()
    response = page(
        request,
        "people/sign_in.html",
        status=status,
        form=form,
        problem=problem,
        before=before,
        demonstration=demonstration is not None,
    )
    response.set_cookie(
        BEFORE, before, httponly=True, samesite="strict", secure=settings_of(request).https
    )
    return response


def _own_address(wanted: str) -> str:
    """Return an address of ours, so that signing in leads nobody to another site."""
    own = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/sign-"))
    return wanted if own and wanted.isprintable() and "\\" not in wanted else "/"


@router.post("/sign-out", status_code=303)
def sign_out(request: Request, person: CurrentPerson, session: WriteSession) -> RedirectResponse:
    """End the session."""
    service.sign_out(session, request.cookies[COOKIE], person)
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE)
    return response


@router.get("/account")
def show_account(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """Show one's own roles, and the form that changes the password."""
    return _account_page(request, person, session, 200)


@router.post("/account/password", status_code=303)
def change_password(
    request: Request,
    person: CurrentPerson,
    session: WriteSession,
    current: Annotated[str, Form(max_length=1000)] = "",
    wanted: Annotated[str, Form(max_length=1000)] = "",
    again: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Change the password; every session of the account ends and the person signs in anew."""
    if wanted != again:
        error = Invalid("The two new passwords differ. Nothing was changed.")
        return _account_page(request, person, session, 422, error)
    try:
        checked = check(request, session, person, current)
        chosen = choose(wanted)
        accounts.change_password(session, person, checked, chosen, repeated=wanted == current)
    except (Invalid, Unauthenticated, TooManyAttempts, Conflict) as refusal:
        refuse_within(request, session, person.uid, refusal)
        status = 401 if isinstance(refusal, TooManyAttempts) else status_of(refusal)
        return _account_page(request, person, session, status, refusal)
    response = RedirectResponse("/sign-in", status_code=303)
    say(response, "Your password is changed. Sign in with the new one.")
    response.delete_cookie(COOKIE)
    return response


def _account_page(
    request: Request,
    person: Actor,
    session: Session,
    status: int,
    error: FiducialError | None = None,
) -> HTMLResponse:
    titles = {project.id: project for project in readable_projects(session, person)}
    return page(
        request,
        "people/account.html",
        status=status,
        given=session.get_one(Person, person.person_id).password_given_at is not None,
        held=[
            (titles.get(project_id) if project_id else None, sorted(roles))
            for project_id, roles in person.roles.items()
            if roles
        ],
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) else (),
    )


@router.get("/projects")
def show_projects(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """List the projects that a person may read."""
    return page(
        request,
        "people/projects.html",
        readable=readable_projects(session, person),
        may_begin=person.may_begin_projects,
    )


@router.get("/projects/new", responses=NEEDS_ROLE)
def show_new_project(request: Request, person: CurrentPerson) -> HTMLResponse:
    """Show the form of a new project."""
    _require_founder(person)
    return page(request, "people/new_project.html", form=ProjectForm(), faults=(), problem="")


@router.post("/projects/new", status_code=303)
def begin_project(
    request: Request,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[ProjectForm, Form()],
) -> Response:
    """Begin a project; whoever begins it may write and approve there."""
    _require_founder(person)
    try:
        project = create_project(session, form.key.strip(), form.title, person)
    except FiducialError as error:
        refuse_within(request, session, "/projects/new", error)
        faults = error.faults if isinstance(error, Invalid) else ()
        return page(
            request,
            "people/new_project.html",
            status=422 if faults else 409,
            form=form,
            faults=faults,
            problem=error.message,
        )
    account = session.get_one(Person, person.person_id)
    service.grant(session, account, FOUNDER_ROLES, person, project.id)
    response = RedirectResponse(f"/p/{project.key}/records", status_code=303)
    say(response, f"{project.key} {project.title} has begun. You may write and approve in it.")
    return response


def _require_founder(person: Actor) -> None:
    if not person.may_begin_projects:
        raise Refused(
            f"{person.name} may not begin a project; that needs an administrator or a quality "
            "manager."
        )
