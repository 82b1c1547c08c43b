"""Write what a run leaves behind; every function is the inside of one transaction of its job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import ledger
from core.canonical import digest
from core.clock import now
from core.errors import Fault, FiducialError, Invalid, NotFound
from core.jobs.context import EarlierAttempt, JsonDict
from core.records.models import Project
from core.records.observing import observe_link
from core.records.service import find_record
from validation.protocols.plan import TestRecord
from validation.recorder.evidence import ScenarioEvidence
from validation.runs.installation import InstallationCheck
from validation.runs.judging import run_verdict
from validation.runs.models import (
    ENDED,
    EventKind,
    Run,
    RunDataSet,
    RunEvent,
    RunScenario,
    RunState,
    RunTest,
)

SHOWN_CHANGES = 20
"""Names of changed files told in one note; the rest are counted."""


@dataclass(frozen=True)
class Executable:
    """What the job needs to know of a run, read once, free of any session."""

    run_id: int
    project_id: int
    project: str
    number: int
    protocol: str
    release: str | None
    repository_id: int
    tag: str
    commit: str
    state: str
    data_folder: Path | None
    registered: Mapping[str, str]
    """The digest of each data set, by uid, as it was registered when the run was asked for."""
    tests: tuple[TestRecord, ...]
    known_tests: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether an earlier attempt has closed the run."""
        return self.state in ENDED


@dataclass(frozen=True)
class Beginning:
    """What a run is executed with, established before its first scenario."""

    manifest_digest: str
    protocol_digest: str
    engine_version: str
    engine_digest: str
    environment: dict[str, Any]
    data: list[dict[str, Any]]
    steps_planned: int


def executable(session: Session, run_id: int) -> Executable:
    """Read a run for its job."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"There is no run with the internal number {run_id}; start it again.")
    project = session.get_one(Project, run.project_id)
    tests = session.scalars(
        select(RunTest).where(col(RunTest.run_id) == run_id).order_by(col(RunTest.id))
    )
    registered = {
        one.uid: one.digest
        for one in session.scalars(
            select(RunDataSet).where(col(RunDataSet.run_id) == run_id).order_by(col(RunDataSet.id))
        )
    }
    return Executable(
        run_id=run_id,
        project_id=run.project_id,
        project=project.key,
        number=run.number,
        protocol=run.protocol,
        release=run.release_uid,
        repository_id=run.repository_id,
        tag=run.tag,
        commit=run.commit,
        state=run.state,
        data_folder=Path(run.data_folder) if run.data_folder else None,
        registered=registered,
        tests=tuple(_test_record(test) for test in tests),
        known_tests=tuple(run.known_tests),
    )


def begin(
    session: Session,
    executable: Executable,
    beginning: Beginning,
    installation: InstallationCheck,
) -> JsonDict:
    """Record what the run is executed with; from here on it is running."""
    run = _run(session, executable)
    run.state = RunState.RUNNING
    run.started_at = now()
    run.manifest_digest = beginning.manifest_digest
    run.protocol_digest = beginning.protocol_digest
    run.engine_version = beginning.engine_version
    run.engine_digest = beginning.engine_digest
    run.environment = beginning.environment
    run.environment_digest = digest(beginning.environment)
    run.data = beginning.data
    run.steps_planned = beginning.steps_planned
    session.add(run)
    _note_installation(session, executable, installation)
    facts = _comparable(beginning)
    log(session, executable, "run:run:begin", {**facts, "tag": run.tag, "commit": run.commit})
    return facts


def refuse_another_beginning(begun: JsonDict, beginning: Beginning) -> None:
    """Refuse to go on with another protocol, engine, environment or data than at the start.

    Raises
    ------
    Invalid
        Naming each part that changed between two attempts of one run.
    """
    faults = [
        Fault("run-changed", name, "changed between two attempts of this run.", "Start a new run.")
        for name, value in _comparable(beginning).items()
        if begun[name] != value
    ]
    if faults:
        raise Invalid("The run cannot go on as it began.", faults)


def finish(
    session: Session,
    executable: Executable,
    changed: Sequence[str],
    installation: InstallationCheck | None = None,
) -> JsonDict:
    """Close a run: from here on its verdict counts.

    Parameters
    ----------
    installation : InstallationCheck, optional
        What a worker finds of its installation at the end.
    """
    run = _run(session, executable)
    if installation is not None:
        _note_installation(session, executable, installation)
        changed = [*changed, *_changed_installation(run, installation)]
    if changed:
        run.dirty = True
        named = ", ".join(changed[:SHOWN_CHANGES])
        more = f" and {len(changed) - SHOWN_CHANGES} more" if len(changed) > SHOWN_CHANGES else ""
        _note(
            session,
            executable,
            EventKind.CHANGED,
            f"Changed while the run used it: {named}{more}. The run does not pass.",
        )
    run.state = RunState.COMPLETE
    run.ended_at = now()
    session.add(run)
    statuses = session.scalars(
        select(col(RunScenario.status)).where(col(RunScenario.run_id) == executable.run_id)
    ).all()
    verdict = run_verdict(run.state, clean=not run.dirty, statuses=statuses)
    told = {"state": str(run.state), "verdict": verdict, "scenarios": len(statuses)}
    log(session, executable, "run:run:complete", told)
    _link_tests(session, executable, clean=not run.dirty)
    return told


def _note_installation(session: Session, executable: Executable, found: InstallationCheck) -> None:
    _note(session, executable, EventKind.CHECKED, found.sentence, data=found.as_data())


def _changed_installation(run: Run, found: InstallationCheck) -> list[str]:
    held = {
        "the environment (packages, system, machine)": run.environment_digest
        == found.environment_digest,
        "the engine": run.engine_digest == found.engine_digest,
    }
    return [name for name, same in held.items() if not same]


def _link_tests(session: Session, executable: Executable, *, clean: bool) -> None:
    """Let each executed test record know of the run."""
    rows = session.execute(
        select(col(RunScenario.test_uid), col(RunScenario.status)).where(
            col(RunScenario.run_id) == executable.run_id, col(RunScenario.test_uid).is_not(None)
        )
    )
    statuses: dict[str, list[str]] = {}
    for uid, status in rows:
        statuses.setdefault(uid or "", []).append(status)
    project = session.get_one(Project, executable.project_id)
    revisions = {test.uid: test.revision for test in executable.tests}
    for uid, own in statuses.items():
        observe_link(
            session,
            find_record(session, project, uid),
            kind="run",
            source_ref=f"run {executable.number}",
            role="executed_by",
            attributes={
                "verdict": run_verdict(RunState.COMPLETE, clean=clean, statuses=own),
                "commit": executable.commit,
                "revision": revisions.get(uid),
                "address": f"/p/{executable.project}/runs/{executable.number}",
            },
        )


def refuse(session: Session, executable: Executable, why: FiducialError) -> JsonDict:
    """Close a run that cannot be executed as approved; each fault is a note of it."""
    run = _run(session, executable)
    run.state = RunState.REFUSED
    run.ended_at = now()
    session.add(run)
    faults = why.faults if isinstance(why, Invalid) else ()
    for text in [why.message, *(str(fault) for fault in faults)]:
        _note(session, executable, EventKind.REFUSED, text)
    told = {"state": str(run.state), "faults": len(faults) or 1}
    log(session, executable, "run:run:refuse", {**told, "reason": why.message})
    return told


def note_interruption(
    session: Session,
    executable: Executable,
    attempt: EarlierAttempt,
    left: Sequence[ScenarioEvidence],
) -> JsonDict:
    """Note an attempt that was cut short, and the scenario it was executing then."""
    recorded = set(
        session.scalars(
            select(col(RunScenario.key)).where(col(RunScenario.run_id) == executable.run_id)
        )
    )
    unfinished = [evidence for evidence in left if evidence.key not in recorded]
    data = {"attempt": attempt.number, "worker": attempt.worker, "started_at": attempt.started_at}
    scenario = ""
    doing = "No scenario was being executed."
    if unfinished:
        evidence = unfinished[-1]
        scenario = evidence.title
        ended = sum(step.ended_at is not None for step in evidence.steps)
        doing = (
            f'"{scenario}" was being executed ({ended} of {len(evidence.steps)} steps ended); '
            "nothing of it counts and it is executed again."
        )
    elif executable.ended:
        doing = "Everything had been recorded by then."
    text = f"Attempt {attempt.number} was cut short. {attempt.reason} {doing}"
    _note(session, executable, EventKind.INTERRUPTED, text, scenario=scenario, data=data)
    log(session, executable, "run:attempt:interrupt", {**data, "scenario": scenario})
    return data


def frozen_data(session: Session, executable: Executable) -> list[dict[str, Any]]:
    """Return the data as it was frozen when the run began."""
    return list(_run(session, executable).data)


def _note(
    session: Session,
    executable: Executable,
    kind: EventKind,
    text: str,
    *,
    scenario: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    session.add(
        RunEvent(run_id=executable.run_id, kind=kind, text=text, scenario=scenario, data=data or {})
    )


def log(session: Session, executable: Executable, action: str, data: dict[str, Any]) -> None:
    """Put what the job did into the audit trail; a machine acts, the tester is on the run."""
    ledger.append(
        session,
        action,
        by=None,
        project_id=executable.project_id,
        subject=f"run {executable.number}",
        data=data,
    )


def _run(session: Session, executable: Executable) -> Run:
    return session.get_one(Run, executable.run_id)


def _comparable(beginning: Beginning) -> JsonDict:
    """Return what must be the same in every attempt of one run."""
    return {
        "manifest_digest": beginning.manifest_digest,
        "protocol_digest": beginning.protocol_digest,
        "engine_digest": beginning.engine_digest,
        "environment_digest": digest(beginning.environment),
        "data_digest": digest(beginning.data),
    }


def _test_record(test: RunTest) -> TestRecord:
    return TestRecord(
        uid=test.uid,
        title=test.title,
        state="approved",
        automated=test.automated,
        revision=test.revision,
        content_digest=test.content_digest,
        approved_at=test.approved_at,
        approved_by=test.approved_by,
    )
