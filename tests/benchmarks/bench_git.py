"""Scan a history of commits, 30 % with trailers: the first time, and again when nothing is new."""

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
BUDGETS = {"the first time": 10.0, "nothing new": 1.0}
TRAILERS = "Implements: REQ-001\nVerifies: TST-001\n"


def measure() -> Iterator[Row]:
    """Yield the wall time of both scans; Git works in processes of its own."""
    prepare()
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as name:
        folder = Path(name)
        source = SourceRepository(folder / "source", "trunk")
        source.add(*(f"Change {n}\n\n{TRAILERS if n % 10 < 3 else ''}" for n in range(COMMITS)))
        settings = Settings(
            data_dir=folder, database_url="", repository_sources=[str(folder / "source")]
        )
        database = open_database(settings.database, folder)
        upgrade_database(database)
        with database.writing() as session:
            project = create_project(session, "BIG", "A long history", None)
            person = Person(username="big", uid="PPL-BIG", name="Bea Igg", password_hash="")
            session.add(person)
            session.flush()
            grant(session, person, ["developer"], None, project.id)
            by = actor_of(session, person)
            at = str(source.folder)
            number = register(session, project, at, by, settings=settings).id or 0
        for what, budget in BUDGETS.items():
            started = time.perf_counter()
            scan_repository(database, settings, number)
            taken = time.perf_counter() - started
            yield Row(f"scan of {COMMITS:,} commits, {what}", taken, "s", budget)
        database.engine.dispose()
        source.repo.close()
