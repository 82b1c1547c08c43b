"""Two scans of one repository at the same time: each commit is stored once and neither fails."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.errors import Conflict
from qms.repositories import scanning
from qms.repositories.models import RepositoryCommit
from tests.conftest import ROOT

pytestmark = pytest.mark.database

COMMITS = 1500
"""Several batches, so that both scans would be writing at the same time."""

SCAN = """
import json, pathlib, sys, time
from dataclasses import asdict
from app.tables import prepare
from core.db import open_database
from core.settings import Settings
from qms.repositories.scanning import scan_repository

given = json.loads(sys.argv[1])
prepare()
db = open_database(given["database"])
settings = Settings(data_dir=given["data_dir"], repository_sources=given["sources"])
pathlib.Path(given["ready"]).touch()
while not pathlib.Path(given["go"]).exists():
    time.sleep(0.001)
print(json.dumps(asdict(scan_repository(db, settings, given["repository"]))))
"""


def start_scan(registered, repository: int, go: Path, name: str) -> subprocess.Popen[str]:
    given = {
        "database": registered.db.engine.url.render_as_string(hide_password=False),
        "data_dir": str(registered.settings.data_dir),
        "sources": registered.settings.repository_sources,
        "repository": repository,
        "ready": str(go.with_name(f"ready-{name}")),
        "go": str(go),
    }
    return subprocess.Popen(  # noqa: S603 (our own interpreter and code)
        [sys.executable, "-c", SCAN, json.dumps(given)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_scan_at_once_store_every_commit_once(
    registered, source, tmp_path: Path
) -> None:
    source.add(*(f"Step {number}\n\nImplements: REQ-001" for number in range(COMMITS)))
    repository = registered.register(source, "rpm")
    go = tmp_path / "go"
    both = [start_scan(registered, repository, go, name) for name in ("one", "two")]
    while len(list(tmp_path.glob("ready-*"))) < 2:
        assert not [one for one in both if one.poll() is not None]
        time.sleep(0.01)

    go.touch()
    told = [one.communicate(timeout=120) for one in both]

    assert [one.returncode for one in both] == [0, 0], [error[-600:] for _, error in told]
    reports = [json.loads(said) for said, _ in told]
    assert sorted(report["commits"] for report in reports) == [0, COMMITS]
    assert sorted(report["linked"] for report in reports) == [0, COMMITS]
    with registered.db.reading() as session:
        stored = session.scalar(select(func.count(col(RepositoryCommit.id))))
    assert stored == COMMITS


def test_a_scan_that_never_gets_its_turn_says_so(registered, source, monkeypatch) -> None:
    source.add("Begin")
    repository = registered.register(source, "rpm")
    monkeypatch.setattr(scanning, "TURN_S", 0.2)
    told: list[str] = []

    with (
        scanning.turn_to_scan(registered.settings, repository, lambda: None),
        pytest.raises(Conflict, match="rpm is being scanned"),
    ):
        scanning.scan_repository(
            registered.db,
            registered.settings,
            repository,
            progress=lambda _done, _total, text: told.append(text),
        )

    assert told == ["Waiting for another scan of rpm"]
    assert registered.scan(repository).commits == 1


@pytest.mark.parametrize("name", ["config.lock", "packed-refs.lock", "refs/heads/trunk.lock"])
def test_a_git_that_was_killed_does_not_stop_the_next_scan(registered, source, name: str) -> None:
    source.add("Begin")
    repository = registered.register(source, "rpm")
    registered.scan(repository)
    source.add("Go on")
    left = registered.settings.data_dir / "repositories" / f"{repository}.git" / name
    left.touch()
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))

    assert registered.scan(repository).commits == 1
    assert not left.exists()
