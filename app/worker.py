"""The worker: which function does which job, and the process that runs one of them."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import app.collecting  # noqa: F401 - before what makes many objects
from app.tables import prepare
from core.db import Database, open_database
from core.jobs.models import LIVE_STATES
from core.jobs.processes import die_with_parent
from core.jobs.queue import LEASE_S, Lease
from core.jobs.running import Exit, run_attempt
from core.jobs.service import find_job
from core.jobs.supervisor import GRACE_S, POLL_S, SLOTS, Plan, Supervisor
from core.settings import Settings

JOBS: dict[str, str] = {
    "app.nightly": "app.nightly:run",
    "dataflows.plantuml": "dataflows.plantuml.drawing:run",
    "dataflows.pack": "dataflows.planning.pack.build:run",
    "dataflows.probe": "dataflows.probing.job:run",
    "dataflows.qatrack.refresh": "dataflows.qatrack.refreshing:run",
    "dataflows.render": "dataflows.rendering:run",
    "qms.repositories.scan": "qms.repositories.scanning:run",
    "validation.run": "validation.runs.job:run",
    "validation.pack": "validation.pack.job:run",
}
"""Job kind to the function that does it, `package.module:function`; imported when it is needed."""

TIMEOUTS_S: dict[str, float] = {
    "dataflows.pack": 600.0,
    "dataflows.probe": 1800.0,
    "dataflows.qatrack.refresh": 1800.0,
    "dataflows.plantuml": 300.0,
    "dataflows.render": 300.0,
    "qms.repositories.scan": 1800.0,
    "validation.run": 6 * 3600.0,
    "validation.pack": 1800.0,
}
"""Longest time for one attempt; an hour for a kind that is not named."""


def run_worker(
    db: Database,
    settings: Settings,
    kinds: Mapping[str, str] | None = None,
    once: bool = False,
    *,
    only: int | None = None,
    slots: int = SLOTS,
    lease_s: float = LEASE_S,
    poll_s: float = POLL_S,
    grace_s: float = GRACE_S,
    timeouts_s: Mapping[str, float] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Run jobs, each in a child process, until SIGTERM, SIGINT or `stop`.

    Parameters
    ----------
    kinds : mapping, optional
        Instead of :data:`JOBS`.
    once : bool
        Return when nothing is left that could be done now.
    only : int, optional
        Work on this one job and leave every other alone.

    Returns
    -------
    int
        How many attempts were begun.
    """
    plan = Plan(
        kinds=JOBS if kinds is None else kinds,
        child=(sys.executable, "-m", "app.worker"),
        settings=settings.model_dump(mode="json"),
        timeouts_s=TIMEOUTS_S if timeouts_s is None else timeouts_s,
        lease_s=lease_s,
        poll_s=poll_s,
        grace_s=grace_s,
        slots=slots,
        search_path=str(Path(__file__).resolve().parents[1]),
        only=only,
    )
    return Supervisor(db, plan, stop).run(once=once)


def see_through(
    db: Database,
    settings: Settings,
    job_id: int,
    kinds: Mapping[str, str] | None = None,
    *,
    poll_s: float = POLL_S,
    stop: threading.Event | None = None,
) -> str:
    """Work on one job until it has ended, through delays, retries and other workers that have it.

    Returns
    -------
    str
        The job's state; not an ended one only after SIGINT, SIGTERM or `stop`.
    """
    asked = stop or threading.Event()
    while True:
        run_worker(db, settings, kinds, once=True, only=job_id, slots=1, poll_s=poll_s, stop=asked)
        with db.reading() as session:
            state = str(find_job(session, job_id).state)
        if state not in LIVE_STATES or asked.wait(poll_s):
            return state


def work_on(assignment: Mapping[str, Any]) -> Exit:
    """Work, in a process of its own, on the job that a worker has assigned."""
    die_with_parent(assignment["parent"])
    asked_to_stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    signal.signal(signal.SIGTERM, ask)
    prepare()
    lease = Lease(
        job_id=assignment["job"],
        kind=assignment["kind"],
        token=assignment["token"],
        attempt=assignment["attempt"],
        worker_id=assignment["worker"],
    )
    settings = Settings(**assignment["settings"])
    return run_attempt(
        open_database(assignment["database"], settings.data_dir),
        settings,
        lease,
        assignment["function"],
        lease_s=assignment["lease_s"],
        stopping=asked_to_stop.is_set,
    )


def main() -> int:
    """Read one assignment from standard input and work on it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    given = sys.stdin.read()
    if not given:
        # The worker ended before it could say what to do.
        return os.EX_NOINPUT
    return work_on(json.loads(given))


if __name__ == "__main__":
    sys.exit(main())
