"""Scan histories of commits, 30 % with trailers: the first time, and again when nothing is new.

Each scan is a process of its own, so that its peak of memory is that of this scan and of nothing
before it; Git works in processes of its own below that one.
"""

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.schema import upgrade_database
from app.tables import prepare
from core.db import open_database
from core.people.models import Person
from core.people.service import actor_of, grant
from core.records.service import create_project
from core.settings import Settings
from qms.repositories.scanning import scan_repository
from qms.repositories.service import register
from tests.benchmarks.bench import Row
from tests.qms.repositories.conftest import SourceRepository

COMMITS = 5_000
MANY = 50_000
BUDGETS = {"the first time": 10.0, "nothing new": 1.0}
TRAILERS = "Implements: REQ-001\nVerifies: TST-001\n"
AT_A_TIME = 5_000
FLAT = 0.1
"""A quarter more at ten times the commits: what the allocator keeps, not what the history holds."""
MEGABYTE = 1024
"""Kilobytes, in which the system tells the peak of a process."""


def measure() -> Iterator[Row]:
    """Yield the wall time of both scans, and the peak of memory at ten times the commits."""
    few = measured(COMMITS)
    for (what, budget), one in zip(BUDGETS.items(), few, strict=True):
        yield Row(f"scan of {COMMITS:,} commits, {what}", one["seconds"], "s", budget)
    many = measured(MANY)
    for what, one in zip(BUDGETS, many, strict=True):
        yield Row(f"scan of {MANY:,} commits, {what}", one["seconds"], "s")
    peaks = [one[0]["megabytes"] for one in (few, many)]
    for commits, peak in zip((COMMITS, MANY), peaks, strict=True):
        yield Row(f"peak memory of the first scan of {commits:,} commits", peak, "MB")
    slope = math.log(peaks[1] / peaks[0]) / math.log(MANY / COMMITS)
    yield Row(f"that peak: growth from {COMMITS:,} to {MANY:,}", slope, "exponent", FLAT)


def measured(commits: int) -> list[dict[str, float]]:
    """Scan a history of so many commits twice, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as name:
        folder = Path(name)
        build(folder, commits)
        return [in_a_process(folder) for _ in BUDGETS]


def in_a_process(folder: Path) -> dict[str, float]:
    """Scan once, and return its seconds and the peak of its memory in megabytes."""
    told = subprocess.run(  # noqa: S603 (ourselves)
        [sys.executable, "-m", "tests.benchmarks.bench_git", str(folder)],
        capture_output=True, text=True, check=True, env={**os.environ},
    )  # fmt: skip
    read: dict[str, float] = json.loads(told.stdout)
    return read


def build(folder: Path, commits: int) -> None:
    """Make a repository and an installation that knows it."""
    prepare()
    source = SourceRepository(folder / "source", "trunk")
    for start in range(0, commits, AT_A_TIME):
        numbers = range(start, min(start + AT_A_TIME, commits))
        source.add(*(f"Change {n}\n\n{TRAILERS if n % 10 < 3 else ''}" for n in numbers))
    settings = settings_of(folder)
    database = open_database(settings.database, folder)
    upgrade_database(database)
    with database.writing() as session:
        project = create_project(session, "BIG", "A long history", None)
        person = Person(username="big", uid="PPL-BIG", name="Bea Igg", password_hash="")
        session.add(person)
        session.flush()
        grant(session, person, ["developer"], None, project.id)
        by = actor_of(session, person)
        register(session, project, str(source.folder), by, settings=settings)
    database.engine.dispose()
    source.repo.close()


def settings_of(folder: Path) -> Settings:
    """Return the settings of the installation in a folder."""
    return Settings(data_dir=folder, database_url="", repository_sources=[str(folder / "source")])


def scan(folder: Path) -> dict[str, float]:
    """Scan the one repository of an installation."""
    prepare()
    settings = settings_of(folder)
    database = open_database(settings.database, folder)
    started = time.perf_counter()
    scan_repository(database, settings, 1)
    taken = time.perf_counter() - started
    database.engine.dispose()
    # Only ours: a child's peak is that of this process too, as it is forked.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    return {"seconds": taken, "megabytes": peak}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(scan(Path(sys.argv[1]))))
