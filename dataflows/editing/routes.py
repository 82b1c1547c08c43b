"""Describe the map over HTTP: add, connect, paste, confirm, and put steps in order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError, Invalid, NotFound
from core.records import service as records
from core.records.models import Project, Record
from core.records.types import get_registry
from core.records.writers import require_author
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, require, say
from core.web.answers import NEEDS_ROLE
from core.web.receiving import SentFields
from core.web.refusals import refuse_within, status_of
from dataflows.editing import confirming, quick, stepping
from dataflows.frame import NAV
from dataflows.inventory import Step
from dataflows.tones import CATEGORY_TONES

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

MOST_OFFERED = 2_000
"""Systems that an input offers while one types; any other one can be typed too."""

WORDS: Mapping[str, str] = {
    "source": "From", "target": "To", "category": "Category", "data_types": "Data types",
    "protocol": "Protocol", "trigger": "Started by", "responsible": "Responsible group",
    "surveyed_from": "Surveyed from", "name": "Name", "uid": "Id", "kind": "Kind",
    "owner": "Responsible group", "criticality": "Criticality", "part_of": "Part of",
    "product": "Product", "version": "Version in use", "reason": "Reason", "group": "Group",
}  # fmt: skip
"""What the fields are called, by their names."""

ANCHORS: Mapping[str, str] = {name: name for name in WORDS}


class Ends(BaseModel):
    """What the address that leads to a form fills in."""

    source: str = Field(default="", max_length=80)
    target: str = Field(default="", max_length=80)
    part_of: str = Field(default="", max_length=80)


class ConfirmForm(BaseModel):
    """For which group somebody confirms, from what, and what they read."""

    group: str = Field(default="", max_length=500)
    confirmed_from: str = Field(default="", max_length=40)
    expected: str = Field(default="", max_length=200)


OWN_FORM: dict[str, Any] = {
    "requestBody": {
        "description": "The table, its corrections and the button that was pressed.",
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}}
            }
        },
    }
}


@router.get("/add-system", responses=NEEDS_ROLE)
def show_add_system(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    given: Annotated[Ends, Query()],
) -> HTMLResponse:
    """Show the short form of a system."""
    require_author(get_registry().of(quick.SYSTEM), project, person)
    return _system_page(request, session, project, quick.SystemForm(part_of=given.part_of))


@router.post("/add-system", status_code=303)
def add_system(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[quick.SystemForm, Form()],
) -> Response:
    """Add a system; what is wrong comes back beside what was typed."""
    try:
        record = quick.add_system(session, project, form, person)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _system_page(request, session, project, form, error)
    said = f"{record.uid} is added as a draft. Connect it, or complete it."
    return _to(project, record.uid, said)


@router.get("/connect", responses=NEEDS_ROLE)
def show_connect(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    given: Annotated[Ends, Query()],
) -> HTMLResponse:
    """Show the short form of a connection, with the ends that the address names."""
    require_author(get_registry().of(quick.CONNECTION), project, person)
    responsible = quick.owner_of(session, project, given.source) if given.source else ""
    form = quick.ConnectionForm(source=given.source, target=given.target, responsible=responsible)
    return _connect_page(request, session, project, form)


@router.post("/connect", status_code=303)
def connect(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[quick.ConnectionForm, Form()],
) -> Response:
    """Connect two systems; what is wrong comes back beside what was typed."""
    try:
        record = quick.connect(session, project, form, person)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _connect_page(request, session, project, form, error)
    said = f"{record.uid} is on the map as a draft. Complete it, or link its QA."
    return _to(project, record.uid, said)


@router.post("/no-transfer", status_code=303)
def state_no_transfer(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[quick.NoTransferForm, Form()],
) -> Response:
    """State that a survey found no transfer between two systems, and why none is meant."""
    try:
        record = quick.state_no_transfer(session, project, form, person)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        typed = quick.ConnectionForm(source=form.source, target=form.target)
        return _connect_page(request, session, project, typed, error, nothing=form)
    said = f"{record.uid} says that nothing goes from {form.source} to {form.target}."
    return _to(project, record.uid, said)


@router.post("/connections/{uid}/confirm", status_code=303)
def confirm(
    *,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    form: Annotated[ConfirmForm, Form()],
) -> Response:
    """Keep that a group of the staff confirms a connection as its record describes it."""
    require(project, person, *confirming.CONFIRMERS)
    record = _record(session, project, uid, quick.CONNECTION)
    found = confirming.confirm(
        session, project, record, person,
        expected=form.expected, group=form.group, source=form.confirmed_from,
    )  # fmt: skip
    return _to(project, uid, f"{uid} revision {found.revision} is confirmed by {found.group}.")


@router.get("/pathways/{uid}/steps", responses=NEEDS_ROLE)
def show_steps(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
) -> HTMLResponse:
    """Show the latest steps of a pathway, each with the buttons that move it."""
    record = _record(session, project, uid, "pathway")
    require_author(get_registry().of("pathway"), project, person)
    content = records.read_content(session, record)
    steps = stepping.steps_of(content, project.key)
    token = records.edit_token(records.latest_revision(session, record))
    return _steps_page(request, session, project, record, steps, token)


@router.post("/pathways/{uid}/steps", openapi_extra=OWN_FORM)
def order_steps(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    posted: SentFields,
) -> Response:
    """Move a step, or save them all; breaks are shown at once."""
    record = _record(session, project, uid, "pathway")
    require_author(get_registry().of("pathway"), project, person)
    sent = dict(posted)
    steps = _steps_sent(posted)
    what = stepping.pressed(sent.get("action", ""))
    expected = sent.get("expected", "")
    error: FiducialError | None = None
    if what.verb == "save":
        try:
            made = stepping.keep_steps(
                session, record, steps, person, expected, sent.get("reason", "")
            )
        except FiducialError as refusal:
            error = refusal
            refuse_within(request, session, uid, refusal)
        else:
            return _to(project, uid, f"{uid} revision {made.number} has its steps in this order.")
    else:
        place = sent.get("after", "")
        if what.verb == "add" and place.isascii() and place.isdecimal() and len(place) < 6:
            what = stepping.Pressed("add", int(place))
        steps = list(stepping.moved(steps, what, sent.get("added", "").strip()[:80]))
    return _steps_page(
        request, session, project, record, steps, expected, error,
        moved=f"{what.verb}.{what.number}", reason=sent.get("reason", ""),
    )  # fmt: skip


def _steps_sent(posted: Sequence[tuple[str, str]]) -> list[Step]:
    """Return the steps that the form holds, as "C023" or "C023 entry", in their order."""
    found: list[Step] = []
    for name, value in posted:
        if name == "step" and len(found) < stepping.MOST_STEPS:
            found.append(stepping.step_of(value))
    return found


def _record(session: Session, project: Project, uid: str, type_name: str) -> Record:
    found = records.find_record(session, project, uid)
    if found.type != type_name:
        raise NotFound(f"{uid} is no {type_name}; it is a {found.type.replace('_', ' ')}.")
    return found


def _to(project: Project, uid: str, sentence: str) -> RedirectResponse:
    response = RedirectResponse(f"/p/{project.key}/{uid}", status_code=303)
    say(response, sentence)
    return response


def refusal_told(error: FiducialError | None) -> dict[str, Any]:
    """Return what a page says of a refusal, and what it calls its fields."""
    return {
        "status": status_of(error) if error else 200,
        "problem": error.message if error else "",
        "faults": error.faults if isinstance(error, Invalid) else (),
        "words": WORDS,
        "anchors": ANCHORS,
        "nav": NAV,
    }


def _offered(session: Session, project: Project) -> list[tuple[str, str]]:
    return list(quick.systems_of(session, project).titles.items())[:MOST_OFFERED]


def _system_page(
    request: Request,
    session: Session,
    project: Project,
    form: quick.SystemForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    return page(
        request,
        "dataflows/editing/system.html",
        project=project,
        form=form,
        systems=_offered(session, project),
        criticalities=get_registry().of(quick.SYSTEM).fields["criticality"].choices,
        **refusal_told(error),
    )


def _connect_page(
    request: Request,
    session: Session,
    project: Project,
    form: quick.ConnectionForm,
    error: FiducialError | None = None,
    nothing: quick.NoTransferForm | None = None,
) -> HTMLResponse:
    fields = get_registry().of(quick.CONNECTION).fields
    return page(
        request,
        "dataflows/editing/connect.html",
        project=project,
        form=form,
        nothing=nothing or quick.NoTransferForm(source=form.source, target=form.target),
        stating=nothing is not None,
        systems=_offered(session, project),
        choices={name: fields[name].choices for name in ("category", "trigger", "surveyed_from")},
        tones=CATEGORY_TONES,
        **refusal_told(error),
    )


def _steps_page(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    steps: Sequence[Step],
    expected: str,
    error: FiducialError | None = None,
    *,
    moved: str = "",
    reason: str = "",
) -> HTMLResponse:
    department = stepping.department_of(session, project)
    walked = stepping.judged(department, record.uid, steps)
    return page(
        request,
        "dataflows/editing/steps.html",
        project=project,
        uid=record.uid,
        title=records.latest_revision(session, record).title,
        department=department,
        steps=walked,
        expected=expected,
        moved=moved,
        reason=reason,
        tones=CATEGORY_TONES,
        **refusal_told(error),
    )
