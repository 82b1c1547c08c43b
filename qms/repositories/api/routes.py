"""Repositories as programs see them: the list, registering one, a scan, retiring one."""

from datetime import datetime
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.jobs.told import StartedTold, follow_of
from core.web import (
    ActSession,
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    StartSession,
    require,
)
from core.web.answers import STARTS
from core.web.sent import Words
from core.web.transaction import settings_of
from qms.repositories import lines, service
from qms.repositories.models import Repository
from qms.repositories.observing import tags_of

router = APIRouter(prefix="/api/p/{project}/repositories", tags=["api"])


class TagTold(BaseModel):
    """A tag of a repository; `lost` where a scan no longer found it."""

    name: str
    commit: str
    lost: bool


class RepositoryTold(BaseModel):
    """One repository of a project; `problem` says why the last scan failed."""

    name: str
    address: str
    default_branch: str
    registered_by: str
    registered_at: datetime
    scanned_at: datetime | None
    problem: str
    retired_at: datetime | None
    tags: list[TagTold]


class LinesTold(BaseModel):
    """Lines of source that a marker gives to a record; `why` says why they need re-review."""

    uid: str
    role: str
    repository: str
    commit: str
    path: str
    first: int
    last: int
    blob: str
    needs_re_review: bool
    why: str
    diff: str
    address: str


class LinesFilter(StrEnum):
    """Which marked lines are told."""

    ALL = "all"
    RE_REVIEW = "re-review"


class NewRepository(BaseModel):
    """The repository that is to be registered; without a name it is called as its address ends."""

    address: Words = Field(max_length=2000)
    name: Words = Field(default="", max_length=200)


@router.get("")
def list_repositories(project: ProjectInPath, session: ReadSession) -> list[RepositoryTold]:
    """List the repositories of a project by name, the retired ones too."""
    return [_told(session, one) for one in service.repositories_of(session, project.key)]


@router.post("", status_code=201)
def register(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ActSession,
    sent: NewRepository,
) -> RepositoryTold:
    """Register a repository; it is mirrored when it is first scanned."""
    require(project, person, *service.MAY_CHANGE)
    made = service.register(
        session, project, sent.address, person, name=sent.name, settings=settings_of(request)
    )
    return _told(session, made)


@router.get("/lines")
def list_lines(
    project: ProjectInPath, session: ReadSession, show: LinesFilter = LinesFilter.ALL
) -> list[LinesTold]:
    """List the marked lines of a project's records, those that need re-review first."""
    found = lines.lines_of_project(session, project.id or 0)
    return [
        LinesTold(
            uid=one.uid,
            role=one.link.role,
            repository=one.repository,
            commit=one.link.commit,
            path=one.link.path,
            first=one.link.first,
            last=one.link.last,
            blob=one.link.blob,
            needs_re_review=one.doubt is not None,
            why=one.why,
            diff=one.link.diff if one.doubt else "",
            address=f"/p/{project.key}/repositories/lines/{one.link.id}",
        )
        for one in found
        if one.doubt or show is LinesFilter.ALL
    ]


@router.post("/{name}/retire")
def retire(
    project: ProjectInPath, person: CurrentPerson, session: ActSession, name: str
) -> RepositoryTold:
    """Stop scanning a repository; what was read from it stays."""
    require(project, person, *service.MAY_CHANGE)
    repository = service.find_repository(session, project.key, name)
    service.retire(session, repository, person)
    return _told(session, repository)


@router.post("/{name}/scan", status_code=202, responses=STARTS)
def scan(
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    name: str,
) -> StartedTold:
    """Ask for a scan; while one waits or runs, that one is told."""
    require(project, person, *service.MAY_CHANGE)
    job = service.ask_for_scan(session, project, name, person)
    told = StartedTold(follow=follow_of(job.id))
    response.headers["Location"] = told.follow
    return told


def _told(session: Session, one: Repository) -> RepositoryTold:
    tags = [
        TagTold(name=tag.name, commit=tag.sha, lost=tag.lost_at is not None)
        for tag in tags_of(session, one)
    ]
    return RepositoryTold(
        name=one.name,
        address=one.address,
        default_branch=one.default_branch,
        registered_by=one.registered_by,
        registered_at=one.registered_at,
        scanned_at=one.scanned_at,
        problem=one.problem,
        retired_at=one.retired_at,
        tags=tags,
    )
