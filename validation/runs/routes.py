"""The pages of validation runs: the list, one run from its first step to its verdict, its files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault, Invalid, NotFound
from core.exports import forms_for
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
from core.web.downloads import disposition, exported
from core.web.transaction import settings_of
from validation.recorder.evidence import Status
from validation.runs import service
from validation.runs.comparison import differences
from validation.runs.listing import count_runs, run_lines
from validation.runs.models import EventKind, Run
from validation.runs.packing import evidence_files
from validation.runs.plain import run_as_plain
from validation.runs.requests import RunRequest
from validation.runs.service import RUN_ROLES, Deviation
from validation.runs.sheets import runs_sheet, steps_sheet

router = APIRouter(prefix="/p/{project}/runs", tags=["runs"])

PAGE_SIZE = 50
EXPORT_SIZE = 1_000_000
"""An export holds every run."""

MAY_NOTE = (*RUN_ROLES, "quality_manager", "technical_reviewer")
"""Who may note a deviation: whoever executes, reviews or answers for the run."""

SHOWN_EVENTS = (
    EventKind.REFUSED,
    EventKind.CHANGED,
    EventKind.INTERRUPTED,
    EventKind.DEVIATION,
)

SHOWN_IN_BROWSER = frozenset({"text/plain", "image/png", "image/jpeg", "application/json"})
"""Evidence that a browser shows without executing anything; all else is downloaded."""


class RunForm(BaseModel):
    """The form that starts a run; the service judges it."""

    release: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=2000)
    predecessor: int | None = Field(default=None, ge=1, le=2**31 - 1)


class DeviationForm(BaseModel):
    """The form that notes a deviation."""

    what: str = Field(default="", max_length=4000)
    effect: str = Field(default="", max_length=4000)
    disposition: str = Field(default="", max_length=4000)


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
@router.get("/{number}.json")
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
    return _run_page(request, project, person, session, run)


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
        **_results(session, run, run_as_plain(session, run)),
    )


@router.post("/{number}/deviations", status_code=303)
def note_deviation(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    form: Annotated[DeviationForm, Form()],
) -> Response:
    """Note what did not go as the protocol says."""
    require(project, person, *MAY_NOTE)
    run = service.find_run(session, project, number)
    try:
        service.note_deviation(session, run, Deviation(**form.model_dump()), person)
    except Invalid as refusal:
        return _run_page(request, project, person, session, run, form=form, faults=refusal.faults)
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
    kept = evidence_files(run_as_plain(session, run))
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
        export_addresses=_exports(f"/p/{project.key}/runs", count_runs(session, project)),
        may_start=person.has(project.id or 0, *RUN_ROLES),
        releases=releases,
        form=form or RunForm(),
        faults=faults,
        status=422 if faults else 200,
    )


def _run_page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    run: Run,
    *,
    form: DeviationForm | None = None,
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    plain = run_as_plain(session, run)
    context = _results(session, run, plain)
    before = service.run_before(session, run)
    project_id = project.id or 0
    return page(
        request,
        "validation/run.html",
        project=project,
        actor=person,
        nav="Runs",
        notes=[
            {**event, "at": _moment(event["at"])}
            for event in plain["events"]
            if event["kind"] in SHOWN_EVENTS
        ],
        previous=before.number if before else None,
        differences=(
            differences(run_as_plain(session, before), plain)
            if before and not context["live"]
            else []
        ),
        may_note=person.has(project_id, *MAY_NOTE),
        may_repeat=bool(
            plain["release"] and not context["live"] and person.has(project_id, *RUN_ROLES)
        ),
        job_id=run.job_id,
        export_addresses=[
            ("All of it", f"/p/{project.key}/runs/{run.number}.json"),
            *_exports(f"/p/{project.key}/runs/{run.number}", len(steps_sheet(plain).rows)),
        ],
        form=form or DeviationForm(),
        faults=faults,
        status=422 if faults else 200,
        **context,
    )


def _results(session: Session, run: Run, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the part of the page that changes needs, failures first."""
    job = service.job_of(session, run)
    told = job.progress if job is not None else {}
    scenarios = plain["scenarios"]
    return {
        "run": _with_times(plain),
        "live": plain["state"] in ("queued", "running"),
        "progress": {
            "done": told.get("done", 0),
            "total": told.get("total", 0),
            "text": told.get("text") or "Waiting for a worker",
        },
        "failures": [one for one in scenarios if one["status"] != Status.PASSED],
        "passed": [one for one in scenarios if one["status"] == Status.PASSED],
    }


def _with_times(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with moments in place of their texts, as pages show local time."""
    tests = [{**test, "approved_at": _moment(test["approved_at"])} for test in plain["tests"]]
    times = {name: _moment(plain[name]) for name in ("created_at", "started_at", "ended_at")}
    return {**plain, "tests": tests, **times}


def _exports(address: str, rows: int) -> list[tuple[str, str]]:
    return [(name.upper(), f"{address}/export/{name}") for name in forms_for(rows)]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
