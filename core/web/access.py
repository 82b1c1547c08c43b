"""Who may be where: the signed-in person, and the project and record that an address names."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Path, Request
from starlette.convertors import Convertor, register_url_convertor

from core.errors import Hidden, NotFound, Refused, Unauthenticated
from core.people.actor import Actor
from core.records.models import Project, Record
from core.records.service import find_project, find_record
from core.web.forgery import OwnForm
from core.web.identity import COOKIE, ProjectName, Visitor, name_of, readable_projects
from core.web.receiving import is_safe
from core.web.transaction import RequestSession

__all__ = [
    "COOKIE",
    "CurrentPerson",
    "NumberInPath",
    "ProjectInPath",
    "ProjectName",
    "RecordInPath",
    "SignInNeeded",
    "readable_projects",
    "require",
    "signed_in",
]


class _UidConvertor(Convertor[str]):
    """A record's uid in an address: it begins with a capital, the pages' own words do not."""

    regex = "[A-Z][A-Za-z0-9._-]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("uid", _UidConvertor())


NumberInPath = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""The number of something in an address; one that no database could hold names nothing."""


class SignInNeeded(Unauthenticated):
    """Nobody is signed in; a page leads to `address` and back.

    Attributes
    ----------
    address : str
        The sign-in page, which knows where the person wanted to go.
    """

    def __init__(self, address: str) -> None:
        super().__init__("Nobody is signed in here, or the session has ended. Sign in again.")
        self.address = address


def signed_in(request: Request, visitor: Visitor, _checked: OwnForm) -> Actor:
    """Return who is signed in; `CurrentPerson` is how a route asks."""
    if visitor is not None:
        return visitor.actor
    wanted = "/"
    if is_safe(request) and "hx-request" not in request.headers:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    raise SignInNeeded(f"/sign-in?next={quote(wanted, safe='')}")


CurrentPerson = Annotated[Actor, Depends(signed_in, scope="function")]
"""The signed-in person; a page asked for by nobody leads to the sign-in page and back."""


def _project(request: Request, session: RequestSession, person: CurrentPerson) -> Project:
    key = request.path_params.get("project_key") or request.path_params.get("project", "")
    try:
        project = find_project(session, key)
    except NotFound as error:
        raise NotFound(_no_project(key)) from error
    request.state.project_id = project.id
    if not person.belongs_to(project.id or 0):
        raise Hidden(_no_project(key))
    request.state.project = name_of(project)
    return project


def _no_project(key: str) -> str:
    # One sentence for both, so that nobody learns which projects exist.
    return f"There is no project {key[:40]} that you may read."


ProjectInPath = Annotated[Project, Depends(_project, scope="function")]
"""The project that the address names, if the person may read it."""


def _record(uid: str, session: RequestSession, project: ProjectInPath) -> Record:
    return find_record(session, project, uid)


RecordInPath = Annotated[Record, Depends(_record, scope="function")]
"""The record that the address names, in a project that the person may read."""


def require(project: Project, actor: Actor, *roles: str) -> None:
    """Refuse a person who holds none of some roles in a project.

    Raises
    ------
    Refused
    """
    if not actor.has(project.id or 0, *roles):
        needed = " or ".join(role.replace("_", " ") for role in roles)
        raise Refused(f"{actor.name} may not do this in {project.key}; that needs {needed}.")
