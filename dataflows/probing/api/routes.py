"""Probes and drift as programs see them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from core.errors import NotFound
from core.jobs.told import StartedTold, follow_of
from core.records.types import get_registry
from core.web import (
    CurrentPerson,
    NumberInPath,
    ProjectInPath,
    ReadSession,
    StartSession,
    WriteSession,
    require,
)
from core.web.answers import MAKES, MAY_CONFLICT, STARTS
from core.web.sent import Words
from core.web.transaction import settings_of
from dataflows.probing import drifting, service
from dataflows.probing.drift import Changed, Modelled
from dataflows.probing.models import DestinationList, ProbeResult
from dataflows.probing.standing import Standing
from dataflows.service import read_department

router = APIRouter(prefix="/api/p/{project}/map", tags=["api"])

PAGE_SIZE = 200


class ResultTold(BaseModel):
    """What one probe found, with who asked when and with what."""

    outcome: str
    sentence: str
    took_ms: int
    address: str
    accepted: list[str]
    refused: list[str]
    calling_ae: str
    called_ae: str
    host: str
    port: int
    probed_at: AwareDatetime
    person: str
    tool: str


class AssociationTold(BaseModel):
    """One association as it is modelled, and how it stands.

    `outcome` is that of its last probe, "ok-but-old" where that was "ok" more than thirty days ago,
    "never probed", or "changed since its probe"; `obstacles` say why it cannot be probed.
    """

    connection: str
    number: int
    role: str
    asks: str
    listens: str
    calling_ae: str
    called_ae: str
    host: str
    port: int
    outcome: str
    why: str
    obstacles: list[str]
    last: ResultTold | None


class AssociationsTold(BaseModel):
    """One page of associations."""

    total: int
    page: int
    page_size: int
    associations: list[AssociationTold]


class ProbesView(BaseModel):
    """Which associations are listed."""

    outcome: str = Field(default="", max_length=40)
    page: int = Field(default=1, ge=1, le=1_000_000)


class WantedProbes(BaseModel):
    """The connections that are to be probed; without any, all that may be."""

    connections: list[Annotated[Words, Field(max_length=80)]] = Field(
        default_factory=list, max_length=500
    )


class SentList(BaseModel):
    """A destination list of a system: the text of its CSV or JSON file."""

    system: Words = Field(min_length=1, max_length=80)
    name: Words = Field(min_length=1, max_length=200)
    text: Words = Field(min_length=1, max_length=500_000)


class EndpointTold(BaseModel):
    """Where a system listens; `connections` lead there on the map, `line` names it in the list."""

    ae: str
    host: str
    port: int
    connections: list[str] = []
    line: int | None = None
    name: str = ""


class ChangedTold(BaseModel):
    """An endpoint that the list gives otherwise than the map."""

    what: str
    before: EndpointTold
    after: EndpointTold


class ListTold(BaseModel):
    """An imported destination list."""

    number: int
    system: str
    name: str
    sha256: str
    imported_at: AwareDatetime
    person: str
    destinations: int


class DriftTold(ListTold):
    """What a list says against the map as it is now.

    `superseded_by` is the number of the system's newest list where that is another: nothing is
    proposed from a list that was superseded.
    """

    superseded_by: int | None
    same: int
    added: list[EndpointTold]
    removed: list[EndpointTold]
    changed: list[ChangedTold]


class ProposedTold(BaseModel):
    """The connections that have a draft now; each counts when another person has approved it."""

    drafts: list[str]


class WantedDrafts(BaseModel):
    """The connections that are to be proposed; without any, all that have changed."""

    connections: list[Annotated[Words, Field(max_length=80)]] = Field(
        default_factory=list, max_length=500
    )


@router.get("/probes")
def list_probes(
    request: Request,
    project: ProjectInPath,
    person: CurrentPerson,
    session: ReadSession,
    view: Annotated[ProbesView, Query()],
) -> AssociationsTold:
    """List the DICOM associations with their last results, a page at a time."""
    department = read_department(session, project.key, person)
    found = [
        one
        for one in service.standings_of(session, project, department, settings_of(request))
        if view.outcome in ("", one.outcome)
    ]
    first = (view.page - 1) * PAGE_SIZE
    return AssociationsTold(
        total=len(found),
        page=view.page,
        page_size=PAGE_SIZE,
        associations=[_association(one) for one in found[first : first + PAGE_SIZE]],
    )


@router.post("/probes", status_code=202, responses=STARTS)
def ask_for_probes(
    request: Request,
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: StartSession,
    sent: WantedProbes | None = None,
) -> StartedTold:
    """Have some connections probed, or all that may be."""
    require(project, person, *service.MAY_PROBE)
    department = read_department(session, project.key, person)
    job = service.ask(
        session, project, department, sent.connections if sent else (), person, settings_of(request)
    )
    response.headers["Location"] = f"/api/p/{project.key}/map/probes"
    return StartedTold(follow=follow_of(job.id))


@router.get("/probes/{uid}")
def list_results(
    project: ProjectInPath, person: CurrentPerson, session: ReadSession, uid: str
) -> list[ResultTold]:
    """Return the results of one connection, the latest first, two hundred at most."""
    if uid not in read_department(session, project.key, person).connections:
        raise NotFound(f"There is no connection {uid[:40]} on this map.")
    return [_result(one) for one in service.history(session, project, uid, PAGE_SIZE)]


@router.get("/drift")
def list_lists(
    project: ProjectInPath,
    session: ReadSession,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> list[ListTold]:
    """Return the destination lists that were imported, the latest first, two hundred at a time."""
    found = drifting.lists_of(session, project, (page - 1) * PAGE_SIZE, PAGE_SIZE)
    return [ListTold.model_validate(_listed(one)) for one in found]


@router.post("/drift", status_code=201, responses=MAKES)
def import_list(
    response: Response,
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    sent: SentList,
) -> DriftTold:
    """Import a destination list; nothing of the map changes."""
    require(project, person, *get_registry().of("connection").authors)
    department = read_department(session, project.key, person)
    kept = drifting.import_list(
        session, project, department, sent.system, sent.name, sent.text.encode(), person
    )
    response.headers["Location"] = f"/api/p/{project.key}/map/drift/{kept.id}"
    return _drift(drifting.report(department, kept), None)


@router.get("/drift/{number}", responses=MAY_CONFLICT)
def read_drift(
    project: ProjectInPath, person: CurrentPerson, session: ReadSession, number: NumberInPath
) -> DriftTold:
    """Return what a list says against the map as it is now."""
    department = read_department(session, project.key, person)
    listed = drifting.find_list(session, project, number)
    newer = drifting.superseding(session, project, listed)
    return _drift(drifting.report(department, listed), newer)


@router.post("/drift/{number}/propose")
def propose(
    project: ProjectInPath,
    person: CurrentPerson,
    session: WriteSession,
    number: NumberInPath,
    sent: WantedDrafts | None = None,
) -> ProposedTold:
    """Make drafts of connections with the endpoints of the list; another person accepts them.

    The list must be the newest of its system.
    """
    require(project, person, *get_registry().of("connection").authors)
    department = read_department(session, project.key, person)
    found = drifting.report(department, drifting.find_list(session, project, number))
    made = drifting.propose(session, project, found, sent.connections if sent else (), person)
    return ProposedTold(drafts=[record.uid for record in made])


def _association(one: Standing) -> AssociationTold:
    question = one.asked.question
    return AssociationTold(
        connection=one.asked.connection.uid,
        number=one.asked.number,
        role=question.role,
        asks=one.asked.asking,
        listens=one.asked.listening,
        calling_ae=question.calling_ae,
        called_ae=question.called_ae,
        host=question.host,
        port=question.port,
        outcome=one.outcome,
        why=one.why,
        obstacles=list(one.obstacles),
        last=_result(one.last) if one.last else None,
    )


def _result(one: ProbeResult) -> ResultTold:
    asked = {name: one.question[name] for name in ("calling_ae", "called_ae", "host", "port")}
    return ResultTold(
        outcome=one.outcome,
        sentence=one.sentence,
        took_ms=one.took_ms,
        address=one.address,
        accepted=one.accepted,
        refused=one.refused,
        probed_at=one.probed_at,
        person=one.person,
        tool=one.tool,
        **asked,
    )


def _listed(one: DestinationList) -> dict[str, object]:
    return {
        "number": one.id,
        "system": one.system,
        "name": one.name,
        "sha256": one.digest,
        "imported_at": one.imported_at,
        "person": one.person,
        "destinations": len(one.destinations),
    }


def _drift(found: drifting.Report, newer: DestinationList | None) -> DriftTold:
    drift = found.drift
    return DriftTold.model_validate(
        {
            **_listed(found.listed),
            "superseded_by": newer.id if newer else None,
            "same": len(drift.same),
            "added": [EndpointTold(**one.told) for one in drift.added],
            "removed": [_modelled(one) for one in drift.removed],
            "changed": [_changed(one) for one in drift.changed],
        }
    )


def _modelled(one: Modelled) -> EndpointTold:
    ae, host, port = one.endpoint
    return EndpointTold(ae=ae, host=host, port=port, connections=list(one.connections))


def _changed(one: Changed) -> ChangedTold:
    return ChangedTold(
        what=one.what, before=_modelled(one.before), after=EndpointTold(**one.after.told)
    )
