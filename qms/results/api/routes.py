"""Imported results as programs send and read them: a build server, most of the time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel

from core.blobs import BlobStore
from core.web import CurrentPerson, ProjectInPath, ReadSession, StartSession, require
from core.web.answers import MAKES, FaultTold
from core.web.transaction import settings_of
from qms.results import listing, service
from qms.results.arriving import LARGEST_ATTACHMENT, read_all, with_files
from qms.results.cases import Outcome
from qms.results.routes import received

router = APIRouter(prefix="/api/p/{project}/results", tags=["api"])


class ReportTold(BaseModel):
    """One file of an import, the tool that wrote it, and how many cases it holds."""

    file: str
    tool: str
    cases: int


class KeptTold(BaseModel):
    """What was imported: how the cases came out, the records they name, and what was odd."""

    number: int
    address: str
    commit: str
    environment: str
    rerun: bool
    reports: list[ReportTold]
    counts: dict[Outcome, int]
    named: list[str]
    findings: list[FaultTold]


class ImportTold(BaseModel):
    """One import with how its cases came out; outcomes without a case are left out."""

    number: int
    address: str
    commit: str
    environment: str
    rerun: bool
    via: str
    imported_by: str
    at: datetime
    counts: dict[Outcome, int]
    findings: int


@router.get("")
def list_imports(project: ProjectInPath, session: ReadSession) -> list[ImportTold]:
    """List what was imported, the latest first."""
    return [
        ImportTold(
            number=one.number,
            address=f"/p/{project.key}/results/{one.number}",
            commit=one.commit,
            environment=one.environment,
            rerun=one.rerun,
            via=one.via,
            imported_by=one.by,
            at=one.at,
            counts=dict(one.counts),
            findings=len(one.findings),
        )
        for one in listing.imports_of(session, project)
    ]


@router.post("", status_code=201, responses=MAKES)
def import_results(
    request: Request,
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    reports: Annotated[Sequence[UploadFile], File()] = (),
    files: Annotated[Sequence[UploadFile], File()] = (),
    commit: Annotated[str, Form(max_length=100)] = "",
    environment: Annotated[str, Form(max_length=100)] = "",
    rerun: Annotated[bool, Form()] = False,
) -> KeptTold:
    """Import reports sent as a form, with the files that their cases name: all of it or nothing.

    `environment` says where they ran, in a build that runs them in several; with `rerun` they count
    instead of what the same cases said before, at that commit and there.
    """
    require(project, person, *service.MAY_IMPORT)
    arrived = with_files(read_all(received(reports)), received(files, LARGEST_ATTACHMENT))
    store = BlobStore(settings_of(request).data_dir / "blobs")
    ran = service.Ran(environment, rerun)
    kept = service.import_results(
        session, store, project, arrived, commit, person, service.PROGRAM, ran
    )
    told = KeptTold.model_validate(service.as_json(kept, project.key))
    response.headers["Location"] = told.address
    return told
