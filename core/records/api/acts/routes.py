"""Act on records where the pages ask for no password: re-review, send back, move an issue."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.records import approval, issues
from core.records.api.told import DifferenceTold, NamedTold, differences_told
from core.records.models import Record, Revision
from core.records.rereviewing.listing import Line, Wanted, lines_of
from core.records.rereviewing.service import MOST_AT_ONCE, review_many
from core.records.service import edit_token
from core.records.suspects import Happened
from core.web import (
    ActSession,
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    RecordInPath,
    readable_projects,
)
from core.web.sent import Words

router = APIRouter(prefix="/p/{project_key}")


class DoubtTold(BaseModel):
    """One link through which a record needs re-review.

    `choice` is sent to say that it still holds: it names the link and what was read of both ends.
    `may` says whether who asks may, `roles` who else; `changes` is empty where what changed may
    not be read.
    """

    record: NamedTold
    title: str
    revision: int
    role: str
    cause: NamedTold
    cause_title: str
    happened: Happened
    distance: int
    changes: list[DifferenceTold]
    may: bool
    roles: list[str]
    choice: str


class DoubtsAsked(BaseModel):
    """Which of it is listed: by what changed (PROJECT/UID), the record's type, the link's role."""

    cause: str = Field(default="", max_length=300)
    type: str = Field(default="", max_length=100)
    role: str = Field(default="", max_length=100)


class Reviewed(BaseModel):
    """What still holds, as it was read, and why."""

    chosen: list[Annotated[Words, Field(max_length=500)]] = Field(max_length=10 * MOST_AT_ONCE)
    reason: Words = Field(max_length=10_000)


class Act(BaseModel):
    """Why something is done, with the `expected` of the revision that was read."""

    reason: Words = Field(max_length=10_000)
    expected: Words = Field(max_length=200)


class Move(Act):
    """The state that an issue is moved to."""

    to: Words = Field(max_length=40)


class ActTold(BaseModel):
    """How the record stands now; `expected` is what the next change of it is sent with."""

    uid: str
    revision: int
    state: str
    expected: str


@router.get("/re-review")
def list_doubts(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    asked: Annotated[DoubtsAsked, Query()],
) -> list[DoubtTold]:
    """List what needs re-review in a project, with what changed."""
    wanted = Wanted(asked.cause, asked.type, asked.role)
    readable = [one.key for one in readable_projects(session, person)]
    lines = lines_of(session, project, person, readable)
    return [_doubt(one) for one in lines if wanted.takes(one)]


@router.post("/re-review")
def review(
    project: ProjectInPath, person: CurrentPerson, session: ActSession, sent: Reviewed
) -> list[DoubtTold]:
    """Say that everything chosen still holds, or nothing where one of it is refused."""
    readable = [one.key for one in readable_projects(session, person)]
    done = review_many(session, project, person, sent.reason, sent.chosen, readable)
    return [_doubt(one) for one in done]


@router.post("/records/{uid:uid}/reject")
def reject(record: RecordInPath, person: CurrentPerson, session: ActSession, sent: Act) -> ActTold:
    """Send the revision in review back to its author."""
    return _done(record, approval.reject(session, record, person, sent.reason, sent.expected))


@router.post("/records/{uid:uid}/move")
def move(record: RecordInPath, person: CurrentPerson, session: ActSession, sent: Move) -> ActTold:
    """Move a quality issue to another state; closing, rejecting and deferring are signed."""
    moved = issues.move(session, record, sent.to, person, sent.reason, sent.expected)
    return _done(record, moved)


def _done(record: Record, revision: Revision) -> ActTold:
    return ActTold(
        uid=record.uid,
        revision=revision.number,
        state=revision.state,
        expected=edit_token(revision),
    )


def _doubt(line: Line) -> DoubtTold:
    one = line.doubt
    told: dict[str, Any] = {"changes": differences_told(line.changes), "roles": list(line.roles)}
    return DoubtTold(
        record=NamedTold.model_validate(one.record),
        title=line.record.title,
        revision=line.record.revision,
        role=one.role,
        cause=NamedTold.model_validate(one.cause),
        cause_title=line.cause_title,
        happened=one.happened,
        distance=one.distance,
        may=line.may_tick,
        choice=line.choice,
        **told,
    )
