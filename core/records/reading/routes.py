"""Read records: the list, one record, its history, two revisions side by side, its files."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import FiducialError, Invalid, NotFound
from core.exports import forms_for
from core.people.actor import Actor
from core.records.approval import signatures_of
from core.records.attaching import SentFile, attach
from core.records.comparing import compare
from core.records.listing import PAGE_SIZE, Wanted, find_records, listed_labels, records_sheet
from core.records.models import Attachment, Project, Record
from core.records.pages import (
    addresses,
    find_revision,
    record_page,
    revision_before,
    revisions_of,
    shown_fields,
    touched,
)
from core.records.panels import panels_of
from core.records.remarks import remarks_of
from core.records.types import get_registry
from core.records.writing import content_of
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    WriteSession,
    fragment,
    page,
    readable_projects,
    say,
)
from core.web.downloads import exported, kept_file
from core.web.refusals import status_of
from core.web.transaction import settings_of

router = APIRouter(prefix="/p/{project_key}")

MOST_TOUCHED_SHOWN = 12
"""Rows on the page of a record; the rest has a page of its own."""


class ListView(BaseModel):
    """Which records are listed."""

    q: str = Field(default="", max_length=200)
    type: str = Field(default="", max_length=60)
    state: str = Field(default="", max_length=40)
    page: int = Field(default=1, ge=1, le=1_000_000)
    format: str = Field(default="", max_length=10)

    def query(self, **changes: str) -> str:
        """Return this view as a query string, with changes."""
        asked = {"q": self.q, "type": self.type, "state": self.state} | changes
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("")
def show_project(project: ProjectInPath) -> RedirectResponse:
    """Lead to the records of the project."""
    return RedirectResponse(f"/p/{project.key}/records", status_code=303)


@router.get("/records")
def show_records(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[ListView, Query()],
) -> Response:
    """List the records of a project; what is shown can be exported."""
    wanted = Wanted(view.q.strip(), view.type, view.state)
    if view.format:
        everything = find_records(session, project, wanted, size=None)
        sheet = records_sheet(project, everything, wanted)
        return exported(sheet, view.format, f"{project.key}-records")
    listing = find_records(session, project, wanted, view.page)
    at = f"/p/{project.key}/records"
    registry = get_registry()
    return page(
        request,
        "records/list.html",
        project=project,
        nav="Record",
        view=view,
        listing=listing,
        page_size=PAGE_SIZE,
        labels={one.name: (one.group, one.plural) for one in registry.all()},
        more={one.name: listed_labels(one.name) for one in registry.all()},
        groups=_types_by_group(),
        writable=_may_write(project, person),
        type_filters=[
            ("all", sum(one[2] for one in listing.by_type), f"{at}?{view.query(type='')}"),
            *((label, n, f"{at}?{view.query(type=name)}") for name, label, n in listing.by_type),
        ],
        type_label=next((label for name, label, _ in listing.by_type if name == view.type), "all"),
        state_filters=[
            ("any state", sum(n for _, n in listing.by_state), f"{at}?{view.query(state='')}"),
            *(
                (state.replace("_", " "), n, f"{at}?{view.query(state=state)}")
                for state, n in listing.by_state
            ),
        ],
        state_label=view.state.replace("_", " ") or "any state",
        page_address=f"{at}?{view.query()}&page=",
        exports=[
            (name.upper(), f"{at}?{view.query(format=name)}") for name in forms_for(listing.total)
        ],
    )


def _types_by_group() -> dict[str, list[tuple[str, str]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in get_registry().all():
        groups.setdefault(one.group, []).append((one.name, one.label))
    return groups


def _may_write(project: Project, person: Actor) -> frozenset[str]:
    return frozenset(
        one.name for one in get_registry().all() if person.has(project.id or 0, *one.raisers)
    )


@router.get("/{uid:uid}")
def show_record(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: ReadSession,
) -> HTMLResponse:
    """Show one record: the revision in force, and what is proposed above it."""
    return record_answer(request, session, project, record, person)


def record_answer(
    request: Request,
    session: Session,
    project: Project,
    record: Record,
    person: Actor,
    error: FiducialError | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return the page of a record; after a refusal, with the reason and with what was typed."""
    readable = [one.key for one in readable_projects(session, person)]
    shown = record_page(session, project, record, person, readable)
    drawn = [
        (panel.title, fragment(request, panel.template, **panel.context))
        for panel in panels_of(session, project, record)
    ]
    return page(
        request,
        "records/record.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Record",
        shown=shown,
        panels=drawn,
        address=f"/p/{project.key}/{record.uid}",
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) else (),
        typed=dict(typed or {}),
        new_from=_new_from(project, record, person),
    )


def _new_from(project: Project, record: Record, person: Actor) -> list[tuple[str, str]]:
    """Return label and address of each new record that would link to this one."""
    return [
        (
            f"New {one.label.lower()} that {link.label} this",
            f"/p/{project.key}/new/{one.name}?{urlencode({role: record.uid})}",
        )
        for one in get_registry().all()
        if person.has(project.id or 0, *one.raisers)
        for role, link in one.links.items()
        if record.type in link.to and (link.suspect != "none" or link.offered)
    ]


@router.get("/{uid:uid}/touches")
def show_touched(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: ReadSession,
) -> HTMLResponse:
    """Show what a change of the record may touch, nearest first."""
    readable = [one.key for one in readable_projects(session, person)]
    found = touched(session, project, record, readable)
    whole = "hx-request" not in request.headers
    template = "records/touches.html" if whole else "records/_touches.html"
    return page(
        request,
        template,
        project=project,
        nav="Record",
        record=record,
        touched=found,
        limit=len(found) if whole else MOST_TOUCHED_SHOWN,
    )


@router.get("/{uid:uid}/history")
def show_history(
    request: Request, project: ProjectInPath, record: RecordInPath, session: ReadSession
) -> HTMLResponse:
    """List every revision of a record."""
    return page(
        request,
        "records/history.html",
        project=project,
        nav="Record",
        record=record,
        revisions=revisions_of(session, record),
        remarks=remarks_of(session, record),
        address=f"/p/{project.key}/{record.uid}",
    )


@router.get("/{uid:uid}/history/{number}")
def show_revision(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    session: ReadSession,
    number: NumberInPath,
) -> HTMLResponse:
    """Show one revision as it was, with what it changed."""
    revision = find_revision(session, record, number)
    record_type = get_registry().of(record.type)
    content = content_of(session, revision, project)
    before = revision_before(session, record, number)
    filled, empty = shown_fields(record_type, revision)
    return page(
        request,
        "records/revision.html",
        project=project,
        nav="Record",
        record=record,
        record_type=record_type,
        revision=revision,
        before=before,
        changes=compare(record_type, content_of(session, before, project), content)
        if before
        else (),
        fields=filled,
        empty=empty,
        links=content.links,
        signatures=signatures_of(session, revision),
        remarks=remarks_of(session, record).get(number, ()),
        address=f"/p/{project.key}/{record.uid}",
        address_of=addresses(session, project, [revision.body]),
    )


@router.get("/{uid:uid}/compare")
def compare_revisions(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    session: ReadSession,
    old: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    new: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> HTMLResponse:
    """Show what differs between two revisions; without numbers, between the last two."""
    revisions = revisions_of(session, record)
    newer = find_revision(session, record, new) if new else revisions[0]
    older = (
        find_revision(session, record, old)
        if old
        else (revision_before(session, record, newer.number))
    )
    older = older or newer
    record_type = get_registry().of(record.type)
    before, after = (content_of(session, one, project) for one in (older, newer))
    return page(
        request,
        "records/compare.html",
        project=project,
        nav="Record",
        record=record,
        revisions=revisions,
        older=older,
        newer=newer,
        changes=compare(record_type, before, after),
        address=f"/p/{project.key}/{record.uid}",
    )


@router.post("/{uid:uid}/files", status_code=303)
def attach_file(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    files: Annotated[Sequence[UploadFile], File()] = (),
) -> Response:
    """Attach files to a record; a file is kept by its digest and never replaced."""
    store = BlobStore(settings_of(request).data_dir / "blobs")
    sent = [SentFile(one.filename or "", one.content_type or "", one.file) for one in files]
    attached = attach(session, store, project, record, person, sent)
    response = RedirectResponse(f"/p/{project.key}/{record.uid}#attached", status_code=303)
    say(response, f"Attached {', '.join(one.name for one in attached)}.")
    return response


@router.get("/{uid:uid}/files/{file_id}")
def download_file(
    request: Request, record: RecordInPath, session: ReadSession, file_id: NumberInPath
) -> FileResponse:
    """Return an attached file, once its bytes are seen to be those that were attached."""
    found = session.get(Attachment, file_id)
    if found is None or found.record_id != record.id:
        raise NotFound(f"{record.uid} has no file {file_id}.")
    return kept_file(request, found.sha256, found.name, found.media_type)
