"""What a job's function is given: its payload, steps that count once, and a way to report."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.jobs.models import AttemptOutcome, JobAttempt, JobStep
from core.jobs.queue import LEASE_S, Lease, database_now, hold
from core.settings import Settings

JsonDict = dict[str, Any]
JobFunction = Callable[["JobContext"], JsonDict]
_Value = TypeVar("_Value")

PROGRESS_EVERY_S = 0.5
"""A page asks every two seconds; writing more often only makes other writers wait."""


class StopRequested(BaseException):
    """The worker is being stopped; what is finished stays, the rest is done by the next attempt."""


@dataclass(frozen=True)
class EarlierAttempt:
    """How a former try at the same job went."""

    number: int
    worker: str
    started_at: str
    ended_at: str | None
    outcome: AttemptOutcome
    reason: str


@dataclass
class JobContext:
    """One attempt at a job, from the inside.

    Everything that must not be done twice belongs in :meth:`step`. Between steps a job may read,
    compute and write to places that the next attempt starts afresh.
    """

    job_id: int
    payload: JsonDict
    db: Database
    settings: Settings
    lease: Lease
    created_by: int | None = None
    project_id: int | None = None
    lease_s: float = LEASE_S
    stopping: Callable[[], bool] = lambda: False
    _used: set[str] = field(default_factory=set, init=False, repr=False)
    _session: Session | None = field(default=None, init=False, repr=False)
    _reported_at: float = field(default=float("-inf"), init=False, repr=False)

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self.lease.attempt

    @property
    def earlier_attempts(self) -> tuple[EarlierAttempt, ...]:
        """Every former try at this job, in order."""
        with self.db.reading() as session:
            found = session.execute(
                select(JobAttempt)
                .where(
                    col(JobAttempt.job_id) == self.job_id,
                    col(JobAttempt.number) < self.attempt,
                )
                .order_by(col(JobAttempt.number))
            ).scalars()
            return tuple(
                EarlierAttempt(
                    attempt.number,
                    attempt.worker,
                    attempt.started_at.isoformat(),
                    attempt.ended_at.isoformat() if attempt.ended_at else None,
                    AttemptOutcome(attempt.outcome),
                    attempt.reason,
                )
                for attempt in found
            )

    @property
    def interrupted_attempts(self) -> tuple[EarlierAttempt, ...]:
        """The former tries that were cut short: by a crash, a lost worker or a stop."""
        return tuple(
            attempt
            for attempt in self.earlier_attempts
            if attempt.outcome is AttemptOutcome.INTERRUPTED
        )

    def step(
        self,
        name: str,
        fn: Callable[[Session], Any] | None = None,
        *,
        work: Callable[[], _Value] | None = None,
        commit: Callable[[Session, _Value], Any] | None = None,
    ) -> Any:
        """Do a step once, however often the job is interrupted, and return its result.

        What the step writes to the database and the memory that it is done are one transaction,
        which is refused when this attempt no longer holds the job.

        Parameters
        ----------
        name : str
            The step's own name within the job, the same in every attempt ("scenario TST-004").
        fn : callable, optional
            Given the session; does the writing and returns plain JSON.
        work, commit : callable, optional
            Instead of `fn` for slow work: `work` runs without a transaction (again, if it is
            interrupted), then `commit`, when given, writes its value. Without `commit` the value
            itself, plain JSON, is remembered.

        Raises
        ------
        LeaseLost
            If someone else holds the job by now; nothing of the step is kept.
        StopRequested
            If the worker is being stopped; the step has not begun.
        """
        if (fn is None) == (work is None):
            raise ValueError(f"Step {name!r} needs either a function or work, and not both.")
        if name in self._used:
            raise ValueError(f"Step {name!r} was already used; give each step a name of its own.")
        self._used.add(name)
        found, value = self._remembered(name)
        if found:
            return value
        if self.stopping():
            raise StopRequested
        if work is None:
            assert fn is not None  # noqa: S101 - checked above
            return self._commit(name, fn)
        # Slow work for a lost job would be in vain, so ask first.
        self.check()
        prepared = work()
        if commit is None:
            return self._commit(name, lambda _session: prepared)
        return self._commit(name, lambda session: commit(session, prepared))

    def progress(self, done: int, total: int, text: str) -> None:
        """Show how far the job is; calls in quick succession are thinned out."""
        shown = {"done": done, "total": total, "text": text}
        if self._session is not None:
            hold(self._session, self.lease, self.lease_s, progress=shown)
            return
        moment = time.monotonic()
        if done < total and moment - self._reported_at < PROGRESS_EVERY_S:
            return
        self._reported_at = moment
        self.check(progress=shown)

    def check(self, **values: Any) -> None:
        """Make sure that going on makes sense.

        Raises
        ------
        LeaseLost
            If someone else holds the job by now, or a person cancelled it.
        StopRequested
            If the worker is being stopped.
        """
        if self.stopping():
            raise StopRequested
        with self.db.writing() as session:
            hold(session, self.lease, self.lease_s, **values)

    def _commit(self, name: str, write: Callable[[Session], Any]) -> Any:
        """Write a step and the memory of it in one transaction, if the job is still ours."""
        with self.db.writing() as session:
            hold(session, self.lease, self.lease_s)
            self._session = session
            try:
                value = _plain(name, write(session))
            finally:
                self._session = None
            session.add(
                JobStep(
                    job_id=self.job_id,
                    name=name,
                    token=self.lease.token,
                    value=value,
                    ended_at=database_now(session),
                )
            )
        return value

    def _remembered(self, name: str) -> tuple[bool, Any]:
        with self.db.reading() as session:
            memo = session.execute(
                select(JobStep).where(col(JobStep.job_id) == self.job_id, col(JobStep.name) == name)
            ).scalar_one_or_none()
            return memo is not None, memo.value if memo is not None else None


def _plain(name: str, value: Any) -> Any:
    """Return the value as every later attempt will read it: what JSON makes of it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as fault:
        raise TypeError(
            f"Step {name!r} returned what JSON cannot hold ({fault}); return plain values and keep "
            "files as blobs."
        ) from fault
