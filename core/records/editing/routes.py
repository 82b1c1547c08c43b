"""Write records: the form of a new one, and the form that changes one."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Conflict, FiducialError, Invalid
from core.people.actor import Actor
from core.records import demands
from core.records.checking import content_faults
from core.records.comparing import compare
from core.records.content import Content
from core.records.editing.effect import effect, losing
from core.records.forms import (
    MOST_SPARE_ROWS,
    SPARE_ROWS,
    RecordForm,
    anchors,
    at_their_fields,
    from_address,
    from_content,
    from_posted,
    in_rows,
    to_content,
    with_made,
)
from core.records.leftovers import left_over
from core.records.models import Project, Record, Revision
from core.records.pages import touched
from core.records.service import (
    create_record,
    edit_token,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.snapshot import natural_order
from core.records.snapshot_rows import shown_revision
from core.records.targets import refuse_unreadable
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_raiser
from core.records.writing import content_of
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    WriteSession,
    page,
    readable_projects,
    say,
)
from core.web.answers import FORM_OF_A_TYPE, NEEDS_ROLE
from core.web.receiving import SentFields
from core.web.refusals import refuse_within, status_of

router = APIRouter(prefix="/p/{project_key}")

MORE_ROWS = 5
"""Rows that "More empty rows" adds."""


@router.get("/new")
def choose_type(request: Request, project: ProjectInPath, person: CurrentPerson) -> HTMLResponse:
    """Ask which kind of record is wanted."""
    groups: dict[str, list[RecordType]] = {}
    for one in get_registry().all():
        if person.has(project.id or 0, *one.raisers):
            groups.setdefault(one.group, []).append(one)
    return page(
        request,
        "records/choose.html",
        project=project,
        nav="Record",
        groups=groups,
        changes=get_registry().changes,
    )


@router.get("/new/{type_name}", responses=NEEDS_ROLE)
def show_new(
    request: Request,
    project: ProjectInPath,
    type_name: str,
    person: CurrentPerson,
    session: ReadSession,
) -> HTMLResponse:
    """Show the empty form of a type; links and fields named in the address are filled in."""
    record_type = get_registry().of(type_name)
    require_raiser(record_type, project, person)
    form = from_address(record_type, request.query_params)
    return _form_page(request, session, project, record_type, person, form)


@router.post("/new/{type_name}", openapi_extra=FORM_OF_A_TYPE)
def create(
    request: Request,
    project: ProjectInPath,
    type_name: str,
    person: CurrentPerson,
    session: WriteSession,
    posted: SentFields,
) -> Response:
    """Create a record; a refused form comes back as it was typed."""
    record_type = get_registry().of(type_name)
    form = from_posted(record_type, posted)
    sent = dict(posted)
    try:
        # Inside: whoever lost the role meanwhile keeps what was typed.
        require_raiser(record_type, project, person)
        if sent.get("action") == "rows":
            return _form_page(request, session, project, record_type, person, form, sent=sent)
        content = _content(record_type, form, project, form.uid or "The new record")
        refuse_unreadable(record_type, content, _readable(session, person))
        record = create_record(
            session, project, type_name, content, person, uid=form.uid or None, reason=form.reason
        )
    except FiducialError as error:
        subject = form.uid or request.url.path
        refuse_within(request, session, subject, error)
        return _form_page(
            request, session, project, record_type, person, form, sent=sent, error=error
        )
    response = RedirectResponse(f"/p/{project.key}/{record.uid}", status_code=303)
    saved = {"controlled": "saved as a draft", "issue": "open", "event": "recorded"}
    say(response, f"{record.uid} is {saved[record_type.lifecycle]}.")
    return response


@router.get("/{uid:uid}/edit", responses=NEEDS_ROLE)
def show_edit(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: ReadSession,
) -> HTMLResponse:
    """Show the form of a record, filled with its latest revision."""
    record_type = get_registry().of(record.type)
    require_raiser(record_type, project, person, latest_revision(session, record))
    form = from_content(record_type, read_content(session, record))
    return _form_page(request, session, project, record_type, person, form, record=record)


@router.post("/{uid:uid}/edit", openapi_extra=FORM_OF_A_TYPE)
def save(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    posted: SentFields,
) -> Response:
    """Save a draft, or show what saving would touch; nothing that was typed is ever lost."""
    record_type = get_registry().of(record.type)
    form = from_posted(record_type, posted)
    sent = dict(posted)
    action = sent.get("action", "save")

    def again(error: FiducialError | None = None, **more: Any) -> HTMLResponse:
        return _form_page(
            request,
            session,
            project,
            record_type,
            person,
            form,
            record=record,
            sent=sent,
            error=error,
            **more,
        )

    try:
        require_raiser(record_type, project, person, latest_revision(session, record))
        if action == "rows":
            return again()
        before = read_content(session, record)
        content = with_made(record_type, _content(record_type, form, project, record.uid), before)
        refuse_unreadable(record_type, content, _readable(session, person), before.links)
        if action == "preview":
            return again(preview=content)
        revision = save_draft(
            session, record, content, person, sent.get("expected", ""), form.reason
        )
    except FiducialError as error:
        refuse_within(request, session, record.uid, error)
        typed, _ = to_content(record_type, form, project.key)
        typed = with_made(record_type, typed, read_content(session, record))
        return again(error, against=typed if isinstance(error, Conflict) else None)
    response = RedirectResponse(f"/p/{project.key}/{record.uid}", status_code=303)
    saved = "is saved" if revision.state != "draft" else "is saved as a draft"
    say(response, f"{record.uid} revision {revision.number} {saved}.")
    return response


def _content(record_type: RecordType, form: RecordForm, project: Project, where: str) -> Content:
    content, faults = to_content(record_type, form, project.key)
    if faults:
        _, others = content_faults(record_type, content, where)
        raise Invalid("Some of it could not be read; nothing was saved.", [*faults, *others])
    return content


def _readable(session: Session, person: Actor) -> frozenset[str]:
    return frozenset(one.key for one in readable_projects(session, person))


def _form_page(
    request: Request,
    session: Session,
    project: Project,
    record_type: RecordType,
    person: Actor,
    form: RecordForm,
    *,
    record: Record | None = None,
    sent: Mapping[str, str] | None = None,
    error: FiducialError | None = None,
    preview: Content | None = None,
    against: Content | None = None,
) -> HTMLResponse:
    sent = sent or {}
    spare = _spare(sent)
    readable = readable_projects(session, person)
    context: dict[str, Any] = {"record": record, "latest": None, "touched": (), "conflict": None}
    if record is not None:
        context |= _around(
            request, session, project, record, record_type, [one.key for one in readable]
        )
        if preview is not None:
            context["said"] = effect(session, record, record_type, preview)
            context["lost"] = losing(session, project, record, record_type, preview)
        if against is not None:
            saved = read_content(session, record)
            context["conflict"] = compare(record_type, saved, against)
    faults = at_their_fields(record_type, error.faults) if isinstance(error, Invalid) else []
    stale = isinstance(error, Conflict)
    expected = context.get("token", "") if stale else sent.get("expected", context.get("token", ""))
    return page(
        request,
        "records/edit.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        record_type=_with_notes(record_type),
        form=form.with_spare_rows(record_type, spare),
        spare=spare,
        in_rows=in_rows,
        expected=expected,
        problem=error.message if error else "",
        faults=faults,
        anchors=anchors(record_type),
        other_projects=[one for one in readable if one.key != project.key],
        targets=_targets(session, project, record_type),
        previewed=preview is not None,
        **({"said": "", "lost": ()} | context),
    )


def _with_notes(record_type: RecordType) -> RecordType:
    """Return a type whose fields also tell what a feature will ask of them, such as a last day."""
    notes = demands.ports.notes(record_type) if demands.ports.notes else {}
    told = {
        name: spec.model_copy(update={"help": f"{spec.help} {notes[name]}".strip()})
        for name, spec in record_type.fields.items()
        if name in notes
    }
    return record_type.model_copy(update={"fields": {**record_type.fields, **told}})


def _spare(sent: Mapping[str, str]) -> int:
    given = sent.get("spare", "")
    spare = int(given) if given.isascii() and given.isdecimal() and len(given) < 4 else SPARE_ROWS
    return min(spare + (MORE_ROWS if sent.get("action") == "rows" else 0), MOST_SPARE_ROWS)


def _around(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    record_type: RecordType,
    readable: Sequence[str],
) -> dict[str, Any]:
    latest = latest_revision(session, record)
    found = touched(session, project, record, readable) if record.effective_id else []
    triggers = [record_type.fields[name].label for name in record_type.triggers()]
    if record_type.body.trigger:
        triggers.insert(0, record_type.body.label)
    return {
        "latest": latest,
        "token": edit_token(latest),
        "touched": found,
        "left_over": left_over(record_type, content_of(session, latest, project)),
        "near": [(one, view) for one, view in found if one.distance == 1],
        "triggers": ["Title", *triggers],
        "address": f"/p/{project.key}/{record.uid}",
        "request_path": request.url.path,
    }


def _targets(
    session: Session, project: Project, record_type: RecordType
) -> dict[str, list[tuple[str, str]]]:
    """Return per role the records of this project that it may lead to, for the input to offer."""
    wanted = {name for spec in record_type.links.values() for name in spec.to}
    rows = session.execute(
        select(col(Record.type), col(Record.uid), col(Revision.title))
        .join(Revision, shown_revision())
        .where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(wanted),
            col(Record.withdrawn_at).is_(None),
        )
    )
    by_type: dict[str, list[tuple[str, str]]] = {}
    for type_name, uid, title in rows:
        by_type.setdefault(type_name, []).append((uid, title))
    return {
        role: sorted(
            (one for name in spec.to for one in by_type.get(name, ())),
            key=lambda one: natural_order(one[0]),
        )
        for role, spec in record_type.links.items()
    }
