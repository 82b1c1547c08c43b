"""Which records speak to a clause: the frameworks, their clauses, one clause with its records."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from core.exports import forms_for
from core.web import CurrentPerson, ProjectInPath, ReadSession, page, readable_projects
from core.web.downloads import exported
from qms.clauses import service
from qms.clauses.standing import MEANINGS, ClauseAnswer, Standing
from qms.clauses.tables import CAUTION, clause_as_json, file_as_json, sheet
from qms.releases.scope import NEWEST

router = APIRouter(prefix="/p/{project}", tags=["clauses"])

PAGE_SIZE = 100
"""Records on one page of a clause, and findings named under a check."""

ALL = "all"
NO_RELEASE = "none"
"""Asks about the record alone; an empty choice asks for the newest candidate."""

JSON_ENDING = ".json"


class Chosen(BaseModel):
    """The release whose check is asked."""

    release: str = Field(default="", max_length=200)

    @property
    def wanted_release(self) -> str | None:
        """The release to load: one by name, the newest candidate, or none."""
        return None if self.release == NO_RELEASE else self.release or NEWEST


class View(Chosen):
    """What the list is asked to show; every link on it keeps the rest of the view."""

    framework: str = Field(default="", max_length=40)
    q: str = Field(default="", max_length=200)
    show: str = Field(default="", max_length=40)

    def query(self, **changes: str) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump() | changes
        return urlencode({key: value for key, value in asked.items() if value})


@router.get("/clauses")
def show_clauses(
    request: Request,
    project: ProjectInPath,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show the frameworks with their counts, or the clauses asked for; one alone opens at once."""
    file = service.clause_file(session, project, view.wanted_release)
    within = file.pick(view.framework, view.q)
    view = view.model_copy(update={"release": _release_of(file)})
    address = f"/p/{project.key}/clauses"
    if view.q and len(within) == 1 and file.led(view.framework, view.q):
        where = _clause_address(project.key, within[0], view.release)
        return RedirectResponse(where, status_code=303)
    shown = service.kept(within, view.show)
    return page(
        request,
        "qms/clauses/clauses.html",
        project=project,
        nav="Clauses",
        file=file,
        view=view,
        overview=not (view.framework or view.q or view.show),
        shown=shown,
        within=within,
        filters=_filters(within, view, address),
        current_filter=view.show if view.show in set(Standing) else ALL,
        standings=tuple(Standing),
        meanings=MEANINGS,
        caution=CAUTION,
        list_address=lambda **changes: f"{address}?{view.query(**changes)}",
        clause_address=lambda one: _clause_address(project.key, one, view.release),
        export_addresses=[
            (name.upper(), f"{address}/export/{name}?{view.query()}")
            for name in forms_for(len(shown))
        ],
    )


@router.get("/clauses.json")
def read_clauses(
    project: ProjectInPath, session: ReadSession, view: Annotated[View, Query()]
) -> JSONResponse:
    """Return the clauses that the page would show as plain values; the counts are the same."""
    file = service.clause_file(session, project, view.wanted_release)
    shown = service.kept(file.pick(view.framework, view.q), view.show)
    return JSONResponse(file_as_json(file, shown))


@router.get("/clauses/export/{format_name}")
def export_clauses(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the clauses that the page would show, in one of the export formats."""
    file = service.clause_file(session, project, view.wanted_release)
    shown = service.kept(file.pick(view.framework, view.q), view.show)
    words = [file.framework(view.framework).name if view.framework else "every framework"]
    words += [word for word in (view.q, view.show) if word]
    return exported(sheet(file, shown, ", ".join(words)), format_name, f"{project.key}-clauses")


@router.get("/clauses/{framework}/{clause}.json")
def read_clause(
    *,
    project: ProjectInPath,
    session: ReadSession,
    framework: str,
    clause: str,
    chosen: Annotated[Chosen, Query()],
) -> JSONResponse:
    """Return one clause with everything that speaks to it as plain values."""
    file = service.clause_file(session, project, chosen.wanted_release)
    return JSONResponse(clause_as_json(file, file.clause(framework, clause)))


class ClauseView(Chosen):
    """One clause, and the page of its records."""

    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("/clauses/{framework}/{clause}")
def show_clause(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    framework: str,
    clause: str,
    view: Annotated[ClauseView, Query()],
) -> HTMLResponse:
    """Show one clause: its records, checks, exclusions, what is missing, and what people answer."""
    file = service.clause_file(session, project, view.wanted_release)
    answer = file.clause(framework, clause)
    release = _release_of(file)
    address = _clause_address(project.key, answer, release)
    listed = file.framework(framework)
    speakers = (*answer.in_force, *answer.drafts)
    last_page = max(1, -(-len(speakers) // PAGE_SIZE))
    number = min(view.page, last_page)
    readable = [one.key for one in readable_projects(session, person)]
    return page(
        request,
        "qms/clauses/clause.html",
        project=project,
        nav="Clauses",
        file=file,
        answer=answer,
        framework=listed,
        meaning=MEANINGS[answer.standing],
        caution=CAUTION,
        total=len(speakers),
        speakers=speakers[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        number=number,
        page_size=PAGE_SIZE,
        page_address=f"{address}&page=",
        readable=readable,
        pointer=listed.pointer(answer.clause),
        release=release,
        back=f"/p/{project.key}/clauses?{urlencode({'framework': framework, 'release': release})}",
        json_address=address.replace("?", f"{JSON_ENDING}?", 1),
    )


def _release_of(file: service.ClauseFile) -> str:
    return file.release.uid if file.release else NO_RELEASE


def _clause_address(project: str, one: ClauseAnswer, release: str) -> str:
    where = f"/p/{project}/clauses/{quote(one.framework)}/{quote(one.clause)}"
    return f"{where}?{urlencode({'release': release})}"


def _filters(within: list[ClauseAnswer], view: View, address: str) -> list[tuple[str, int, str]]:
    counts = {ALL: len(within)}
    counts |= {word.value: sum(one.standing is word for one in within) for word in Standing}
    return [
        # Asked for by its word, or the list of everything would be the overview again.
        (word, count, f"{address}?{view.query(show=word)}")
        for word, count in counts.items()
        if count or word in (ALL, view.show)
    ]
