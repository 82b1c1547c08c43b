"""The job that probes: one association at a time, each result written down as it comes."""

import logging
from functools import partial

from sqlmodel import Session

from core.errors import Conflict
from core.jobs.context import JobContext, JsonDict
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of
from core.ports import prober
from core.probes import ProbeAnswer
from core.records.models import Project
from core.records.queries import load_snapshot
from dataflows.inventory import Department
from dataflows.probing import service
from dataflows.probing.associations import Asked, associations, obstacles
from dataflows.probing.standing import NOT_PROBED, word_of
from dataflows.survey import department_from_snapshot

log = logging.getLogger(__name__)


def run(ctx: JobContext) -> JsonDict:
    """Probe every association of the connections that the payload names, as they are in force.

    The allow-list is asked again here: it may have changed since somebody asked for this.
    """
    if prober.source is None:
        raise Conflict("Nothing here can probe; the network part of the engine is missing.")
    project_id, wanted = int(ctx.payload["project"]), list(ctx.payload["connections"])
    department, key, by = _read(ctx, project_id)
    asked = associations(department, *wanted) if wanted else []
    found: dict[str, int] = {}
    for done, one in enumerate(asked):
        ctx.progress(done, len(asked), f"Asking {one.question.called_ae} for {one.place}")
        outcome = ctx.step(
            f"probe {one.connection.uid} {one.number} {one.key[:12]}",
            work=partial(_probe, ctx, one),
            commit=partial(_keep, asked=one, project_id=project_id, by=by),
        )["outcome"]
        found[outcome] = found.get(outcome, 0) + 1
    told = ", ".join(f"{number} {word_of(outcome)[0]}" for outcome, number in found.items())
    told = told or "no association was left to probe"
    ctx.progress(len(asked), len(asked) or 1, told)
    only = f"/{wanted[0]}" if len(wanted) == 1 else ""
    address = f"/p/{key}/map/probes{only}"
    return {"told": told, "outcomes": found, "address": address}


def _read(ctx: JobContext, project_id: int) -> tuple[Department, str, Actor | None]:
    with ctx.db.reading() as session:
        project = session.get_one(Project, project_id)
        person = session.get(Person, ctx.created_by) if ctx.created_by else None
        snapshot = load_snapshot(session, [project.key])
        department = department_from_snapshot(snapshot, project.key)
        return department, project.key, actor_of(session, person) if person else None


def _probe(ctx: JobContext, asked: Asked) -> ProbeAnswer:
    allowed = service.allow_list(ctx.settings)
    against = obstacles(asked, allowed)
    if against:
        return ProbeAnswer("not-allowed", " ".join(against), 0, "", (), (), "")
    source = prober.source
    assert source is not None  # noqa: S101 - run has asked
    try:
        return source(asked.question, partial(allowed.permits, asked.question.host))
    except Exception as error:
        # A result of this association, and no reason to leave the others unasked.
        log.exception("%s could not be probed", asked.place)
        told = f"It could not be probed: {str(error) or type(error).__name__}."
        return ProbeAnswer(NOT_PROBED, told, 0, "", (), (), "")


def _keep(
    session: Session, answer: ProbeAnswer, *, asked: Asked, project_id: int, by: Actor | None
) -> JsonDict:
    result = service.keep(session, asked, answer, project_id, by)
    return {"outcome": result.outcome, "result": result.id}
