"""The process that a worker starts for one attempt at one job."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any

import app.collecting  # noqa: F401 - before what makes many objects
from app.tables import prepare
from core.db import open_database
from core.jobs.processes import die_with_parent
from core.jobs.queue import Lease
from core.jobs.running import Exit, run_attempt
from core.settings import Settings


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
