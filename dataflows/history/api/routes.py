"""What changed on the map, as programs are told it."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.web import ProjectInPath, ReadSession
from core.web.answers import MAY_CONFLICT
from dataflows.history import service
from dataflows.history.differing import Kind

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])


class Asked(BaseModel):
    """Two days, times, baselines, or today; usually the last thirty days."""

    before: str = Field(default="", max_length=80)
    after: str = Field(default=service.TODAY, max_length=80)


class LineTold(BaseModel):
    """One thing that changed: [-words that went-] and {+words that came+}."""

    uid: str
    type: str
    title: str
    kind: Kind
    what: str
    difference: str


class HistoryTold(BaseModel):
    """What changed on the map from one state to another."""

    before: str
    after: str
    lines: list[LineTold]


@router.get("/history", responses=MAY_CONFLICT)
def read_history(
    project: ProjectInPath, session: ReadSession, asked: Annotated[Asked, Query()]
) -> HistoryTold:
    """Return what changed on the map between two days or baselines."""
    found = service.compared(session, project, asked.before or service.usual_start(), asked.after)
    return HistoryTold(
        before=found.before,
        after=found.after,
        lines=[
            LineTold(
                uid=one.uid,
                type=one.type,
                title=one.title,
                kind=one.kind,
                what=one.what,
                difference=one.said,
            )
            for one in found.lines
        ],
    )
