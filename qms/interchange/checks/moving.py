"""Whether a project's checks of files have ended, so that it can be written down as it is."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Fault
from core.jobs.models import LIVE_STATES, Job
from core.records.models import Project
from qms.interchange.checks.models import TraceCheck


def checks_under_way(session: Session, projects: Sequence[int]) -> list[Fault]:
    """Return the checks of files that a worker is doing or is about to."""
    found = session.execute(
        select(col(Project.key), col(TraceCheck.number))
        .join(TraceCheck, col(TraceCheck.project_id) == col(Project.id))
        .join(Job, col(Job.id) == col(TraceCheck.job_id))
        .where(col(Project.id).in_(projects), col(Job.state).in_(LIVE_STATES))
        .order_by(col(Project.key), col(TraceCheck.number))
    )
    return [
        Fault("under-way", f"check {number} of {key}", "is under way.", "Export when it has ended.")
        for key, number in found
    ]
