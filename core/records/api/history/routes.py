"""What a record said before, what differs, and what would come of its draft."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from core.people.actor import Actor
from core.records.api.told import (
    DifferenceTold,
    LinkTold,
    NamedTold,
    SignatureTold,
    differences_told,
    links_told,
    signatures_told,
)
from core.records.approval import signatures_of
from core.records.comparing import compare
from core.records.content import Content
from core.records.editing.effect import CHANGES, effect, losing
from core.records.models import Project, Record, Revision
from core.records.pages import find_revision, revision_before, revisions_of, touched
from core.records.service import latest_revision, read_content
from core.records.types import get_registry
from core.records.writing import content_of
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    readable_projects,
)

router = APIRouter(prefix="/p/{project_key}/records/{uid:uid}")


class RevisionLine(BaseModel):
    """One revision of a list: who wrote it, when, why, and its digests."""

    number: int
    state: str
    in_force: bool
    title: str
    authors: list[str]
    author: str
    created_at: datetime
    approved_at: datetime | None
    reason: str
    content_digest: str
    envelope_digest: str
    previous_digest: str


class RevisionTold(RevisionLine):
    """One revision as it was, and what it changed of the one before."""

    body: str
    fields: dict[str, Any]
    links: list[LinkTold]
    signatures: list[SignatureTold]
    before: int | None
    changes: list[DifferenceTold]


class ComparedTold(BaseModel):
    """What differs between two revisions, word by word."""

    older: int
    newer: int
    changes: list[DifferenceTold]


class TouchedTold(NamedTold):
    """A record that a change throws doubt on; at distance 1 it needs re-review at once."""

    title: str
    type: str
    role: str
    cause: NamedTold
    distance: int


class ImpactTold(BaseModel):
    """What would come of the latest revision once it is in force.

    `changes` says whether it changes what other records rely on, `told` why not. `touched` are
    the records that would then need re-review, or may follow; `lost` those of which it says no
    more what the revision in force says.
    """

    revision: int
    state: str
    in_force: int | None
    changes: bool
    told: str
    touched: list[TouchedTold]
    lost: list[NamedTold]


class Pair(BaseModel):
    """Which two revisions are compared; without numbers, the last two."""

    old: int = Field(default=0, ge=0, le=2**31 - 1)
    new: int = Field(default=0, ge=0, le=2**31 - 1)


@router.get("/history")
def list_revisions(
    project: ProjectInPath, record: RecordInPath, session: ReadSession
) -> list[RevisionLine]:
    """List every revision of a record, the newest first."""
    del project
    return [RevisionLine(**_line(record, one)) for one in revisions_of(session, record)]


@router.get("/history/{number}")
def read_revision(
    project: ProjectInPath, record: RecordInPath, session: ReadSession, number: NumberInPath
) -> RevisionTold:
    """Return one revision as it was, with what it changed."""
    revision = find_revision(session, record, number)
    before = revision_before(session, record, number)
    content = content_of(session, revision, project)
    record_type = get_registry().of(record.type)
    changes = compare(record_type, content_of(session, before, project), content) if before else ()
    return RevisionTold(
        **_line(record, revision),
        body=revision.body,
        fields=dict(revision.fields),
        links=links_told(content.links),
        signatures=signatures_told(signatures_of(session, revision)),
        before=before.number if before else None,
        changes=differences_told(changes),
    )


@router.get("/compare")
def compare_revisions(
    project: ProjectInPath,
    record: RecordInPath,
    session: ReadSession,
    pair: Annotated[Pair, Query()],
) -> ComparedTold:
    """Return what differs between two revisions of a record."""
    newer = (
        find_revision(session, record, pair.new) if pair.new else latest_revision(session, record)
    )
    chosen = find_revision(session, record, pair.old) if pair.old else None
    older = chosen or revision_before(session, record, newer.number) or newer
    before, after = (content_of(session, one, project) for one in (older, newer))
    found = compare(get_registry().of(record.type), before, after)
    return ComparedTold(older=older.number, newer=newer.number, changes=differences_told(found))


@router.get("/impact")
def read_impact(
    project: ProjectInPath, record: RecordInPath, person: CurrentPerson, session: ReadSession
) -> ImpactTold:
    """Return what would need re-review if the draft of a record came into force."""
    return impact_of(session, project, record, person, read_content(session, record))


def impact_of(
    session: Session, project: Project, record: Record, person: Actor, content: Content
) -> ImpactTold:
    """Return what would come of a content of a record, as far as a person may read it."""
    record_type = get_registry().of(record.type)
    latest = latest_revision(session, record)
    effective = session.get(Revision, record.effective_id) if record.effective_id else None
    told = effect(session, record, record_type, content)
    readable = [one.key for one in readable_projects(session, person)]
    found = touched(session, project, record, readable) if told == CHANGES else []
    return ImpactTold(
        revision=latest.number,
        state=latest.state,
        in_force=effective.number if effective else None,
        changes=told == CHANGES,
        told="" if told == CHANGES else told,
        touched=[
            TouchedTold(
                project=one.record.project,
                uid=one.record.uid,
                title=view.title,
                type=view.type,
                role=one.role,
                cause=NamedTold.model_validate(one.cause),
                distance=one.distance,
            )
            for one, view in found
        ],
        lost=[
            NamedTold.model_validate(key)
            for key in losing(session, project, record, record_type, content)
        ],
    )


def _line(record: Record, revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "state": revision.state,
        "in_force": revision.id == record.effective_id,
        "title": revision.title,
        "authors": sorted(revision.authors),
        "author": revision.author_name,
        "created_at": revision.created_at,
        "approved_at": revision.approved_at,
        "reason": revision.reason,
        "content_digest": revision.content_digest,
        "envelope_digest": revision.envelope_digest,
        "previous_digest": revision.previous_digest,
    }
