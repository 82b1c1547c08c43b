"""Records as programs read and write them. A program writes drafts; people sign, on the pages."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.errors import Invalid
from core.people.actor import Actor
from core.records.api.acts.routes import router as acts
from core.records.api.around.routes import router as around
from core.records.api.history.routes import ImpactTold, impact_of
from core.records.api.history.routes import router as history
from core.records.api.talk.routes import router as talk
from core.records.api.told import (
    LinkTold,
    SignatureTold,
    ThreadTold,
    links_told,
    signatures_told,
    thread_told,
)
from core.records.approval import signatures_of
from core.records.checking import content_faults, refuse_made
from core.records.content import Content, LinkDraft
from core.records.listing import PAGE_SIZE, Wanted, find_records
from core.records.models import Project, Record, Revision
from core.records.service import (
    create_record,
    edit_token,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.talking.reading import threads_of
from core.records.targets import refuse_unreadable
from core.records.type_shape import RecordType
from core.records.types import get_registry
from core.records.writers import require_raiser
from core.web import (
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    WriteSession,
    readable_projects,
)

router = APIRouter(prefix="/api", tags=["api"])


class ProjectTold(BaseModel):
    """A project that the program may read."""

    key: str
    title: str
    demonstration: bool


class LineTold(BaseModel):
    """One record of a list: the revision in force, or the latest where none is."""

    uid: str
    type: str
    title: str
    state: str
    revision: int


class ListTold(BaseModel):
    """One page of records."""

    total: int
    page: int
    page_size: int
    records: list[LineTold]


class RecordTold(BaseModel):
    """The latest revision of a record; `expected` is what a change of it is sent with."""

    project: str
    type: str
    uid: str
    revision: int
    state: str
    withdrawn: bool
    in_force: int | None
    title: str
    body: str
    fields: dict[str, Any]
    links: list[LinkTold]
    authors: list[str]
    signatures: list[SignatureTold]
    threads: list[ThreadTold]
    expected: str


class Written(BaseModel):
    """What a record is to say."""

    title: str = Field(max_length=10_000)
    body: str = Field(default="", max_length=1_000_000)
    fields: dict[str, Any] = {}
    links: list[LinkTold] = Field(default=[], max_length=10_000)
    reason: str = Field(default="", max_length=10_000)

    def content(self, project: str) -> Content:
        """Return it as the service takes it."""
        links = (
            LinkDraft(
                one.role,
                one.target,
                None if one.project == project else one.project,
                one.attributes,
            )
            for one in self.links
        )
        return Content(self.title, self.body, self.fields, tuple(links))


class NewRecord(Written):
    """A record that is to be; without a uid it gets the next number of its type."""

    type: str = Field(max_length=60)
    uid: str | None = Field(default=None, max_length=80)


class ChangedRecord(Written):
    """What a record is to say instead, by whoever read what it says now."""

    expected: str = Field(max_length=200)


class ListView(BaseModel):
    """Which records are listed."""

    q: str = Field(default="", max_length=200)
    type: str = Field(default="", max_length=60)
    state: str = Field(default="", max_length=40)
    page: int = Field(default=1, ge=1, le=1_000_000)


@router.get("/projects")
def list_projects(person: CurrentPerson, session: ReadSession) -> list[ProjectTold]:
    """List the projects that the program may read."""
    return [
        ProjectTold(key=one.key, title=one.title, demonstration=one.demonstration)
        for one in readable_projects(session, person)
    ]


@router.get("/p/{project_key}/records")
def list_records(
    project: ProjectInPath, session: ReadSession, view: Annotated[ListView, Query()]
) -> ListTold:
    """List the records of a project, a page at a time."""
    wanted = Wanted(view.q.strip(), view.type, view.state)
    found = find_records(session, project, wanted, view.page)
    lines = [
        LineTold(
            uid=one.uid, type=one.type, title=one.title, state=one.state, revision=one.revision
        )
        for one in found.lines
    ]
    return ListTold(total=found.total, page=view.page, page_size=PAGE_SIZE, records=lines)


@router.get("/p/{project_key}/records/{uid:uid}")
def read_record(
    project: ProjectInPath, record: RecordInPath, person: CurrentPerson, session: ReadSession
) -> RecordTold:
    """Return the latest revision of a record."""
    return _told(session, project, record, person)


@router.post("/p/{project_key}/records", status_code=201)
def write_new(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: NewRecord
) -> RecordTold:
    """Create a record as a draft."""
    record_type = get_registry().of(sent.type)
    content = _readable_content(session, project, person, record_type, sent)
    record = create_record(
        session, project, sent.type, content, person, uid=sent.uid, reason=sent.reason
    )
    session.flush()
    return _told(session, project, record, person)


@router.put("/p/{project_key}/records/{uid:uid}")
def write_change(
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    sent: ChangedRecord,
) -> RecordTold:
    """Save a draft: whole, and only upon what was read."""
    record_type = get_registry().of(record.type)
    before = read_content(session, record)
    content = _readable_content(session, project, person, record_type, sent, before)
    save_draft(session, record, content, person, sent.expected, sent.reason)
    session.flush()
    return _told(session, project, record, person)


@router.post("/p/{project_key}/records/{uid:uid}/impact")
def preview_impact(
    project: ProjectInPath,
    record: RecordInPath,
    person: CurrentPerson,
    session: WriteSession,
    sent: Written,
) -> ImpactTold:
    """Return what would need re-review if this were saved and came into force; nothing is kept."""
    record_type = get_registry().of(record.type)
    require_raiser(record_type, project, person, latest_revision(session, record))
    before = read_content(session, record)
    content = _readable_content(session, project, person, record_type, sent, before)
    _, faults = content_faults(record_type, content, record.uid)
    if faults:
        raise Invalid("This could not be saved, so nothing would come of it.", faults)
    return impact_of(session, project, record, person, content)


def _readable_content(
    session: Session,
    project: Project,
    person: Actor,
    record_type: RecordType,
    sent: Written,
    before: Content | None = None,
) -> Content:
    content = sent.content(project.key)
    readable = {one.key for one in readable_projects(session, person)}
    refuse_unreadable(record_type, content, readable, before.links if before else ())
    refuse_made(record_type, content, before)
    return content


def _told(session: Session, project: Project, record: Record, person: Actor) -> RecordTold:
    revision, content = latest_revision(session, record), read_content(session, record)
    effective = session.get(Revision, record.effective_id) if record.effective_id else None
    return RecordTold(
        project=project.key,
        type=record.type,
        uid=record.uid,
        revision=revision.number,
        state=revision.state,
        withdrawn=record.withdrawn_at is not None,
        in_force=effective.number if effective else None,
        title=content.title,
        body=content.body,
        fields=dict(content.fields),
        links=links_told(content.links),
        authors=sorted(revision.authors),
        signatures=signatures_told(signatures_of(session, revision)),
        threads=[
            thread_told(one)
            for one in threads_of(session, record, get_registry().of(record.type), person)
        ],
        expected=edit_token(revision),
    )


for _part in (history, around, talk, acts):
    router.include_router(_part)
