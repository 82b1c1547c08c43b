"""The whole map as a file over HTTP: taken away, and brought back with what it would change."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from sqlmodel import Session

from core.errors import Conflict, FiducialError, Invalid
from core.records.content import RecordDraft
from core.records.models import Project
from core.records.types import get_registry
from core.records.writers import require_author
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, say
from core.web.downloads import download
from core.web.refusals import refuse_within, status_of
from dataflows.frame import NAV
from dataflows.interchange import service
from dataflows.interchange.planning import Plan, Verdict

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

MOST_SHOWN = 500
"""Records of an import on the page; those that change come first."""


class Taken(BaseModel):
    """Which revisions a file holds."""

    drafts: bool = False


@router.get("/files")
def show_files(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,  # noqa: ARG001 - the page of a project is read in one
) -> HTMLResponse:
    """Show the ways to take the map away, and to bring a file back."""
    return _page(request, project, writes=_writes(project, person))


@router.get("/department.yaml")
def take_yaml(
    project: ProjectInPath,
    person: CurrentPerson,  # noqa: ARG001 - whoever reads the project may take it away
    session: ReadSession,
    taken: Annotated[Taken, Query()],
) -> Response:
    """Return the whole map as a department file that reads back without loss."""
    return _taken(session, project, "yaml", taken)


@router.get("/department.zip")
def take_sheets(
    project: ProjectInPath,
    person: CurrentPerson,  # noqa: ARG001 - whoever reads the project may take it away
    session: ReadSession,
    taken: Annotated[Taken, Query()],
) -> Response:
    """Return the whole map as a zip of CSV sheets that read back without loss."""
    return _taken(session, project, "zip", taken)


def _taken(session: Session, project: Project, form: str, taken: Taken) -> Response:
    data = service.export_department(session, project, form, latest=taken.drafts)
    return download(data, service.FORMS[form], f"{project.key}-department.{form}")


@router.post("/files")
def bring_back(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    file: Annotated[UploadFile | None, File()] = None,
    action: Annotated[str, Form(max_length=20)] = "check",
    seen: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Say what a file would create and change, or do it."""
    name = (file.filename if file else "") or "The file"
    drafts: list[RecordDraft] = []
    try:
        _require(project, person)
        data = file.file.read(service.LARGEST_FILE + 1) if file else b""
        drafts = service.read_file(data, name, project.key)
        if action == "keep":
            reason = f"Imported from {name}."[:500]
            done = service.keep_import(session, project, drafts, person, reason, seen)
            response = RedirectResponse(f"/p/{project.key}/map?drafts=true", status_code=303)
            say(response, f"{name}: {done.outcome}.")
            return response
        found: Plan | None = service.plan_import(session, project, drafts, person)
        return _page(request, project, writes=True, name=name, found=found)
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        found = None
        if isinstance(error, Conflict):
            found = service.plan_import(session, project, drafts, person)
        writes = _writes(project, person)
        return _page(request, project, writes=writes, name=name, found=found, error=error)


def _writes(project: Project, person: CurrentPerson) -> bool:
    roles = get_registry().of("connection").authors
    return person.has(project.id or 0, *roles)


def _require(project: Project, person: CurrentPerson) -> None:
    require_author(get_registry().of("connection"), project, person)


def _page(
    request: Request,
    project: Project,
    *,
    writes: bool,
    name: str = "",
    found: Plan | None = None,
    error: FiducialError | None = None,
) -> HTMLResponse:
    planned = (
        sorted(found.planned, key=lambda one: one.verdict is Verdict.UNCHANGED) if found else ()
    )
    return page(
        request,
        "dataflows/interchange/files.html",
        status=status_of(error) if error else 200,
        project=project,
        nav=NAV,
        writes=writes,
        name=name,
        found=found,
        planned=planned[:MOST_SHOWN],
        problem=error.message if error else "",
        faults=error.faults if isinstance(error, Invalid) else (),
    )
