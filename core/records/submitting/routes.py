"""Hand several of one's own drafts to review at once, with one password."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, FiducialError, Invalid
from core.people.actor import Actor
from core.records import approval, service
from core.records.models import Project
from core.records.types import get_registry
from core.records.waiting import submittable
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, say
from core.web.answers import ASKS_PASSWORD
from core.web.proving import prove
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/p/{project_key}")

MOST_LISTED = 200
"""Drafts on the page; what each lacks is looked up, and nobody reads more at one sitting."""

MOST_NAMED = 5
"""Records that the sentence about them names."""


class DraftsView(BaseModel):
    """Which drafts are listed, and whether those that lack nothing are ticked already."""

    type: str = Field(default="", max_length=60)
    ticked: bool = False


class DraftsForm(BaseModel):
    """Several drafts to submit; each as "uid/token"."""

    chosen: list[str] = Field(default=[], max_length=1_000)
    password: str = Field(default="", max_length=1_000)
    reason: str = Field(default="", max_length=10_000)


@router.get("/submit")
def show_drafts(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[DraftsView, Query()],
) -> HTMLResponse:
    """List the drafts that this person may submit in the project, and what each still lacks."""
    return _drafts_page(request, session, project, person, view, DraftsForm())


@router.post("/submit", status_code=303, responses=ASKS_PASSWORD)
def submit_many(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view: Annotated[DraftsView, Query()],
    form: Annotated[DraftsForm, Form()],
) -> Response:
    """Submit every draft that was chosen, or none where one of them is refused."""
    key = project.key
    try:
        told = _submit_all(request, session, project, person, form)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _drafts_page(request, session, project, person, view, form, error)
    response = RedirectResponse(f"/p/{key}/submit", status_code=303)
    say(response, told)
    return response


def _submit_all(
    request: Request, session: Session, project: Project, person: Actor, form: DraftsForm
) -> str:
    if not form.chosen:
        fault = Fault("none", "drafts", "Nothing is ticked.", "Tick what is ready.")
        raise Invalid("Nothing was submitted.", [fault])
    proof = prove(request, session, person, form.password)
    faults: list[Fault] = []
    uids: list[str] = []
    waits = False
    for one in form.chosen:
        uid, _, token = one.partition("/")
        record = service.find_record(session, project, uid)
        try:
            revision = approval.submit(session, record, person, proof, token, form.reason)
        except Invalid as refused:
            faults += refused.faults
            continue
        uids.append(uid)
        waits = waits or revision.state == "in_review"
    if faults:
        raise Invalid("Nothing of this list was submitted.", faults)
    many = f"{', '.join(uids)} {'is' if len(uids) == 1 else 'are'}"
    if len(uids) > MOST_NAMED:
        many = f"{len(uids)} drafts, {uids[0]} to {uids[-1]}, are"
    follows = "in review; who reviews and approves them finds them on their home page"
    return f"{many} {follows if waits else 'in force'}."


def _drafts_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    view: DraftsView,
    form: DraftsForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    found, total = submittable(session, person, project, MOST_LISTED, view.type)
    return page(
        request,
        "records/submit.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        view=view,
        type_label=_label(view.type),
        drafts=found,
        total=total,
        ready=sum(not one.lacks for one in found),
        form=form,
        problem=error.message if error else "",
        faults=_faults(error),
    )


def _faults(error: FiducialError | None) -> Sequence[Fault]:
    return error.faults if isinstance(error, Invalid) else ()


def _label(record_type: str) -> str:
    registry = get_registry()
    return next((one.label for one in registry.all() if one.name == record_type), "")
