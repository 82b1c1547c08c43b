"""The worker: which function does which job, each in a process of its own (`app.attempt`)."""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import app.collecting  # noqa: F401 - before what makes many objects
from core.db import Database
from core.jobs.models import LIVE_STATES
from core.jobs.queue import LEASE_S
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
    "qms.interchange.check": "qms.interchange.checks.job:run",
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
    "qms.interchange.check": 600.0,
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
        child=(sys.executable, "-m", "app.attempt"),
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
