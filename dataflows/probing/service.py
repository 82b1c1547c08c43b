"""Ask for probes, keep what they found, and tell how the associations stand."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound
from core.jobs.models import Job
from core.jobs.service import enqueue
from core.ledger import append
from core.people.actor import Actor
from core.probes import ProbeAnswer
from core.records.models import Project
from core.settings import Settings
from dataflows.inventory import Category, Department
from dataflows.probing.allowed import SETTING, AllowList
from dataflows.probing.associations import Asked, associations, obstacles
from dataflows.probing.models import ProbeResult
from dataflows.probing.standing import Standing, standings

KIND = "dataflows.probe"
"""The kind of job that probes; the payload names the project's id and the connections."""

MAY_PROBE = ("author", "developer", "technical_reviewer", "quality_manager", "administrator")
"""Roles of a project that may have its connections probed."""

MOST_ASSOCIATIONS = 500
"""Of one job: a quarter of an hour if every listener is silent."""

OFF = f"Probing is off here: whoever runs this service names the hosts in the setting {SETTING}."


def allow_list(settings: Settings) -> AllowList:
    """Return the hosts that may be probed; empty while probing is off."""
    return AllowList.read(settings.probe_hosts)


def ask(
    session: Session,
    project: Project,
    department: Department,
    connections: Sequence[str],
    by: Actor,
    settings: Settings,
) -> Job:
    """Let a worker probe every association of some connections, or of all that may be probed.

    Raises
    ------
    Conflict
        If probing is off, or there is nothing to probe.
    NotFound
        If a connection is not on the map.
    Invalid
        If a connection that was named cannot be probed: with every reason.
    """
    allowed = allow_list(settings)
    if not allowed:
        raise Conflict(OFF)
    named = list(dict.fromkeys(connections))
    wanted = _wanted(department, named, allowed)
    if len(wanted) > MOST_ASSOCIATIONS:
        raise Conflict(
            f"{len(wanted)} associations are too many for one job; name some of the connections "
            f"({MOST_ASSOCIATIONS} associations at most)."
        )
    uids = list(dict.fromkeys(one.connection.uid for one in wanted))
    payload = {"project": project.id, "connections": uids}
    job = enqueue(
        session, KIND, payload, by, key=f"{project.id} {' '.join(uids)}", project_id=project.id
    )
    told = {"job": job.id, "connections": uids, "associations": len(wanted)}
    append(session, "probe:connection:ask", by, project.id, f"job {job.id}", told)
    return job


def _wanted(department: Department, named: Sequence[str], allowed: AllowList) -> list[Asked]:
    for uid in named:
        _refuse_unknown(department, uid)
    found = associations(department, *named)
    faults = [Fault("PRB02", one.place, what) for one in found for what in obstacles(one, allowed)]
    if named and faults:
        raise Invalid("Nothing was probed.", faults)
    able = [one for one in found if not obstacles(one, allowed)]
    if not able:
        raise Conflict("No association of this map may be probed; the page says why of each.")
    return able


def _refuse_unknown(department: Department, uid: str) -> None:
    connection = department.connections.get(uid)
    if connection is None:
        raise NotFound(f"There is no connection {uid[:40]} on this map.")
    if connection.category is not Category.DICOM or not connection.associations:
        raise Conflict(f"{uid} has no DICOM association, so there is nothing to probe.")


def keep(
    session: Session, asked: Asked, answer: ProbeAnswer, project_id: int, by: Actor | None
) -> ProbeResult:
    """Write down what a probe found, with who asked and with what."""
    result = ProbeResult(
        project_id=project_id,
        connection=asked.connection.uid,
        number=asked.number,
        key=asked.key,
        question=asked.told,
        outcome=answer.outcome,
        sentence=answer.sentence,
        took_ms=answer.took_ms,
        address=answer.address,
        accepted=list(answer.accepted),
        refused=list(answer.refused),
        person_id=by.person_id if by else None,
        person=by.name if by else "",
        tool=answer.tool,
    )
    session.add(result)
    session.flush()
    told = {"number": asked.number, "outcome": answer.outcome, "key": asked.key}
    append(session, "probe:association:find", by, project_id, asked.connection.uid, told)
    return result


def standings_of(
    session: Session,
    project: Project,
    department: Department,
    settings: Settings | None,
    *connections: str,
) -> list[Standing]:
    """Return how the associations of some connections stand, or of all in use or planned."""
    asked = associations(department, *connections)
    allowed = allow_list(settings) if settings else AllowList()
    barred = {(one.connection.uid, one.number): obstacles(one, allowed) for one in asked}
    return standings(asked, latest_results(session, project, *connections), barred, now())


def latest_results(session: Session, project: Project, *connections: str) -> Sequence[ProbeResult]:
    """Return the last result of each association, the oldest first."""
    newest = select(func.max(col(ProbeResult.id))).where(col(ProbeResult.project_id) == project.id)
    if connections:
        newest = newest.where(col(ProbeResult.connection).in_(connections))
    newest = newest.group_by(col(ProbeResult.connection), col(ProbeResult.number))
    query = select(ProbeResult).where(col(ProbeResult.id).in_(newest)).order_by(col(ProbeResult.id))
    return session.execute(query).scalars().all()


def history(session: Session, project: Project, connection: str, limit: int) -> list[ProbeResult]:
    """Return the results of a connection, the latest first."""
    query = (
        select(ProbeResult)
        .where(
            col(ProbeResult.project_id) == project.id,
            col(ProbeResult.connection) == connection,
        )
        .order_by(col(ProbeResult.id).desc())
        .limit(limit)
    )
    return list(session.execute(query).scalars())
