"""The PlantUML page: the text, its drawing in the browser, and by a server if one is named."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from core.errors import Conflict
from core.jobs.models import JobState
from core.jobs.service import enqueue, newest_job, workers_seen
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page
from core.web.transaction import settings_of
from dataflows import service
from dataflows.diagram import to_plantuml
from dataflows.frame import View, address, frame
from dataflows.plantuml.drawing import KIND
from dataflows.plantuml.server import kept, named_server, task
from dataflows.qatrack.queries import states_on
from dataflows.render import DrawingStore, key_of, scaled
from dataflows.views import choose

router = APIRouter(prefix="/p/{project}/map/plantuml", tags=["department map"])

MOST_LINES_HERE = 150
"""The browser lays out 59 routes in seconds and needs a minute for some hundreds."""

ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

ViewInQuery = Annotated[View, Query()]


@router.get("")
def show_plantuml(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: ViewInQuery,
) -> Response:
    """Show the PlantUML text of a view with its drawing beside it."""
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    text = to_plantuml(shown.picture(department, states_on(session, department)))
    server = named_server(settings_of(request))
    drawn = kept(_store(request), server, text) if server else None
    job = newest_job(session, KIND, key_of(task(server, text))) if server else None
    return page(
        request,
        "dataflows/plantuml/page.html",
        **frame(project, person, view, department, "Diagram"),
        shown=shown,
        text=text,
        here=len(shown.view.routes) <= MOST_LINES_HERE,
        server=server,
        # Rebuilt from an allow-list in dataflows.render, so it may stand in a page as it is.
        svg=Markup(scaled(drawn.svg, None)) if drawn else None,  # noqa: S704
        drawn_by=drawn.renderer if drawn else "",
        job=job,
        waiting=job is not None and drawn is None and job.state not in ENDED,
        workers=workers_seen(session),
        query=view.query(),
        map_address=address(project, "", view.query()),
        text_address=address(project, "/diagram.puml", view.query()),
    )


@router.post("", status_code=303)
def ask_server(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view: ViewInQuery,
) -> RedirectResponse:
    """Let a worker ask the named server; asking twice while it waits is asking once."""
    server = named_server(settings_of(request))
    if not server:
        raise Conflict("No PlantUML server is named here; see FIDUCIAL_PLANTUML_SERVER.")
    department = service.read_department(session, project.key, person, drafts=view.drafts)
    shown = choose(department, view.selection)
    text = to_plantuml(shown.picture(department, states_on(session, department)))
    key = _store(request).leave(task(server, text))
    enqueue(session, KIND, {"drawing": key}, person, key=key, project_id=project.id)
    return RedirectResponse(address(project, "/plantuml", view.query()), status_code=303)


def _store(request: Request) -> DrawingStore:
    return DrawingStore(settings_of(request).data_dir)
