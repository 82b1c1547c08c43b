"""Hand several of one's own drafts to review at once, with one password."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

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
from core.web.refusals import note_refusal, status_of
from core.web.transaction import database_of

router = APIRouter(prefix="/p/{project_key}")

PAGE_SIZE = 100
"""Drafts on a page; what each lacks is looked up, and nobody reads more at one sitting."""

MOST_NAMED = 5
"""Records that the sentence about them names."""


class DraftsView(BaseModel):
    """Which drafts are listed, and whether those that lack nothing are ticked already."""

    type: str = Field(default="", max_length=60)
    ticked: bool = False
    page: int = Field(default=1, ge=1, le=1_000_000)

    def query(self, **changes: Any) -> str:
        """Return this view as the end of an address, with some of it changed."""
        asked = self.model_dump(include={"type", "page"}, exclude_defaults=True) | changes
        said = urlencode({name: value for name, value in asked.items() if value})
        return f"?{said}" if said else ""


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
        session.rollback()
        note_refusal(request, error)
        # What every draft lacks is judged where no writer waits for it.
        with database_of(request).reading() as reading:
            again = service.find_project(reading, key)
            return _drafts_page(request, reading, again, person, view, form, error)
    response = RedirectResponse(f"/p/{key}/submit{view.query()}", status_code=303)
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
            faults += [_named(uid, fault) for fault in refused.faults]
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


def _named(uid: str, fault: Fault) -> Fault:
    """Return a fault under the draft that it keeps from review, also where another is to blame."""
    if fault.where == uid:
        return fault
    return replace(fault, where=uid, what=f"{fault.where}: {fault.what}")


def _drafts_page(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    view: DraftsView,
    form: DraftsForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    found = submittable(session, person, project, PAGE_SIZE, view.page, view.type)
    view = view.model_copy(update={"page": found.page})
    at, label = f"/p/{project.key}/submit", _label(view.type)
    types = [(_label(name), n, f"{at}?type={name}") for name, n in found.by_type]
    return page(
        request,
        "records/submit.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        view=view,
        here=at,
        type_label=label or "all",
        type_filters=[("all", sum(n for _, n in found.by_type), at), *types],
        drafts=[
            (one, [_named(one.draft.key.uid, fault) for fault in one.lacks]) for one in found.drafts
        ],
        total=found.total,
        page_size=PAGE_SIZE,
        page_address=f"{at}{view.query(page='') or '?'}{'&' if view.type else ''}page=",
        ready=sum(not one.lacks for one in found.drafts),
        form=form,
        problem=error.message if error else "",
        faults=_faults(error),
    )


def _faults(error: FiducialError | None) -> Sequence[Fault]:
    return error.faults if isinstance(error, Invalid) else ()


def _label(record_type: str) -> str:
    registry = get_registry()
    return next((one.label for one in registry.all() if one.name == record_type), "")
