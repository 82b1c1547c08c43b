"""Whether a project's runs stand still, so that it can be written down as it is."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import Fault
from core.jobs.models import LIVE_STATES, Job
from core.records.models import Project
from validation.runs.models import Run


def runs_under_way(session: Session, projects: Sequence[int]) -> list[Fault]:
    """Return the runs that a worker is executing or is about to: nobody elsewhere goes on with it.

    A run by hand that is not finished has no job, and its tester goes on wherever it is.
    """
    found = session.execute(
        select(col(Project.key), col(Run.number))
        .join(Run, col(Run.project_id) == col(Project.id))
        .join(Job, col(Job.id) == col(Run.job_id))
        .where(col(Project.id).in_(projects), col(Job.state).in_(LIVE_STATES))
        .order_by(col(Project.key), col(Run.number))
    )
    return [
        Fault("under-way", f"run {number} of {key}", "is under way.", "Export when it has ended.")
        for key, number in found
    ]
