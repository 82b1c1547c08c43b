"""Releases as programs see them: where each stands, its baseline, its pack; and the whole check."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlmodel import Session

from core.jobs.told import StartedTold
from core.people.actor import Actor
from core.records.models import Project
from core.web import (
    ActSession,
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    StartSession,
    require,
)
from core.web.answers import MAKES, STARTS
from qms.baselines.told import BaselineTold, baseline_told
from qms.releases import service
from qms.releases.pages import ReleaseLine, release_lines
from qms.releases.steps import StepState, signature_lines
from qms.releases.turns import turn_of
from qms.rules.check import RELEASE
from qms.rules.findings import CheckResult
from qms.rules.told import CheckTold, check_told

router = APIRouter(prefix="/api/p/{project}", tags=["api"])


class StepTold(BaseModel):
    """One of the five steps; `why` says why it is not done, `address` where its result stands."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    name: str
    state: StepState
    detail: str
    why: str
    address: str


class TurnTold(BaseModel):
    """The next act on the way into force, whether it is for who asks, and who else may."""

    model_config = ConfigDict(from_attributes=True)

    act: str
    mine: bool
    told: str


class AskedSignature(BaseModel):
    """A signature that the release asks for; without a name it was not given yet."""

    model_config = ConfigDict(from_attributes=True)

    role: str
    meaning: str
    name: str
    at: AwareDatetime | None


class StandingTold(BaseModel):
    """What the release check comes to; its findings are read at `check`."""

    passed: bool
    told: str
    errors: int
    warnings: int
    conceded: int
    today: date
    check: str


class ReleaseTold(BaseModel):
    """Where a release stands. One that is planned or withdrawn is not judged and has no steps."""

    uid: str
    title: str
    version: str
    revision: int
    state: str
    standing: str
    current: int | None
    steps: list[StepTold]
    turn: TurnTold | None
    signatures: list[AskedSignature]
    result: StandingTold | None


class CheckAsked(BaseModel):
    """Which release the project is judged with, by version or uid, and by the rules of which gate.

    Without a release the record alone is judged.
    """

    release: str = Field(default="", max_length=200)
    gate: str = Field(default=RELEASE, max_length=60)


@router.get("/check")
def read_check(
    project: ProjectInPath, session: ReadSession, asked: Annotated[CheckAsked, Query()]
) -> CheckTold:
    """Ask every rule about the whole project, as `fiducial check` does."""
    return check_told(
        service.release_check(session, project, asked.release or None, asked.gate or RELEASE)
    )


@router.get("/releases")
def list_releases(
    project: ProjectInPath, person: CurrentPerson, session: ReadSession
) -> list[ReleaseTold]:
    """List the releases of a project: the five steps of each, and whose turn it is."""
    return [_told(session, project, one, person) for one in release_lines(session, project)]


@router.post("/releases/{uid}/baseline", status_code=201, responses=MAKES)
def freeze(
    response: Response,
    project: ProjectInPath,
    uid: str,
    person: CurrentPerson,
    session: ActSession,
) -> BaselineTold:
    """Freeze what is in force and let the draft of the release name it."""
    baseline = service.freeze(session, project, uid, person)
    response.headers["Location"] = f"/api/p/{project.key}/baselines/{baseline.root}"
    return baseline_told(baseline)


@router.post("/releases/{uid}/pack", status_code=202, responses=STARTS)
def build_pack(
    response: Response,
    project: ProjectInPath,
    uid: str,
    person: CurrentPerson,
    session: StartSession,
) -> StartedTold:
    """Have the pack of a signed release built; the job's result names the file."""
    require(project, person, *service.PACK_ROLES)
    follow = f"{service.start_pack(session, project, uid, person)}.json"
    response.headers["Location"] = follow
    return StartedTold(follow=follow)


def _told(session: Session, project: Project, line: ReleaseLine, reader: Actor) -> ReleaseTold:
    release = line.record
    turn = turn_of(session, project, release, reader) if line.steps else None
    return ReleaseTold(
        uid=release.key.uid,
        title=release.title,
        version=str(release.fields.get("version") or ""),
        revision=release.revision,
        state=release.state,
        standing=line.standing,
        current=line.current.number if line.current else None,
        steps=[StepTold.model_validate(one) for one in line.steps],
        turn=TurnTold.model_validate(turn) if turn else None,
        signatures=[AskedSignature.model_validate(one) for one in signature_lines(release)],
        result=_standing(project, release.key.uid, line.result) if line.result else None,
    )


def _standing(project: Project, uid: str, result: CheckResult) -> StandingTold:
    return StandingTold(
        passed=result.passed,
        told=result.sentence,
        errors=result.errors,
        warnings=result.warnings,
        conceded=result.conceded,
        today=result.today,
        check=f"/p/{project.key}/releases/{uid}/check.json",
    )
