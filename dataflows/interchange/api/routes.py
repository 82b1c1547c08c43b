"""The whole map as a file, as programs take it away and bring it back."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session

from core.records.models import Project
from core.records.types import get_registry
from core.records.writers import require_author
from core.web import CurrentPerson, ProjectInPath, ReadSession, WriteSession
from core.web.answers import FaultTold
from core.web.downloads import download
from dataflows.interchange import service
from dataflows.interchange.planning import Verdict

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])


class Taken(BaseModel):
    """Which revisions a file holds."""

    drafts: bool = False


class PlannedTold(BaseModel):
    """What becomes of one record, and which of its values change."""

    uid: str
    type: str
    verdict: Verdict
    changes: list[str]
    note: str


class PlanTold(BaseModel):
    """What importing a file does; `absent` are on the map and not in the file.

    `digest` names what was told: sent back as `seen`, nothing else than that is done.
    """

    kept: bool
    digest: str
    faults: list[FaultTold]
    records: list[PlannedTold]
    absent: list[str]


@router.get("/department.yaml")
def take_yaml(
    project: ProjectInPath, session: ReadSession, taken: Annotated[Taken, Query()]
) -> Response:
    """Return the whole map as a department file that reads back without loss."""
    return _taken(session, project, "yaml", taken)


@router.get("/department.zip")
def take_sheets(
    project: ProjectInPath, session: ReadSession, taken: Annotated[Taken, Query()]
) -> Response:
    """Return the whole map as a zip of CSV sheets that read back without loss."""
    return _taken(session, project, "zip", taken)


def _taken(session: Session, project: Project, form: str, taken: Taken) -> Response:
    data = service.export_department(session, project, form, latest=taken.drafts)
    return download(data, service.FORMS[form], f"{project.key}-department.{form}")


@router.post("/department")
def bring_back(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    file: Annotated[UploadFile | None, File()] = None,
    keep: Annotated[bool, Form()] = False,
    seen: Annotated[str, Form(max_length=100)] = "",
) -> PlanTold:
    """Say what a department file would create and change, or with `keep` do it."""
    require_author(get_registry().of("connection"), project, person)
    name = (file.filename if file else "") or "The file"
    data = file.file.read(service.LARGEST_FILE + 1) if file else b""
    drafts = service.read_file(data, name, project.key)
    if keep:
        reason = f"Imported from {name}."[:500]
        found = service.keep_import(session, project, drafts, person, reason, seen or None)
    else:
        found = service.plan_import(session, project, drafts, person)
    return PlanTold(
        kept=keep,
        digest="" if found.faults else found.digest,
        faults=[FaultTold.model_validate(one) for one in found.faults],
        records=[
            PlannedTold(
                uid=one.draft.uid or "",
                type=one.draft.type,
                verdict=one.verdict,
                changes=[difference.label for difference in one.differences],
                note=one.note,
            )
            for one in found.planned
        ],
        absent=list(found.absent),
    )
