"""Who sends a request: the cookie's session, once per request, kept for the page's frame."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Refused, Unauthenticated
from core.people.actor import Actor
from core.people.attempts import begin_attempt
from core.people.service import SignedIn, find_session, touch_session
from core.people.tokens import find_bearer, touch_token
from core.records.models import Project
from core.web.receiving import is_safe
from core.web.refusals import address_of
from core.web.transaction import RequestSession, database_of, settings_of

COOKIE = "fiducial_session"

_TAKEN_AWAY = re.compile(r"^/p/.+(/export/[^/]+|/document\.pdf|/files/[^/]+|/pack)$")

STRANGE_PROGRAM = "a program"
"""The name that wrong tokens are counted under; no account can be called so."""


@dataclass(frozen=True)
class ProjectName:
    """What the frame of a page says of a project; outlives the request's transaction."""

    key: str
    title: str
    demonstration: bool
    id: int


def name_of(project: Project) -> ProjectName:
    """Return the plain values of a project."""
    return ProjectName(project.key, project.title, project.demonstration, project.id or 0)


def readable_projects(session: Session, actor: Actor) -> list[Project]:
    """Return the projects that a person may read, by key."""
    query = select(Project).order_by(col(Project.key))
    if not actor.roles.get(None):
        mine = [project_id for project_id, held in actor.roles.items() if project_id and held]
        query = query.where(col(Project.id).in_(mine))
    return list(session.execute(query).scalars())


def _find(request: Request, session: RequestSession) -> SignedIn | None:
    found = _find_program(request, session) or _find_browser(request, session)
    if found is not None:
        request.state.actor = found.actor
        request.state.csrf = found.csrf
        request.state.projects = [name_of(one) for one in readable_projects(session, found.actor)]
    return found


def _find_program(request: Request, session: Session) -> SignedIn | None:
    """Return whose token a request carries, or None where it carries none.

    Raises
    ------
    Unauthenticated, TooManyAttempts
        For a token that is not accepted; each counts like a wrong password of that address.
    Refused
        For one that may not do this.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    path = request.url.path
    if not (for_programs(path) or (is_safe(request) and gives_file(path))):
        raise Unauthenticated(
            "A token is for the addresses below /api/, for those that end in .json and, to read, "
            "for exported tables and files."
        )
    database = database_of(request)
    found = find_bearer(session, given.strip())
    if found is None or found.touch_due:
        session.rollback()  # one connection at a time, and no writer who waits for itself
    if found is None:
        settings = settings_of(request)
        begin_attempt(database, STRANGE_PROGRAM, address_of(request), settings)
        raise Unauthenticated("This token is not known here, has ended, or was revoked.")
    if found.touch_due:
        with database.writing() as apart:
            touch_token(apart, found.token_id)
    if not is_safe(request) and not found.rights:
        request.state.actor = found.actor
        raise Refused("This token reads; it was not made to write.")
    return SignedIn(found.actor, "", program=True, rights=found.rights)


def for_programs(path: str) -> bool:
    """Whether an address answers programs, and so takes a token."""
    return path.startswith("/api/") or path.endswith(".json")


def gives_file(path: str) -> bool:
    """Whether an address gives a table, a document or a file to take away."""
    return _TAKEN_AWAY.search(path) is not None


def _find_browser(request: Request, session: Session) -> SignedIn | None:
    token = request.cookies.get(COOKIE)
    found = find_session(session, token, settings_of(request)) if token else None
    if token is None or found is None:
        return None
    if not is_safe(request):
        touch_session(session, token)
    elif found.touch_due:
        # Given back first: requests that each hold one connection and wait for another never end.
        session.rollback()
        with database_of(request).writing() as apart:
            touch_session(apart, token)
    return found


Visitor = Annotated[SignedIn | None, Depends(_find, scope="function")]
"""Who is signed in, or None."""
