"""The home page: what waits for a person, what is red and why, what runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from app.waiting import Lines, lines_of, waits_of
from core.clock import now
from core.jobs.models import LIVE_STATES, Job
from core.jobs.service import label, latest_jobs, percent
from core.people.actor import Actor
from core.records.models import Project
from core.web import CurrentPerson, ReadSession, page, readable_projects
from dataflows.coverage import coverage
from dataflows.service import project_of_map, read_department
from qms.findings.asking import NO_RELEASE
from qms.findings.service import judge
from qms.releases.ports import SignedStanding
from qms.rules.findings import CheckResult

router = APIRouter(tags=["home"])

NOON, EVENING = 12, 18


@dataclass(frozen=True)
class RedRelease:
    """A release whose check fails today, with the rules that fail.

    Attributes
    ----------
    signed : SignedStanding or None
        What the check said when it was signed; None for a candidate.
    """

    project: Project
    uid: str
    title: str
    result: CheckResult
    signed: SignedStanding | None = None


@dataclass(frozen=True)
class RedRecord:
    """A project without any release to judge, in whose record alone something is found."""

    project: Project
    result: CheckResult


@dataclass(frozen=True)
class BareMap:
    """A department map with something that no QA procedure controls."""

    project: Project
    connections: int
    pathways: int


@router.get("/")
def show_home(request: Request, person: CurrentPerson, session: ReadSession) -> HTMLResponse:
    """Show what concerns the person who is signed in."""
    projects = readable_projects(session, person)
    lines = lines_of(session, projects)
    red, records = _red(session, projects, lines)
    return page(
        request,
        "home.html",
        greeting=_greeting(),
        every_project=projects,
        **vars(waits_of(session, person, projects, lines)),
        green=[one for one in lines if one[1].result and one[1].result.passed and one[1].current],
        red=red,
        records=records,
        bare=_bare_maps(session, person, projects),
        running=_running(session, person),
        may_begin=person.may_begin_projects,
    )


@router.get("/map")
def show_map(person: CurrentPerson, session: ReadSession, near: str = "") -> RedirectResponse:
    """Lead to the department map: the project's own, else that of the project that has one."""
    projects = readable_projects(session, person)
    # A stable sort: the project that one comes from is asked first, the others keep their order.
    nearest_first = sorted(projects, key=lambda project: project.key != near)
    found = project_of_map(session, nearest_first) or next(iter(nearest_first), None)
    return RedirectResponse(f"/p/{found.key}/map" if found else "/", status_code=303)


def _greeting() -> str:
    hour = now().astimezone().hour
    if hour < NOON:
        return "Good morning"
    return "Good afternoon" if hour < EVENING else "Good evening"


def _red(
    session: Session, projects: Sequence[Project], lines: Lines
) -> tuple[list[RedRelease], list[RedRecord]]:
    """Return what is red: releases that are judged, and the record of projects without any."""
    releases, records = [], []
    for project in projects:
        judged = [line for of, line in lines if of is project and line.result is not None]
        releases += [
            RedRelease(project, line.record.uid, line.record.title, line.result, line.signed)
            for line in judged
            if line.result is not None and not line.result.passed
        ]
        if not judged:
            alone = judge(session, project, release=NO_RELEASE).result
            records += [RedRecord(project, alone)] if alone.findings else []
    return releases, records


def _bare_maps(session: Session, person: Actor, projects: Sequence[Project]) -> list[BareMap]:
    found = []
    for project in projects:
        department = read_department(session, project.key, person)
        if not department.connections:
            continue
        lacking = coverage(department)
        if not lacking.complete:
            found.append(BareMap(project, len(lacking.external), len(lacking.pathways)))
    return found


def _running(session: Session, person: Actor) -> list[tuple[Job, str, int | None]]:
    return [
        (job, label(job), percent(job))
        for job in latest_jobs(session, person)
        if job.state in LIVE_STATES
    ]
