"""Checks of files as programs ask for them: a build server that keeps its requirements in Git."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from core.blobs import BlobStore
from core.jobs.told import StartedTold, follow_of
from core.web import CurrentPerson, NumberInPath, ProjectInPath, ReadSession, StartSession, require
from core.web.answers import STARTS, FaultTold
from core.web.transaction import settings_of
from qms.interchange.checks import listing, service
from qms.interchange.checks.listing import CheckLine
from qms.interchange.checks.routes import Files, FormName, Lines, stated

router = APIRouter(prefix="/api/p/{project}/trace-checks", tags=["api"])

PAGE_SIZE = 1_000


class CheckedFileTold(BaseModel):
    """A file that was sent."""

    name: str
    sha256: str
    size: int


class LinkFindingTold(BaseModel):
    """One finding: `place` is file and line, `uid` the item that it is of."""

    code: str
    place: str
    uid: str
    what: str
    mend: str


class TraceCheckTold(BaseModel):
    """A check; `counts` speaks of all findings, by code.

    `state` is passed, failed (with findings, or without a result), refused, waiting, running or
    cancelled.
    """

    number: int
    address: str
    follow: str
    state: str
    at: AwareDatetime
    asked_by: str
    files: list[CheckedFileTold]
    format: str
    items: int
    links: int
    total: int
    counts: dict[str, int]
    left_out: dict[str, int]
    not_judged: dict[str, int]
    refused: str
    faults: list[FaultTold]


class TraceCheckWithFindings(TraceCheckTold):
    """A check with a page of its findings, those of one code or all."""

    findings: list[LinkFindingTold]


class StartedTraceCheck(StartedTold):
    """A check that was asked for."""

    number: int
    address: str


class View(BaseModel):
    """Which findings are told, a thousand at once."""

    code: str = Field(default="", max_length=20)
    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("")
def list_checks(project: ProjectInPath, session: ReadSession) -> list[TraceCheckTold]:
    """List what was checked, the latest first."""
    return [
        TraceCheckTold(**_told(project.key, one)) for one in listing.checks_of(session, project)
    ]


@router.post("", status_code=202, responses=STARTS)
def ask(
    request: Request,
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    files: Files = (),
    form: FormName = "",
    levels: Lines = "",
    columns: Lines = "",
) -> StartedTraceCheck:
    """Have files checked: several, or one zip of a folder."""
    require(project, person, *service.MAY_CHECK)
    wanted = stated(files, form, levels, columns)
    store = BlobStore(settings_of(request).data_dir / "blobs")
    made = service.ask(session, store, project, wanted, person, service.PROGRAM)
    address = f"/api/p/{project.key}/trace-checks/{made.number}"
    response.headers["Location"] = address
    return StartedTraceCheck(number=made.number, address=address, follow=follow_of(made.job_id))


@router.get("/{number}")
def read_check(
    project: ProjectInPath,
    session: ReadSession,
    number: NumberInPath,
    view: Annotated[View, Query()],
) -> TraceCheckWithFindings:
    """Return what a check came to, with a page of its findings."""
    line = listing.find_check(session, project, number)
    start = (view.page - 1) * PAGE_SIZE
    found = listing.findings_of(session, line.row, view.code, start=start, most=PAGE_SIZE)
    findings = [
        LinkFindingTold(code=one.code, place=one.place, uid=one.uid, what=one.what, mend=one.mend)
        for one in found
    ]
    return TraceCheckWithFindings(**_told(project.key, line), findings=findings)


def _told(project: str, line: CheckLine) -> dict[str, Any]:
    result = line.result
    return {
        "number": line.number,
        "address": f"/p/{project}/files-in/{line.number}",
        "follow": follow_of(line.row.job_id),
        "state": line.word,
        "at": line.row.at,
        "asked_by": line.row.asked_by,
        "files": [
            CheckedFileTold(name=one.name, sha256=one.sha256, size=one.size) for one in line.files
        ],
        "format": result.form if result else line.row.form,
        "items": result.items if result else 0,
        "links": result.links if result else 0,
        "total": result.findings if result else 0,
        "counts": dict(result.counts) if result else {},
        "left_out": dict(result.left_out) if result else {},
        "not_judged": dict(result.not_judged) if result else {},
        "refused": result.refused if result else "",
        "faults": [FaultTold(**one) for one in result.faults] if result else [],
    }
