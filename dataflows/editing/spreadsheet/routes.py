"""Rows of a spreadsheet over HTTP: judged on the page, corrected there, and imported at once."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from core.errors import Conflict, FiducialError, Invalid
from core.people.actor import Actor
from core.records.models import Project
from core.records.sheets.corrections import corrected
from core.records.sheets.grid import read_grid
from core.records.types import get_registry
from core.records.writers import require_author
from core.web import CurrentPerson, ProjectInPath, WriteSession, page, say
from core.web.answers import NEEDS_ROLE
from core.web.receiving import SentFields
from core.web.refusals import refuse_within
from dataflows.editing import quick
from dataflows.editing.routes import OWN_FORM, refusal_told
from dataflows.editing.spreadsheet import pasting
from dataflows.interchange.headings import columns_of

router = APIRouter(prefix="/p/{project}/map", tags=["department map"])

SHOWN_AFTER = {
    "connection": "/table?drafts=true&unapproved=true",
    "system": "?drafts=true#systems",
}
"""Where what was imported is seen."""

EDITABLE_ROWS = 50
"""Faulty rows that can be corrected at once; the rest come up when these are done."""


@router.get("/paste", responses=NEEDS_ROLE)
def show_paste(request: Request, project: ProjectInPath, person: CurrentPerson) -> HTMLResponse:
    """Show the empty field for rows of a spreadsheet."""
    require_author(get_registry().of(quick.CONNECTION), project, person)
    return _paste_page(request, project, {})


@router.post("/paste", openapi_extra=OWN_FORM)
def paste(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    posted: SentFields,
) -> Response:
    """Judge a table, or import it; faulty rows stay on the page to be corrected."""
    sent = dict(posted)
    error: FiducialError | None = None
    found: pasting.Preview | None = None
    try:
        pasted = _pasted(sent)
        if sent.get("action") == "keep":
            found = pasting.keep(session, project, pasted, person, sent.get("seen", ""))
            shown = SHOWN_AFTER[pasted.kind]
            response = RedirectResponse(f"/p/{project.key}/map{shown}", status_code=303)
            say(response, f"Imported as drafts: {found.told}. Submit them when they are complete.")
            return response
        found = pasting.preview(session, project, pasted, person)
        # What was judged took numbers that nothing has yet.
        session.rollback()
    except FiducialError as refusal:
        error = refusal
        refuse_within(request, session, request.url.path, refusal)
        if isinstance(refusal, Invalid | Conflict):
            found = _judged_again(session, project, sent, person)
    return _paste_page(request, project, sent, found, error)


def _judged_again(
    session: Session, project: Project, sent: Mapping[str, str], person: Actor
) -> pasting.Preview | None:
    try:
        found = pasting.preview(session, project, _pasted(sent), person)
    except FiducialError:
        # It is told already: the table could not even be read.
        return None
    session.rollback()
    return found


def _pasted(sent: Mapping[str, str]) -> pasting.Pasted:
    """Return what a form sent: the table, with the corrections typed beneath it."""
    return pasting.Pasted(
        corrected(read_grid(sent.get("text", "")), sent),
        sent.get("kind") or "connection",
        sent.get("surveyed_from", ""),
        sent.get("responsible", "")[: quick.LONG],
        bool(sent.get("create_systems")),
    )


def _paste_page(
    request: Request,
    project: Project,
    sent: Mapping[str, str],
    found: pasting.Preview | None = None,
    error: FiducialError | None = None,
) -> HTMLResponse:
    kind = sent.get("kind") if sent.get("kind") in pasting.KINDS else "connection"
    record_type = get_registry().of(kind or "connection")
    known = {column.name: column.label for column in columns_of(record_type).values()}
    return page(
        request,
        "dataflows/editing/paste.html",
        project=project,
        kind=kind,
        known=known,
        sources=get_registry().of(quick.CONNECTION).fields["surveyed_from"].choices,
        sent=sent,
        text=found.judged.grid.text if found else sent.get("text", ""),
        found=found,
        rows=found.verdicts() if found else (),
        stale=isinstance(error, Conflict),
        editable=found.faulty[:EDITABLE_ROWS] if found else (),
        **(refusal_told(error) | ({"faults": ()} if found else {})),
    )
