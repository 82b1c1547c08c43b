"""The views of the matrix that people keep: list, open, keep, rename, replace, delete."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Conflict, FiducialError
from core.people.actor import Actor
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
from qms.traceability.asking import Choice, View
from qms.traceability.views import service
from qms.traceability.views.models import SavedView

router = APIRouter(prefix="/p/{project}/trace/views", tags=["traceability"])


class NameForm(BaseModel):
    """What the forms of a view send; `newest` follows the newest release instead of one."""

    name: str = Field(default="", max_length=1_000)
    shared: bool = False
    newest: bool = False


class DefaultForm(BaseModel):
    """Whether the matrix is to open with the view."""

    wanted: bool = False


@router.get("")
def show_views(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """List the views of a project, with the form that keeps what the matrix shows."""
    return _page(request, session, project, person, view)


@router.post("", status_code=303)
def keep_view(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view: Annotated[View, Query()],
    form: Annotated[NameForm, Form()],
) -> Response:
    """Keep what the matrix shows under a name."""

    def perform() -> tuple[SavedView, str]:
        choice = _followed(view.choice, form)
        kept = service.keep_view(session, project, person, form.name, choice, shared=form.shared)
        return kept, f"The view {kept.name} is kept."

    return _act(request, session, project, person, view, form, perform)


@router.get("/{view_id}")
def open_view(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view_id: NumberInPath,
) -> Response:
    """Lead to what a view shows; one that names what no longer exists says so instead."""
    kept = service.find_view(session, project, person, view_id)
    choice = Choice(**kept.query)
    faults = service.faults_of(choice, service.releases_by_name(session, project))
    if faults:
        gone = Conflict(f"The view {kept.name} can no longer be shown.")
        return _page(request, session, project, person, View(), error=gone, broken=tuple(faults))
    query = View(**choice.model_dump(), saved=view_id).query(page="")
    return RedirectResponse(f"/p/{project.key}/trace?{query}", status_code=303)


@router.post("/{view_id}/rename", status_code=303)
def rename_view(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view_id: NumberInPath,
    form: Annotated[NameForm, Form()],
) -> Response:
    """Give a view of one's own another name, share it, or take it back."""

    def perform() -> tuple[SavedView, str]:
        kept = service.rename_view(session, project, person, view_id, form.name, shared=form.shared)
        told = "shared with the project" if kept.shared else "your own"
        return kept, f"The view is called {kept.name} and is {told}."

    return _act(request, session, project, person, View(), form, perform, renamed=view_id)


@router.post("/{view_id}/replace", status_code=303)
def replace_view(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view_id: NumberInPath,
    view: Annotated[View, Query()],
    form: Annotated[NameForm, Form()],
) -> Response:
    """Let a view of one's own show what the matrix shows now."""

    def perform() -> tuple[SavedView, str]:
        choice = _followed(view.choice, form)
        kept = service.replace_view(session, project, person, view_id, choice)
        return kept, f"The view {kept.name} shows this from now on."

    return _act(request, session, project, person, view, NameForm(), perform)


@router.post("/{view_id}/delete", status_code=303)
def delete_view(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, view_id: NumberInPath
) -> RedirectResponse:
    """Delete a view: one's own, or as quality manager a shared one."""
    address = f"/p/{project.key}/trace/views"
    name = service.delete_view(session, project, person, view_id)
    response = RedirectResponse(address, status_code=303)
    say(response, f"The view {name} is deleted.")
    return response


@router.post("/{view_id}/default", status_code=303)
def open_by_default(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view_id: NumberInPath,
    form: Annotated[DefaultForm, Form()],
) -> RedirectResponse:
    """Let the matrix open with a view for this person, or as usual again."""
    address = f"/p/{project.key}/trace/views"
    kept = service.open_by_default(session, project, person, view_id, wanted=form.wanted)
    response = RedirectResponse(address, status_code=303)
    how = f"with {kept.name}" if form.wanted else "as usual"
    say(response, f"The matrix of {project.key} opens {how} for you.")
    return response


def _followed(choice: Choice, form: NameForm) -> Choice:
    """Return what is kept: the newest release at every opening, or the one that is shown."""
    return choice.model_copy(update={"release": ""}) if form.newest else choice


def _act(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    view: View,
    form: NameForm,
    perform: Callable[[], tuple[SavedView, str]],
    renamed: int = 0,
) -> Response:
    """Do one thing to a view and open it; a refusal is told on the page, with what was typed."""
    address = f"/p/{project.key}/trace/views"
    try:
        kept, sentence = perform()
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _page(request, session, project, person, view, form, error, renamed=renamed)
    # Where it is renamed the list says so; a view that was kept or replaced is looked at.
    response = RedirectResponse(address if renamed else f"{address}/{kept.id}", status_code=303)
    say(response, sentence)
    return response


def _page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    view: View,
    form: NameForm | None = None,
    error: FiducialError | None = None,
    *,
    renamed: int = 0,
    broken: tuple[object, ...] = (),
) -> HTMLResponse:
    releases = service.releases_by_name(session, project)
    return page(
        request,
        "qms/traceability/views.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Trace",
        views=service.kept_views(session, project, person),
        shown=service.in_words(view.choice, releases),
        names_release=view.release in releases,
        query=view.query(page="", saved=""),
        form=form or NameForm(),
        renamed=renamed,
        may_share=service.may_share(project, person),
        problem=error.message if error else "",
        faults=broken or getattr(error, "faults", ()),
    )
