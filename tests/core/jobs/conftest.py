"""A database with the jobs' tables and the tally that the tests' own jobs write to."""

import json, os, subprocess, sys
import pytest
from sqlmodel import SQLModel
from core.db import open_database
from core.settings import Settings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
ROOT = Path(__file__).parents[3]


@pytest.fixture
def jobs_settings(tmp_path):
    return Settings(data_dir=tmp_path)


@pytest.fixture
def jobs_db(tmp_path, monkeypatch):
    import counted_jobs

    monkeypatch.setenv("PYTHONPATH", f"/tmp/ov:{HERE}")
    db = open_database(f"sqlite:///{tmp_path}/t.db")
    SQLModel.metadata.create_all(db.engine)
    counted_jobs.metadata.create_all(db.engine)
    yield db
    db.engine.dispose()


PROGRAM = """
import json, logging, sys
import counted_jobs
from app.worker import run_worker
from core.db import open_database
from core.settings import Settings
logging.basicConfig(level=logging.INFO)
given = json.loads(sys.argv[1])
run_worker(open_database(given["url"]), Settings(data_dir=given["data_dir"]), counted_jobs.KINDS, **given["options"])
"""


@pytest.fixture
def start_worker(jobs_db, jobs_settings, tmp_path):
    started = []

    def start(**options):
        options = {"poll_s": 0.1, "slots": 1, **options}
        given = {
            "url": jobs_db.engine.url.render_as_string(hide_password=False),
            "data_dir": str(jobs_settings.data_dir),
            "options": options,
        }
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            w = subprocess.Popen([sys.executable, "-c", PROGRAM, json.dumps(given)], stderr=log)
        started.append(w)
        return w

    yield start
    for w in started:
        if w.poll() is None:
            w.kill()
            w.wait()
