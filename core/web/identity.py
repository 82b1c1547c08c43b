"""Who sends a request: the cookie's session, once per request, kept for the page's frame."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.people.service import SignedIn, find_session, touch_session
from core.records.models import Project
from core.web.transaction import RequestSession, database_of, is_safe, settings_of

COOKIE = "fiducial_session"


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
    request.state.actor = found.actor
    request.state.csrf = found.csrf
    request.state.projects = [name_of(one) for one in readable_projects(session, found.actor)]
    return found


Visitor = Annotated[SignedIn | None, Depends(_find, scope="function")]
"""Who is signed in, or None."""
