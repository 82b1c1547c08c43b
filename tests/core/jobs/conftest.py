"""A database with the jobs' tables and the tally that the tests' own jobs write to."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.db import Database
from core.settings import Settings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import counted_jobs  # noqa: E402 - found only now; a child process finds it by the same name

StartWorker = Callable[..., subprocess.Popen[bytes]]

WORKER = """
import json, logging, sys
import counted_jobs
from app.worker import run_worker
from core.db import open_database
from core.settings import Settings
logging.basicConfig(level=logging.INFO)
given = json.loads(sys.argv[1])
run_worker(
    open_database(given["url"]),
    Settings(data_dir=given["data_dir"]),
    counted_jobs.KINDS,
    **given["options"],
)
"""


@pytest.fixture
def jobs_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def jobs_db(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    paths = [str(HERE), *filter(None, sys.path)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    counted_jobs.metadata.drop_all(database.engine)
    counted_jobs.metadata.create_all(database.engine)
    return database


@pytest.fixture
def start_worker(
    jobs_db: Database, jobs_settings: Settings, tmp_path: Path
) -> Iterator[StartWorker]:
    """Start a worker in a process of its own, which may be stopped, frozen or killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**options: Any) -> subprocess.Popen[bytes]:
        given = {
            "url": jobs_db.engine.url.render_as_string(hide_password=False),
            "data_dir": str(jobs_settings.data_dir),
            "options": {"poll_s": 0.1, "slots": 1, **options},
        }
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", WORKER, json.dumps(given)], stderr=log
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
    for log in sorted(tmp_path.glob("worker-*.log")):
        # Shown with a test that failed.
        sys.stdout.write(f"--- {log.name}\n{log.read_text()}")
