"""Record what a tester observes, and end the run with the tester's signature.

Nothing of a run by hand counts before it is signed: the rows that pages, packs and rules read of
any run come into being with the signature, in one transaction.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import select
from sqlmodel import Session, col

from core import ledger
from core.blobs import BlobStore, remember
from core.canonical import rfc3339
from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.people.actor import Actor
from core.people.service import Reauthentication
from core.records.models import Project, Revision
from core.records.service import find_record
from validation.manual.entries import (
    OUTCOMES,
    Entry,
    StepRecord,
    evidence_of,
    step_records,
    verdict_on,
)
from validation.protocols.manual import ManualStep
from validation.protocols.plan import MANUAL, Planned
from validation.recorder.evidence import Attachment, Status, readable
from validation.runs import recording
from validation.runs.models import EventKind, Run, RunEvent, RunState, RunTest
from validation.runs.scenario_rows import Kept, record
from validation.runs.service import role_to_run
from validation.runs.signing import EXECUTED, execution_digest

MAY_END = ("release_manager", "quality_manager")
"""Who may give up a run that its tester left behind."""

LONGEST_FILE_NAME = 200
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class SentFile:
    """A file that a tester gives to a step."""

    name: str
    media_type: str
    data: BinaryIO


@dataclass(frozen=True)
class Observation:
    """What a tester says of one step, as it was typed.

    Attributes
    ----------
    measured : str
        The value, in the unit that the step states; only where it states figures.
    outcome : str
        passed, failed or blocked; where the step states figures only blocked can be chosen.
    """

    observed: str
    measured: str = ""
    outcome: str = ""
    files: Sequence[SentFile] = ()


def steps_of(session: Session, run: Run) -> list[StepRecord]:
    """Return every step of a run by hand with what was recorded of it."""
    steps: list[ManualStep] = []
    entries: list[Entry] = []
    rows = select(RunEvent).where(col(RunEvent.run_id) == run.id).order_by(col(RunEvent.id))
    for event in session.scalars(rows):
        if event.kind == EventKind.STARTED:
            steps = [ManualStep.from_dict(one) for one in event.data["steps"]]
        elif event.kind == EventKind.ENTRY:
            plain = {"text": event.text, "by": event.by, "at": rfc3339(event.at)}
            entries.append(Entry.from_event({**plain, "data": event.data}))
    return step_records(steps, entries)


def record_entry(
    session: Session, store: BlobStore, run: Run, number: int, told: Observation, by: Actor
) -> RunEvent | None:
    """Add an entry to one step; None where it says what the step's latest entry says already.

    Raises
    ------
    Refused, Conflict
        If the run is not this person's, is over, or its test was revised meanwhile.
    Invalid
        With every fault of the entry at once.
    """
    run = _held(session, run, by)
    _refuse_revised(session, run)
    records = steps_of(session, run)
    if not 1 <= number <= len(records):
        raise NotFound(f"Run {run.number} has no step {number}; it has {len(records)}.")
    held = records[number - 1]
    status, actual, faults = _judged(held.step, told)
    if faults:
        raise Invalid(f"Nothing was recorded of step {number}.", faults)
    entry = Entry(
        step=number,
        status=status,
        observed=readable(told.observed.strip()),
        by=by.name,
        at=rfc3339(now()),
        actual=actual,
        attachments=tuple(_kept(session, store, one) for one in told.files),
    )
    if held.latest is not None and entry.says(held.latest):
        return None
    event = RunEvent(
        run_id=run.id or 0,
        kind=EventKind.ENTRY,
        scenario=f"step {number}",
        text=entry.observed,
        by=by.name,
        data=entry.as_data(),
    )
    session.add(event)
    said = {**entry.as_data(), "observed": entry.observed, "corrects": len(held.entries)}
    _log(session, run, "run:step:record", by, said)
    return event


def sign(session: Session, store: BlobStore, run: Run, by: Actor, proof: Reauthentication) -> Run:
    """End a run by hand with its tester's signature; from here on its verdict counts.

    Raises
    ------
    Refused, Conflict
        If the run is not this person's, is over, or its test was revised meanwhile.
    Invalid
        Naming each step of which nothing was recorded.
    """
    run = _held(session, run, by)
    if proof.person_id != by.person_id:
        raise Refused("The password given was another person's; nothing was signed.")
    _refuse_revised(session, run)
    records = steps_of(session, run)
    missing = [
        Fault(
            "step-unrecorded",
            f"step {one.number}",
            "has no entry.",
            "Say what was observed, or that it could not be executed.",
        )
        for one in records
        if one.latest is None
    ]
    if missing:
        raise Invalid(f"Run {run.number} was not signed.", missing)
    [test] = _tests(session, run)
    evidence = evidence_of(test.uid, test.revision, test.title, records, rfc3339(now()))
    nothing = store.put(b"")
    kept = Kept(
        planned=Planned(evidence, test.uid, 0),
        evidence=evidence,
        exit_code=0,
        line=store.put(evidence.as_line()),
        stdout=nothing,
        stderr=nothing,
        media_types={},
        stored=(),
    )
    executable = recording.executable(session, run.id or 0)
    record(session, executable, kept)
    number = str(run.number)
    signed = execution_digest(number, run.protocol_digest, run.tag, run.commit, [kept.line.sha256])
    role = role_to_run(session.get_one(Project, run.project_id), by)
    data = {"uid": by.uid, "role": role, "meaning": EXECUTED, "digest": signed}
    session.add(
        RunEvent(run_id=run.id or 0, kind=EventKind.SIGNED, text=EXECUTED, by=by.name, data=data)
    )
    _log(session, run, "run:run:sign", by, {**data, "status": str(evidence.status)})
    session.flush()
    recording.finish(session, executable, ())
    return run


def give_up(session: Session, run: Run, by: Actor, reason: str) -> Run:
    """End a run by hand without a verdict; what was recorded stays to be read.

    Raises
    ------
    Refused, Conflict
        If the run is over, or is neither this person's nor theirs to end; or if the tester would
        drop a step that failed: a failure is signed.
    Invalid
        If no reason is given.
    """
    run = _held(session, run, by, others=MAY_END)
    records = steps_of(session, run)
    failed = [one.number for one in records if one.status == Status.FAILED]
    own = run.tester_id == by.person_id
    if failed and own and not _revised(session, run):
        named = ", ".join(map(str, failed))
        raise Conflict(
            f"Step {named} of run {run.number} failed, and a failure is not given up: record the "
            "steps that remain, as blocked where they cannot be executed, and sign the run."
        )
    if not reason.strip():
        fault = Fault("reason-missing", "reason", "is empty.", "Say why, for later readers.")
        raise Invalid(f"Run {run.number} was not given up.", [fault])
    recorded = sum(one.latest is not None for one in records)
    text = f"{reason.strip()} {recorded} of {len(records)} steps were recorded"
    text += f", step {', '.join(map(str, failed))} as failed." if failed else "."
    run.state, run.ended_at = RunState.GIVEN_UP, now()
    session.add(run)
    session.add(
        RunEvent(run_id=run.id or 0, kind=EventKind.GIVEN_UP, text=readable(text), by=by.name)
    )
    _log(session, run, "run:run:give-up", by, {"reason": reason.strip(), "recorded": recorded})
    return run


def revision_problem(session: Session, run: Run) -> str:
    """Say why nothing more can be recorded in a run whose test was revised; empty if it can."""
    named = ", ".join(_revised(session, run))
    if not named:
        return ""
    return (
        f"{named} while run {run.number} executes the revision before; nothing more is recorded "
        "in it. Give it up and begin again."
    )


def _judged(step: ManualStep, told: Observation) -> tuple[str, float | None, list[Fault]]:
    """Return how a step ended and what was measured, or everything that was typed wrongly."""
    faults = []
    if not told.observed.strip():
        faults.append(Fault("observed-missing", "observed", "is empty.", "Say what was observed."))
    outcome, measured = told.outcome.strip(), told.measured.strip()
    if outcome and outcome not in OUTCOMES:
        what = f"is {outcome[:40]!r}."
        faults.append(Fault("outcome", "outcome", what, f"Choose {', '.join(OUTCOMES)}."))
    if step.expectation is None:
        if measured:
            what = "is compared with nothing: the step states no figure."
            faults.append(Fault("measured", "measured", what, "Write it into what was observed."))
        if not outcome:
            what = "is not chosen."
            faults.append(Fault("outcome", "outcome", what, f"Choose {', '.join(OUTCOMES)}."))
        return outcome, None, faults
    if outcome == Status.BLOCKED and not measured:
        return outcome, None, faults
    if outcome:
        what = "is not chosen here: the step states figures, which are compared."
        faults.append(Fault("outcome", "outcome", what, "Give the measured value alone."))
    unit = f" in {step.expectation.unit}" if step.expectation.unit else ""
    actual = float(measured) if _NUMBER.fullmatch(measured) else math.nan
    if not math.isfinite(actual):
        what = f"is {measured[:40]!r}, which is no number." if measured else "is empty."
        mend = f"Give what was measured{unit} with a point, as 2.01, or choose blocked."
        faults.append(Fault("measured", "measured", what, mend))
    if faults:
        return "", None, faults
    return verdict_on(step, actual), actual, []


def _kept(session: Session, store: BlobStore, sent: SentFile) -> Attachment:
    """Keep a file by its digest; a name is only the last part of what a browser sends."""
    name = sent.name.replace("\\", "/").rsplit("/", 1)[-1][-LONGEST_FILE_NAME:]
    known = _MEDIA_TYPE.fullmatch(sent.media_type)
    media_type = sent.media_type if known else "application/octet-stream"
    stored = store.put(sent.data)
    remember(session, stored, media_type)
    return Attachment(readable(name), stored.sha256, stored.size, media_type)


def _held(session: Session, run: Run, by: Actor, others: Sequence[str] = ()) -> Run:
    """Return a run by hand, locked, if it goes on and this person may act on it.

    Parameters
    ----------
    others : sequence of str
        Roles of those who may, besides its tester.
    """
    run = session.get_one(Run, run.id, with_for_update=True, populate_existing=True)
    project = session.get_one(Project, run.project_id)
    if run.protocol != MANUAL:
        raise Conflict(f"Run {run.number} was not begun by hand; the worker executes it.")
    if run.tester_id == by.person_id:
        role_to_run(project, by)
    elif not by.has(project.id or 0, *others):
        raise Refused(
            f"Run {run.number} is executed by {run.tester}; {by.name} begins a run of their own."
        )
    if run.state != RunState.RUNNING:
        word = "signed" if run.state == RunState.COMPLETE else run.state
        raise Conflict(f"Run {run.number} is {word}; nothing more is recorded in it.")
    return run


def _refuse_revised(session: Session, run: Run) -> None:
    if problem := revision_problem(session, run):
        raise Conflict(problem)


def _revised(session: Session, run: Run) -> list[str]:
    """Say of each test of a run that it is no longer in force as it was at the start."""
    project = session.get_one(Project, run.project_id)
    found = []
    for test in _tests(session, run):
        held = find_record(session, project, test.uid)
        if held.withdrawn_at is not None or held.effective_id is None:
            found.append(f"{test.uid} was withdrawn")
            continue
        revision = session.get_one(Revision, held.effective_id)
        if revision.content_digest != test.content_digest:
            found.append(f"{test.uid} was revised (revision {revision.number} is in force)")
    return found


def _tests(session: Session, run: Run) -> Sequence[RunTest]:
    query = select(RunTest).where(col(RunTest.run_id) == run.id).order_by(col(RunTest.id))
    return session.scalars(query).all()


def _log(session: Session, run: Run, action: str, by: Actor, data: dict[str, object]) -> None:
    ledger.append(session, action, by, run.project_id, subject=f"run {run.number}", data=data)
