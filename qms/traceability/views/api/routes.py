"""The views of the matrix that people keep, as programs list, keep, change and delete them."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from core.people.actor import Actor
from core.records.models import Project
from core.web import CurrentPerson, NumberInPath, ProjectInPath, ReadSession, WriteSession
from core.web.answers import FaultTold
from core.web.sent import Words
from qms.traceability.asking import Choice
from qms.traceability.views import service

router = APIRouter(prefix="/api/p/{project}/trace/views", tags=["api"])


class ViewTold(BaseModel):
    """A view as who asks meets it; with `faults` it names what no longer exists."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    owner: str
    own: bool
    shared: bool
    default: bool
    may_delete: bool
    choice: Choice
    words: str
    faults: list[FaultTold]


class WantedView(BaseModel):
    """A view: what it is called, whether the project sees it, and what it shows."""

    name: Words = Field(max_length=1_000)
    shared: bool = False
    choice: Choice = Choice()


class WantedDefault(BaseModel):
    """Whether the matrix is to open with the view."""

    wanted: bool


class Deleted(BaseModel):
    """The name of what was deleted."""

    name: str


@router.get("")
def list_views(
    project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> list[ViewTold]:
    """List the views that one may open: one's own, then those that are shared."""
    return [ViewTold.model_validate(one) for one in service.kept_views(session, project, person)]


@router.post("", status_code=201)
def keep_view(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: WantedView
) -> ViewTold:
    """Keep a view under a name."""
    kept = service.keep_view(session, project, person, sent.name, sent.choice, shared=sent.shared)
    return _told(session, project, person, kept.id or 0)


@router.put("/{view_id}")
def change_view(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view_id: NumberInPath,
    sent: WantedView,
) -> ViewTold:
    """Let a view of one's own be called and show something else."""
    service.rename_view(session, project, person, view_id, sent.name, shared=sent.shared)
    service.replace_view(session, project, person, view_id, sent.choice)
    return _told(session, project, person, view_id)


@router.delete("/{view_id}")
def delete_view(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, view_id: NumberInPath
) -> Deleted:
    """Delete a view: one's own, or as quality manager a shared one."""
    return Deleted(name=service.delete_view(session, project, person, view_id))


@router.post("/{view_id}/default")
def open_by_default(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    view_id: NumberInPath,
    sent: WantedDefault,
) -> ViewTold:
    """Let the matrix open with a view for whose program it is, or as usual again."""
    service.open_by_default(session, project, person, view_id, wanted=sent.wanted)
    return _told(session, project, person, view_id)


def _told(session: Session, project: Project, person: Actor, view_id: int) -> ViewTold:
    kept = service.kept_views(session, project, person)
    return ViewTold.model_validate(next(one for one in kept if one.id == view_id))
