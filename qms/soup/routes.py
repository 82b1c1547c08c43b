"""The page of third-party components: what is built, held against the register."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Fault, Invalid, NotFound
from core.exports import forms_for
from core.people.actor import Actor
from core.records.models import Project
from core.records.types import get_registry
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession, page, require
from core.web.downloads import download, exported
from qms.releases.scope import NEWEST
from qms.soup import service
from qms.soup.comparison import WORDS, Code, Comparison, shown, what_it_cannot_tell
from qms.soup.declared import LARGEST_BYTES, read_bill
from qms.soup.register import TYPE

router = APIRouter(prefix="/p/{project}/sbom", tags=["third-party components"])

PAGE_SIZE = 100
MOST_SHOWN = 500
"""Findings of a file that was sent; the command tells all of them."""

FINDINGS, COMPONENTS = "findings", "components"
ALL = "all"


class View(BaseModel):
    """What the page is asked to show."""

    release: str = Field(default="", max_length=200)
    show: Code | None = None
    view: str = Field(default=FINDINGS, max_length=20)
    page: int = Field(default=1, ge=1, le=1_000_000)

    def query(self, **changes: Any) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump(mode="json") | {"page": 1} | changes
        default = View().model_dump()
        return urlencode({k: v for k, v in asked.items() if v and v != default.get(k)})


@router.get("")
def show_comparison(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[View, Query()],
) -> HTMLResponse:
    """Show what the repository states at a release's commit beside the register."""
    compared = service.compare_release(session, project, view.release or NEWEST)
    at = f"/p/{project.key}/sbom"
    result = compared.result
    found = shown(result.disagreements, view.show) if result else ()
    standings = service.standings(result) if result and view.view == COMPONENTS else ()
    start = (view.page - 1) * PAGE_SIZE
    return page(
        request,
        "qms/soup/sbom.html",
        **_common(project, person, compared),
        view=view,
        sent="",
        found=found[start : start + PAGE_SIZE],
        total=len(standings) if view.view == COMPONENTS else len(found),
        standings=standings[start : start + PAGE_SIZE],
        page_size=PAGE_SIZE,
        page_address=f"{at}?{view.query()}&page=",
        filters=_filters(result, at, view),
        filters_label=WORDS[view.show] if view.show else ALL,
        tabs=[
            ("Findings", f"{at}?{view.query(view=FINDINGS)}"),
            ("Components", f"{at}?{view.query(view=COMPONENTS, show=None)}"),
        ],
        exports=[
            (name.upper(), f"{at}/export/{name}?{view.query()}")
            for name in forms_for(len(standings or found))
        ],
        bill_address=f"{at}/sbom.cdx.json?{view.query(show=None)}",
        faults=(),
    )


@router.post("")
def compare_file(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    sent: Annotated[UploadFile | None, File()] = None,
    release: Annotated[str, Form(max_length=200)] = "",
) -> HTMLResponse:
    """Compare a file that is sent with the register; nothing of it is kept."""
    require(project, person, *_authors())
    if sent is None or not sent.filename:
        fault = Fault("no-file", project.key, "No file was chosen.", "Choose one and send again.")
        raise Invalid("Nothing was compared.", [fault])
    name = (sent.filename or "").replace("\\", "/").rsplit("/", 1)[-1][-100:] or "the file"
    faults: tuple[Fault, ...] = ()
    try:
        compared = service.compare_bill(
            session, project, read_bill(_content(sent, name), name), release or NEWEST
        )
    except Invalid as refusal:
        faults = refusal.faults or (Fault("", name, refusal.message),)
        compared = _nothing(session, project, refusal.message)
    result = compared.result
    return page(
        request,
        "qms/soup/sbom.html",
        status=422 if faults else 200,
        **_common(project, person, compared),
        view=View(),
        sent=name,
        found=result.disagreements[:MOST_SHOWN] if result else (),
        total=len(result.disagreements) if result else 0,
        faults=faults,
    )


@router.get("/export/{format_name}")
def export_comparison(
    project: ProjectInPath,
    session: ReadSession,
    format_name: str,
    view: Annotated[View, Query()],
) -> Response:
    """Return the table that the page would show, in one of the export formats."""
    compared = service.compare_release(session, project, view.release or NEWEST)
    result = compared.result
    if result is not None and view.view == COMPONENTS:
        table = service.components_sheet(compared, service.standings(result))
    else:
        found = shown(result.disagreements, view.show) if result is not None else ()
        table = service.sheet(compared, found, WORDS[view.show] if view.show else ALL)
    return exported(table, format_name, f"{project.key}-third-party-components")


@router.get("/sbom.cdx.json")
def read_bill_of_release(
    project: ProjectInPath, session: ReadSession, view: Annotated[View, Query()]
) -> Response:
    """Return what the repository states at the release's commit as CycloneDX."""
    compared = service.compare_release(session, project, view.release or NEWEST)
    if compared.result is None or compared.release is None:
        raise NotFound(f"There is no bill of materials to write: {compared.problem}.")
    # Here, not above: the library of the format takes long to load.
    from qms.soup.writing import sbom_json

    components = compared.result.bill.components
    data = sbom_json(components, project.title, compared.release.version)
    name = f"{project.key}-{compared.release.uid}.cdx.json"
    return download(data, "application/vnd.cyclonedx+json; version=1.6", name)


def _common(project: Project, person: Actor, compared: service.Compared) -> dict[str, Any]:
    """Return what the page needs however it was asked for."""
    result = compared.result
    return {
        "project": project,
        "nav": "Record",
        "compared": compared,
        "result": result,
        "releases": [(one.uid, one.label) for one in compared.releases],
        "cannot_tell": what_it_cannot_tell(result.bill) if result else "",
        "may_compare": person.has(project.id or 0, *_authors()),
    }


def _filters(result: Comparison | None, at: str, view: View) -> list[tuple[str, int, str]]:
    if result is None:
        return []
    listed = [(ALL, len(result.disagreements), f"{at}?{view.query(show=None)}")]
    return listed + [
        (WORDS[code], count, f"{at}?{view.query(show=code.value)}")
        for code, count in result.counts().items()
    ]


def _authors() -> tuple[str, ...]:
    return tuple(get_registry().of(TYPE).authors)


def _content(sent: UploadFile, name: str) -> bytes:
    content = sent.file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        fault = Fault("SR11", name, f"holds more than {LARGEST_BYTES} bytes.")
        raise Invalid(f"{name} is too large for a bill of materials.", [fault])
    if not content.strip():
        fault = Fault("SR00", name, "is empty.", "Choose a lock file or a CycloneDX file.")
        raise Invalid("There is nothing to compare.", [fault])
    return content


def _nothing(session: Session, project: Project, problem: str) -> service.Compared:
    known = service.compare_release(session, project, None)
    return service.Compared(project.key, known.releases, None, None, problem.rstrip("."))
