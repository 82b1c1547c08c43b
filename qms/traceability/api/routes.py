"""Why a row of the traceability matrix reads as it does, as programs read it."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from core.web import CurrentPerson, ProjectInPath, ReadSession, readable_projects
from qms.traceability import service
from qms.traceability.asking import Choice
from qms.traceability.coverage import Flag, Outcome

router = APIRouter(prefix="/api/p/{project}/trace", tags=["api"])


class PieceTold(BaseModel):
    """A piece of a sentence: text, which may lead somewhere, or a moment."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    address: str
    moment: AwareDatetime | None


class SentenceTold(BaseModel):
    """One sentence of the chain of evidence, and what is wrong that it is the reason for."""

    text: str
    flag: Flag | None
    parts: list[PieceTold]


class ReasonTold(BaseModel):
    """Something that is wrong with the row, and why."""

    flag: Flag
    told: str


class WhyTold(BaseModel):
    """One row: what it comes to, what is wrong with it, and the evidence in sentences."""

    uid: str
    title: str
    revision: int
    state: str
    release: str | None
    outcome: Outcome
    reasons: list[ReasonTold]
    sentences: list[SentenceTold]


@router.get("/why/{uid}")
def read_why(
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    uid: str,
    asked: Annotated[Choice, Query()],
) -> WhyTold:
    """Explain one row of the matrix; `rows`, `columns` and `release` as on its page."""
    readable = [one.key for one in readable_projects(session, person)]
    loaded = service.load_trace(
        session, project.key, asked.rows, asked.columns, asked.wanted_release, readable=readable
    )
    row, sentences = service.why(session, loaded, uid)
    return WhyTold(
        uid=row.record.key.uid,
        title=row.record.title,
        revision=row.record.revision,
        state=row.record.state,
        release=loaded.release.uid if loaded.release else None,
        outcome=row.judgement.outcome,
        reasons=[ReasonTold(flag=flag, told=told) for flag, told in row.judgement.reasons],
        sentences=[
            SentenceTold(
                text=str(one),
                flag=one.flag,
                parts=[PieceTold.model_validate(part) for part in one.parts],
            )
            for one in sentences
        ],
    )
