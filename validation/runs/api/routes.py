"""Runs as programs see them: the list, and starting one. What asks for a signature is a page's."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from core.jobs.told import StartedTold, follow_of
from core.web import CurrentPerson, ProjectInPath, ReadSession, StartSession, require
from core.web.answers import STARTS
from core.web.sent import Words
from core.web.transaction import settings_of
from validation.protocols.plan import VERIFICATION
from validation.runs.listing import RunLine, count_runs, run_lines
from validation.runs.requests import RunRequest
from validation.runs.service import RUN_ROLES, start_run

router = APIRouter(prefix="/api/p/{project}/runs", tags=["api"])

PAGE_SIZE = 50


class WantedRun(BaseModel):
    """The run that is to be started; the service judges it and names every fault.

    `data` is a folder on the server, for a numerical comparison only; it has to lie in one of the
    folders that the installation names for that.
    """

    release: Words = Field(default="", max_length=200)
    protocol: Words = Field(default=VERIFICATION, max_length=60)
    reason: Words = Field(default="", max_length=2000)
    predecessor: int | None = Field(default=None, ge=1, le=2**31 - 1)
    data: Words | None = Field(default=None, min_length=1, max_length=1000)


class StartedRun(StartedTold):
    """The run that was started: its number, its JSON, and the job that executes it."""

    number: int
    run: str


class RunsTold(BaseModel):
    """One page of runs, the latest first."""

    total: int
    page: int
    page_size: int
    runs: list[RunLine]


class RunsView(BaseModel):
    """Which runs are listed."""

    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("")
def list_runs(
    project: ProjectInPath, session: ReadSession, view: Annotated[RunsView, Query()]
) -> RunsTold:
    """List the runs of a project, a page at a time."""
    return RunsTold(
        total=count_runs(session, project),
        page=view.page,
        page_size=PAGE_SIZE,
        runs=run_lines(session, project, view.page, PAGE_SIZE),
    )


@router.post("", status_code=202, responses=STARTS)
def start(
    request: Request,
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    sent: WantedRun,
) -> StartedRun:
    """Start a validation run. A run by hand is begun, recorded and signed on the pages."""
    require(project, person, *RUN_ROLES)
    sources = tuple(Path(one) for one in settings_of(request).run_data_sources)
    wanted = RunRequest(
        release=sent.release,
        protocol=sent.protocol,
        predecessor=sent.predecessor,
        reason=sent.reason,
        data=Path(sent.data) if sent.data else None,
        data_within=sources,
    )
    run = start_run(session, project, wanted, person)
    address = f"/p/{project.key}/runs/{run.number}.json"
    response.headers["Location"] = address
    return StartedRun(number=run.number, run=address, follow=follow_of(run.job_id))
