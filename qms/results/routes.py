"""The pages of imported results: what came in, what it says, and the form to send more."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault, Invalid
from core.people.actor import Actor
from core.records.models import Project
from core.records.queries import load_snapshot
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    require,
)
from core.web.downloads import kept_file
from core.web.pages import say
from core.web.transaction import settings_of
from qms.releases.scope import choose_release, releases_of
from qms.results import listing, service
from qms.results.arriving import LARGEST_ATTACHMENT, MOST_BYTES, Sent, read_all, with_files
from qms.results.cases import Outcome
from qms.results.queries import imported_results, newest_lines
from qms.results.refusing import LARGEST_BYTES

router = APIRouter(prefix="/p/{project}/results", tags=["results of tests"])

PAGE_SIZE = 100
MOST_IMPORTS = 200
"""Imports that the page lists; the records below them are judged by all."""

ALL = "all"


class View(BaseModel):
    """Which release the records are judged for."""

    release: str = Field(default="", max_length=200)


class CasesView(BaseModel):
    """Which cases of an import are shown."""

    show: Outcome | None = None
    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("")
def show_results(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what was imported and what it says of each record."""
    return _page(request, project, person, session, release=view.release)


@router.post("", status_code=303)
def import_results(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    reports: Annotated[Sequence[UploadFile], File()] = (),
    files: Annotated[Sequence[UploadFile], File()] = (),
    commit: Annotated[str, Form(max_length=100)] = "",
    environment: Annotated[str, Form(max_length=100)] = "",
    rerun: Annotated[bool, Form()] = False,
) -> Response:
    """Import reports that are sent; every fault comes back on the page, and nothing is kept."""
    require(project, person, *service.MAY_IMPORT)
    ran = service.Ran(environment, rerun)
    try:
        arrived = with_files(read_all(received(reports)), received(files, LARGEST_ATTACHMENT))
        store = BlobStore(settings_of(request).data_dir / "blobs")
        kept = service.import_results(
            session, store, project, arrived, commit, person, service.PAGE, ran
        )
    except Invalid as refusal:
        faults = refusal.faults or (Fault("", project.key, refusal.message),)
        return _page(request, project, person, session, commit=commit, ran=ran, faults=faults)
    response = RedirectResponse(f"/p/{project.key}/results/{kept.number}", status_code=303)
    say(response, f"Imported {sum(kept.counts.values())} cases as results {kept.number}.")
    return response


@router.get("/{number}")
def show_import(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    view: Annotated[CasesView, Query()],
) -> HTMLResponse:
    """Show one import: its reports, what was odd, and its cases."""
    found = listing.find_import(session, project, number)
    at = f"/p/{project.key}/results/{number}"
    shown = {"show": view.show.value} if view.show else {}
    snapshot = load_snapshot(session, [project.key])
    return page(
        request,
        "qms/results/import.html",
        project=project,
        nav="Trace",
        found=found,
        reports=listing.reports_of(session, project, number),
        cases=listing.cases_of(
            session, project, number, view.show, start=(view.page - 1) * PAGE_SIZE, most=PAGE_SIZE
        ),
        known={key.uid for key in snapshot.records if key.project == project.key},
        total=found.counts.get(view.show, 0) if view.show else found.cases,
        page=view.page,
        page_size=PAGE_SIZE,
        page_address=f"{at}?{urlencode(shown)}&page=",
        filters=[
            (ALL, found.cases, at),
            *(
                (word.value, count, f"{at}?show={word.value}")
                for word, count in found.counts.items()
            ),
        ],
        shown=view.show.value if view.show else ALL,
    )


@router.get("/{number}/files/{sha256}")
def download_file(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    sha256: str,
) -> FileResponse:
    """Return a file of an import, once its bytes are seen to be those that were sent."""
    name = listing.file_of(session, project, number, sha256)
    return kept_file(request, sha256, name)


def received(sent: Sequence[UploadFile], most: int = LARGEST_BYTES) -> list[Sent]:
    """Read what was sent, at most a byte more than is allowed: that one gets it refused."""
    read, left = [], MOST_BYTES + 1
    for one in sent:
        if one.filename:
            content = one.file.read(min(most + 1, left))
            left -= len(content)
            read.append(Sent(one.filename, content))
    return read


def _page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    *,
    release: str = "",
    commit: str = "",
    ran: service.Ran = service.AS_EVER,
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    snapshot = load_snapshot(session, [project.key])
    releases = releases_of(snapshot, project.key)
    chosen = choose_release(releases, release)
    said = imported_results(session, project.key, chosen.uid if chosen else None)
    judged: list[dict[str, Any]] = [
        {"record": record, "result": one}
        for uid, one in said.items()
        if (record := snapshot.get(uid, project.key)) is not None
    ]
    return page(
        request,
        "qms/results/results.html",
        status=422 if faults else 200,
        project=project,
        nav="Trace",
        imports=listing.imports_of(session, project)[:MOST_IMPORTS],
        judged=judged,
        releases=[(one.uid, one.label) for one in releases],
        release=chosen,
        may_import=person.has(project.id or 0, *service.MAY_IMPORT),
        lines=[] if chosen else newest_lines(session, project.key),
        commit=commit,
        ran=ran,
        faults=faults,
    )
