"""The page of everything that needs re-review: filter it, read it, re-review many at once."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError
from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.rereviewing.listing import Line, Wanted, choices_of, lines_of, sheet
from core.records.rereviewing.service import MOST_AT_ONCE, review_many
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    readable_projects,
    say,
)
from core.web.downloads import exported
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/p/{project_key}/re-review")

PAGE_SIZE = 50
"""Half of what one batch takes; each line shows a difference that is read."""


class View(BaseModel):
    """What of the list is shown; the form that is sent keeps it."""

    cause: str = Field(default="", max_length=300)
    type: str = Field(default="", max_length=100)
    role: str = Field(default="", max_length=100)
    page: int = Field(default=1, ge=1, le=1_000_000)

    @property
    def wanted(self) -> Wanted:
        """The filter in force."""
        return Wanted(self.cause, self.type, self.role)

    def query(self, **changes: Any) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump(exclude_defaults=True) | changes
        return urlencode({name: value for name, value in asked.items() if value})


class BatchForm(BaseModel):
    """What is ticked, and why it still holds.

    `act` is "review"; "tick" and "untick" only draw the page anew, for whoever has no scripts.
    """

    chosen: list[str] = Field(default=[], max_length=1_000)
    reason: str = Field(default="", max_length=10_000)
    act: str = Field(default="review", max_length=20)


@router.get("")
def show_doubts(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """List what needs re-review in a project, with what changed."""
    return _page(request, session, project, person, view, BatchForm())


@router.post("", status_code=303)
def review_chosen(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view: Annotated[View, Query()],
    form: Annotated[BatchForm, Form()],
) -> Response:
    """Say that everything ticked still holds, or nothing where one of it is refused."""
    if form.act in ("tick", "untick"):
        return _page(request, session, project, person, view, form)
    key = project.key
    try:
        done = review_many(
            session, project, person, form.reason, form.chosen, _readable(session, person)
        )
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _page(request, session, project, person, view, form, error)
    response = RedirectResponse(f"/p/{key}/re-review?{view.query(page='')}", status_code=303)
    say(response, _said(done))
    return response


@router.get("/export/{format_name}")
def export_doubts(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return every line of the filter in force, in one of the export formats."""
    shown = [
        line
        for line in lines_of(session, project, person, _readable(session, person))
        if view.wanted.takes(line)
    ]
    return exported(sheet(project, shown, view.wanted), format_name, f"{project.key}-re-review")


def _readable(session: Session, person: Actor) -> list[str]:
    return [one.key for one in readable_projects(session, person)]


def _said(done: Sequence[Line]) -> str:
    uids = list(dict.fromkeys(line.record.uid for line in done))
    links = "1 link" if len(done) == 1 else f"{len(done)} links"
    named = f" of {', '.join(uids)}" if len(uids) < 20 else f" of {len(uids)} records"
    return f"Re-reviewed {links}{named}."


def _page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    view: View,
    form: BatchForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    everything = lines_of(session, project, person, _readable(session, person))
    matching = [line for line in everything if view.wanted.takes(line)]
    # A page that the last batch emptied shows the one before it.
    pages = max(1, -(-len(matching) // PAGE_SIZE))
    view = view.model_copy(update={"page": min(view.page, pages)})
    first = (view.page - 1) * PAGE_SIZE
    shown = matching[first : first + PAGE_SIZE]
    here = {line.choice for line in shown if line.may_tick}
    ticked = set(form.chosen) - (here if form.act == "untick" else set())
    ticked |= here if form.act == "tick" else set()
    address = f"/p/{project.key}/re-review"
    return page(
        request,
        "records/re_review.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        lines=shown,
        ticked=ticked,
        # A batch that was refused may have moved to another page: it goes on being sent.
        elsewhere=[line for line in everything if line.choice in ticked - here],
        records=len({line.record.key for line in everything}),
        total=len(matching),
        everything=len(everything),
        page_size=PAGE_SIZE,
        most=MOST_AT_ONCE,
        view=view,
        choices=choices_of(everything, project),
        address=address,
        here=f"{address}?{view.query()}",
        page_address=f"{address}?{view.query(page='')}&page=",
        exports=[
            (name.upper(), f"{address}/export/{name}?{view.query(page='')}")
            for name in forms_for(len(matching))
        ],
        reason=form.reason,
        problem=error.message if error else "",
        faults=getattr(error, "faults", ()),
    )
