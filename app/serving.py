"""Serve the pages with uvicorn, and a worker beside them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from app.main import create_app
from core.jobs.processes import start_guarded
from core.settings import Settings

GRACE_S = 25
"""A little longer than the worker itself gives its jobs to stop."""


@contextmanager
def worker_beside(settings: Settings) -> Iterator[None]:
    """Run a worker as a process of its own until the block ends."""
    environment = {
        **os.environ,
        "FIDUCIAL_DATA_DIR": str(settings.data_dir.absolute()),
        "FIDUCIAL_DATABASE_URL": settings.database_url,
    }
    # Guarded: a service that is killed takes its worker with it; the jobs go on at the next start.
    process = start_guarded([sys.executable, "-m", "app.cli", "worker"], env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def serve(settings: Settings, host: str, port: int, with_worker: bool) -> None:
    """Serve until interrupted."""
    app = create_app(settings)
    if not with_worker:
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
        return
    with worker_beside(settings):
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)
