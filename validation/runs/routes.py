"""The pages of validation runs: the list, one run from its first step to its verdict, its files."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault, FiducialError, Invalid, NotFound
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
from core.web.answers import ASKS_PASSWORD
from core.web.downloads import disposition, exported
from core.web.proving import prove
from core.web.refusals import refuse_within, status_of
from core.web.transaction import settings_of
from validation.runs import service
from validation.runs.listing import count_runs, run_lines
from validation.runs.models import Run
from validation.runs.packing import entry_files, evidence_files
from validation.runs.plain import run_as_plain
from validation.runs.requests import RunRequest
from validation.runs.service import MAY_NOTE, RUN_ROLES, Deviation
from validation.runs.sheets import runs_sheet, steps_sheet
from validation.runs.showing import Refusal, exports, results, run_context
from validation.runs.told import RunTold

router = APIRouter(prefix="/p/{project}/runs", tags=["runs"])

PAGE_SIZE = 50
EXPORT_SIZE = 1_000_000
"""An export holds every run."""

SHOWN_IN_BROWSER = frozenset({"text/plain", "image/png", "image/jpeg", "application/json"})
"""Evidence that a browser shows without executing anything; all else is downloaded."""


class RunForm(BaseModel):
    """The form that starts a run; the service judges it."""

    release: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=2000)
    predecessor: int | None = Field(default=None, ge=1, le=2**31 - 1)


class DeviationForm(BaseModel):
    """The form that notes a deviation and signs what was decided about it."""

    what: str = Field(default="", max_length=4000)
    effect: str = Field(default="", max_length=4000)
    disposition: str = Field(default="", max_length=4000)
    password: str = Field(default="", max_length=1000)


def _run_in_path(project: ProjectInPath, session: ReadSession, number: NumberInPath) -> Run:
    return service.find_run(session, project, number)


RunInPath = Annotated[Run, Depends(_run_in_path, scope="function")]


@router.get("")
def show_runs(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """Show every run of a project, the latest first."""
    return _list_page(request, project, person, session, number=number)


@router.post("", status_code=303)
def start_run(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[RunForm, Form()],
) -> Response:
    """Start a run; a refused form comes back as it was typed, with every fault."""
    require(project, person, *RUN_ROLES)
    try:
        run = service.start_run(session, project, RunRequest(**form.model_dump()), person)
    except Invalid as refusal:
        return _list_page(request, project, person, session, form=form, faults=refusal.faults)
    return RedirectResponse(f"/p/{project.key}/runs/{run.number}", status_code=303)


@router.get("/export/{format_name}")
def export_runs(project: ProjectInPath, session: ReadSession, format_name: str) -> Response:
    """Return the list of runs in one of the export formats."""
    sheet = runs_sheet(project, run_lines(session, project, size=EXPORT_SIZE))
    return exported(sheet, format_name, f"{project.key}-runs")


# Before the page, whose path would take "5.json" for a number.
@router.get("/{number}.json", responses={200: {"model": RunTold}})
def run_as_json(run: RunInPath, session: ReadSession) -> JSONResponse:
    """Return everything recorded of a run."""
    return JSONResponse(run_as_plain(session, run))


@router.get("/{number}")
def show_run(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    run: RunInPath,
) -> HTMLResponse:
    """Show a run step by step; while it runs the page keeps itself up to date."""
    return run_page(request, project, person, session, run)


@router.get("/{number}/progress")
def show_progress(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    run: RunInPath,
) -> HTMLResponse:
    """Show the part of a run's page that changes."""
    return page(
        request,
        "validation/_results.html",
        project=project,
        actor=person,
        **results(session, run, run_as_plain(session, run)),
    )


@router.post("/{number}/deviations", status_code=303, responses=ASKS_PASSWORD)
def note_deviation(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    form: Annotated[DeviationForm, Form()],
) -> Response:
    """Note what did not go as the protocol says, and sign what was decided about it."""
    require(project, person, *MAY_NOTE)
    run = service.find_run(session, project, number)
    try:
        proof = prove(request, session, person, form.password)
        deviation = Deviation(form.what, form.effect, form.disposition)
        service.note_deviation(session, run, deviation, person, proof)
    except FiducialError as error:
        told = refused(request, session, "deviation", error, form.model_dump())
        return run_page(request, project, person, session, run, told)
    return RedirectResponse(f"/p/{project.key}/runs/{number}", status_code=303)


@router.get("/{number}/export/{format_name}")
def export_steps(
    project: ProjectInPath, session: ReadSession, run: RunInPath, format_name: str
) -> Response:
    """Return every step and measured value of a run in one of the export formats."""
    sheet = steps_sheet(run_as_plain(session, run))
    return exported(sheet, format_name, f"{project.key}-run-{run.number}")


@router.get("/{number}/files/{sha256}")
def evidence_file(request: Request, run: RunInPath, session: ReadSession, sha256: str) -> Response:
    """Return a file that this run kept; a hash of any other file is not found here."""
    plain = run_as_plain(session, run)
    kept = evidence_files(plain) | entry_files(plain)
    if sha256 not in kept:
        raise NotFound(f"Run {run.number} kept no file with the SHA-256 {sha256[:64]}.")
    data = BlobStore(settings_of(request).data_dir / "blobs").read(sha256, verify=True)
    media_type = kept[sha256] if kept[sha256] in SHOWN_IN_BROWSER else "application/octet-stream"
    return Response(
        data,
        media_type=media_type,
        headers={
            "Content-Disposition": disposition(sha256[:12], inline=media_type in SHOWN_IN_BROWSER),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def run_page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    run: Run,
    refusal: Refusal | None = None,
) -> HTMLResponse:
    """Return the page of a run, with what was refused on it a moment ago."""
    return page(
        request,
        "validation/run.html",
        status=refusal.status if refusal else 200,
        project=project,
        actor=person,
        nav="Runs",
        **run_context(session, project, person, run, refusal),
    )


def refused(
    request: Request, session: Session, form: str, error: FiducialError, typed: Mapping[str, str]
) -> Refusal:
    """Undo what a request did, keep its refusal, and return what the page says of it."""
    refuse_within(request, session, request.url.path, error)
    faults = error.faults if isinstance(error, Invalid) else ()
    kept = {name: text for name, text in typed.items() if name != "password"}
    return Refusal(form, error.message, faults, kept, status_of(error))


def _list_page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    *,
    number: int = 1,
    form: RunForm | None = None,
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    releases = [
        (one.uid, f"{one.uid} {one.title}, tag {one.fields.get('git_tag')}")
        for one in load_snapshot(session, [project.key], effective=False).of_type(
            "release", project.key
        )
        if one.fields.get("git_tag") and not one.withdrawn
    ]
    return page(
        request,
        "validation/runs.html",
        project=project,
        actor=person,
        nav="Runs",
        runs=run_lines(session, project, number, PAGE_SIZE),
        total=count_runs(session, project),
        page=number,
        page_size=PAGE_SIZE,
        page_address=f"/p/{project.key}/runs?page=",
        export_addresses=exports(f"/p/{project.key}/runs", count_runs(session, project)),
        may_start=person.has(project.id or 0, *RUN_ROLES),
        releases=releases,
        form=form or RunForm(),
        faults=faults,
        status=422 if faults else 200,
    )
