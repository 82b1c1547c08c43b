"""One attempt at a job, in the process that does the work."""

import importlib
import json
import logging
import traceback
from collections.abc import Callable
from enum import IntEnum

from sqlalchemy import update
from sqlmodel import col

from core.db import Database
from core.errors import FiducialError
from core.jobs.context import JobContext, JobFunction, JsonDict, StopRequested
from core.jobs.models import Job, JobAttempt
from core.jobs.processes import this_process
from core.jobs.queue import LEASE_S, Lease, LeaseLost, fail, finish, hold
from core.settings import Settings

log = logging.getLogger(__name__)


class JobUnavailable(FiducialError):
    """There is no function for a kind of job here."""


class Exit(IntEnum):
    """How a job's process tells its worker what became of the attempt (75: EX_TEMPFAIL)."""

    RECORDED = 0
    STOPPED = 75
    LEASE_LOST = 76


def load_function(name: str) -> JobFunction:
    """Import a job's function by its dotted name, `package.module:function`.

    Raises
    ------
    JobUnavailable
        If there is no such module or function, naming both.
    """
    module, _, function = name.partition(":")
    try:
        found: JobFunction = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as fault:
        raise JobUnavailable(f"The job function {name!r} cannot be loaded: {fault}.") from fault
    return found


def run_attempt(
    db: Database,
    settings: Settings,
    lease: Lease,
    function: str,
    *,
    lease_s: float = LEASE_S,
    stopping: Callable[[], bool] = lambda: False,
) -> Exit:
    """Do the work of one lease and record how it ended, unless the lease is lost by then."""
    try:
        context = _attach(db, settings, lease, lease_s, stopping)
        _work(context, function)
    except LeaseLost:
        log.warning("job %s: attempt %s lost its lease", lease.job_id, lease.attempt)
        return Exit.LEASE_LOST
    except StopRequested:
        return Exit.STOPPED
    return Exit.RECORDED


def _attach(
    db: Database,
    settings: Settings,
    lease: Lease,
    lease_s: float,
    stopping: Callable[[], bool],
) -> JobContext:
    process = this_process()
    with db.writing() as session:
        hold(session, lease, lease_s)
        session.execute(
            update(JobAttempt)
            .where(col(JobAttempt.job_id) == lease.job_id, col(JobAttempt.token) == lease.token)
            .values(child_pid=process.pid, child_started=process.started)
        )
        job = session.get_one(Job, lease.job_id)
        return JobContext(
            job_id=lease.job_id,
            payload=job.payload,
            db=db,
            settings=settings,
            lease=lease,
            created_by=job.created_by,
            project_id=job.project_id,
            lease_s=lease_s,
            stopping=stopping,
        )


def _work(context: JobContext, function: str) -> None:
    try:
        result = load_function(function)(context)
        result = _as_result(result)
    except FiducialError as fault:
        # A refusal of the domain is an answer: asking again would give the same one.
        _record_failure(context, str(fault), final=True)
    except Exception as fault:  # noqa: BLE001 - whatever a job raises must end in its record
        where = traceback.extract_tb(fault.__traceback__)[-1]
        _record_failure(
            context,
            f"The job stopped on an unexpected error: {type(fault).__name__}: {fault}",
            detail="".join(traceback.format_exception(fault)),
            final=False,
        )
        # The message may quote the payload, so the log gets the place only.
        log.error(  # noqa: TRY400 - a traceback would print the message
            "job %s (%s): %s at %s:%s",
            context.job_id,
            context.lease.kind,
            type(fault).__name__,
            where.filename,
            where.lineno,
        )
    else:
        with context.db.writing() as session:
            finish(session, context.lease, result)


def _as_result(result: JsonDict) -> JsonDict:
    if not isinstance(result, dict):
        raise TypeError(f"A job returns a dictionary, not {type(result).__name__}.")
    plain: JsonDict = json.loads(json.dumps(result, allow_nan=False))
    return plain


def _record_failure(context: JobContext, error: str, *, detail: str = "", final: bool) -> None:
    with context.db.writing() as session:
        fail(session, context.lease, error, detail=detail, final=final)
