"""The page of one job: how far it is, how it ended, and what interrupted it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from core.errors import Hidden, NotFound
from core.jobs import service
from core.jobs.models import LIVE_STATES, Job
from core.jobs.told import JobTold
from core.web import CurrentPerson, ReadSession, WriteSession, page

router = APIRouter(prefix="/jobs")

LARGEST_NUMBER = 2**31 - 1
"""What an integer key of PostgreSQL can hold."""


JobNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]


def _job_in_path(
    request: Request, job_id: JobNumber, session: ReadSession, person: CurrentPerson
) -> Job:
    # One sentence for both, so that nobody learns what others have asked for.
    absent = f"There is no job {job_id} that you may see."
    try:
        job = service.find_job(session, job_id)
    except NotFound as error:
        raise NotFound(absent) from error
    request.state.project_id = job.project_id
    if not service.may_see(person, job):
        raise Hidden(absent)
    return job


JobInPath = Annotated[Job, Depends(_job_in_path, scope="function")]


# Before the page, whose path would take "5.json" for a number.
@router.get("/{job_id}.json", responses={200: {"model": JobTold}})
def job_as_json(job: JobInPath, session: ReadSession) -> JSONResponse:
    """Return a job as programs read it."""
    return JSONResponse(service.as_json(session, job))


@router.get("/{job_id}")
def show_job(
    request: Request, job: JobInPath, session: ReadSession, person: CurrentPerson
) -> HTMLResponse:
    """Show a job; the page keeps itself up to date."""
    cancellable = job.state in LIVE_STATES and service.may_cancel(person, job)
    return page(request, "jobs/job.html", cancellable=cancellable, **_shown(session, job))


@router.get("/{job_id}/progress")
def show_progress(request: Request, job: JobInPath, session: ReadSession) -> HTMLResponse:
    """Show the part of the page that changes."""
    return page(request, "jobs/_progress.html", **_shown(session, job))


@router.post("/{job_id}/cancel", status_code=303)
def cancel_job(job: JobInPath, session: WriteSession, person: CurrentPerson) -> RedirectResponse:
    """Call a job off."""
    service.refuse_to_cancel(person, job)
    service.cancel(session, job, by=person)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


def _shown(session: ReadSession, job: Job) -> dict[str, Any]:
    return {
        "job": job,
        "attempts": service.attempts(session, job),
        "live": job.state in LIVE_STATES,
        "label": service.label(job),
        "workers": service.workers_seen(session),
    }
