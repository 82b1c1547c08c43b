"""A project's runs as lines of a table, in three statements however many there are."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.db import chunks
from core.jobs.models import Job
from core.records.models import Project
from validation.protocols.plan import MANUAL
from validation.recorder.evidence import Status
from validation.runs.judging import run_verdict
from validation.runs.models import (
    EventKind,
    Run,
    RunDataSet,
    RunEvent,
    RunScenario,
    RunState,
    RunTest,
)
from validation.runs.plain import standing


@dataclass(frozen=True)
class RunLine:
    """One run in a list."""

    number: int
    verdict: str
    protocol: str
    release: str | None
    tag: str
    commit: str
    passed: int
    scenarios: int
    interruptions: int
    tester: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    predecessor: int | None
    reason: str


def count_runs(session: Session, project: Project) -> int:
    """Return how many runs a project has."""
    query = select(func.count()).select_from(Run).where(col(Run.project_id) == project.id)
    return session.scalar(query) or 0


def run_lines(
    session: Session,
    project: Project,
    page: int = 1,
    size: int = 50,
    *,
    release: str = "",
    data_set: str = "",
) -> list[RunLine]:
    """Return one page of a project's runs, the latest first; none is ever left out.

    Parameters
    ----------
    release, data_set : str, optional
        Only the runs of this release, or those that were given this data set.
    """
    query = select(Run, Job).outerjoin(Job, col(Job.id) == col(Run.job_id))
    query = query.where(col(Run.project_id) == project.id)
    if release:
        query = query.where(col(Run.release_uid) == release)
    if data_set:
        given = select(col(RunDataSet.run_id)).where(col(RunDataSet.uid) == data_set)
        query = query.where(col(Run.id).in_(given))
    query = query.order_by(col(Run.number).desc()).offset((page - 1) * size).limit(size)
    rows = [(run, job) for run, job in session.execute(query)]
    ids = [run.id or 0 for run, _ in rows]
    statuses = _statuses(session, ids)
    interruptions = _interruptions(session, ids)
    return [
        _line(run, standing(run, job), statuses[run.id or 0], interruptions.get(run.id or 0, 0))
        for run, job in rows
    ]


def _line(run: Run, state: str, statuses: Mapping[str, int], interruptions: int) -> RunLine:
    return RunLine(
        number=run.number,
        verdict=run_verdict(state, clean=not run.dirty, statuses=list(statuses)),
        protocol=run.protocol,
        release=run.release_uid,
        tag=run.tag,
        commit=run.commit,
        passed=statuses.get(Status.PASSED, 0),
        scenarios=sum(statuses.values()),
        interruptions=interruptions,
        tester=run.tester,
        created_at=run.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        predecessor=run.predecessor,
        reason=run.reason,
    )


def _statuses(session: Session, runs: Sequence[int]) -> Mapping[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    query = select(col(RunScenario.run_id), col(RunScenario.status), func.count()).group_by(
        col(RunScenario.run_id), col(RunScenario.status)
    )
    for chunk in chunks(runs):
        rows = session.execute(query.where(col(RunScenario.run_id).in_(chunk)))
        for run, status, count in rows:
            found[run][status] = count
    return found


def _interruptions(session: Session, runs: Sequence[int]) -> dict[int, int]:
    query = (
        select(col(RunEvent.run_id), func.count())
        .where(col(RunEvent.kind) == EventKind.INTERRUPTED)
        .group_by(col(RunEvent.run_id))
    )
    found: dict[int, int] = {}
    for chunk in chunks(runs):
        found |= dict(session.execute(query.where(col(RunEvent.run_id).in_(chunk))).all())
    return found


@dataclass(frozen=True)
class TestLine:
    """What one run did with one test."""

    __test__ = False

    number: int
    word: str
    revision: int
    tag: str
    commit: str
    tester: str
    scenarios: int
    at: datetime | None


def lines_of_test(session: Session, project: Project, uid: str) -> list[TestLine]:
    """Return every ended run that executed a test, the latest first."""
    rows = session.execute(
        select(Run, col(RunTest.revision), col(RunScenario.status), col(RunScenario.ended_at))
        .join(RunScenario, col(RunScenario.run_id) == col(Run.id))
        .join(
            RunTest,
            (col(RunTest.run_id) == col(Run.id)) & (col(RunTest.uid) == col(RunScenario.test_uid)),
        )
        .where(
            col(Run.project_id) == project.id,
            col(Run.state) == RunState.COMPLETE,
            col(RunScenario.test_uid) == uid,
        )
        .order_by(col(Run.number).desc(), col(RunScenario.ordinal))
    ).all()
    by_run: dict[int, list[tuple[Run, int, str, datetime | None]]] = defaultdict(list)
    for run, revision, status, ended_at in rows:
        by_run[run.number].append((run, revision, status, ended_at))
    return [_test_line(own) for own in by_run.values()]


@dataclass(frozen=True)
class Unsigned:
    """A run by hand that waits for its tester."""

    project: str
    number: int
    test: str
    title: str
    since: datetime


def unsigned_of(session: Session, tester_id: int, projects: Sequence[Project]) -> list[Unsigned]:
    """Return the runs by hand that a person began and has not signed, the oldest first."""
    rows = session.execute(
        select(
            col(Project.key),
            col(Run.number),
            col(RunTest.uid),
            col(RunTest.title),
            col(Run.created_at),
        )
        .join(Run, col(Run.project_id) == col(Project.id))
        .join(RunTest, col(RunTest.run_id) == col(Run.id))
        .where(
            col(Project.id).in_([one.id for one in projects]),
            col(Run.protocol) == MANUAL,
            col(Run.state) == RunState.RUNNING,
            col(Run.tester_id) == tester_id,
        )
        .order_by(col(Run.created_at), col(Run.id))
    )
    return [Unsigned(*row) for row in rows]


def running_by_hand(session: Session, project: Project, uid: str) -> list[tuple[int, str]]:
    """Return number and tester of each run by hand of a test that is not signed yet."""
    rows = session.execute(
        select(col(Run.number), col(Run.tester))
        .join(RunTest, col(RunTest.run_id) == col(Run.id))
        .where(
            col(Run.project_id) == project.id,
            col(Run.protocol) == MANUAL,
            col(Run.state) == RunState.RUNNING,
            col(RunTest.uid) == uid,
        )
        .order_by(col(Run.number))
    )
    return [(number, tester) for number, tester in rows]


def _test_line(own: Sequence[tuple[Run, int, str, datetime | None]]) -> TestLine:
    run, revision, _, _ = own[0]
    statuses = [status for _, _, status, _ in own]
    return TestLine(
        number=run.number,
        word=run_verdict(run.state, clean=not run.dirty, statuses=statuses),
        revision=revision,
        tag=run.tag,
        commit=run.commit,
        tester=run.tester,
        scenarios=len(own),
        at=max((ended for *_, ended in own if ended), default=None),
    )
