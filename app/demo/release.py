"""Take the demo's release through its five steps: freeze, validate, check, sign, pack."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import select
from sqlmodel import Session, col

from app.demo.people import Signers
from app.demo.records import AUTHOR, DEVICE, RELEASE, approve, to_issue
from app.worker import run_worker
from core.blobs import BlobStore
from core.clock import now
from core.db import Database
from core.errors import Conflict
from core.jobs.models import Job, JobState
from core.jobs.service import enqueue
from core.ledger.verified import Verified, last_verification, record_verification
from core.records.audit import verify_installation
from core.records.lifecycle import DRAFT
from core.records.models import Project
from core.records.service import find_project, find_record, latest_revision, read_content
from core.settings import Settings
from qms.releases.service import freeze, release_check
from qms.repositories.service import JOB_KIND as SCAN
from qms.repositories.service import register, repositories_of
from qms.rules.findings import CheckResult
from validation.pack.standing import PackFile, latest_pack_file, request_pack
from validation.protocols.plan import NUMERICAL, VERIFICATION
from validation.runs.models import Run, RunState
from validation.runs.plain import run_as_plain
from validation.runs.requests import RunRequest
from validation.runs.service import start_run

TESTER = "PPL-BT"
RELEASE_MANAGER = "PPL-EQ"
REPOSITORY = "rt-plan-metrics"

UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)
POLL_S = 0.2
LONGEST_WAIT_S = 1800.0

Tell = Callable[[int, int, str], None]


@dataclass
class Demo:
    """Where the demo lives, who signs in it, and the worker that does its jobs."""

    db: Database
    settings: Settings
    signers: Signers
    worker: Thread | None = None

    def device(self, session: Session) -> Project:
        """Return the device's project."""
        return find_project(session, DEVICE)


@contextmanager
def working(demo: Demo) -> Iterator[None]:
    """Let a worker do queued jobs, each in a process of its own, until the block ends."""
    stop = Event()
    thread = Thread(
        target=run_worker,
        args=(demo.db, demo.settings),
        kwargs={"stop": stop, "poll_s": POLL_S},
        name="demo worker",
    )
    thread.start()
    demo.worker = thread
    try:
        yield
    finally:
        stop.set()
        thread.join()
        demo.worker = None


def wait_for(demo: Demo, job_id: int, tell: Tell) -> None:
    """Wait until a job has ended.

    Raises
    ------
    Conflict
        If it failed, was cancelled, takes longer than anything here ever should, or the worker
        has ended.
    """
    deadline = time.monotonic() + LONGEST_WAIT_S
    while True:
        with demo.db.reading() as session:
            job = session.get_one(Job, job_id)
            state, shown, error = job.state, dict(job.progress), job.error
            name = f"Job {job_id} ({job.kind})"
        if state == JobState.DONE:
            return
        if state in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict(f"{name} {state}: {error}")
        if time.monotonic() > deadline or demo.worker is None or not demo.worker.is_alive():
            raise Conflict(f"{name} is {state} and nobody works on it; run the demo again.")
        tell(shown.get("done", 0), shown.get("total", 0), shown.get("text", "waits for the worker"))
        time.sleep(POLL_S)


def scan(demo: Demo, folder: Path, tell: Tell) -> bool:
    """Register the device's repository and have it scanned; False when it was before."""
    with demo.db.writing() as session:
        project = demo.device(session)
        known = [one for one in repositories_of(session, DEVICE) if one.name == REPOSITORY]
        by = demo.signers.actor(session, AUTHOR)
        repository = (
            known[0]
            if known
            else register(
                session, project, str(folder), by, name=REPOSITORY, settings=demo.settings
            )
        )
        session.flush()
        if repository.scanned_at is not None:
            return False
        number = repository.id or 0
        job_id = enqueue(session, SCAN, {"repository": number}, by, project_id=project.id).id or 0
    wait_for(demo, job_id, tell)
    return True


def is_signed(demo: Demo) -> bool:
    """Whether the release is in force."""
    with demo.db.reading() as session:
        return find_record(session, demo.device(session), RELEASE).effective_id is not None


def freeze_once(demo: Demo) -> bool:
    """Freeze the release's baseline unless it names one already."""
    with demo.db.writing() as session:
        project = demo.device(session)
        record = find_record(session, project, RELEASE)
        named = read_content(session, record).fields.get("baseline")
        if named or latest_revision(session, record).state != DRAFT:
            return False
        freeze(session, project, RELEASE, demo.signers.actor(session, AUTHOR))
        return True


def issue_once(demo: Demo) -> int:
    """Issue the hazard log and what rests on it, as the tests came out, and freeze them too.

    Returns how many records were signed into force; 0 when they were before.
    """
    demo.signers.next_act()
    with demo.db.writing() as session:
        project = demo.device(session)
        issued = to_issue(session)
        for record in issued:
            approve(session, record, demo.signers)
        if (
            issued
            and latest_revision(session, find_record(session, project, RELEASE)).state == DRAFT
        ):
            freeze(session, project, RELEASE, demo.signers.actor(session, AUTHOR))
    return len(issued)


def validate_once(demo: Demo, tell: Tell) -> int:
    """Execute the release's protocol unless a run of it has passed; return the run's number.

    A run that a stopped demo left under way is finished by the worker, not started again.
    """
    return _run_once(demo, RunRequest(release=RELEASE), tell)


def compare_once(demo: Demo, data: Path, tell: Tell) -> int:
    """Compare published figures with what the engine computes from the same data."""
    return _run_once(demo, RunRequest(protocol=NUMERICAL, data=data), tell)


def _run_once(demo: Demo, request: RunRequest, tell: Tell) -> int:
    with demo.db.writing() as session:
        project = demo.device(session)
        before = _latest_run(session, project, request.protocol)
        verdict = _verdict(session, before) if before is not None else ""
        if before is not None and verdict == "passed":
            return before.number
        if before is None or verdict not in UNDER_WAY:
            again = f"Run {before.number} {verdict}." if before else ""
            asked = RunRequest(request.release, request.protocol, None, again, request.data)
            before = start_run(session, project, asked, demo.signers.actor(session, TESTER))
        number, run_id, job_id = before.number, before.id, before.job_id or 0
    wait_for(demo, job_id, tell)
    with demo.db.reading() as session:
        run = session.get_one(Run, run_id)
        verdict = _verdict(session, run)
        if verdict != "passed":
            plain = run_as_plain(session, run)
            said = [one["failure"] for one in plain["scenarios"] if one["failure"]]
            said += [event["text"] for event in plain["events"]]
            raise Conflict(f"Run {number} ({request.protocol}) {verdict}. {' '.join(said)}"[:4000])
    return number


def _latest_run(session: Session, project: Project, protocol: str) -> Run | None:
    query = select(Run).where(col(Run.project_id) == project.id, col(Run.protocol) == protocol)
    if protocol == VERIFICATION:
        query = query.where(col(Run.release_uid) == RELEASE)
    return session.scalars(query.order_by(col(Run.number).desc()).limit(1)).first()


def _verdict(session: Session, run: Run) -> str:
    return str(run_as_plain(session, run)["verdict"])


def run_facts(demo: Demo, number: int) -> dict[str, int]:
    """Return how much a run executed and measured."""
    with demo.db.reading() as session:
        run = session.scalars(
            select(Run).where(
                col(Run.project_id) == demo.device(session).id, col(Run.number) == number
            )
        ).one()
        counts: dict[str, int] = run_as_plain(session, run)["counts"]
        return counts


def verify_once(demo: Demo) -> Verified:
    """Verify the audit trail and record it, unless that was done today."""
    with demo.db.reading() as session:
        last = last_verification(session)
        if last is not None and last.on == now().date() and not last.findings:
            return last
        found = verify_installation(session, BlobStore(demo.settings.data_dir / "blobs"))
    with demo.db.writing() as session:
        record_verification(session, found)
        kept = last_verification(session)
    if kept is None or kept.findings:
        raise Conflict("; ".join(map(str, found.findings)) or "The verification was not recorded.")
    return kept


def check(demo: Demo) -> CheckResult:
    """Return the release check as it stands now."""
    with demo.db.reading() as session:
        return release_check(session, DEVICE, RELEASE)


def sign_release(demo: Demo) -> None:
    """Give the release's four signatures, each by another person with their own password."""
    demo.signers.next_act()
    with demo.db.writing() as session:
        project = demo.device(session)
        approve(session, find_record(session, project, RELEASE), demo.signers)


def pack_once(demo: Demo, tell: Tell) -> PackFile:
    """Have the pack built unless it was; return where it lies."""
    with demo.db.reading() as session:
        found = latest_pack_file(session, demo.settings, DEVICE, RELEASE)
    if found is not None:
        return found
    with demo.db.writing() as session:
        by = demo.signers.actor(session, RELEASE_MANAGER)
        job_id = request_pack(session, demo.device(session), RELEASE, by).id or 0
    wait_for(demo, job_id, tell)
    with demo.db.reading() as session:
        found = latest_pack_file(session, demo.settings, DEVICE, RELEASE)
    if found is None:
        raise Conflict(f"Job {job_id} ended without leaving a pack.")
    return found
