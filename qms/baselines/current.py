"""What is in force now: a project's records with those of the projects they are linked with."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records.models import Link, Project, Record, Revision
from core.records.queries import load_snapshot
from core.records.snapshot import Snapshot
from core.records.types import get_registry
from qms.baselines.comparison import BaselineLine
from qms.baselines.models import Baseline
from qms.baselines.service import create_baseline, lines_in_force


def project_snapshot(session: Session, project: Project) -> Snapshot:
    """Load a project's records and those of every project linked with it.

    A record counts as it is in force; one that never was, as its latest draft.
    """
    return load_snapshot(session, sorted(_linked_projects(session, project)))


def lines_now(snapshot: Snapshot, project: str) -> list[BaselineLine]:
    """Return the lines that a baseline frozen now would hold."""
    return lines_in_force(snapshot, project, controlled_types())


def freeze_now(
    session: Session,
    project: Project,
    purpose: str,
    by: Actor,
    told: Mapping[str, Any] | None = None,
) -> Baseline:
    """Freeze what is in force now; `told` as `create_baseline` has it.

    Raises
    ------
    Conflict
        If nothing is in force.
    """
    lines = lines_now(project_snapshot(session, project), project.key)
    return create_baseline(session, project, lines, purpose, by, told)


def controlled_types() -> list[str]:
    """Return the names of the record types that are approved before they count."""
    return [one.name for one in get_registry().all() if one.lifecycle == "controlled"]


def _linked_projects(session: Session, project: Project) -> set[str]:
    source, target = aliased(Record), aliased(Record)
    rows = session.execute(
        select(col(source.project_id), col(target.project_id))
        .select_from(Link)
        .join(Revision, col(Revision.id) == col(Link.revision_id))
        .join(source, col(source.id) == col(Revision.record_id))
        .join(target, col(target.id) == col(Link.target_id))
        .where(
            or_(col(source.project_id) == project.id, col(target.project_id) == project.id),
            col(source.project_id) != col(target.project_id),
        )
        .distinct()
    )
    ids = {number for row in rows for number in row}
    keys = session.scalars(select(col(Project.key)).where(col(Project.id).in_(ids)))
    return {project.key, *keys}
