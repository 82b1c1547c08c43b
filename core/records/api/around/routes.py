"""What surrounds a record: its links in both directions, and the files that are attached to it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Request, UploadFile
from pydantic import AwareDatetime, BaseModel

from core.blobs import BlobStore
from core.records.api.told import NamedTold
from core.records.attaching import SentFile, attach, files_of
from core.records.models import Attachment, Project, Record, Revision
from core.records.neighbours import Neighbour, neighbourhood
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    WriteSession,
    readable_projects,
)
from core.web.transaction import settings_of

router = APIRouter(prefix="/p/{project_key}/records/{uid:uid}")


class NeighbourTold(NamedTold):
    """One link, read from the record's own end.

    Of a record that may not be read (`readable`) no more than its uid is told. `cause` says what
    became of it since this one was reviewed against it; `doubted`, that it needs re-review itself.
    """

    label: str
    title: str
    state: str
    attributes: dict[str, Any]
    readable: bool
    cause: str
    doubted: bool


class NeighboursTold(BaseModel):
    """The links of the revision in force, or of the latest where none is.

    `hidden` counts those that come from projects that may not be read.
    """

    outgoing: list[NeighbourTold]
    incoming: list[NeighbourTold]
    hidden: int


class FileTold(BaseModel):
    """A file of a record; `address` is where it is taken away."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    attached_by: str
    at: AwareDatetime
    address: str


@router.get("/links")
def read_links(
    project: ProjectInPath, record: RecordInPath, person: CurrentPerson, session: ReadSession
) -> NeighboursTold:
    """Return what a record links to and what links to it."""
    shown = session.get_one(Revision, record.effective_id or record.latest_id)
    readable = [one.key for one in readable_projects(session, person)]
    found = neighbourhood(session, project, record, shown, readable)
    return NeighboursTold(
        outgoing=[_neighbour(one) for one in found.outgoing],
        incoming=[_neighbour(one) for one in found.incoming],
        hidden=found.hidden,
    )


@router.get("/files")
def list_files(
    project: ProjectInPath, record: RecordInPath, session: ReadSession
) -> list[FileTold]:
    """List the files that are attached to a record."""
    return [_file(project, record, one) for one in files_of(session, record)]


@router.post("/files", status_code=201)
def attach_files(
    request: Request,
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    files: Annotated[Sequence[UploadFile], File()] = (),
) -> list[FileTold]:
    """Attach files, sent as a form; a file is kept by its digest and never replaced."""
    store = BlobStore(settings_of(request).data_dir / "blobs")
    sent = [SentFile(one.filename or "", one.content_type or "", one.file) for one in files]
    attached = attach(session, store, project, record, person, sent)
    session.flush()
    return [_file(project, record, one) for one in attached]


def _neighbour(one: Neighbour) -> NeighbourTold:
    return NeighbourTold(
        **one.key._asdict(), label=one.label, title=one.title, state=one.state,
        attributes=dict(one.attributes), readable=one.readable, cause=one.cause,
        doubted=one.doubted,
    )  # fmt: skip


def _file(project: Project, record: Record, one: Attachment) -> FileTold:
    return FileTold(
        id=one.id or 0,
        name=one.name,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        attached_by=one.person_name,
        at=one.at,
        address=f"/p/{project.key}/{record.uid}/files/{one.id}",
    )
