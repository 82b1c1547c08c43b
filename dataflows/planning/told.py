"""A plan and the coverage as programs are told of them."""

from typing import Any

from pydantic import AwareDatetime, BaseModel

from core.verdicts import VerdictWord
from dataflows.coverage import Event, EventRow
from dataflows.impact import Losses
from dataflows.inventory import Connection, Department, Outside
from dataflows.pathways import WalkedStep
from dataflows.planning.evidence import Nearness
from dataflows.planning.plan import Plan, Purpose, QaStatus


class OutsideTold(BaseModel):
    """A record outside the map; title and type are empty where its project may not be read."""

    project: str
    uid: str
    title: str
    type: str


class ConnectionTold(BaseModel):
    """A connection, its ends, and the QA procedures that control it."""

    uid: str
    title: str
    source: str
    target: str
    category: str
    protocol: str
    responsible: str
    qa: list[str]


class StepTold(BaseModel):
    """A step of a pathway, by its number."""

    number: int
    connection: str


class PathwayTold(BaseModel):
    """A pathway that passes over the change: its own steps there and the steps after them."""

    uid: str
    title: str
    own: list[StepTold]
    downstream: list[StepTold]


class QaTold(BaseModel):
    """A QA procedure and how it stands; `effective` is null where nobody can say."""

    uid: str
    title: str
    frequency: str
    controls: list[str]
    word: str
    since: str
    why: str
    due: str
    last: str
    effective: bool | None
    asked: bool


class DeviceTold(BaseModel):
    """A device, how near the change comes to it, and over what."""

    device: OutsideTold
    nearness: str
    how: str


class EvidenceTold(BaseModel):
    """A record outside the map that rests on what changes."""

    record: OutsideTold
    why: list[str]
    direct: bool
    stands: str


class LastRunTold(BaseModel):
    """A test of that evidence, and what its last validation run says."""

    test: OutsideTold
    shows: list[str]
    word: VerdictWord
    run: str
    commit: str
    at: AwareDatetime | None
    detail: str
    address: str


class EndpointTold(BaseModel):
    """One end of an association that is to be set again."""

    connection: str
    role: str
    system: str
    side: str
    ae: str
    host: str
    port: int | None


class LossTold(BaseModel):
    """A system that stays, what it no longer receives and sends over, and what it keeps."""

    system: str
    no_longer_receives: list[str]
    no_longer_sends: list[str]
    left_in: int
    left_out: int


class BrokenTold(BaseModel):
    """A pathway that loses steps, and the later steps at which it then breaks."""

    uid: str
    lost: list[StepTold]
    breaks: list[StepTold]


class LossesTold(BaseModel):
    """What goes for good with a retired system."""

    systems: list[LossTold]
    pathways: list[BrokenTold]
    qa_without_subject: list[str]
    qa_with_less_subject: list[str]


class EventRowTold(BaseModel):
    """A connection or a pathway with its QA procedures at each event."""

    uid: str
    kind: str
    title: str
    qa: dict[Event, list[str]]
    covered: bool


class PlanTold(BaseModel):
    """What a change of a system or a connection touches, for one purpose."""

    subject: str
    title: str
    purpose: Purpose
    devices: list[DeviceTold]
    evidence: list[EvidenceTold]
    runs: list[LastRunTold]
    external: list[ConnectionTold]
    internal: list[ConnectionTold]
    uncovered: list[str]
    pathways: list[PathwayTold]
    downstream: list[str]
    qa: list[QaTold]
    groups: list[str]
    endpoints: list[EndpointTold]
    losses: LossesTold | None
    programme: list[EventRowTold]
    gaps: list[str]
    hidden: list[str]
    drafts: list[str]


class CoverageTold(BaseModel):
    """What has no QA, and the QA of everything by event."""

    uncovered_connections: list[str]
    uncovered_pathways: list[str]
    untested: dict[Event, list[str]]
    rows: list[EventRowTold]


def plan_told(department: Department, plan: Plan) -> PlanTold:
    """Return a plan as programs are told of it; endpoints only where they are set again."""
    found = plan.impact
    endpoints = found.endpoints if plan.shows_endpoints else ()
    return PlanTold(
        subject=found.subject,
        title=plan.subject.title,
        purpose=plan.purpose,
        devices=[
            DeviceTold(device=_outside(d.device), nearness=Nearness(d.nearness).name.lower(),
                       how=d.how)
            for d in plan.devices
        ],
        evidence=[
            EvidenceTold(
                record=_outside(e.record), why=list(e.why), direct=e.direct, stands=e.stands
            )
            for e in plan.evidence
        ],
        runs=[
            LastRunTold(
                test=_outside(r.record), shows=list(r.shows), word=r.verdict.word,
                run=r.verdict.run, commit=r.verdict.commit, at=r.verdict.at,
                detail=r.verdict.detail, address=r.verdict.address,
            )
            for r in plan.runs
        ],
        external=[_connection(department, c) for c in found.external],
        internal=[_connection(department, c) for c in found.internal],
        uncovered=list(found.uncovered),
        pathways=[
            PathwayTold(
                uid=t.pathway.uid, title=t.pathway.title, own=_steps(t.direct),
                downstream=_steps(t.downstream),
            )
            for t in found.pathways
        ],
        downstream=list(found.downstream),
        qa=[_qa(department, uid, status) for uid, status in plan.qa.items()],
        groups=list(found.groups),
        endpoints=[
            EndpointTold(
                connection=e.connection, role=e.role, system=e.system, side=e.side, ae=e.ae,
                host=e.host, port=e.port,
            )
            for e in endpoints
        ],
        losses=_losses(plan.losses) if plan.losses else None,
        programme=[
            event_row_told(one) for one in (*plan.programme.connections, *plan.programme.pathways)
        ],
        gaps=[one.uid for one in plan.programme.gaps],
        hidden=list(plan.hidden),
        drafts=list(plan.impact.drafts),
    )  # fmt: skip


def event_row_told(one: EventRow) -> EventRowTold:
    """Return a connection or a pathway with its QA by event."""
    return EventRowTold(
        uid=one.uid,
        kind=one.kind,
        title=one.title,
        qa={event: [p.uid for p in one.at[event]] for event in Event},
        covered=one.covered,
    )


def _losses(lost: Losses) -> LossesTold:
    return LossesTold(
        systems=[
            LossTold(
                system=one.system,
                no_longer_receives=[c.uid for c in one.sources],
                no_longer_sends=[c.uid for c in one.targets],
                left_in=one.left_in,
                left_out=one.left_out,
            )
            for one in lost.systems
        ],
        pathways=[
            BrokenTold(uid=one.pathway.uid, lost=_steps(one.lost), breaks=_steps(one.breaks))
            for one in lost.pathways
        ],
        qa_without_subject=[p.uid for p in lost.idle],
        qa_with_less_subject=[p.uid for p in lost.narrowed],
    )


def _qa(department: Department, uid: str, status: QaStatus) -> QaTold:
    procedure = department.procedures[uid]
    told: dict[str, Any] = {name: getattr(status, name) for name in QaStatus.__slots__}
    return QaTold(
        uid=uid,
        title=procedure.title,
        frequency=procedure.frequency,
        controls=[*procedure.connections, *procedure.pathways],
        **told,
    )


def _connection(department: Department, one: Connection) -> ConnectionTold:
    return ConnectionTold(
        uid=one.uid,
        title=one.title,
        source=one.source,
        target=one.target,
        category=one.category.value,
        protocol=one.protocol,
        responsible=one.responsible,
        qa=list(department.qa_of_connection.get(one.uid, ())),
    )


def _steps(steps: tuple[WalkedStep, ...]) -> list[StepTold]:
    return [StepTold(number=step.number, connection=step.uid) for step in steps]


def _outside(one: Outside) -> OutsideTold:
    return OutsideTold(project=one.project, uid=one.uid, title=one.title, type=one.type)
