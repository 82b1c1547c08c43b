"""The department map over HTTP: picture, matrix, table and pathways."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from core.errors import Conflict, Invalid, NotFound, Refused
from core.jobs.service import workers_seen
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, say
from core.web.answers import TOLD
from core.web.downloads import exported
from core.web.refusals import refuse_within, status_of
from core.web.transaction import settings_of
from dataflows import qa_links, service, sheets
from dataflows.diagram import to_dot, to_plantuml
from dataflows.editing.confirming import unconfirmed
from dataflows.frame import NAV, ZOOMS, View, Window, address, frame, matrix_steps, table_filters
from dataflows.matrix import blocks, matrix_of
from dataflows.pathways import faults, walk
from dataflows.qatrack.queries import states_on
from dataflows.render import DrawingStore, renderer, scaled
from dataflows.tones import CATEGORY_TONES, Paint, priority_word
from dataflows.views import choose

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

LISTED = 500
"""Routes listed below a picture; a picture of more is drawn by a worker, if at all."""

UNCONFIRMED = "not confirmed for a year"
UNAPPROVED = "not approved yet"

ROWS = 200
"""Connections on one page of the table."""


@router.get("")
def show_map(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show the picture of the map beside the routes it draws."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    states = states_on(session, department)
    if view.format:
        sheet = sheets.routes_sheet(department, shown, states)
        return exported(sheet, view.format, f"{project.key}-map")
    picture = shown.picture(department, states)
    drawn = service.drawing(session, _store(request), department, shown, states)
    paint, listed = Paint(view.colour, states), shown.view.routes[:LISTED]
    return page(
        request,
        "dataflows/map.html",
        **frame(project, person, view, department, "Diagram"),
        shown=shown,
        drawing=drawn,
        svg=_sized(drawn.svg, view.zoom),
        drawn_by=renderer() if drawn.svg else "",
        picture=picture,
        systems=picture.in_words,
        statuses=[paint.status_word(department, route.connections) for route in listed],
        risks=[priority_word(department, route.connections) for route in listed],
        most_listed=LISTED,
        inside=sheets.inside(department, shown),
        tones=CATEGORY_TONES,
        zooms=[(name, address(project, "", view.query(zoom=name))) for name in ZOOMS],
        files=[
            (name, address(project, f"/diagram.{name}", view.query()))
            for name in ("svg", "puml", "dot")
        ],
        plantuml_address=address(project, "/plantuml", view.query(zoom="fit")),
        workers=workers_seen(session),
    )


@router.get("/drawing")
def show_drawing(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show the picture alone, or that it is being drawn: the part of the page that changes."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    states = states_on(session, department)
    drawn = service.drawing(session, _store(request), department, shown, states)
    return page(
        request,
        "dataflows/_drawing.html",
        project=project,
        view=view,
        shown=shown,
        drawing=drawn,
        svg=_sized(drawn.svg, view.zoom),
        workers=workers_seen(session),
    )


@router.post("/drawing", status_code=303)
def ask_for_drawing(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view: Annotated[View, Query()],
) -> RedirectResponse:
    """Let a worker draw a large picture; the page, or its part, keeps asking until it is there."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    if shown.drawable:
        text = to_dot(shown.picture(department, states_on(session, department)))
        service.ask_for_drawing(session, _store(request), text, project, person)
    part = "/drawing" if "hx-request" in request.headers else ""
    return RedirectResponse(address(project, part, view.query()), status_code=303)


@router.get("/diagram.{kind}", responses={503: {"description": TOLD[503]}})
def download_diagram(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    kind: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the picture as SVG, or its text for Graphviz or PlantUML."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    states = states_on(session, department)
    picture = shown.picture(department, states)
    if kind == "dot":
        return Response(to_dot(picture), media_type="text/vnd.graphviz")
    if kind == "puml":
        text = to_plantuml(picture)
        return Response(text, media_type="text/plain; charset=utf-8")
    if kind != "svg":
        raise NotFound(f"A diagram comes as svg, puml or dot, not as '{kind}'.")
    drawn = service.drawing(session, _store(request), department, shown, states)
    if drawn.svg is None:
        reason = drawn.reason or "The picture is not drawn yet; open the map and draw it first."
        return Response(
            reason,
            status_code=503,
            headers={"Retry-After": "5"},
            media_type="text/plain; charset=utf-8",
        )
    return Response(drawn.svg, media_type="image/svg+xml")


@router.get("/matrix")
def show_matrix(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show the transfer matrix, a window of it where it is large."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    systems = len(shown.view.systems)
    down, across = Window(view.row, view.size, systems), Window(view.column, view.size, systems)
    matrix = matrix_of(department, shown.view, down.slice, across.slice)
    if view.format:
        title = f"Transfer matrix. {shown.title}, rows {down.words}, columns {across.words}"
        sheet = sheets.matrix_sheet(department, matrix, title)
        return exported(sheet, view.format, f"{project.key}-matrix")

    def window_address(**place: int) -> str:
        return address(project, "/matrix", view.query(**place))

    return page(
        request,
        "dataflows/matrix.html",
        **frame(project, person, view, department, "Matrix"),
        shown=shown,
        matrix=matrix,
        blocks=blocks(department, matrix.columns),
        tones=CATEGORY_TONES,
        table_address=lambda **wanted: address(project, "/table", view.query(**wanted)),
        down=down,
        across=across,
        window_address=window_address,
        steps=matrix_steps(project, view, department, matrix),
    )


@router.get("/table")
def show_table(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show the connections of a view as a table with filters."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    inside = [uid for held in shown.view.hidden.values() for uid in held]
    everything = (*shown.view.connections, *inside)
    connections = service.connections_of(department, everything, view.table_filter)
    doubted = unconfirmed(session, project, everything, drafts=view.drafts)
    unsure = [one for one in connections if one.uid in doubted]
    drafted = [one for one in connections if one.uid in department.drafts]
    connections = unsure if view.unconfirmed else drafted if view.unapproved else connections
    if view.format:
        sheet = sheets.connections_sheet(department, connections, f"Connections. {shown.title}")
        return exported(sheet, view.format, f"{project.key}-connections")
    first = (view.page - 1) * ROWS
    return page(
        request,
        "dataflows/table.html",
        **frame(project, person, view, department, "Table"),
        shown=shown,
        connections=connections[first : first + ROWS],
        total=len(connections),
        page_size=ROWS,
        page_address=address(project, "/table", view.query(page=1), "page="),
        filters=[
            *table_filters(project, view, department, everything),
            *(
                (words, len(found), address(project, "/table", view.query(**only, page=1)))
                for words, found, only in (
                    (UNCONFIRMED, unsure, {"unconfirmed": True, "unapproved": False}),
                    (UNAPPROVED, drafted, {"unapproved": True, "unconfirmed": False}),
                )
            ),
        ],
        tones=CATEGORY_TONES,
    )


@router.get("/pathways")
def show_pathways(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> Response:
    """Show every pathway with its faults and its QA."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    if view.format:
        sheet = sheets.pathways_sheet(department, "Pathways")
        return exported(sheet, view.format, f"{project.key}-pathways")
    return page(
        request,
        "dataflows/pathways.html",
        **frame(project, person, view, department, "Pathways"),
        pathways=[(p, faults(department, p)) for p in department.pathways.values()],
    )


@router.get("/pathways/{uid}")
def show_pathway(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    view: Annotated[View, Query()],
) -> Response:
    """Show the numbered steps of one pathway."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    pathway = department.pathways.get(uid)
    if pathway is None:
        raise NotFound(f"There is no pathway {uid} on this map.")
    if view.format:
        sheet = sheets.pathway_sheet(department, pathway)
        return exported(sheet, view.format, f"{project.key}-{uid}")
    return page(
        request,
        "dataflows/pathway.html",
        **frame(project, person, view, department, "Pathways"),
        pathway=pathway,
        steps=list(walk(department, pathway)),
        tones=CATEGORY_TONES,
        map_address=address(project, "", view.query(focus=uid)),
    )


@router.post("/connections/{uid}/qa", status_code=303)
def link_qa(
    *,
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    uid: str,
    asked: Annotated[qa_links.QaLinkForm, Form()],
) -> Response:
    """Link an existing QA procedure, or a new one, to a connection."""
    try:
        procedure = qa_links.link(session, project, uid, asked, by=person)
    except (Invalid, Conflict, Refused) as error:
        refuse_within(request, session, uid, error)
        return page(
            request,
            "dataflows/link_qa.html",
            status=status_of(error),
            project=project,
            actor=person,
            nav=NAV,
            uid=uid,
            form=asked,
            choices=qa_links.choices(session, project, uid),
            faults=getattr(error, "faults", ()),
            problem=error.message,
        )
    response = RedirectResponse(f"/p/{project.key}/{uid}", status_code=303)
    say(response, f"{procedure.uid} now names {uid}; it counts when its draft is approved.")
    return response


def _sized(svg: str | None, zoom: str) -> Markup | None:
    # Rebuilt from an allow-list in dataflows.render, so it may stand in a page as it is.
    return Markup(scaled(svg, ZOOMS[zoom])) if svg else None  # noqa: S704


def _store(request: Request) -> DrawingStore:
    return DrawingStore(settings_of(request).data_dir)
