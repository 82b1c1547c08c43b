"""Plans and coverage as programs see them: the same answers as the pages give."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from core.jobs.told import StartedTold, follow_of
from core.web import CurrentPerson, ProjectInPath, ReadSession, StartSession
from core.web.answers import STARTS
from dataflows import service
from dataflows.coverage import by_event, connections_by_event, coverage, pathways_by_event
from dataflows.planning import service as planning
from dataflows.planning.pack.build import ask_for_pack
from dataflows.planning.plan import Purpose
from dataflows.planning.told import CoverageTold, PlanTold, event_row_told, plan_told

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])


class Asked(BaseModel):
    """Which revisions are looked at: those in force, or the latest drafts."""

    drafts: bool = False


class AskedPlan(Asked):
    """For what the change is planned."""

    purpose: Purpose = Purpose.UPGRADE


class WantedPack(BaseModel):
    """For what the pack is."""

    purpose: Purpose = Purpose.UPGRADE


@router.get("/impact/{uid}")
def read_plan(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    asked: Annotated[AskedPlan, Query()],
) -> PlanTold:
    """Tell what a change of a system or a connection touches, for one purpose."""
    read = planning.read_map(session, project.key, person, drafts=asked.drafts)
    return plan_told(read.department, planning.plan(session, read, uid, asked.purpose))


@router.post("/impact/{uid}/pack", status_code=202, responses=STARTS)
def start_pack(
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    uid: str,
    sent: WantedPack,
) -> StartedTold:
    """Let a worker build the change-impact pack of a system."""
    job = ask_for_pack(session, project, uid, sent.purpose, person)
    response.headers["Location"] = follow_of(job.id)
    return StartedTold(follow=follow_of(job.id))


@router.get("/coverage")
def read_coverage(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    asked: Annotated[Asked, Query()],
) -> CoverageTold:
    """Tell what has no QA, and the QA of every connection and pathway by event."""
    department = service.read_department(session, project.key, person, drafts=asked.drafts)
    found = coverage(department)
    rows = (*connections_by_event(department), *pathways_by_event(department))
    return CoverageTold(
        uncovered_connections=[c.uid for c in found.external],
        uncovered_pathways=[p.uid for p in found.pathways],
        untested={at.event: [one.uid for one in at.untested] for at in by_event(rows)},
        rows=[event_row_told(one) for one in rows],
    )
