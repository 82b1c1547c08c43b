"""Describe the map as programs do: add, connect, paste, confirm, and put steps in order."""

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field
from sqlmodel import Session

from core.errors import NotFound
from core.records import service as records
from core.records.models import Project, Record
from core.records.sheets.grid import read_grid
from core.web import (
    ActSession,
    CurrentPerson,
    ProjectInPath,
    ReadSession,
    WriteSession,
    require,
)
from core.web.answers import FaultTold
from core.web.sent import Words
from dataflows.editing import confirming, quick, stepping
from dataflows.editing.spreadsheet import pasting

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])


class MadeTold(BaseModel):
    """A record that was made as a draft; `expected` is what a change of it is sent with."""

    uid: str
    title: str
    revision: int
    state: str
    expected: str


class NewSystem(BaseModel):
    """A system in eight values; without a uid it is numbered."""

    name: Words = Field(max_length=2_000)
    uid: Words = Field(default="", max_length=80)
    kind: Words = Field(max_length=2_000)
    owner: Words = Field(max_length=2_000)
    criticality: Words = Field(max_length=40)
    part_of: Words = Field(default="", max_length=200)
    product: Words = Field(default="", max_length=2_000)
    version: Words = Field(default="", max_length=2_000)


class NewConnection(BaseModel):
    """A connection in eight values; several data types are parted by semicolons or lines."""

    source: Words = Field(max_length=200)
    target: Words = Field(max_length=200)
    category: Words = Field(max_length=40)
    data_types: Words = Field(max_length=20_000)
    protocol: Words = Field(max_length=2_000)
    trigger: Words = Field(max_length=40)
    responsible: Words = Field(max_length=2_000)
    surveyed_from: Words = Field(max_length=40)


class NoTransfer(BaseModel):
    """Nothing goes from one system to another, and nothing is meant to."""

    source: Words = Field(max_length=200)
    target: Words = Field(max_length=200)
    reason: Words = Field(max_length=20_000)
    surveyed_from: Words = Field(default="interview", max_length=40)


class Table(BaseModel):
    """Rows of a spreadsheet as text, headings first; `keep` imports them, otherwise nothing is."""

    text: Words = Field(max_length=1_000_000)
    kind: Words = Field(default="connection", max_length=40)
    surveyed_from: Words = Field(default="", max_length=40)
    responsible: Words = Field(default="", max_length=2_000)
    create_systems: bool = False
    keep: bool = False
    seen: Words = Field(default="", max_length=100)


class RowTold(BaseModel):
    """What becomes of one row: create, change, unchanged or fault."""

    row: int
    verdict: str
    uid: str
    title: str
    changes: list[str]
    lacking: list[str]
    note: str
    faults: list[FaultTold]


class TableTold(BaseModel):
    """What becomes of a whole table; `kept` says whether it was imported.

    `digest` names what was told: sent back as `seen`, nothing else than that is done.
    """

    kept: bool
    digest: str
    faults: list[FaultTold]
    missing_systems: list[str]
    created_systems: list[str]
    rows: list[RowTold]


class Confirming(BaseModel):
    """For which group a connection is confirmed, from what, and which revision was read."""

    group: Words = Field(default="", max_length=200)
    source: Words = Field(default="", max_length=40)
    expected: Words = Field(max_length=200)


class ConfirmedTold(BaseModel):
    """How a connection stands; `at` is when it was confirmed last."""

    uid: str
    standing: str
    at: AwareDatetime | None
    name: str
    group: str
    source: str
    revision: int | None


class Steps(BaseModel):
    """The steps of a pathway in their order, and which revision was read.

    A step is the id of its connection, with " entry" behind it where it is one: "C001 entry".
    """

    steps: list[Words] = Field(max_length=stepping.MOST_STEPS)
    expected: Words = Field(max_length=200)
    reason: Words = Field(default="", max_length=10_000)


class StepsTold(BaseModel):
    """The revision that was saved, and what is wrong with the order of its steps."""

    uid: str
    revision: int
    expected: str
    faults: list[str]


@router.post("/systems", status_code=201)
def add_system(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: NewSystem
) -> MadeTold:
    """Add a system as a draft."""
    form = quick.SystemForm(**sent.model_dump())
    return _made(session, quick.add_system(session, project, form, person))


@router.post("/connections", status_code=201)
def connect(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: NewConnection
) -> MadeTold:
    """Connect two systems; the connection is a draft."""
    form = quick.ConnectionForm(**sent.model_dump())
    return _made(session, quick.connect(session, project, form, person))


@router.post("/no-transfer", status_code=201)
def state_no_transfer(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: NoTransfer
) -> MadeTold:
    """State that a survey found no transfer between two systems."""
    form = quick.NoTransferForm(**sent.model_dump())
    return _made(session, quick.state_no_transfer(session, project, form, person))


@router.post("/paste")
def paste(
    project: ProjectInPath, person: CurrentPerson, session: WriteSession, sent: Table
) -> TableTold:
    """Judge rows of a spreadsheet, and import them if that is asked for and nothing is wrong."""
    pasted = pasting.Pasted(
        read_grid(sent.text), sent.kind, sent.surveyed_from, sent.responsible, sent.create_systems
    )
    kept = False
    found = pasting.preview(session, project, pasted, person)
    # What was judged took numbers that nothing has yet.
    session.rollback()
    if sent.keep and not found.faults:
        found, kept = pasting.keep(session, project, pasted, person, sent.seen or None), True
    in_rows = {fault for row in found.judged.rows for fault in row.faults}
    return TableTold(
        kept=kept,
        digest="" if found.faults else found.plan.digest,
        faults=[FaultTold.model_validate(one) for one in found.faults if one not in in_rows],
        missing_systems=list(found.judged.missing),
        created_systems=[one.uid or "" for one in found.created],
        rows=[
            RowTold(
                row=row.number,
                verdict=planned.verdict.value if planned else "fault",
                uid=row.draft.uid or "" if row.draft else "",
                title=row.draft.content.title if row.draft else "",
                changes=[one.label for one in planned.differences] if planned else [],
                lacking=list(row.lacking),
                note=planned.note if planned else "",
                faults=[FaultTold.model_validate(one) for one in row.faults],
            )
            for row, planned in found.verdicts()
        ],
    )


@router.get("/confirmations")
def list_confirmations(project: ProjectInPath, session: ReadSession) -> list[ConfirmedTold]:
    """Return how each connection stands: confirmed as it is within a year, or not."""
    found = confirming.standings(session, project)
    return [_confirmed(uid, one) for uid, one in sorted(found.items())]


@router.post("/connections/{uid}/confirm", status_code=201)
def confirm(
    *,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ActSession,
    uid: str,
    sent: Confirming,
) -> ConfirmedTold:
    """Keep that a group of the staff confirms a connection as its record describes it."""
    require(project, person, *confirming.CONFIRMERS)
    record = _record(session, project, uid, quick.CONNECTION)
    found = confirming.confirm(
        session, project, record, person,
        expected=sent.expected, group=sent.group, source=sent.source,
    )  # fmt: skip
    return _confirmed(uid, confirming.Standing(found, found.content))


@router.put("/pathways/{uid}/steps")
def order_steps(
    *, project: ProjectInPath, person: CurrentPerson, session: WriteSession, uid: str, sent: Steps
) -> StepsTold:
    """Save the steps of a pathway as a draft, and tell what is wrong with their order."""
    record = _record(session, project, uid, "pathway")
    steps = [stepping.step_of(one) for one in sent.steps]
    made = stepping.keep_steps(session, record, steps, person, sent.expected, sent.reason)
    department = stepping.department_of(session, project)
    walked = stepping.judged(department, uid, steps)
    return StepsTold(
        uid=uid,
        revision=made.number,
        expected=records.edit_token(made),
        faults=[str(one) for one in walked if one.faults],
    )


def _record(session: Session, project: Project, uid: str, type_name: str) -> Record:
    found = records.find_record(session, project, uid)
    if found.type != type_name:
        raise NotFound(f"{uid} is no {type_name}; it is a {found.type.replace('_', ' ')}.")
    return found


def _made(session: Session, record: Record) -> MadeTold:
    revision = records.latest_revision(session, record)
    return MadeTold(
        uid=record.uid,
        title=revision.title,
        revision=revision.number,
        state=revision.state,
        expected=records.edit_token(revision),
    )


def _confirmed(uid: str, standing: confirming.Standing) -> ConfirmedTold:
    last = standing.confirmation
    return ConfirmedTold(
        uid=uid,
        standing=standing.word,
        at=last.at if last else None,
        name=last.name if last else "",
        group=last.group if last else "",
        source=last.source if last else "",
        revision=last.revision if last else None,
    )
