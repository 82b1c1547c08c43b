"""Pages, trace and release check of a project with a candidate, at 1,000 and 10,000 records.

Everything is CPU time: what else the machine does then disturbs it least.
"""

import hashlib
import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from fastapi.testclient import TestClient
from sqlmodel import Session, col, select

from app.main import create_app
from core.clock import now
from core.db import Database
from core.ledger.chain import append
from core.people.models import Person, WebSession
from core.records.models import Project
from core.settings import Settings
from core.web.access import COOKIE
from qms.traceability.service import trace
from tests.benchmarks.bench import Row, cpu_seconds, cpu_time, growth
from tests.benchmarks.large import PROJECT, open_large

SIZES = (1_000, 10_000)
REPEATS = 5
WARM_PAGE = 0.5

PAGES = {
    "Home": "/",
    "Releases": f"/p/{PROJECT}/releases",
    "page of the candidate": f"/p/{PROJECT}/releases/REL-001",
    "page of a record": f"/p/{PROJECT}/REQ-00007",
    "edit form": f"/p/{PROJECT}/REQ-00007/edit",
    "list of records": f"/p/{PROJECT}/records",
    "trace page": f"/p/{PROJECT}/trace",
}
JUDGING = ("Home", "Releases")
"""Pages that judge the candidate again after every change of a record."""

PEER = "the same rows by sqlite3"

Figures = Iterator[tuple[str, float]]


def measure() -> Iterator[Row]:
    """Yield each page's cost at the larger size beside a plain read of every row, and growth."""
    seconds: dict[str, dict[int, float]] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as folder:
            started = cpu_seconds()
            database, _ = open_large(Path(folder), size)
            seconds.setdefault("import and sign", {})[size] = cpu_seconds() - started
            for name, taken in _figures(database, Path(folder)):
                seconds.setdefault(name, {})[size] = taken
            database.engine.dispose()
    plain = seconds.pop(PEER)
    largest = max(SIZES)
    for name, taken_at in seconds.items():
        yield Row(
            f"{name}, {largest:,} records",
            taken_at[largest],
            "CPU s",
            WARM_PAGE if name in PAGES else None,
            peer=PEER,
            peer_value=plain[largest],
        )
        yield growth(name, taken_at)


def _figures(database: Database, folder: Path) -> Figures:
    yield PEER, cpu_time(lambda: _plain(folder / "fiducial.db"))
    yield "trace, every row computed", cpu_time(_reading(database, lambda s: trace(s, PROJECT)))
    with browser_of(database, folder) as browser:
        yield "Home, the first page after a start", opened(browser, PAGES["Home"])
        for name, address in PAGES.items():
            opened(browser, address)
            yield name, median(opened(browser, address) for _ in range(REPEATS))
        for name in JUDGING:
            yield f"{name} after somebody signed in", _after(database, browser, name, "")
            yield f"{name} after a record was changed", _after(database, browser, name, "REQ-00007")


def _plain(path: Path) -> None:
    """Read every revision and link as SQLite gives them: what no page could do without."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "SELECT * FROM record JOIN revision ON latest_id = revision.id"
        ).fetchall()
        connection.execute("SELECT * FROM record_link").fetchall()


def _reading(database: Database, work: Callable[[Session], object]) -> Callable[[], None]:
    def run() -> None:
        with database.reading() as session:
            work(session)

    return run


def opened(browser: TestClient, address: str) -> float:
    """Return the CPU time that one page costs."""
    started = cpu_seconds()
    answer = browser.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return cpu_seconds() - started


def _after(database: Database, browser: TestClient, name: str, subject: str) -> float:
    """Open a page after each of five entries of the audit trail; return the median."""
    times = []
    for _ in range(REPEATS):
        with database.writing() as session:
            project = session.exec(select(col(Project.id))).one()
            # An entry that names a record makes every reader read that record again.
            action = "record:requirement:edit" if subject else "session:person:sign_in"
            append(session, action, None, project if subject else None, subject, {})
        times.append(opened(browser, PAGES[name]))
    return median(times)


def browser_of(database: Database, folder: Path) -> TestClient:
    """Return a browser in which the author of the large project is signed in."""
    token = secrets.token_urlsafe(32)
    with database.writing() as session:
        person = session.exec(select(Person).where(col(Person.username) == "big")).one()
        session.add(
            WebSession(
                token_digest=hashlib.sha256(token.encode()).hexdigest(),
                person_id=person.id or 0,
                csrf="its-own",
                created_at=now(),
                seen_at=now(),
                expires_at=now() + timedelta(hours=1),
            )
        )
    service = create_app(Settings(data_dir=folder), database)
    return TestClient(
        service,
        base_url="http://127.0.0.1",
        cookies={COOKIE: token},
        headers={"accept": "text/html"},
        follow_redirects=False,
    )
