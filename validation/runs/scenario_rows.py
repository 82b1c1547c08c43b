"""Write one executed scenario: files first, then rows and audit entry in one transaction."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import blobs
from core.blobs import BlobStore, StoredBlob
from core.jobs.context import JsonDict
from validation.protocols.plan import Planned
from validation.recorder.evidence import ScenarioEvidence, StepEvidence
from validation.runs.execute import Executed
from validation.runs.models import RunAttachment, RunMeasurement, RunScenario, RunStep
from validation.runs.recording import Executable, log

SCENARIO_RECORDED = "run:scenario:record"
"""The audit action that names the SHA-256 of a scenario's evidence."""


@dataclass(frozen=True)
class Kept:
    """An executed scenario whose files are durable already, ready for its rows."""

    planned: Planned
    evidence: ScenarioEvidence
    exit_code: int
    line: StoredBlob
    stdout: StoredBlob
    stderr: StoredBlob
    media_types: dict[str, str]
    stored: tuple[StoredBlob, ...]


def keep_files(store: BlobStore, planned: Planned, executed: Executed) -> Kept:
    """Make an executed scenario's evidence, output and attachments durable."""
    evidence = executed.evidence
    attached = {one.sha256: one.media_type for step in evidence.steps for one in step.attachments}
    return Kept(
        planned=planned,
        evidence=evidence,
        exit_code=executed.end.exit_code,
        line=store.put(evidence.as_line()),
        stdout=store.put(executed.end.stdout),
        stderr=store.put(executed.end.stderr),
        media_types=attached,
        stored=tuple(store.put(executed.attachments / sha256) for sha256 in attached),
    )


def record(session: Session, executable: Executable, kept: Kept) -> JsonDict:
    """Write one executed scenario with everything it measured, and its audit entry."""
    evidence, planned = kept.evidence, kept.planned
    for blob in kept.stored:
        blobs.remember(session, blob, kept.media_types[blob.sha256])
    for blob, media_type in (
        (kept.line, "application/jsonl"),
        (kept.stdout, "text/plain"),
        (kept.stderr, "text/plain"),
    ):
        blobs.remember(session, blob, media_type)
    scenario = RunScenario(
        run_id=executable.run_id,
        ordinal=_next_ordinal(session, executable),
        name=planned.step_name,
        key=evidence.key,
        test_uid=planned.test,
        title=evidence.title,
        feature=evidence.feature,
        line=evidence.line,
        tags=evidence.tags,
        example=evidence.example,
        status=evidence.status,
        flags=evidence.flags,
        failure=evidence.failure,
        started_at=_moment(evidence.started_at),
        ended_at=_moment(evidence.ended_at),
        exit_code=kept.exit_code,
        evidence_sha256=kept.line.sha256,
        stdout_sha256=kept.stdout.sha256,
        stderr_sha256=kept.stderr.sha256,
    )
    session.add(scenario)
    session.flush()
    for ordinal, step in enumerate(evidence.steps):
        _record_step(session, scenario, ordinal, step)
    told: JsonDict = {
        "run": executable.number,
        "scenario": planned.step_name,
        "status": str(evidence.status),
        "evidence_sha256": kept.line.sha256,
    }
    log(session, executable, SCENARIO_RECORDED, told)
    return told


def _record_step(
    session: Session, scenario: RunScenario, ordinal: int, evidence: StepEvidence
) -> None:
    if scenario.id is None:
        raise RuntimeError("A step is recorded after its scenario.")
    step = RunStep(
        scenario_id=scenario.id,
        ordinal=ordinal,
        keyword=evidence.keyword,
        text=evidence.text,
        inputs=evidence.inputs,
        status=evidence.status,
        failure=evidence.failure,
        started_at=_moment(evidence.started_at),
        ended_at=_moment(evidence.ended_at),
    )
    session.add(step)
    session.flush()
    if step.id is None:
        raise RuntimeError("A flushed step has a key.")
    for at, measured in enumerate(evidence.measurements):
        session.add(
            RunMeasurement(
                step_id=step.id,
                ordinal=at,
                name=measured.name,
                comparison=measured.comparison,
                figures={
                    "expected": measured.expected,
                    "tolerance": measured.tolerance,
                    "actual": measured.actual,
                },
                unit=measured.unit,
                passed=measured.passed,
            )
        )
    for at, attached in enumerate(evidence.attachments):
        session.add(RunAttachment(step_id=step.id, ordinal=at, **asdict(attached)))


def _next_ordinal(session: Session, executable: Executable) -> int:
    query = select(func.count()).where(col(RunScenario.run_id) == executable.run_id)
    return session.scalar(query) or 0


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
