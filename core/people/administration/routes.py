"""Accounts and roles, for who administers the installation."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import FiducialError, Invalid, NotFound, Refused
from core.people import accounts, service, tokens
from core.people.actor import ADMINISTRATOR, Actor
from core.people.models import Person, RoleGrant
from core.people.passwords import choose
from core.people.roles import known_roles
from core.records.models import Project
from core.records.service import find_project
from core.web import CurrentPerson, NumberInPath, ReadSession, WriteSession, page, say
from core.web.answers import NEEDS_ROLE
from core.web.proving import let_go
from core.web.refusals import refuse_within

router = APIRouter(prefix="/people", tags=["people"])


class AccountForm(BaseModel):
    """A new account."""

    username: str = Field(default="", max_length=200)
    uid: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=200)
    password: str = Field(default="", max_length=1000)


@router.get("", responses=NEEDS_ROLE)
def show_people(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """List every account with its roles."""
    return _people_page(request, person, session)


@router.post("", status_code=303)
def create_account(
    request: Request,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[AccountForm, Form()],
) -> Response:
    """Create an account; what is wrong with it comes back beside what was typed."""
    _require_administrator(person)
    let_go(session)
    chosen = choose(form.password)
    try:
        service.create_person(
            session, form.username, form.uid, form.name, chosen, person, given=True
        )
    except FiducialError as error:
        refuse_within(request, session, form.uid or "/people", error)
        return _people_page(request, person, session, form, error)
    response = RedirectResponse("/people", status_code=303)
    say(response, f"{form.name} has an account now. Grant roles, or there is nothing to see yet.")
    return response


@router.post("/{uid}/roles", status_code=303)
def grant_role(
    uid: str,
    person: CurrentPerson,
    session: WriteSession,
    role: Annotated[str, Form(max_length=60)],
    project: Annotated[str, Form(max_length=60)] = "",
) -> RedirectResponse:
    """Grant one role, in one project or everywhere."""
    _require_administrator(person)
    someone = _person(session, uid)
    service.grant(session, someone, [role], person, _project_id(session, project))
    return RedirectResponse("/people", status_code=303)


@router.post("/{uid}/roles/revoke", status_code=303)
def revoke_role(
    uid: str,
    person: CurrentPerson,
    session: WriteSession,
    role: Annotated[str, Form(max_length=60)],
    project: Annotated[str, Form(max_length=60)] = "",
) -> RedirectResponse:
    """End one role."""
    _require_administrator(person)
    where = _project_id(session, project)
    if role == ADMINISTRATOR and where is None and uid == person.uid:
        raise Refused("You cannot take the role of administrator from yourself; ask another one.")
    service.revoke(session, _person(session, uid), role, person, where)
    return RedirectResponse("/people", status_code=303)


@router.get("/{uid}", responses=NEEDS_ROLE)
def show_person(
    request: Request, uid: str, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """Show one account, with the forms that give a password and close it."""
    _require_administrator(person)
    return _account_page(request, session, _person(session, uid))


@router.post("/{uid}/password", status_code=303)
def give_password(
    request: Request,
    uid: str,
    person: CurrentPerson,
    session: WriteSession,
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Give somebody a password to sign in with."""
    _require_administrator(person)
    let_go(session)
    chosen = choose(password)
    someone = _person(session, uid)
    try:
        accounts.give_password(session, someone, chosen, person)
    except Invalid as error:
        refuse_within(request, session, uid, error)
        return _account_page(request, session, someone, error)
    response = RedirectResponse(f"/people/{uid}", status_code=303)
    say(response, f"{someone.name} signs in with it, and chooses another before signing anything.")
    return response


@router.post("/{uid}/close", status_code=303)
def close_account(uid: str, person: CurrentPerson, session: WriteSession) -> RedirectResponse:
    """End an account."""
    _require_administrator(person)
    accounts.close_account(session, _person(session, uid), person)
    return RedirectResponse(f"/people/{uid}", status_code=303)


@router.post("/{uid}/open", status_code=303)
def open_account(uid: str, person: CurrentPerson, session: WriteSession) -> RedirectResponse:
    """Open an account again."""
    _require_administrator(person)
    accounts.open_account(session, _person(session, uid), person)
    return RedirectResponse(f"/people/{uid}", status_code=303)


@router.post("/{uid}/tokens/{token_id}/revoke", status_code=303)
def revoke_token(
    uid: str, token_id: NumberInPath, person: CurrentPerson, session: WriteSession
) -> RedirectResponse:
    """End a token of somebody's program."""
    _require_administrator(person)
    tokens.revoke_token(session, _person(session, uid), token_id, person)
    return RedirectResponse(f"/people/{uid}", status_code=303)


def _account_page(
    request: Request, session: Session, someone: Person, error: Invalid | None = None
) -> HTMLResponse:
    return page(
        request,
        "people/person.html",
        status=422 if error else 200,
        someone=someone,
        held=[(one, tokens.is_live(one)) for one in tokens.tokens_of(session, someone.id or 0)],
        scope_of=tokens.scope_of,
        faults=error.faults if error else (),
    )


def _require_administrator(person: Actor) -> None:
    if not person.is_administrator:
        raise Refused(f"{person.name} may not look after accounts; that needs an administrator.")


def _person(session: Session, uid: str) -> Person:
    query = select(Person).where(col(Person.uid) == uid)
    found: Person | None = session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no account {uid[:80]}.")
    return found


def _project_id(session: Session, key: str) -> int | None:
    if not key:
        return None
    return find_project(session, key).id


def _people_page(
    request: Request,
    person: Actor,
    session: Session,
    form: AccountForm | None = None,
    error: FiducialError | None = None,
) -> HTMLResponse:
    _require_administrator(person)
    projects = {
        one.id: one for one in session.execute(select(Project).order_by(col(Project.key))).scalars()
    }
    grants: dict[int, list[tuple[str, str]]] = {}
    for one in session.execute(
        select(RoleGrant).where(col(RoleGrant.revoked_at).is_(None)).order_by(col(RoleGrant.role))
    ).scalars():
        key = projects[one.project_id].key if one.project_id else ""
        grants.setdefault(one.person_id, []).append((key, one.role))
    faults = error.faults if isinstance(error, Invalid) else ()
    return page(
        request,
        "people/people.html",
        status=422 if faults else 409 if error else 200,
        accounts=[(one, sorted(grants.get(one.id or 0, []))) for one in service.people(session)],
        every_project=list(projects.values()),
        roles=known_roles(),
        form=form or AccountForm(),
        faults=faults,
        problem=error.message if error else "",
    )
