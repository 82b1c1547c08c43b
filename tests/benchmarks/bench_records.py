"""A record of 10,000 records and 40,000 links: import it, load it, trace it, verify its trail."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session

from app.schema import upgrade_database
from app.tables import prepare
from core.db import Database, open_database
from core.ledger.chain import append
from core.ledger.models import LedgerEntry
from core.ledger.verify import verify_chain
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of, grant
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.service import create_project
from core.records.types import get_registry
from qms.traceability.service import trace
from tests.benchmarks.bench import Row, cpu_time, growth, wall_time

NEEDS, REQUIREMENTS, TESTS = 2_000, 4_000, 4_000
PARENTS, VERIFIED = 4, 6
ENTRIES = (12_000, 50_000)
"""The import leaves more than ten thousand."""

PEER = "rows read and hashed by SHA-256"
WRITES = 300


def _drafts() -> list[RecordDraft]:
    def draft(kind: str, uid: str, links: tuple[LinkDraft, ...] = ()) -> RecordDraft:
        return RecordDraft("BIG", kind, uid, Content(f"Record {uid}", "Some text.", {}, links))

    def to(role: str, prefix: str, count: int, start: int, of: int) -> tuple[LinkDraft, ...]:
        # A stride without a common factor with the count, so that the targets of one differ.
        return tuple(
            LinkDraft(role, f"{prefix}-{(start + step * 37) % count:05d}") for step in range(of)
        )

    return [
        *(draft("user_need", f"UN-{n:05d}") for n in range(NEEDS)),
        *(
            draft("requirement", f"REQ-{n:05d}", to("derives_from", "UN", NEEDS, n, PARENTS))
            for n in range(REQUIREMENTS)
        ),
        *(
            draft("test", f"TST-{n:05d}", to("verifies", "REQ", REQUIREMENTS, n, VERIFIED))
            for n in range(TESTS)
        ),
    ]


def _fill(database: Database) -> Actor:
    with database.writing() as session:
        project = create_project(session, "BIG", "Ten thousand records", None)
        person = Person(username="big", uid="PPL-BIG", name="Bea Igg", password_hash="")
        session.add(person)
        session.flush()
        grant(session, person, ["author", "developer", "tester"], None, project.id)
        actor = actor_of(session, person)
    with database.writing() as session:
        import_records(session, _drafts(), actor, get_registry())
    return actor


def _reading(database: Database, work: Callable[[Session], object]) -> Callable[[], None]:
    def run() -> None:
        with database.reading() as session:
            work(session)

    return run


def _write(database: Database, key: str, audited: bool) -> float:
    """Return the wall time of one small transaction, with or without its ledger entry."""
    started = time.perf_counter()
    with database.writing() as session:
        project = Project(key=key, title="A project", demonstration=False)
        session.add(project)
        session.flush()
        if audited:
            append(session, "record:project:create", None, project.id, key, {"title": "one"})
    return time.perf_counter() - started


def measure() -> Iterator[Row]:
    """Yield the figures of one embedded database in a temporary folder."""
    prepare()
    with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'big.db'}")
        upgrade_database(database)
        _fill(database)
        yield from _figures(database)
        database.engine.dispose()


def _figures(database: Database) -> Iterator[Row]:
    load = cpu_time(_reading(database, lambda session: load_snapshot(session, ["BIG"])))
    yield Row("structure of 10,000 records, 40,000 links from the database", load, "CPU s", 1.0)

    whole = wall_time(_reading(database, lambda session: trace(session, "BIG")))
    yield Row("trace matrix of 4,000 requirements, whole", whole, "s", 5.0)

    # In turns, so that a disk that is busy for a while slows both.
    pairs = [
        (_write(database, f"U{n}", False), _write(database, f"A{n}", True)) for n in range(WRITES)
    ]
    plain, audited = (sum(times) for times in zip(*pairs, strict=True))
    yield Row("an audited write against an unaudited one", audited / plain, "times", 2.5)

    yield from _trail(database)


def _trail(database: Database) -> Iterator[Row]:
    """Yield what verifying the audit trail costs beside reading and hashing the same rows."""
    with database.reading() as session:
        there = session.execute(select(func.count()).select_from(LedgerEntry)).scalar_one()
    seconds, peer = {}, {}
    for entries in ENTRIES:
        with database.writing() as session:
            for number in range(there, entries):
                subject = f"REQ-{number}"
                append(session, "record:requirement:edit", None, None, subject, {"digest": "d"})
        there = entries
        seconds[entries] = cpu_time(_reading(database, verify_chain))
        peer[entries] = cpu_time(_reading(database, _hashed_rows))
    many = max(ENTRIES)
    per_20k = seconds[many] * 20_000 / many
    yield Row("audit trail, verify, per 20,000 entries", per_20k, "CPU s", 1.5)
    name = f"audit trail, verify {many:,} entries"
    yield Row(name, seconds[many], "CPU s", None, False, PEER, peer[many])
    yield growth("audit trail, verify", seconds)


def _hashed_rows(session: Session) -> None:
    """Read each row as it is and hash its bytes: no chain, no canonical form, no comparison."""
    sha256 = hashlib.sha256
    for row in session.connection().exec_driver_sql("SELECT * FROM ledger_entry ORDER BY seq"):
        sha256(repr(tuple(row)).encode()).hexdigest()
