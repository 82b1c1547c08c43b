"""Serve the pages with uvicorn, and a worker beside them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from app.main import create_app
from core.errors import Conflict
from core.jobs.processes import start_guarded
from core.settings import Settings

GRACE_S = 25
"""A little longer than the worker itself gives its jobs to stop."""

REQUEST_GRACE_S = 5
"""What a page that is being made gets when the service is asked to stop."""


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """Run a worker as a process of its own until the block ends."""
    environment = {
        **os.environ,
        "FIDUCIAL_DATA_DIR": str(settings.data_dir.absolute()),
        "FIDUCIAL_DATABASE_URL": settings.database_url,
    }
    # Guarded: a service that is killed takes its worker with it; the jobs go on at the next start.
    # In a session of its own: Ctrl-C reaches the service alone, which ends the worker in order.
    command = [sys.executable, "-m", "app.cli", "worker"]
    process = start_guarded(command, env=environment, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            # Too slow, or asked to stop once more: what it works on is taken up at the next start.
            process.kill()
            process.wait()


def serve(settings: Settings, host: str, port: int, with_worker: bool) -> None:
    """Serve until interrupted; a second interrupt does not wait for a job's present step.

    Raises
    ------
    Conflict
        If nothing can listen at this address.
    """
    app = create_app(settings)
    if not with_worker:
        _listen(app, host, port)
        return
    with worker_beside(settings):
        _listen(app, host, port)


def _listen(app: object, host: str, port: int) -> None:
    try:
        uvicorn.run(
            app,  # type: ignore[arg-type]
            host=host,
            port=port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=REQUEST_GRACE_S,
        )
    except SystemExit:
        # uvicorn has told the reason on standard error.
        raise Conflict(
            f"The pages cannot be served at http://{host}:{port}; if the port is taken, choose "
            "another with FIDUCIAL_PORT."
        ) from None
