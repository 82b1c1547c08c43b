"""The worker: leases jobs, runs each in a process of its own, and outlives whatever they do."""

import contextlib
import json
import logging
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from core.db import Database
from core.jobs import queue
from core.jobs.models import Job, JobState, JobWorker
from core.jobs.processes import here, start_guarded, this_process
from core.jobs.queue import LEASE_S, Lease, LeaseLost
from core.jobs.running import Exit

log = logging.getLogger(__name__)

POLL_S = 1.0
WATCH_S = 0.1
"""How often a running child is looked at; a look is one system call."""

SEEN_EVERY_S = 30.0
GRACE_S = 20.0
"""What a job gets to finish its present step when the worker is asked to stop."""

TIMEOUT_S = 3600.0
SLOTS = 2
"""So that a long validation run does not hold up a diagram."""


@dataclass(frozen=True)
class Plan:
    """What a worker does and how patiently.

    Parameters
    ----------
    kinds : mapping
        Job kind to the dotted name of its function, `package.module:function`.
    child : sequence of str
        Command of the process that reads one assignment from its standard input and works on it.
    settings : dict
        Handed to the child as it is.
    timeouts_s : mapping
        Longest time for one attempt, by kind; :data:`TIMEOUT_S` for those not named.
    """

    kinds: Mapping[str, str]
    child: Sequence[str]
    settings: Mapping[str, object]
    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    lease_s: float = LEASE_S
    poll_s: float = POLL_S
    grace_s: float = GRACE_S
    slots: int = SLOTS
    search_path: str = ""
    """Folder from which a child imports our packages; empty when they are installed."""

    only: int | None = None


@dataclass
class _Running:
    lease: Lease
    process: subprocess.Popen[bytes]
    deadline: float
    renew_at: float
    reason: str = ""
    """Why this worker ended the process, when it did."""


class Supervisor:
    """One worker process with its children. Use :meth:`run`."""

    def __init__(self, db: Database, plan: Plan, stop: threading.Event | None = None) -> None:
        self.db = db
        self.plan = plan
        self.stop = stop or threading.Event()
        self.place = here()
        self.one_machine = db.engine.dialect.name == "sqlite"
        self.worker_id = f"{self.place.host}-{os.getpid()}-{secrets.token_hex(4)}"
        self.running: list[_Running] = []
        self.seen_at = time.monotonic()
        self.next_look = 0.0

    def run(self, *, once: bool = False) -> int:
        """Work until asked to stop or, with `once`, until nothing is left to do now.

        Returns
        -------
        int
            How many attempts were begun.
        """
        begun = 0
        with _stopped_by_signals(self.stop):
            self._enlist()
            log.info("worker %s started", self.worker_id)
            try:
                while not self.stop.is_set():
                    try:
                        claimed = self._tick()
                    except SQLAlchemyError as fault:
                        # The database may be restarting; leases bridge a minute of that.
                        log.warning("the database cannot be reached (%s)", type(fault).__name__)
                        self.stop.wait(self.plan.poll_s)
                        continue
                    begun += claimed
                    if once and not claimed and not self.running:
                        break
                    if not claimed:
                        self.stop.wait(WATCH_S if self.running else self.plan.poll_s)
            finally:
                self._stop_children()
                self._leave()
        log.info("worker %s stopped after %s attempts", self.worker_id, begun)
        return begun

    def _tick(self) -> int:
        for child in list(self.running):
            self._watch(child)
        if len(self.running) >= self.plan.slots:
            return 0
        if self.running and time.monotonic() < self.next_look:
            return 0
        self.next_look = time.monotonic() + self.plan.poll_s
        self._recover()
        self._say_alive()
        lease = self._claim()
        if lease is None:
            return 0
        self._start(lease)
        self.next_look = 0.0
        return 1

    def _enlist(self) -> None:
        with self.db.writing() as session:
            queue.enlist(session, self.place, this_process(), self.worker_id)

    def _recover(self) -> None:
        with self.db.reading() as session:
            if not queue.something_lost(session, self.place, one_machine=self.one_machine):
                return
        with self.db.writing() as session:
            for lease in queue.recover(session, self.place, one_machine=self.one_machine):
                log.warning(
                    "job %s (%s): attempt %s was interrupted and is taken back",
                    lease.job_id,
                    lease.kind,
                    lease.attempt,
                )

    def _say_alive(self) -> None:
        if time.monotonic() - self.seen_at < SEEN_EVERY_S:
            return
        self.seen_at = time.monotonic()
        self._mark()

    def _mark(self, *, stopped: bool = False) -> None:
        with self.db.writing() as session:
            at = queue.database_now(session)
            values = {"seen_at": at, "stopped_at": at} if stopped else {"seen_at": at}
            session.execute(
                update(JobWorker).where(col(JobWorker.id) == self.worker_id).values(**values)
            )

    def _claim(self) -> Lease | None:
        with self.db.reading() as session:
            if not queue.something_due(session, self.plan.kinds, self.plan.only):
                return None
        with self.db.writing() as session:
            worker = session.get_one(JobWorker, self.worker_id)
            return queue.claim_next(
                session, worker, self.plan.kinds, self.plan.lease_s, self.plan.only
            )

    def _start(self, lease: Lease) -> None:
        environment = dict(os.environ)
        if self.plan.search_path:
            paths = [self.plan.search_path, environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        # Guarded from its first moment: it may be killed with us before it has imported anything.
        process = start_guarded(
            list(self.plan.child),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            # Of its own, so that what the job starts can be ended with it, and Ctrl-C cannot.
            start_new_session=True,
        )
        moment = time.monotonic()
        timeout_s = self.plan.timeouts_s.get(lease.kind, TIMEOUT_S)
        self.running.append(
            _Running(lease, process, moment + timeout_s, moment + self.plan.lease_s / 4)
        )
        log.info(
            "job %s (%s): attempt %s, process %s",
            lease.job_id,
            lease.kind,
            lease.attempt,
            process.pid,
        )
        assignment = {
            "database": self.db.engine.url.render_as_string(hide_password=False),
            "settings": self.plan.settings,
            "job": lease.job_id,
            "kind": lease.kind,
            "token": lease.token,
            "attempt": lease.attempt,
            "worker": lease.worker_id,
            "function": self.plan.kinds[lease.kind],
            "lease_s": self.plan.lease_s,
            "parent": os.getpid(),
        }
        assert process.stdin is not None  # noqa: S101 - asked for a pipe above
        # Through a pipe: arguments and environments can be read by other people of the machine.
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps(assignment).encode())

    def _watch(self, child: _Running) -> None:
        status = child.process.poll()
        moment = time.monotonic()
        if status is not None:
            self._settle(child, status)
            self.running.remove(child)
        elif moment > child.deadline and not child.reason:
            child.reason = "It took longer than allowed and was ended."
            _kill(child.process)
        elif moment > child.renew_at:
            child.renew_at = moment + self.plan.lease_s / 4
            try:
                with self.db.writing() as session:
                    queue.hold(session, child.lease, self.plan.lease_s)
            except LeaseLost:
                # Finished this very moment, cancelled, or given to another worker.
                if child.process.poll() is None and not self._holds(child.lease):
                    child.reason = "lost"
                    _kill(child.process)

    def _holds(self, lease: Lease) -> bool:
        with self.db.reading() as session:
            job = session.get_one(Job, lease.job_id)
            return job.token == lease.token and job.state != JobState.CANCELLED

    def _settle(self, child: _Running, status: int, *, stopping: bool = False) -> None:
        """Record the end of an attempt whose process could not do so itself."""
        lease = child.lease
        log.info("job %s: attempt %s ended with %s", lease.job_id, lease.attempt, status)
        if status == Exit.STOPPED or stopping:
            reason = "The worker was asked to stop."
        else:
            reason = child.reason or f"Its process ended {_how(status)} before the work was done."
        try:
            with self.db.writing() as session:
                queue.interrupt(
                    session,
                    lease,
                    reason,
                    worker_lost=stopping or status == Exit.STOPPED,
                )
        except LeaseLost:
            # The usual case: the process has recorded its own end.
            return

    def _stop_children(self) -> None:
        for child in self.running:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        patience = time.monotonic() + self.plan.grace_s
        for child in self.running:
            try:
                status = child.process.wait(max(0.0, patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(child.process)
                status = child.process.wait()
            with contextlib.suppress(SQLAlchemyError):
                self._settle(child, status, stopping=True)
        self.running.clear()

    def _leave(self) -> None:
        with contextlib.suppress(SQLAlchemyError):
            self._mark(stopped=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a child and everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _how(status: int) -> str:
    if status < 0:
        return f"by signal {signal.Signals(-status).name}"
    return f"with status {status}"


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    former = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)
