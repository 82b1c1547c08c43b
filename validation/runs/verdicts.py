"""The latest verdict on each test, fetched in two statements and never stored.

Only complete runs of approved protocols count, by hand or not: a numerical comparison, a refused
run and a run still going say nothing about a test.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Project
from core.verdicts import Verdict
from qms.releases.commits import commit_of_release
from validation.protocols.plan import COUNTED
from validation.runs.judging import Measured, Outcome, deciding, judge
from validation.runs.models import (
    Run,
    RunMeasurement,
    RunScenario,
    RunState,
    RunStep,
    RunTest,
)
from validation.runs.plain import figures_of


def verdicts(
    session: Session,
    project_key: str,
    commit: str | None = None,
    *,
    until: datetime | None = None,
) -> dict[str, Verdict]:
    """Return the latest verdict per test uid; a test that never ran is absent ("not run").

    Parameters
    ----------
    commit : str, optional
        The commit the question is about (a release's); a test that ran elsewhere only reads
        "older commit". Without it the latest run of each test counts, whatever its commit.
    until : datetime, optional
        Leave out what ended later: a release is shown as it was when it was signed.
    """
    decided = deciding(_outcomes(session, project_key, until), commit)
    measured = _measured(session, [one.scenario for own in decided.values() for one in own])
    return {
        test: judge(
            outcomes,
            [value for one in outcomes for value in measured.get(one.scenario, ())],
            commit,
            project_key,
        )
        for test, outcomes in sorted(decided.items())
    }


def release_verdicts(
    session: Session, project_key: str, release: str | None = None
) -> dict[str, Verdict]:
    """Return the latest verdict per test as ``core.ports.verdict_source`` asks for it.

    A release whose tag names no commit yet has nothing that passed on it: each test that ran
    reads "older commit".
    """
    if release is None:
        return verdicts(session, project_key)
    return verdicts(session, project_key, commit_of_release(session, project_key, release))


def _outcomes(session: Session, project_key: str, until: datetime | None) -> list[Outcome]:
    ended = [] if until is None else [col(Run.ended_at) <= until]
    rows = session.execute(
        select(
            col(RunScenario.id),
            col(RunScenario.test_uid),
            col(RunTest.revision),
            col(Run.number),
            col(Run.commit),
            col(Run.dirty),
            col(RunScenario.status),
            col(RunScenario.ended_at),
        )
        .join(Run, col(Run.id) == col(RunScenario.run_id))
        .join(Project, col(Project.id) == col(Run.project_id))
        .join(
            RunTest,
            (col(RunTest.run_id) == col(Run.id)) & (col(RunTest.uid) == col(RunScenario.test_uid)),
        )
        .where(
            col(Project.key) == project_key,
            col(Run.state) == RunState.COMPLETE,
            col(Run.protocol).in_(COUNTED),
            *ended,
        )
        .order_by(col(Run.number), col(RunScenario.ordinal))
    )
    return [
        Outcome(scenario, test or "", revision, run, commit, not dirty, status, at)
        for scenario, test, revision, run, commit, dirty, status, at in rows
    ]


def _measured(session: Session, scenarios: Sequence[int]) -> Mapping[int, list[Measured]]:
    query = (
        select(
            col(RunStep.scenario_id),
            col(RunMeasurement.name),
            col(RunMeasurement.comparison),
            col(RunMeasurement.figures),
            col(RunMeasurement.unit),
            col(RunMeasurement.passed),
        )
        .join(RunStep, col(RunStep.id) == col(RunMeasurement.step_id))
        .order_by(col(RunStep.scenario_id), col(RunStep.ordinal), col(RunMeasurement.ordinal))
    )
    rows = (
        row
        for chunk in chunks(scenarios)
        for row in session.execute(query.where(col(RunStep.scenario_id).in_(chunk)))
    )
    found: dict[int, list[Measured]] = defaultdict(list)
    for scenario, name, comparison, stored, unit, passed in rows:
        figures = figures_of(stored)
        found[scenario].append(
            Measured(
                scenario,
                name,
                comparison,
                figures["expected"],
                figures["tolerance"],
                figures["actual"],
                unit,
                passed,
            )
        )
    return found
