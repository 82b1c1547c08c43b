"""What waits for a person: gathered once, for the home page and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel
from sqlmodel import Session

from core.people.actor import Actor
from core.records.api.told import NamedTold, WaitingTold
from core.records.models import Project
from core.records.snapshot import Key
from core.records.talking.reading import Unanswered, waiting_to_answer
from core.records.waiting import (
    Doubtful,
    Returned,
    Waiting,
    own_drafts,
    returned_to,
    waiting_for_review,
    waiting_to_sign,
)
from core.web import CurrentPerson, ProjectInPath, ReadSession, readable_projects
from qms.actions import Duty, duties
from qms.falling_due.service import Falling, own_falling_due
from qms.releases.pages import ReleaseLine, own_step, release_lines
from qms.training_matrix.matrix import Cell, Standing
from qms.training_matrix.service import own_lacks
from validation.runs.listing import Unsigned, unsigned_of

router = APIRouter(prefix="/api", tags=["api"])


@dataclass(frozen=True)
class OwnStep:
    """The next step of a release, where it waits for one person."""

    key: Key
    title: str
    act: str


@dataclass(frozen=True)
class Waits:
    """Everything that waits for one person in some projects."""

    to_sign: Sequence[Waiting]
    to_review: Sequence[Doubtful]
    to_answer: Sequence[Unanswered]
    returned: Sequence[Returned]
    drafts: Sequence[Waiting]
    duties: Sequence[Duty]
    falling: Sequence[Falling]
    to_read: Sequence[tuple[Project, Cell]]
    by_hand: Sequence[Unsigned]
    steps: Sequence[OwnStep]


Lines = Sequence[tuple[Project, ReleaseLine]]
"""Releases with where they stand, each with its project."""


def lines_of(session: Session, projects: Sequence[Project]) -> Lines:
    """Return where every release of some projects stands today."""
    return [
        (project, line)
        for project in projects
        for line in release_lines(session, project, signed_if_red=True)
    ]


def waits_of(session: Session, person: Actor, projects: Sequence[Project], lines: Lines) -> Waits:
    """Return what waits for a person; a draft that came back is told with its reason alone."""
    returned = returned_to(session, person, projects)
    back = {one.key for one in returned}
    return Waits(
        to_sign=waiting_to_sign(session, person, projects),
        to_review=waiting_for_review(session, person, projects),
        to_answer=waiting_to_answer(session, person, projects),
        returned=returned,
        drafts=[one for one in own_drafts(session, person, projects) if one.key not in back],
        duties=duties(session, person, projects),
        falling=own_falling_due(session, person, projects),
        to_read=own_lacks(session, person, projects),
        by_hand=unsigned_of(session, person.person_id, projects),
        steps=[
            OwnStep(line.record.key, line.record.title, act)
            for project, line in lines
            if (act := own_step(session, project, line, person))
        ],
    )


class DoubtfulTold(NamedTold):
    """A record to re-review, and the records whose change is the reason."""

    title: str
    revision: int
    causes: list[NamedTold]
    since: AwareDatetime | None


class UnansweredTold(NamedTold):
    """An open thread in which somebody else spoke last."""

    title: str
    thread: int
    revision: int
    who: str
    since: AwareDatetime


class ReturnedTold(NamedTold):
    """A draft that a reviewer sent back, and why."""

    title: str
    revision: int
    who: str
    at: AwareDatetime
    reason: str


class DutyTold(NamedTold):
    """An action or an issue that the person answers for, and what it came from."""

    title: str
    state: str
    due: date | None
    overdue: bool
    came_from: list[NamedTold]


class FallingTold(NamedTold):
    """A day that a record states, before it has gone by or after."""

    title: str
    what: str
    day: date
    standing: str


class ReadingTold(BaseModel):
    """A document that a role of the person asks training on."""

    project: str
    document: str
    title: str
    revision: int | None
    standing: Standing
    detail: str


class UnsignedTold(BaseModel):
    """A run by hand that waits for its tester."""

    project: str
    number: int
    test: str
    title: str
    since: AwareDatetime


class StepTold(NamedTold):
    """A release whose next step waits for the person, and what it is."""

    title: str
    act: str


class WaitsTold(BaseModel):
    """What waits for whose program asks; signing and submitting are done on the pages."""

    to_sign: list[WaitingTold]
    to_review: list[DoubtfulTold]
    to_answer: list[UnansweredTold]
    returned: list[ReturnedTold]
    drafts: list[WaitingTold]
    duties: list[DutyTold]
    falling: list[FallingTold]
    to_read: list[ReadingTold]
    by_hand: list[UnsignedTold]
    steps: list[StepTold]


@router.get("/waiting")
def read_everything_waiting(person: CurrentPerson, session: ReadSession) -> WaitsTold:
    """Return what waits for a person in every project that they read."""
    projects = readable_projects(session, person)
    return _told(waits_of(session, person, projects, lines_of(session, projects)))


@router.get("/p/{project}/waiting")
def read_waiting(project: ProjectInPath, person: CurrentPerson, session: ReadSession) -> WaitsTold:
    """Return what waits for a person in one project."""
    return _told(waits_of(session, person, [project], lines_of(session, [project])))


def _told(waits: Waits) -> WaitsTold:
    return WaitsTold(
        to_sign=[_waiting(one) for one in waits.to_sign],
        to_review=[_doubtful(one) for one in waits.to_review],
        to_answer=[
            UnansweredTold(
                **one.key._asdict(), title=one.title, thread=one.thread, revision=one.revision,
                who=one.who, since=one.since,
            )
            for one in waits.to_answer
        ],
        returned=[
            ReturnedTold(
                **one.key._asdict(), title=one.title, revision=one.revision,
                who=one.remark.who, at=one.remark.at, reason=one.remark.reason,
            )
            for one in waits.returned
        ],
        drafts=[_waiting(one) for one in waits.drafts],
        duties=[
            DutyTold(
                **one.key._asdict(), title=one.title, state=one.state, due=one.due,
                overdue=one.overdue,
                came_from=[NamedTold.model_validate(key) for key in one.came_from],
            )
            for one in waits.duties
        ],
        falling=[
            FallingTold(
                **one.key._asdict(), title=one.title, what=one.what, day=one.day, standing=one.word
            )
            for one in waits.falling
        ],
        to_read=[_reading(project, cell) for project, cell in waits.to_read],
        by_hand=[UnsignedTold(**vars(one)) for one in waits.by_hand],
        steps=[StepTold(**one.key._asdict(), title=one.title, act=one.act) for one in waits.steps],
    )  # fmt: skip


def _waiting(one: Waiting) -> WaitingTold:
    return WaitingTold(
        **one.key._asdict(), title=one.title, revision=one.revision, author=one.author,
        since=one.since, meaning=one.meaning, roles=list(one.roles), threads=one.threads,
    )  # fmt: skip


def _doubtful(one: Doubtful) -> DoubtfulTold:
    causes = dict.fromkeys(doubt.cause for doubt in one.doubts)
    return DoubtfulTold(
        **one.record.key._asdict(),
        title=one.record.title,
        revision=one.record.revision,
        since=one.since,
        causes=[NamedTold.model_validate(key) for key in causes],
    )


def _reading(project: Project, cell: Cell) -> ReadingTold:
    return ReadingTold(
        project=project.key,
        document=cell.column.document,
        title=cell.column.title,
        revision=cell.column.revision,
        standing=cell.standing,
        detail=cell.detail,
    )
