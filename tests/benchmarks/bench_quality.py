"""Rules, matrix, exports and baselines of a large project: cold, and after somebody's edit.

Everything is CPU time of this process, at 1,000 records with 4,000 links and at ten times as many.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlmodel import col

from core.clock import now
from core.db import Database, open_database
from core.ledger.chain import append
from core.people.actor import Actor
from core.records import lifecycle
from core.records.models import Record
from core.records.service import (
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from qms.baselines.current import freeze_now
from qms.baselines.differing import compared
from qms.baselines.service import baselines_of, lines_of
from qms.releases.service import release_check
from tests.benchmarks.bench import Row, cpu_seconds, cpu_time
from tests.benchmarks.bench_large import browser_of, opened
from tests.benchmarks.large import PROJECT, open_large

SIZES = (1_000, 10_000)
REPEATS = 5

BUDGETS = {
    "all rules, the first time": 5.0,
    "structural rules": 1.0,
    "all rules after one edit": 1.0,
    "matrix, first page": 0.3,
    "matrix, first page after one edit": None,
    "whole matrix as XLSX": 5.0,
    "whole matrix as JSON": 5.0,
    "two baselines compared": 2.0,
    "two baselines on a page": 2.0,
}
"""CPU seconds at ten thousand records; None for what is only measured."""

MOST_GROWTH = 12.0
"""Times as much for ten times the records: in proportion, and a little for what must be sorted."""

TRACE = f"/p/{PROJECT}/trace"

COMPARED = f"/p/{PROJECT}/baselines/compare?before=1&after=2"

ONE_IN = 10
"""Of the requirements between two baselines, so many is one with other words and another link."""

SHORTEST = 0.01
"""CPU seconds below which the processor's caches, not the work, decide how a figure grows."""

Figures = Iterator[tuple[str, float]]


def measure() -> Iterator[Row]:
    """Yield each figure at the larger size, and how it grew from the smaller one."""
    taken: dict[str, dict[int, float]] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="fiducial-bench-") as name:
            folder = Path(name)
            database, actor = open_large(folder, size)
            with database.writing() as session:
                freeze_now(session, find_project(session, PROJECT), "the first", actor)
            for what, seconds in _figures(database, folder, actor):
                taken.setdefault(what, {})[size] = seconds
            _change_many(database, actor)
            with database.writing() as session:
                freeze_now(session, find_project(session, PROJECT), "the second", actor)
            taken.setdefault("two baselines compared", {})[size] = _compared(database)
            with browser_of(database, folder) as browser:
                opened(browser, COMPARED)
                shown = median(opened(browser, COMPARED) for _ in range(REPEATS))
                taken.setdefault("two baselines on a page", {})[size] = shown
            database.engine.dispose()
    small, large = SIZES
    for what, seconds_at in taken.items():
        yield Row(f"{what}, {large:,} records", seconds_at[large], "CPU s", BUDGETS[what])
        if seconds_at[small] < SHORTEST:
            continue
        times = seconds_at[large] / seconds_at[small]
        yield Row(f"{what}: from {small:,} to {large:,}", times, "times", MOST_GROWTH)


def _figures(database: Database, folder: Path, by: Actor) -> Figures:
    fresh = open_database(f"sqlite:///{folder / 'fiducial.db'}")
    yield "all rules, the first time", _judged(fresh)
    fresh.engine.dispose()
    _judged(database)
    yield "structural rules", median(_judged(database, "save") for _ in range(REPEATS))
    yield "all rules after one edit", median(_judged_after(database, by, n) for n in range(REPEATS))
    with browser_of(database, folder) as browser:
        opened(browser, TRACE)
        yield "matrix, first page", median(opened(browser, TRACE) for _ in range(REPEATS))
        yield (
            "matrix, first page after one edit",
            median(_opened_after(database, browser, by, n) for n in range(REPEATS)),
        )
        for form in ("xlsx", "json"):
            name = f"whole matrix as {form.upper()}"
            yield name, min(opened(browser, f"{TRACE}/export/{form}") for _ in range(2))


def _judged(database: Database, gate: str = "release") -> float:
    started = cpu_seconds()
    with database.reading() as session:
        release_check(session, PROJECT, "1.0.0", gate)
    return cpu_seconds() - started


def _judged_after(database: Database, by: Actor, number: int) -> float:
    _edit(database, by, f"Judged {number}")
    return _judged(database)


def _opened_after(database: Database, browser: TestClient, by: Actor, number: int) -> float:
    _edit(database, by, f"Shown {number}")
    return opened(browser, TRACE)


def _compared(database: Database) -> float:
    with database.reading() as session:
        project = find_project(session, PROJECT)
        first, second = sorted(baselines_of(session, project), key=lambda one: one.number)
        before, after = lines_of(session, first), lines_of(session, second)

        def differ() -> int:
            """Tell every record apart and compare the words of each, as an export does."""
            found = compared(session, before, after)
            return sum(len(one.differences) for one in found.records)

        assert differ() > len(before) // (4 * ONE_IN)
        return cpu_time(differ)


def _change_many(database: Database, by: Actor) -> None:
    """Bring other words, and a link less, of one requirement in ten into force."""
    with database.writing() as session:
        project = find_project(session, PROJECT)
        query = select(Record).where(
            col(Record.project_id) == project.id, col(Record.type) == "requirement"
        )
        for record in session.scalars(query.order_by(col(Record.id))).all()[::ONE_IN]:
            latest = latest_revision(session, record)
            content = read_content(session, record)
            other = replace(
                content,
                title=f"{content.title}, said otherwise",
                body=f"{content.body} And one sentence more than before.",
                links=content.links[:-1],
            )
            draft = save_draft(session, record, other, by, edit_token(latest), "Said better.")
            draft.state, draft.approved_at = lifecycle.APPROVED, now()
            record.effective_id = draft.id


def _edit(database: Database, by: Actor, title: str) -> None:
    """Bring another title of a requirement into force, as what is measured will find it."""
    with database.writing() as session:
        project = find_project(session, PROJECT)
        record = find_record(session, project, "REQ-00007")
        latest = latest_revision(session, record)
        content = replace(read_content(session, record), title=title)
        draft = save_draft(session, record, content, by, edit_token(latest), "It reads better.")
        draft.state, draft.approved_at = lifecycle.APPROVED, now()
        record.effective_id = draft.id
        append(session, "record:requirement:approve", by, project.id, record.uid, {})
