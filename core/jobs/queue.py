"""Leases on jobs: who may work on which job, proved by a token that only ever grows.

Every write of an attempt begins with a statement that names its token. When the lease has gone to
someone else the token in the table is higher, the statement matches no row, and the whole
transaction is refused: a worker that was frozen for an hour can wake up and do no harm.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Select, and_, func, select, update
from sqlmodel import Session, col

from core.clock import now
from core.jobs.models import AttemptOutcome, Job, JobAttempt, JobState, JobStep, JobWorker
from core.jobs.processes import Place, Process, is_alive

LEASE_S = 60.0
"""Long enough for a busy machine to be late; the wait after a crash on *another* machine."""

RESUME_DELAY_S = 1.0
"""After an attempt that finished steps before it broke off."""

FIRST_DELAY_S = 5.0
LONGEST_DELAY_S = 300.0

MOST_INTERRUPTIONS = 100
"""Attempts at one job, lost workers included: above it, the job is what kills the workers."""


class LeaseLost(BaseException):
    """The attempt no longer holds its job.

    Not an :class:`Exception`, so that a job's own ``except Exception`` cannot carry on regardless.
    """


@dataclass(frozen=True)
class Lease:
    """The right to work on one job."""

    job_id: int
    kind: str
    token: int
    attempt: int
    worker_id: str


def database_now(session: Session) -> datetime:
    """Return the one time that all workers of this database share."""
    if session.get_bind().dialect.name == "postgresql":
        # clock_timestamp, not now(): the latter stands still during a transaction.
        moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return moment
    return now()


def enlist(session: Session, place: Place, process: Process, worker_id: str) -> JobWorker:
    """Make a worker known, so that others can judge whether it is alive."""
    at = database_now(session)
    worker = JobWorker(
        id=worker_id,
        host=place.host,
        boot_id=place.boot_id,
        process_space=place.process_space,
        pid=process.pid,
        process_started=process.started,
        started_at=at,
        seen_at=at,
    )
    session.add(worker)
    return worker


def something_due(session: Session, kinds: Collection[str], only: int | None = None) -> bool:
    """Say whether a claim is worth trying; a read, so idle workers hold up nobody."""
    return (
        session.execute(_due(session, kinds, only).with_only_columns(col(Job.id))).first()
        is not None
    )


def claim_next(
    session: Session,
    worker: JobWorker,
    kinds: Collection[str],
    lease_s: float = LEASE_S,
    only: int | None = None,
) -> Lease | None:
    """Take the longest-waiting job that is due, or None."""
    # Two PostgreSQL workers pass each other by; SQLite writers already queue one behind another.
    query = _due(session, kinds, only).with_for_update(skip_locked=True)
    job = session.execute(query).scalars().first()
    if job is None or job.id is None:
        return None
    at = database_now(session)
    job.state = JobState.RUNNING
    job.token += 1
    job.attempts += 1
    job.worker_id = worker.id
    job.lease_until = at + timedelta(seconds=lease_s)
    job.started_at = job.started_at or at
    session.add(
        JobAttempt(
            job_id=job.id,
            number=job.attempts,
            token=job.token,
            worker_id=worker.id,
            worker=f"{worker.host}, process {worker.pid}",
            started_at=at,
        )
    )
    return Lease(job.id, job.kind, job.token, job.attempts, worker.id)


def hold(session: Session, lease: Lease, lease_s: float = LEASE_S, **values: Any) -> None:
    """Renew a lease and lock its job until the transaction ends.

    Raises
    ------
    LeaseLost
        If the job has been given to someone else, finished or cancelled in the meantime.
    """
    at = database_now(session)
    changed = session.execute(
        update(Job)
        .where(
            col(Job.id) == lease.job_id,
            col(Job.token) == lease.token,
            col(Job.state) == JobState.RUNNING,
        )
        .values(lease_until=at + timedelta(seconds=lease_s), **values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(changed, CursorResult)  # noqa: S101 - what an UPDATE always returns
    if changed.rowcount != 1:
        raise LeaseLost(f"Attempt {lease.attempt} no longer holds job {lease.job_id}.")


def finish(session: Session, lease: Lease, result: dict[str, Any]) -> None:
    """Record that a job is done."""
    hold(session, lease)
    job = _close_attempt(session, lease, AttemptOutcome.DONE)
    _end(job, JobState.DONE, database_now(session))
    job.result = result
    job.error = ""


def fail(session: Session, lease: Lease, error: str, *, detail: str = "", final: bool) -> JobState:
    """Record that an attempt failed; the job waits for another unless that would be in vain."""
    hold(session, lease)
    job = _close_attempt(session, lease, AttemptOutcome.FAILED, error, detail)
    return _retry_or_give_up(session, lease, job, error, final=final)


def interrupt(session: Session, lease: Lease, reason: str, *, worker_lost: bool) -> JobState:
    """Record that an attempt was cut short, and put its job back.

    A job whose *worker* was lost waits for no reason and is not to blame. One whose own process
    died may well have caused it, so it is retried a few times only.
    """
    hold(session, lease)
    job = _close_attempt(session, lease, AttemptOutcome.INTERRUPTED, reason)
    if worker_lost:
        return _put_back(session, job, reason)
    return _retry_or_give_up(session, lease, job, reason, final=False)


def recover(session: Session, place: Place, *, one_machine: bool) -> list[Lease]:
    """Take back the jobs of workers that are dead or have not been heard of for too long.

    Parameters
    ----------
    one_machine : bool
        True where all workers must share one kernel, as SQLite's write-ahead log demands: then a
        worker of another boot can no longer be running.
    """
    at = database_now(session)
    running = session.execute(_running().with_for_update(skip_locked=True, of=Job)).all()
    recovered = []
    for job, worker, attempt in running:
        reason = _why_lost(job, worker, attempt, place, at, one_machine=one_machine)
        if reason and job.id is not None:
            lease = Lease(job.id, job.kind, job.token, attempt.number, worker.id)
            interrupt(session, lease, reason, worker_lost=True)
            recovered.append(lease)
    return recovered


def something_lost(session: Session, place: Place, *, one_machine: bool) -> bool:
    """Say whether `recover` would find anything; a read."""
    at = database_now(session)
    running = session.execute(_running()).all()
    return any(
        _why_lost(job, worker, attempt, place, at, one_machine=one_machine)
        for job, worker, attempt in running
    )


def _due(session: Session, kinds: Collection[str], only: int | None) -> Select[Job]:
    query = (
        select(Job)
        .where(
            col(Job.state) == JobState.QUEUED,
            col(Job.not_before) <= database_now(session),
            col(Job.kind).in_(kinds),
        )
        .order_by(col(Job.id))
        .limit(1)
    )
    return query if only is None else query.where(col(Job.id) == only)


def _running() -> Select[Job, JobWorker, JobAttempt]:
    return (
        select(Job, JobWorker, JobAttempt)
        .join(JobWorker, col(JobWorker.id) == col(Job.worker_id))
        .join(
            JobAttempt,
            and_(col(JobAttempt.job_id) == col(Job.id), col(JobAttempt.token) == col(Job.token)),
        )
        .where(col(Job.state) == JobState.RUNNING)
    )


def _why_lost(
    job: Job,
    worker: JobWorker,
    attempt: JobAttempt,
    place: Place,
    at: datetime,
    *,
    one_machine: bool,
) -> str:
    """Say why the holder of a job is lost; empty while it may still be at work."""
    who = f"The worker ({attempt.worker})"
    if worker.boot_id and worker.boot_id == place.boot_id:
        if worker.process_space and worker.process_space == place.process_space:
            holders = [Process(worker.pid, worker.process_started)]
            if attempt.child_pid is not None:
                holders.append(Process(attempt.child_pid, attempt.child_started or 0))
            if not any(is_alive(holder) for holder in holders):
                return f"{who} ended without finishing."
    elif one_machine and worker.boot_id and place.boot_id:
        return f"{who} ended when its machine was restarted."
    if job.lease_until is not None and job.lease_until < at:
        return f"{who} was not heard of until its lease ended at {job.lease_until:%H:%M:%S} UTC."
    return ""


def _close_attempt(
    session: Session, lease: Lease, outcome: AttemptOutcome, reason: str = "", detail: str = ""
) -> Job:
    attempt = session.execute(
        select(JobAttempt).where(
            col(JobAttempt.job_id) == lease.job_id, col(JobAttempt.token) == lease.token
        )
    ).scalar_one()
    attempt.outcome = outcome
    attempt.ended_at = database_now(session)
    attempt.reason = reason
    attempt.detail = detail
    return session.get_one(Job, lease.job_id)


def _retry_or_give_up(
    session: Session, lease: Lease, job: Job, error: str, *, final: bool
) -> JobState:
    steps = select(func.count()).where(
        col(JobStep.job_id) == lease.job_id, col(JobStep.token) == lease.token
    )
    advanced = session.execute(steps).scalar_one() > 0
    job.fruitless = 0 if advanced else job.fruitless + 1
    if final or job.fruitless >= job.most_attempts:
        job.error = error
        return _end(job, JobState.FAILED, database_now(session))
    delay_s = min(FIRST_DELAY_S * 2 ** (job.fruitless - 1), LONGEST_DELAY_S)
    return _put_back(session, job, error, RESUME_DELAY_S if advanced else delay_s)


def _put_back(session: Session, job: Job, reason: str, delay_s: float = 0.0) -> JobState:
    at = database_now(session)
    if job.attempts >= MOST_INTERRUPTIONS:
        job.error = f"Given up after {job.attempts} attempts. The last: {reason}"
        return _end(job, JobState.FAILED, at)
    job.state = JobState.QUEUED
    # From here on the former holder, should it still be alive, is refused.
    job.token += 1
    job.worker_id = None
    job.lease_until = None
    job.not_before = at + timedelta(seconds=delay_s)
    return job.state


def _end(job: Job, state: JobState, at: datetime) -> JobState:
    job.state = state
    job.ended_at = at
    job.worker_id = None
    job.lease_until = None
    return state
