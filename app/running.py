"""Execute a protocol from the command line: through the same queue, with a worker of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.worker import see_through
from core.db import Database
from core.errors import Invalid
from core.people.actor import Actor
from core.people.service import actor_of, holders
from core.records.service import find_project
from core.settings import Settings
from validation.runs.data import refuse_private
from validation.runs.job import protected_files
from validation.runs.plain import run_as_plain
from validation.runs.requests import RunRequest
from validation.runs.service import RUN_ROLES, find_run, start_run


def only_tester(database: Database, project_key: str) -> Actor:
    """Return who tests when nobody is named: the one holder of the first role that executes runs.

    Raises
    ------
    Invalid
        If several people hold it, or nobody holds any; a run names its tester and never guesses.
    """
    with database.reading() as session:
        project = find_project(session, project_key)
        for role in RUN_ROLES:
            held = holders(session, role, project.id or 0)
            if len(held) == 1:
                return actor_of(session, held[0])
            if held:
                names = ", ".join(f"{one.uid} ({one.name})" for one in held)
                raise Invalid(f"Several people test {project_key}; say who, with --as: {names}.")
        raise Invalid(
            f"Nobody may execute runs of {project_key} yet; give a person the role {RUN_ROLES[0]}."
        )


def run_protocol(
    database: Database,
    settings: Settings,
    project_key: str,
    by: Actor,
    *,
    release: str = "",
    protocol: str = "verification",
    data: Path | None = None,
    reason: str = "",
    tell: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Start a run, work on its job until it ends, and return everything recorded of it.

    Raises
    ------
    FiducialError
        Whatever keeps the run from being started.
    """
    if data is not None:
        refuse_private(data, protected_files(settings))
    with database.writing() as session:
        project = find_project(session, project_key)
        request = RunRequest(release=release, protocol=protocol, data=data, reason=reason)
        run = start_run(session, project, request, by)
        number, job = run.number, run.job_id
        tell(f"Run {number} of {project_key} executes {protocol} at {run.tag} {run.commit[:12]}.")
    see_through(database, settings, job or 0)
    with database.reading() as session:
        return run_as_plain(session, find_run(session, find_project(session, project_key), number))
