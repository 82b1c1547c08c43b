"""Answers to what releases ask of validation, with the signatures of ``qms.releases.ports``."""

from sqlmodel import Session

from core.jobs.models import Job
from core.people.actor import Actor
from core.records.models import Project
from core.records.service import find_project
from qms.releases.ports import RunStanding
from qms.rules.facts import RunOfTest
from validation.runs.facts import runs_of_tests
from validation.runs.listing import RunLine, run_lines
from validation.runs.requests import RunRequest
from validation.runs.service import find_run, job_of, start_run


def recorded_runs(session: Session, project: str, release: str) -> list[RunOfTest]:  # noqa: ARG001 - a run counts for a release by its commit, which the rules look at
    """Return every recorded execution of every test of a project."""
    return runs_of_tests(session, project)


def latest_run(session: Session, project: str, release: str) -> RunStanding | None:
    """Return where the latest run of a release stands; None when there is none."""
    owner = find_project(session, project)
    lines = run_lines(session, owner, size=1, release=release)
    if not lines:
        return None
    line = lines[0]
    job = job_of(session, find_run(session, owner, line.number))
    return RunStanding(
        number=str(line.number),
        word=line.verdict,
        commit=line.commit,
        address=f"/p/{project}/runs/{line.number}",
        detail=_detail(line, job),
    )


def start_validation(
    session: Session, project: Project, release: str, by: Actor, reason: str
) -> str:
    """Start the validation of a release and return the address of its run."""
    run = start_run(session, project, RunRequest(release=release, reason=reason), by)
    return f"/p/{project.key}/runs/{run.number}"


def _detail(line: RunLine, job: Job | None) -> str:
    if line.verdict in ("queued", "running") and job is not None:
        return str(job.progress.get("text") or "Waiting for a worker")
    return f"{line.passed} of {line.scenarios} scenarios passed"
