"""The repositories page: register, scan, and read what commits say about the records."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, Invalid, NotFound
from core.exports import Sheet, forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, require
from core.web.downloads import exported
from core.web.transaction import settings_of
from qms.repositories import queries, service
from qms.repositories.asking import TRACED_TYPE, changed_since_run, in_force
from qms.repositories.lines import lines_in_doubt, unknown_markers, unread_files
from qms.repositories.marked import routes as marked_routes
from qms.repositories.markers import lines_of
from qms.repositories.observing import tags_of
from qms.repositories.queries import CommitFilter, CommitLine

router = APIRouter(prefix="/p/{project}/repositories", tags=["repositories"])
router.include_router(marked_routes.router)

PAGE_SIZE = 50

EXPORT_SIZE = 1_000_000
"""An export holds every commit that the filter shows."""


MOST_FILES = 500
"""Files of one commit that its page lists."""

LONGEST_FILE = 500_000
"""Bytes of a file that its page shows."""

MOST_LINES = 20_000
"""Lines of a file that its page shows."""


class View(BaseModel):
    """Which commits are shown."""

    show: CommitFilter = CommitFilter.ALL
    page: int = Field(default=1, ge=1, le=1_000_000)


class Registration(BaseModel):
    """The form that registers a repository; the address is judged by the service."""

    address: str = Field(default="", max_length=2000)
    name: str = Field(default="", max_length=200)


@router.get("")
def show_repositories(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show repositories, commits, tags and findings."""
    return _page(request, project, person, session, view=view)


@router.post("", status_code=303)
def register(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[Registration, Form()],
) -> Response:
    """Register a repository; a refused address comes back as it was typed, with every fault."""
    require(project, person, *service.MAY_CHANGE)
    try:
        service.register(
            session,
            project,
            form.address,
            person,
            name=form.name,
            settings=settings_of(request),
        )
    except Invalid as refusal:
        return _page(
            request,
            project,
            person,
            session,
            view=View(),
            form=form,
            faults=refusal.faults,
        )
    return RedirectResponse(f"/p/{project.key}/repositories", status_code=303)


@router.post("/{name}/scan", status_code=303)
def scan(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, name: str
) -> RedirectResponse:
    """Ask for a scan; while one waits or runs, that one is shown."""
    require(project, person, *service.MAY_CHANGE)
    job = service.ask_for_scan(session, project, name, person)
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.post("/{name}/retire", status_code=303)
def retire(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, name: str
) -> RedirectResponse:
    """Stop scanning a repository; what was read from it stays."""
    require(project, person, *service.MAY_CHANGE)
    service.retire(session, service.find_repository(session, project.key, name), person)
    return RedirectResponse(f"/p/{project.key}/repositories", status_code=303)


@router.get("/{name}/commits/{sha}")
def show_commit(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    name: str,
    sha: str,
) -> HTMLResponse:
    """Show one commit, what it names, and its tags."""
    repository = service.find_repository(session, project.key, name)
    found = queries.find_commit(session, repository, sha)
    if found is None:
        raise NotFound(f"Repository {name} has no commit {sha[:40]}.")
    commit, trailers = found
    mirror = service.mirror_of(settings_of(request), repository.id or 0)
    files = mirror.changed(sha) if mirror.holds(sha) else []
    return page(
        request,
        "qms/repositories/commit.html",
        project=project,
        nav="Trace",
        repository=repository,
        commit=commit,
        trailers=trailers,
        files=files[:MOST_FILES],
        more_files=max(len(files) - MOST_FILES, 0),
        tags=[tag.name for tag in tags_of(session, repository) if tag.sha == sha],
    )


@router.get("/{name}/commits/{sha}/file")
def show_file(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    name: str,
    sha: str,
    path: Annotated[str, Query(max_length=1000)],
) -> HTMLResponse:
    """Show a file of one commit as text."""
    repository = service.find_repository(session, project.key, name)
    found = queries.find_commit(session, repository, sha)
    mirror = service.mirror_of(settings_of(request), repository.id or 0)
    content = mirror.read(sha, path, LONGEST_FILE) if found and mirror.holds(sha) else None
    if found is None or content is None:
        raise NotFound(f"Commit {sha[:40]} of {name} has no file {path[:200]}.")
    lines = None if b"\0" in content else lines_of(content)
    return page(
        request,
        "qms/repositories/file.html",
        project=project,
        nav="Trace",
        repository=repository,
        commit=found[0],
        path=path,
        size=len(content),
        lines=lines and lines[:MOST_LINES],
        more_lines=max(len(lines or ()) - MOST_LINES, 0),
    )


@router.get("/export/{format_name}")
def export_commits(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return every commit that the filter shows, in one of the export formats."""
    lines = queries.commits_page(session, project.id or 0, view.show, 1, EXPORT_SIZE)
    return exported(_sheet(project, view, lines), format_name, f"{project.key}-commits")


def _page(
    request: Request,
    project: Project,
    person: Actor,
    session: Session,
    *,
    view: View,
    form: Registration | None = None,
    faults: Sequence[Fault] = (),
) -> HTMLResponse:
    project_id = project.id or 0
    counts = queries.commit_counts(session, project_id)
    repositories = service.repositories_of(session, project.key)
    address = f"/p/{project.key}/repositories"
    registry = get_registry()
    return page(
        request,
        "qms/repositories/repositories.html",
        status=422 if faults else 200,
        project=project,
        nav="Trace",
        repositories=repositories,
        may_change=person.has(project_id, *service.MAY_CHANGE),
        sources=service.allowed_sources(settings_of(request)),
        form=form or Registration(),
        faults=faults,
        commits=queries.commits_page(session, project_id, view.show, view.page, PAGE_SIZE),
        filters=[
            (chosen.value, count, f"{address}?{urlencode({'show': chosen.value})}")
            for chosen, count in counts.items()
        ],
        show=view.show.value,
        total=counts[view.show],
        page=view.page,
        page_size=PAGE_SIZE,
        page_address=f"{address}?{urlencode({'show': view.show.value})}&page=",
        export_addresses=[
            (name.upper(), f"{address}/export/{name}?{urlencode({'show': view.show.value})}")
            for name in forms_for(counts[view.show])
        ],
        tags=[(tag, one) for one in repositories for tag in tags_of(session, one)],
        unknown=queries.unknown_mentions(session, project_id),
        doubtful=lines_in_doubt(session, project_id),
        unknown_markers=unknown_markers(session, project),
        unread=unread_files(session, project_id),
        changed_since=changed_since_run(session, project.key, in_force(session, project.key)),
        bare=[
            (
                registry.of(TRACED_TYPE).plural,
                queries.records_without_commit(session, project_id, TRACED_TYPE),
            )
        ],
    )


def _sheet(project: Project, view: View, lines: Sequence[CommitLine]) -> Sheet:
    return Sheet(
        title=f"Commits {project.key}",
        headings=("Repository", "Commit", "Time (UTC)", "Author", "Subject", "Names"),
        rows=[
            (
                line.repository,
                line.sha,
                line.at.isoformat(),
                line.author,
                line.subject,
                "\n".join(
                    f"{one.role} {one.named}{'' if one.known else ' (no such record)'}"
                    for one in line.mentioned
                ),
            )
            for line in lines
        ],
        about={"Project": project.key, "Shown": view.show.value},
    )
