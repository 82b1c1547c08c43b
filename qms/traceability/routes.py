"""The traceability pages: the matrix, its exports, and the explanation of each row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field
from sqlmodel import Session

from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.web import CurrentPerson, ProjectInPath, ReadSession, page, readable_projects
from core.web.downloads import exported
from qms.releases.scope import NEWEST, choose_release
from qms.traceability import service
from qms.traceability.asking import ALL, DELIVERED, NO_RELEASE, SORTS, View
from qms.traceability.clauses import is_listed, of_clause
from qms.traceability.columns import known_columns
from qms.traceability.coverage import Flag, Outcome
from qms.traceability.matrix import Matrix, Row
from qms.traceability.paths import Column, shortest_ways
from qms.traceability.tables import sheet
from qms.traceability.views.service import Kept, default_of, kept_views
from qms.traceability.ways import Offered, in_words, offered

router = APIRouter(prefix="/p/{project}/trace", tags=["traceability"])

PAGE_SIZE = 50


class WhyView(View):
    """A view, where on its page the explanation is to stand, and of which column it is."""

    at: int = Field(default=0, ge=0, le=PAGE_SIZE)
    column: str = Field(default="", max_length=100)
    hide: bool = False


@router.get("")
def show_matrix(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show one page of the matrix, with counts that filter it; first of all one's own view."""
    opening = None if request.query_params else default_of(session, project, person)
    if opening is not None:
        return RedirectResponse(f"/p/{project.key}/trace/views/{opening}", status_code=303)
    loaded = _load(session, project, person, view)
    matrix = _drawn(session, project, loaded, view)
    kept = kept_views(session, project, person)
    view = view.model_copy(
        update={"release": matrix.release or NO_RELEASE, "along": list(loaded.ways)}
    )
    shown = ordered(filtered(matrix, view.show), view.sort)
    registry = get_registry()
    labels = {name: registry.of(name) for name in registry.names()}
    address = f"/p/{project.key}/trace"
    first = (view.page - 1) * PAGE_SIZE

    return page(
        request,
        "qms/traceability/matrix.html",
        project=project,
        nav="Trace",
        matrix=matrix,
        release_version=loaded.release.version if loaded.release else "",
        rows=shown[first : first + PAGE_SIZE],
        headings=_headings(matrix, labels),
        mend=partial(_mend, project, view.rows),
        ways=_ways(loaded),
        labels=labels,
        releases=[(release.uid, release.label) for release in loaded.releases],
        view=view,
        filters=_filters(matrix, view, address),
        current_filter=view.show,
        sorts=SORTS,
        total=len(shown),
        page_size=PAGE_SIZE,
        page_address=f"{address}?{view.query(page='')}&page=",
        export_addresses=[
            (name.upper(), f"{address}/export/{name}?{view.query(page='')}")
            for name in forms_for(len(shown))
        ],
        why_address=_why_addresses(address, view),
        row_types=_row_types(loaded, labels),
        column_types=_column_types(loaded, labels),
        show_code=any(row.code or row.lines for row in matrix.rows),
        re_review=matrix.count(Flag.NEEDS_REVIEW),
        unknown_clause=bool(view.clause.strip()) and not is_listed(view.clause),
        views=kept,
        opened=next((one for one in kept if one.id == view.saved), None),
        changed=_is_changed(kept, view, loaded),
        keep_address=f"{address}/views?{view.query(page='', saved='')}",
        judged=any(row.judgement.outcome is not Outcome.NONE for row in matrix.rows),
    )


def _why_addresses(address: str, view: View) -> Callable[..., str]:
    """Return what gives the address of an explanation: of a row, or of a cell in one."""
    # Written once: a page holds hundreds of addresses that differ by their ends.
    query = view.query()

    def why_address(row: Row, at: int = 0, column: str = "") -> str:
        place = f"&at={at}" if at else ""
        where = f"&column={column}" if column else ""
        return f"{address}/why/{row.record.key.uid}?{query}{place}{where}"

    return why_address


@router.get("/why/{uid}")
def show_why(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    view: Annotated[WhyView, Query()],
) -> Response:
    """Explain one row: beneath it where the page asks in place, otherwise as a page of its own."""
    in_place = bool(view.at) and request.headers.get("HX-Request") == "true"
    address = f"/p/{project.key}/trace"
    back = f"{address}?{view.query(at='', hide='', column='')}"
    if view.hide:
        if not in_place:
            return RedirectResponse(back, status_code=303)
        return HTMLResponse(f'<tr class="beneath" id="why-{view.at}" hidden></tr>')
    loaded = _load(session, project, person, view)
    if view.column:
        row, column, sentences = service.why_cell(loaded, uid, view.column)
        labels = get_registry()
        label = (column.label or labels.of(column.name).label).lower()
        offer = _mend(project, view.rows, row, column) if column.name in row.lacking else None
    else:
        row, sentences = service.why(session, loaded, uid)
        label, offer = "", None
    return page(
        request,
        "qms/traceability/_why_row.html" if in_place else "qms/traceability/why.html",
        project=project,
        nav="Trace",
        record=row.record,
        row=row,
        sentences=sentences,
        column=label,
        offer=offer,
        back=back,
        place=view.at,
        span=len(loaded.columns) + 4,
        hide_address=f"{address}/why/{uid}?{view.query(hide='true')}",
    )


@router.get("/export/{format_name}")
def export_matrix(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return every row that the page would show, in its order, in one of the export formats."""
    loaded = _load(session, project, person, view)
    matrix = _drawn(session, project, loaded, view)
    shown = ordered(filtered(matrix, view.show), view.sort)
    registry = get_registry()
    labels = {name: registry.of(name).label for name in registry.names()}
    name = f"{project.key}-trace-{matrix.release or 'latest'}"
    return exported(
        sheet(matrix, shown, labels, _as_asked(view), len(loaded.matrix().rows)), format_name, name
    )


def _as_asked(view: View) -> str:
    """Say which rows were asked for, with the table that leaves the house."""
    clause = view.clause.strip()
    if not clause:
        return view.show
    known = (
        f"clause {clause}" if is_listed(clause) else f"clause {clause}, which is in no framework"
    )
    return f"{view.show}, {known}"


def _load(session: Session, project: Project, person: Actor, view: View) -> service.Trace:
    readable = [one.key for one in readable_projects(session, person)]
    return service.load_trace(
        session,
        project.key,
        view.rows,
        view.columns,
        view.wanted_release,
        readable=readable,
        ways=view.along,
        lenient=True,
    )


def _drawn(session: Session, project: Project, loaded: service.Trace, view: View) -> Matrix:
    """Return the matrix, or the rows of it that the chosen clause concerns."""
    matrix = loaded.matrix()
    return of_clause(session, project, matrix, view.clause) if view.clause.strip() else matrix


@dataclass(frozen=True)
class Mend:
    """What fills an empty cell: the type that is written for it, a sentence and where."""

    type: str
    words: str
    address: str


def _mend(project: Project, rows: str, row: Row, column: Column) -> Mend:
    """Return the way to fill an empty cell: a record that links here, or a link from here."""
    uid = row.record.key.uid
    way = column.ways[0] if column.ways else ()
    if len(way) == 1 and not way[0].forward:
        name = column.name if column.name in column.types else min(column.types)
        label = get_registry().of(name).label.lower()
        given = urlencode({way[0].role: uid})
        return Mend(name, f"Write a {label}", f"/p/{project.key}/new/{name}?{given}")
    if len(way) == 1:
        return Mend(rows, "Link one", f"/p/{project.key}/{uid}/edit")
    return Mend(rows, "Open it", f"/p/{project.key}/{uid}")


def _headings(
    matrix: Matrix, labels: Mapping[str, RecordType]
) -> list[tuple[Column, str, tuple[str, ...]]]:
    """Return each column with its heading and the role paths it is drawn along."""
    words = service.role_words(get_registry())
    return [
        (
            column,
            column.label or labels[column.name].label,
            tuple(dict.fromkeys(in_words(way, words) for way in column.ways)),
        )
        for column in matrix.columns
    ]


def _ways(loaded: service.Trace) -> list[tuple[str, tuple[Offered, ...]]]:
    """Return the paths that each column shown may be drawn along, where there is a choice."""
    registry = get_registry()
    links, words = service.allowed_links(registry), service.role_words(registry)
    usual = {column.name: column.ways for column in known_columns().get(loaded.rows_type, ())}
    found = [
        (
            column.label or registry.of(column.name).label,
            offered(column, usual.get(column.name, ()), loaded.rows_type, links, words),
        )
        for column in loaded.columns
    ]
    return [(label, ways) for label, ways in found if len(ways) > 1]


def filtered(matrix: Matrix, show: str) -> tuple[Row, ...]:
    """Return the rows of one filter; an unknown filter shows all."""
    if show == DELIVERED:
        return tuple(row for row in matrix.rows if row.delivered)
    return matrix.filtered(Flag(show) if show in set(Flag) else None)


def ordered(rows: tuple[Row, ...], sort: str) -> tuple[Row, ...]:
    """Return rows, which come in the order of their ids, with the worst findings first or so."""
    return rows if sort == "id" else tuple(sorted(rows, key=lambda row: row.judgement.worst))


def _is_changed(kept: Sequence[Kept], view: View, loaded: service.Trace) -> bool:
    """Whether the matrix shows something else than the view it was opened with."""
    opened = next((one.choice for one in kept if one.id == view.saved), None)
    if opened is None:
        return False
    newest = choose_release(loaded.releases, NEWEST)
    follows = opened.release or (newest.uid if newest else NO_RELEASE)
    return opened.model_copy(update={"release": follows}) != view.choice


def _filters(matrix: Matrix, view: View, address: str) -> list[tuple[str, int, str]]:
    counts = {ALL: len(matrix.rows)}
    counts |= {flag.value: matrix.count(flag) for flag in Flag}
    if matrix.release:
        counts[DELIVERED] = sum(row.delivered for row in matrix.rows)
    return [
        (word, count, f"{address}?{view.query(show=word, page='')}")
        for word, count in counts.items()
    ]


def _row_types(loaded: service.Trace, labels: Mapping[str, RecordType]) -> list[tuple[str, str]]:
    """Return the types that have records here, and so can be rows."""
    present = {record.type for record in loaded.facts.snapshot.records.values()}
    return [
        (name, kind.plural)
        for name, kind in sorted(labels.items(), key=lambda item: item[1].plural)
        if name in present or name == loaded.rows_type
    ]


def _column_types(
    loaded: service.Trace, labels: Mapping[str, RecordType]
) -> list[tuple[str, str, bool]]:
    """Return every type that some chain of links joins to the rows, and whether it is a column."""
    links = service.allowed_links(get_registry())
    known = {column.name for column in known_columns().get(loaded.rows_type, ())}
    chosen = {column.name for column in loaded.columns}
    return [
        (name, kind.label, name in chosen)
        for name, kind in sorted(labels.items(), key=lambda item: item[1].label)
        if name in known or shortest_ways(loaded.rows_type, name, links)
    ]
