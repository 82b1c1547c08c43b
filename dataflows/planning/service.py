"""Gather a plan: the map, the live status of its QA, and the runs of the devices it touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session, select

from core import ports as core_ports
from core.canonical import digest
from core.people.actor import Actor
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.verdicts import NOT_RUN, Verdict
from dataflows.impact import with_drafts_of_losses
from dataflows.inventory import Department
from dataflows.planning import ports
from dataflows.planning.evidence import (
    Evidence,
    evidence_of,
    last_runs,
    projects_of,
    touched_devices,
)
from dataflows.planning.plan import (
    Plan,
    Purpose,
    QaStatus,
    losses_for,
    programme_of,
    qa_status_of,
)
from dataflows.qatrack.queries import standings_on
from dataflows.service import department_of, impact
from dataflows.survey import MAP_TYPES


@dataclass(frozen=True, slots=True)
class ReadMap:
    """A map with the records around it that its reader may read."""

    department: Department
    snapshot: Snapshot
    readable: frozenset[str]


def read_map(session: Session, project: str, reader: Actor, *, drafts: bool = False) -> ReadMap:
    """Read the map of a project, and the records of every project that the reader may read."""
    return read_map_within(session, project, readable_to(session, reader), drafts=drafts)


def readable_to(session: Session, reader: Actor) -> frozenset[str]:
    """Return the projects that somebody may read."""
    return frozenset(
        one.key
        for one in session.exec(select(Project)).all()
        if one.id is not None and reader.belongs_to(one.id)
    )


def read_map_within(
    session: Session, project: str, readable: Iterable[str], *, drafts: bool = False
) -> ReadMap:
    """Read the map of a project with the records of some projects around it."""
    within = frozenset({project, *readable})
    snapshot = load_snapshot(session, sorted(within), effective=not drafts)
    return ReadMap(department_of(snapshot, project), snapshot, within)


def plan(session: Session, read: ReadMap, uid: str, purpose: Purpose) -> Plan:
    """Answer what a change of a system or a connection touches, for a purpose.

    Raises
    ------
    NotFound
        If the map has neither a system nor a connection of that name.
    """
    department = read.department
    found = impact(department, uid)
    devices = touched_devices(department, found)
    evidence = evidence_of(read.snapshot, department, found, devices)
    projects = projects_of(devices, evidence)
    verdicts = _verdicts(session, read, projects)
    lost = losses_for(department, found, purpose)
    return Plan(
        purpose=purpose,
        subject=department.systems.get(uid) or department.connections[uid],
        impact=with_drafts_of_losses(department, found, lost) if lost else found,
        devices=devices,
        evidence=_with_levels(session, read, evidence),
        runs=last_runs(read.snapshot, evidence, verdicts),
        qa=statuses(session, department, (p.uid for p in found.procedures)),
        losses=lost,
        programme=programme_of(department, found),
        hidden=tuple(one for one in projects if one not in read.readable),
    )


def statuses(
    session: Session, department: Department, procedures: Iterable[str]
) -> dict[str, QaStatus]:
    """Return how some QA procedures stand, each with a word."""
    chosen = list(procedures)
    standings = standings_on(session, department, chosen)
    return {
        uid: qa_status_of(department.procedures[uid], standings.get(uid))
        for uid in sorted(chosen, key=natural_order)
    }


def records_of_map(snapshot: Snapshot, project: str) -> list[RecordView]:
    """Return every record of a map that is not withdrawn, type by type."""
    return [
        view for name in MAP_TYPES for view in snapshot.of_type(name, project) if not view.withdrawn
    ]


def model_digest(snapshot: Snapshot, project: str) -> str:
    """Return one digest over every record of a map, at the revision that was read."""
    return digest(
        [
            [view.type, view.key.uid, view.revision, view.content_digest]
            for view in records_of_map(snapshot, project)
        ]
    )


def _with_levels(
    session: Session, read: ReadMap, evidence: Iterable[Evidence]
) -> tuple[Evidence, ...]:
    """Say at which level each risk stands, where the reader may know and somebody answers."""
    source = ports.risk_levels.source
    listed = tuple(evidence)
    projects = {one.record.project for one in listed if one.record.type == "risk"}
    levels = (
        {project: source(session, project) for project in projects & read.readable}
        if source
        else {}
    )
    return tuple(
        replace(one, stands=levels.get(one.record.project, {}).get(one.record.uid, ""))
        if one.record.type == "risk"
        else one
        for one in listed
    )


def _verdicts(session: Session, read: ReadMap, projects: Iterable[str]) -> Mapping[Key, Verdict]:
    """Return the latest verdict on every test of the projects that the reader may read."""
    found: dict[Key, Verdict] = {}
    for project in projects:
        if project in read.readable:
            told = core_ports.verdicts(session, project)
            for test in read.snapshot.of_type("test", project):
                found[test.key] = told.get(test.key.uid, NOT_RUN)
    return found
