"""Files of other tools on the page: sent, checked by a job, and read as a table of findings."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault, Invalid
from core.exports import FORMATS as FORMS
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    require,
)
from core.web.downloads import exported, kept_file
from core.web.transaction import settings_of
from qms.interchange.checks import listing, service
from qms.interchange.checks.arriving import Asked, Sent, asked
from qms.interchange.linkcheck import LINKS
from qms.interchange.readers.detecting import FORMATS
from qms.interchange.telling import TITLES

router = APIRouter(prefix="/p/{project}/files-in", tags=["files of other tools"])

PAGE_SIZE = 100
LONGEST = 20_000
"""Characters of what is stated of levels, and of columns."""

Lines = Annotated[str, Form(max_length=LONGEST)]
FormName = Annotated[str, Form(max_length=40)]
Files = Annotated[Sequence[UploadFile], File()]


class View(BaseModel):
    """Which findings of a check are shown."""

    code: str = Field(default="", max_length=20)
    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("")
def show_checks(
    request: Request, project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """Show what was checked, and the form to send more."""
    return _page(request, project, person, session)


@router.post("", status_code=303)
def ask(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    files: Files = (),
    form: FormName = "",
    levels: Lines = "",
    columns: Lines = "",
) -> Response:
    """Have files checked; what cannot be taken comes back with every fault, and nothing is kept."""
    require(project, person, *service.MAY_CHECK)
    try:
        wanted = stated(files, form, levels, columns)
    except Invalid as refusal:
        typed = {"form": form, "levels": levels, "columns": columns}
        return _page(request, project, person, session, typed=typed, faults=refusal.faults)
    store = BlobStore(settings_of(request).data_dir / "blobs")
    made = service.ask(session, store, project, wanted, person, service.PAGE)
    return RedirectResponse(f"/jobs/{made.job_id}", status_code=303)


@router.get("/{number}")
def show_check(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what a check came to: the counts by code, and the findings of one code or of all."""
    line = listing.find_check(session, project, number)
    counts = line.result.counts if line.result else {}
    total = counts.get(view.code, 0) if view.code else sum(counts.values())
    at = f"/p/{project.key}/files-in/{number}"
    shown = {"code": view.code} if view.code else {}
    start = (view.page - 1) * PAGE_SIZE
    return page(
        request,
        "qms/interchange/check.html",
        project=project,
        nav="Trace",
        line=line,
        result=line.result,
        titles=TITLES,
        # Of links every kind is told, that of no finding too: it was looked for.
        codes=[(code, counts.get(code, 0)) for code in sorted({*LINKS, *counts})],
        findings=listing.findings_of(session, line.row, view.code, start=start, most=PAGE_SIZE),
        code=view.code,
        total=total,
        listed=min(total, service.MOST_KEPT),
        page=view.page,
        page_size=PAGE_SIZE,
        page_address=f"{at}?{urlencode(shown)}&page=",
        exports=[
            (name.upper(), f"{at}/export/{name}{'?' if shown else ''}{urlencode(shown)}")
            for name in FORMS
        ],
    )


@router.get("/{number}/export/{format_name}")
def export_check(
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the findings that the page shows, every page of them, with the counts of all."""
    line = listing.find_check(session, project, number)
    table = listing.sheet(session, project, line, view.code, format_name)
    return exported(table, format_name, f"{project.key}-trace-check-{number}")


@router.get("/{number}/files/{sha256}")
def download_file(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    sha256: str,
) -> FileResponse:
    """Return a file that was sent, or the whole result, once its bytes are seen to be the same."""
    name = listing.file_of(session, project, number, sha256)
    return kept_file(request, sha256, name)


def stated(files: Sequence[UploadFile], form: str, levels: str, columns: str) -> Asked:
    """Return what a form states; levels and columns stand one on a line."""
    sent = [Sent(one.filename, one.file.read()) for one in files if one.filename]
    return asked(sent, form, levels.splitlines(), columns.splitlines())


def _page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    *,
    typed: dict[str, str] | None = None,
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    return page(
        request,
        "qms/interchange/checks.html",
        status=422 if faults else 200,
        project=project,
        nav="Trace",
        checks=listing.checks_of(session, project),
        may_check=person.has(project.id or 0, *service.MAY_CHECK),
        formats=FORMATS,
        sheets=[
            (one.name, one.plural)
            for one in map(get_registry().of, get_registry().names())
            if one.lifecycle == "controlled" and person.has(project.id or 0, *one.authors)
        ],
        typed=typed or {"form": "", "levels": "", "columns": ""},
        faults=faults,
    )
