"""The baselines of a project: listed, frozen, verified, and compared with each other and today."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import FiducialError
from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.snapshot import Key, Snapshot, natural_order
from core.records.types import get_registry
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    WriteSession,
    page,
    proving,
    readable_projects,
    say,
)
from core.web.downloads import exported
from core.web.refusals import refuse_within, status_of
from qms.baselines.current import project_snapshot
from qms.baselines.differing import Comparison, Kind, compared
from qms.baselines.freezing import (
    GATES,
    TODAY,
    Side,
    Standing,
    find_standing,
    freeze_baseline,
    list_sheet,
    may_freeze,
    side,
    standings,
)
from qms.baselines.service import lines_of, verify_baseline
from qms.baselines.tables import difference_sheet, lines_sheet, what

router = APIRouter(prefix="/p/{project}/baselines", tags=["baselines"])

PAGE_SIZE = 50
"""Records on a page of a comparison: the words of each are compared as it is drawn."""

LINES_SIZE = 200
ALL = "all"


class FreezeForm(BaseModel):
    """What a baseline is called, why it is frozen, and behind which gate."""

    name: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=10_000)
    gate: str = Field(default="", max_length=40)
    password: str = Field(default="", max_length=1_000)


class View(BaseModel):
    """Which two are compared, and what of it is shown."""

    before: str = Field(default="", max_length=80)
    after: str = Field(default=TODAY, max_length=80)
    show: str = Field(default=ALL, max_length=20)
    page: int = Field(default=1, ge=1, le=1_000_000)

    @property
    def kind(self) -> Kind | None:
        """The kind that is shown; None for all."""
        return Kind(self.show) if self.show in set(Kind) else None

    def query(self, **changes: str) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump(include={"before", "after", "show"}) | changes
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("")
def show_baselines(
    request: Request, project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> HTMLResponse:
    """List the baselines of a project, the latest first."""
    return _list(request, session, project, person, FreezeForm())


@router.post("", status_code=303)
def freeze(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    form: Annotated[FreezeForm, Form()],
) -> Response:
    """Freeze what is in force under a name, signed with the password."""
    key = project.key
    try:
        proof = proving.prove(request, session, person, form.password)
        made = freeze_baseline(session, project, form.name, form.reason, person, form.gate, proof)
        number, count = made.number, made.count
    except FiducialError as error:
        refuse_within(request, session, request.url.path, error)
        return _list(request, session, project, person, form, error)
    response = RedirectResponse(f"/p/{key}/baselines/{number}", status_code=303)
    say(response, f"Baseline {number} of {count} records was frozen and signed.")
    return response


@router.get("/export/{format_name}")
def export_baselines(project: ProjectInPath, session: ReadSession, format_name: str) -> Response:
    """Return the list of baselines in one of the export formats."""
    table = list_sheet(project, standings(session, project))
    return exported(table, format_name, f"{project.key}-baselines")


@router.get("/compare")
def show_difference(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what differs between two baselines, or a baseline and today."""
    known = standings(session, project)
    view = _with_defaults(view, known)
    at = f"/p/{project.key}/baselines/compare"
    if not view.before:
        return page(request, "qms/baselines/compare.html", project=project, nav="Releases",
                    known=known, view=view, found=None)  # fmt: skip
    before, after, found = _compared(session, project, person, view)
    shown = found.of(view.kind)
    number = min(view.page, max(1, -(-len(shown) // PAGE_SIZE)))
    labels = get_registry()
    return page(
        request,
        "qms/baselines/compare.html",
        project=project,
        nav="Releases",
        known=known,
        view=view,
        before=before,
        after=after,
        found=found,
        what=what,
        records=shown[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
        labels={one.name: one.label for one in labels.all()},
        total=len(shown),
        number=number,
        page_size=PAGE_SIZE,
        filters=[
            (word, count, f"{at}?{view.query(show=word)}")
            for word, count in (
                (ALL, len(found.records)),
                *((kind.value, found.count(kind)) for kind in Kind),
            )
        ],
        turned=f"{at}?{view.query(before=view.after, after=view.before)}",
        page_address=f"{at}?{view.query()}&page=",
        everything=f"{at}?{view.query(show='')}",
        exports=[
            (name.upper(), f"{at}/export/{name}?{view.query()}") for name in forms_for(len(shown))
        ],
    )


@router.get("/compare/export/{format_name}")
def export_difference(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return everything that differs, value by value, in one of the export formats."""
    view = _with_defaults(view, standings(session, project))
    before, after, found = _compared(session, project, person, view)
    shown = found.of(view.kind)
    table = difference_sheet(project.key, before.label, after.label, shown, view.show)
    name = f"{project.key}-{before.label}-to-{after.label}".replace(" ", "-")
    return exported(table, format_name, name)


@router.get("/{number}")
def show_baseline(
    request: Request,
    project: ProjectInPath,
    number: str,
    person: CurrentPerson,
    session: ReadSession,
    at: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """Show one baseline, verified now, and the records in it."""
    one = find_standing(session, project, number)
    lines = sorted(
        lines_of(session, one.baseline), key=lambda each: (each.project, natural_order(each.uid))
    )
    here = min(at, max(1, -(-len(lines) // LINES_SIZE)))
    address = f"/p/{project.key}/baselines/{one.baseline.number}"
    snapshot = project_snapshot(session, project)
    return page(
        request,
        "qms/baselines/baseline.html",
        project=project,
        nav="Releases",
        one=one,
        gates=GATES,
        verification=verify_baseline(session, one.baseline),
        lines=lines[(here - 1) * LINES_SIZE : here * LINES_SIZE],
        titles=_titles(session, person, snapshot),
        total=len(lines),
        number=here,
        page_size=LINES_SIZE,
        page_address=f"{address}?page=",
        exports=[(name.upper(), f"{address}/export/{name}") for name in forms_for(len(lines))],
    )


@router.get("/{number}/export/{format_name}")
def export_baseline(
    project: ProjectInPath,
    number: str,
    person: CurrentPerson,
    session: ReadSession,
    format_name: str,
) -> Response:
    """Return the records of one baseline in one of the export formats."""
    found = find_standing(session, project, number).baseline
    titles = _titles(session, person, project_snapshot(session, project))
    table = lines_sheet(project.key, found.number, lines_of(session, found), titles)
    return exported(table, format_name, f"{project.key}-baseline-{found.number}")


def _list(
    request: Request,
    session: Session,
    project: Project,
    person: Actor,
    form: FreezeForm,
    error: FiducialError | None = None,
) -> HTMLResponse:
    known = standings(session, project)
    at = f"/p/{project.key}/baselines"
    return page(
        request,
        "qms/baselines/baselines.html",
        status=status_of(error) if error else 200,
        project=project,
        nav="Releases",
        known=known,
        may_freeze=may_freeze(project, person),
        form=form,
        gates=list(GATES.items()),
        problem=error.message if error else "",
        faults=getattr(error, "faults", ()),
        exports=[(name.upper(), f"{at}/export/{name}") for name in forms_for(len(known))],
    )


def _with_defaults(view: View, known: list[Standing]) -> View:
    """Compare the latest baseline with today where nothing else is asked."""
    before = view.before or (str(known[0].baseline.number) if known else "")
    return view.model_copy(update={"before": before, "after": view.after or TODAY})


def _compared(
    session: Session, project: Project, person: Actor, view: View
) -> tuple[Side, Side, Comparison]:
    before, after = (side(session, project, name) for name in (view.before, view.after))
    readable = {one.key for one in readable_projects(session, person)}
    return before, after, compared(session, before.lines, after.lines, readable)


def _titles(session: Session, person: Actor, snapshot: Snapshot) -> dict[Key, str]:
    readable = {one.key for one in readable_projects(session, person)}
    return {
        key: record.title for key, record in snapshot.records.items() if key.project in readable
    }
