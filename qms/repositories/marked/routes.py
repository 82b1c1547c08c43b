"""The page of one link between a record and marked lines, and accepting what changed there."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.models import Project
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    require,
)
from core.web.transaction import settings_of
from qms.repositories import lines
from qms.repositories.markers import lines_of
from qms.repositories.service import mirror_of
from qms.repositories.sources import LARGEST_FILE

router = APIRouter(prefix="/lines")

MOST_LINES = 2_000
"""Marked lines that the page shows; the file's own page has the rest."""


class Acceptance(BaseModel):
    """The form that says that lines still serve a record, as they were read."""

    digest: str = Field(max_length=64)
    reason: str = Field(default="", max_length=10_000)


@router.get("/{link}")
def show_lines(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    link: NumberInPath,
) -> HTMLResponse:
    """Show marked lines, what changed in them, and who may say that they still hold."""
    return _page(request, project, person, session, link)


@router.post("/{link}/acceptance", status_code=303)
def accept_lines(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    link: NumberInPath,
    form: Annotated[Acceptance, Form()],
) -> Response:
    """Keep that the lines still serve the record; without a reason the form comes back."""
    shown = lines.find_lines(session, project, link)
    require(project, person, *lines.roles_of(session, shown))
    try:
        lines.accept(session, project, link, form.digest, form.reason, person)
    except Invalid as refusal:
        return _page(
            request, project, person, session, link, reason=form.reason, faults=refusal.faults
        )
    return RedirectResponse(f"/p/{project.key}/{shown.uid}", status_code=303)


def _page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    link: int,
    *,
    reason: str = "",
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    shown = lines.find_lines(session, project, link)
    one = shown.link
    mirror = mirror_of(settings_of(request), one.repository_id)
    content = mirror.read(one.commit, one.path, LARGEST_FILE) if mirror.holds(one.commit) else None
    told = lines_of(content or b"")[one.first - 1 : one.last]
    roles = lines.roles_of(session, shown)
    return page(
        request,
        "qms/repositories/lines.html",
        status=422 if faults else 200,
        project=project,
        nav="Trace",
        shown=shown,
        lines=list(enumerate(told[:MOST_LINES], start=one.first)),
        may_accept=person.has(project.id or 0, *roles),
        roles=roles,
        reason=reason,
        faults=faults,
    )
