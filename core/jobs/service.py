"""Ask for work, call it off, and see how it stands."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.db import insert_into
from core.errors import Conflict, NotFound, Refused
from core.jobs.models import (
    LIVE_STATES,
    MOST_ATTEMPTS,
    AttemptOutcome,
    Job,
    JobAttempt,
    JobState,
    JobWorker,
)
from core.jobs.queue import database_now
from core.jobs.supervisor import SEEN_EVERY_S
from core.ledger import append
from core.people.actor import Actor

LATEST = 50
CANCELLERS = ("quality_manager", "release_manager")
"""Roles in a job's project that may call it off."""


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    by: Actor | None,
    key: str | None = None,
    *,
    project_id: int | None = None,
    most_attempts: int = MOST_ATTEMPTS,
    not_before: datetime | None = None,
) -> Job:
    """Ask for a job; it exists when, and only when, the caller's transaction commits.

    Parameters
    ----------
    payload : mapping
        Plain JSON: ids and options. Files are kept as blobs and named by their digest.
    key : str, optional
        While a job of this kind and key waits or runs, it is returned instead of a second one.
    project_id : int, optional
        Lets the members of this project see the job; otherwise only `by` and administrators may.
    not_before : datetime, optional
        When it may begin; at once unless given.
    """
    values = {
        "kind": kind,
        "key": key,
        "payload": json.loads(json.dumps(dict(payload), allow_nan=False)),
        "state": JobState.QUEUED,
        "project_id": project_id,
        "created_by": by.person_id if by is not None else None,
        "created_at": now(),
        "not_before": not_before or database_now(session),
        "attempts": 0,
        "most_attempts": most_attempts,
        "fruitless": 0,
        "token": 0,
        "progress": {},
        "error": "",
    }
    while True:
        # A conflicting insert waits for the other transaction on PostgreSQL and then yields none.
        statement = (
            insert_into(session, Job)
            .values(**values)
            .on_conflict_do_nothing()
            .returning(col(Job.id))
        )
        job_id = session.execute(statement).scalar_one_or_none()
        if job_id is not None:
            return session.get_one(Job, job_id)
        live = select(Job).where(
            col(Job.kind) == kind, col(Job.key) == key, col(Job.state).in_(LIVE_STATES)
        )
        job: Job | None = session.execute(live).scalar_one_or_none()
        if job is not None:
            return job
        # The other job ended between the two statements, so its key is free now.


def find_job(session: Session, job_id: int) -> Job:
    """Return a job.

    Raises
    ------
    NotFound
        If there is none with this number.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return job


def newest_job(session: Session, kind: str, key: str) -> Job | None:
    """Return the job of this kind and key that was asked for last, however it stands."""
    job: Job | None = session.execute(
        select(Job)
        .where(col(Job.kind) == kind, col(Job.key) == key)
        .order_by(col(Job.id).desc())
        .limit(1)
    ).scalar_one_or_none()
    return job


def cancel(session: Session, job: Job, by: Actor | None) -> None:
    """Call a job off. What its finished steps wrote stays; the step at work is refused.

    Raises
    ------
    Conflict
        If it has already ended.
    """
    locked = session.execute(
        select(Job).where(col(Job.id) == job.id).with_for_update()
    ).scalar_one()
    if locked.state not in LIVE_STATES:
        raise Conflict(f"Job {job.id} has already ended ({locked.state}); nothing was changed.")
    at = database_now(session)
    attempt = session.execute(
        select(JobAttempt).where(
            col(JobAttempt.job_id) == job.id,
            col(JobAttempt.outcome) == AttemptOutcome.RUNNING,
        )
    ).scalar_one_or_none()
    if attempt is not None:
        attempt.outcome = AttemptOutcome.CANCELLED
        attempt.ended_at = at
        attempt.reason = f"Cancelled by {by.name}." if by is not None else "Cancelled."
    locked.state = JobState.CANCELLED
    locked.token += 1
    locked.ended_at = at
    locked.worker_id = None
    locked.lease_until = None
    append(
        session,
        "job:job:cancel",
        by,
        project_id=locked.project_id,
        subject=f"job {job.id}",
        data={"kind": locked.kind},
    )


def attempts(session: Session, job: Job) -> list[JobAttempt]:
    """Return every try at a job, in order."""
    query = (
        select(JobAttempt).where(col(JobAttempt.job_id) == job.id).order_by(col(JobAttempt.number))
    )
    return list(session.execute(query).scalars())


def may_see(actor: Actor, job: Job) -> bool:
    """Say whether a person may look at a job: who asked for it, its project, administrators."""
    if actor.is_administrator or (job.created_by is not None and job.created_by == actor.person_id):
        return True
    return job.project_id is not None and actor.belongs_to(job.project_id)


def may_cancel(actor: Actor, job: Job) -> bool:
    """Say whether a person may call a job off: not everybody who may look at it."""
    if actor.is_administrator or (job.created_by is not None and job.created_by == actor.person_id):
        return True
    return job.project_id is not None and actor.has(job.project_id, *CANCELLERS)


def refuse_to_cancel(actor: Actor, job: Job) -> None:
    """Refuse whoever may not call a job off; raises Refused."""
    if not may_cancel(actor, job):
        raise Refused(
            f"{actor.name} may not cancel job {job.id}; that is for who asked for it, the "
            "project's quality or release manager, or an administrator."
        )


def latest_jobs(session: Session, actor: Actor, limit: int = LATEST) -> list[Job]:
    """Return the newest jobs that a person asked for, unfinished ones first."""
    query = (
        select(Job)
        .where(col(Job.created_by) == actor.person_id)
        .order_by(col(Job.ended_at).is_not(None), col(Job.id).desc())
        .limit(limit)
    )
    return list(session.execute(query).scalars())


def workers_seen(session: Session) -> int:
    """Count the workers that were heard of lately; without one, jobs wait."""
    since = database_now(session) - timedelta(seconds=3 * SEEN_EVERY_S)
    query = select(col(JobWorker.id)).where(
        col(JobWorker.stopped_at).is_(None), col(JobWorker.seen_at) > since
    )
    return len(session.execute(query).all())


names: dict[str, str] = {}
"""What each kind of job is called on a page; filled by `app`."""


def label(job: Job) -> str:
    """Return what a job is called on a page; one without a name reads "Package: what"."""
    if job.kind in names:
        return names[job.kind]
    area, _, name = job.kind.rpartition(".")
    words = f"{area.replace('.', ' ')}: {name}" if area else name
    return words.replace("_", " ").capitalize()


def percent(job: Job) -> int | None:
    """Return how far a job is, rounded down, or None while it has not said."""
    done, total = job.progress.get("done"), job.progress.get("total")
    if not isinstance(done, int) or not isinstance(total, int) or total <= 0:
        return None
    return max(0, min(100, 100 * done // total))


def as_json(session: Session, job: Job) -> dict[str, Any]:
    """Return a job as programs read it; its payload stays inside."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "progress": {**job.progress, "percent": percent(job)},
        "result": job.result,
        "error": job.error,
        "created_at": _written(job.created_at),
        "started_at": _written(job.started_at),
        "ended_at": _written(job.ended_at),
        "attempts": [
            {
                "number": attempt.number,
                "worker": attempt.worker,
                "outcome": attempt.outcome,
                "reason": attempt.reason,
                "started_at": _written(attempt.started_at),
                "ended_at": _written(attempt.ended_at),
            }
            for attempt in attempts(session, job)
        ],
    }


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
