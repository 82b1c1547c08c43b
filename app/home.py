"""The home page: what waits for a person, what is red and why, what runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from core.clock import now
from core.jobs.models import LIVE_STATES, Job
from core.jobs.service import label, latest_jobs, percent
from core.people.actor import Actor
from core.records.models import Project
from core.records.talking.reading import waiting_to_answer
from core.records.waiting import own_drafts, returned_to, waiting_for_review, waiting_to_sign
from core.web import CurrentPerson, ReadSession, page, readable_projects
from dataflows.coverage import coverage
from dataflows.service import project_of_map, read_department
from qms.actions import duties
from qms.falling_due.service import own_falling_due
from qms.releases.pages import release_lines
from qms.rules.findings import CheckResult
from qms.training_matrix.service import own_lacks
from validation.runs.listing import unsigned_of

router = APIRouter(tags=["home"])

NOON, EVENING = 12, 18


@dataclass(frozen=True)
class RedRelease:
    """A candidate whose release check fails, with the rules that fail."""

    project: Project
    uid: str
    title: str
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
    returned = returned_to(session, person, projects)
    back = {one.key for one in returned}
    return page(
        request,
        "home.html",
        greeting=_greeting(),
        every_project=projects,
        to_sign=waiting_to_sign(session, person, projects),
        to_review=waiting_for_review(session, person, projects),
        to_answer=waiting_to_answer(session, person, projects),
        returned=returned,
        drafts=[one for one in own_drafts(session, person, projects) if one.key not in back],
        duties=duties(session, person, projects),
        falling=own_falling_due(session, person, projects),
        to_read=own_lacks(session, person, projects),
        red=_red_releases(session, projects),
        bare=_bare_maps(session, person, projects),
        running=_running(session, person),
        by_hand=unsigned_of(session, person.person_id, projects),
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


def _red_releases(session: Session, projects: Sequence[Project]) -> list[RedRelease]:
    return [
        RedRelease(project, line.record.uid, line.record.title, line.result)
        for project in projects
        for line in release_lines(session, project)
        if line.result is not None and not line.result.passed
    ]


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
