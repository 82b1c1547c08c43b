"""A run as plain JSON values: for its page, for ``.json``, for comparison and for the pack."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlmodel import Session, col

from core.canonical import rfc3339
from core.jobs.models import Job, JobState
from core.records.models import Project
from validation.recorder.evidence import Status
from validation.runs.data import KIND, set_digests
from validation.runs.judging import run_verdict
from validation.runs.models import (
    ENDED,
    FIGURES,
    Run,
    RunAttachment,
    RunDataSet,
    RunEvent,
    RunMeasurement,
    RunScenario,
    RunStep,
    RunTest,
)


def run_as_plain(session: Session, run: Run) -> dict[str, Any]:
    """Return everything recorded of a run, in the order of its protocol.

    A scenario that is still being executed has no rows, so only whole results appear.
    """
    scenarios = _scenarios(session, run)
    state = standing(run, session.get(Job, run.job_id) if run.job_id else None)
    project = session.get_one(Project, run.project_id)
    return {
        "number": run.number,
        "project": project.key,
        "protocol": run.protocol,
        "release": run.release_uid,
        "state": state,
        "verdict": run_verdict(
            state, clean=not run.dirty, statuses=[one["status"] for one in scenarios]
        ),
        "counts": counts(scenarios),
        "tester": {"name": run.tester, "uid": run.tester_uid, "role": run.tester_role},
        "predecessor": run.predecessor,
        "reason": run.reason,
        "device": {
            "repository": run.repository,
            "tag": run.tag,
            "commit": run.commit,
            "clean": not run.dirty,
            "manifest_digest": run.manifest_digest,
        },
        "protocol_digest": run.protocol_digest,
        "engine": {"version": run.engine_version, "digest": run.engine_digest},
        "environment": run.environment,
        "environment_digest": run.environment_digest,
        "data": run.data,
        "data_sets": _data_sets(session, run),
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "ended_at": _time(run.ended_at),
        "tests": [
            _test(one, scenarios, state, clean=not run.dirty)
            for one in _rows(session, RunTest, run)
        ],
        "scenarios": scenarios,
        "events": [
            {
                "at": _time(event.at),
                "kind": event.kind,
                "scenario": event.scenario,
                "text": event.text,
                "by": event.by,
                "data": event.data,
            }
            for event in _rows(session, RunEvent, run)
        ],
    }


def figures_of(stored: object) -> dict[str, Any]:
    """Return the figures of a measurement's row; None for one that the row lacks.

    Only a row that was changed by hand lacks one; `integrity` names it, and pages still open.
    """
    held = stored if isinstance(stored, dict) else {}
    return {name: held.get(name) for name in FIGURES}


def standing(run: Run, job: Job | None) -> str:
    """Return where a run stands; "stopped" when its job was given up before it ended."""
    given_up = job is not None and job.state in (JobState.FAILED, JobState.CANCELLED)
    return "stopped" if given_up and run.state not in ENDED else str(run.state)


def counts(scenarios: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Count scenarios by status, their steps and their measurements."""
    held = list(scenarios)
    steps = [step for one in held for step in one["steps"]]
    values = [value for step in steps for value in step["measurements"]]
    return {
        "scenarios": len(held),
        "by_status": dict(sorted(Counter(one["status"] for one in held).items())),
        "passed": sum(one["status"] == Status.PASSED for one in held),
        "steps": len(steps),
        "measurements": len(values),
        "measurements_failed": sum(not value["passed"] for value in values),
    }


def scenario_as_plain(scenario: RunScenario, steps: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one executed scenario with its steps."""
    return {
        "ordinal": scenario.ordinal,
        "name": scenario.name,
        "test": scenario.test_uid,
        "title": scenario.title,
        "feature": scenario.feature,
        "line": scenario.line,
        "tags": scenario.tags,
        "example": scenario.example,
        "status": scenario.status,
        "flags": scenario.flags,
        "failure": scenario.failure,
        "started_at": _time(scenario.started_at),
        "ended_at": _time(scenario.ended_at),
        "seconds": _seconds(scenario.started_at, scenario.ended_at),
        "exit_code": scenario.exit_code,
        "evidence_sha256": scenario.evidence_sha256,
        "stdout_sha256": scenario.stdout_sha256,
        "stderr_sha256": scenario.stderr_sha256,
        "steps": list(steps),
    }


def _scenarios(session: Session, run: Run) -> list[dict[str, Any]]:
    """Fetch scenarios, steps, measurements and files in four statements."""
    own = select(col(RunScenario.id)).where(col(RunScenario.run_id) == run.id)
    steps_of_run = select(col(RunStep.id)).where(col(RunStep.scenario_id).in_(own))
    measurements: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for one in session.scalars(
        select(RunMeasurement)
        .where(col(RunMeasurement.step_id).in_(steps_of_run))
        .order_by(col(RunMeasurement.step_id), col(RunMeasurement.ordinal))
    ):
        measurements[one.step_id].append(
            {
                "name": one.name,
                "comparison": one.comparison,
                **figures_of(one.figures),
                "unit": one.unit,
                "passed": one.passed,
            }
        )
    files: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for kept in session.scalars(
        select(RunAttachment)
        .where(col(RunAttachment.step_id).in_(steps_of_run))
        .order_by(col(RunAttachment.step_id), col(RunAttachment.ordinal))
    ):
        files[kept.step_id].append(
            {
                "name": kept.name,
                "media_type": kept.media_type,
                "sha256": kept.sha256,
                "size": kept.size,
            }
        )
    steps: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for step in session.scalars(
        select(RunStep)
        .where(col(RunStep.scenario_id).in_(own))
        .order_by(col(RunStep.scenario_id), col(RunStep.ordinal))
    ):
        steps[step.scenario_id].append(_step(step, measurements[step.id or 0], files[step.id or 0]))
    found = session.scalars(
        select(RunScenario)
        .where(col(RunScenario.run_id) == run.id)
        .order_by(col(RunScenario.ordinal))
    )
    return [scenario_as_plain(one, steps[one.id or 0]) for one in found]


def _step(
    step: RunStep, measurements: list[dict[str, Any]], files: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "keyword": step.keyword,
        "text": step.text,
        "status": step.status,
        "inputs": step.inputs,
        "measurements": measurements,
        "attachments": files,
        "started_at": _time(step.started_at),
        "ended_at": _time(step.ended_at),
        "seconds": _seconds(step.started_at, step.ended_at),
        "failure": step.failure,
    }


def _test(
    test: RunTest, scenarios: Iterable[dict[str, Any]], state: str, *, clean: bool
) -> dict[str, Any]:
    """Return a test with the run's verdict on it; none while a scenario of it may be missing."""
    statuses = [one["status"] for one in scenarios if one["test"] == test.uid]
    return {
        "uid": test.uid,
        "title": test.title,
        "automated": test.automated,
        "revision": test.revision,
        "content_digest": test.content_digest,
        "approved_at": _time(test.approved_at),
        "approved_by": test.approved_by,
        "verdict": run_verdict(state, clean=clean, statuses=statuses) if statuses else "not run",
    }


def _data_sets(session: Session, run: Run) -> list[dict[str, Any]]:
    """Return each registered data set of a run, with the digest of what lay there."""
    rows = _rows(session, RunDataSet, run)
    found = set_digests(run.data, [one.uid for one in rows])
    return [
        {
            "uid": one.uid,
            "title": one.title,
            "version": one.version,
            "revision": one.revision,
            "content_digest": one.content_digest,
            "registered_digest": one.digest.removeprefix(KIND),
            "digest": found.get(one.uid),
        }
        for one in rows
    ]


Row = TypeVar("Row", RunTest, RunEvent, RunDataSet)


def _rows(session: Session, table: type[Row], run: Run) -> Sequence[Row]:
    return session.scalars(
        select(table).where(col(table.run_id) == run.id).order_by(col(table.id))
    ).all()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 6)
