"""Start runs, note what deviated, and find them again."""

from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import ledger
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.jobs.models import Job
from core.jobs.service import enqueue
from core.people.actor import Actor, as_deputy
from core.people.service import Reauthentication
from core.records.models import Project
from core.records.snapshot import RecordView
from validation.protocols.plan import MANUAL, TestRecord
from validation.runs.models import EventKind, Run, RunDataSet, RunEvent, RunState, RunTest
from validation.runs.plain import standing
from validation.runs.requests import RunRequest, examine
from validation.runs.signing import NOTED, deviation_digest

RUN_ROLES = ("tester", "validation_tester", "release_manager")
"""Who may execute a protocol."""

MAY_NOTE = ("quality_manager", "technical_reviewer", *RUN_ROLES)
"""Who may note a deviation: whoever executes, reviews or answers for the run."""

JOB_KIND = "validation.run"


@dataclass(frozen=True)
class Deviation:
    """What did not go as the protocol says, its effect on the result, and what was decided."""

    what: str
    effect: str
    disposition: str


def start_run(session: Session, project: Project, request: RunRequest, by: Actor) -> Run:
    """Start a run: check what can be checked at once, and enqueue its job with it.

    Raises
    ------
    Refused
        If the person has none of the roles that may execute a protocol.
    Invalid
        With every fault at once: unapproved tests, no tag, no reason for a rerun, no data.
    Conflict
        If the same protocol is being executed already.
    """
    role = role_to_run(project, by)
    asked = examine(session, project, request)
    _refuse_a_second(session, asked.newest)
    tag, repository = asked.place
    run = Run(
        project_id=_id(project),
        number=next_number(session, project),
        protocol=request.protocol,
        release_uid=asked.release.uid if asked.counts else None,
        predecessor=asked.before.number if asked.before else None,
        reason=request.reason.strip(),
        tester_id=by.person_id,
        tester=by.name,
        tester_uid=by.uid,
        tester_role=role,
        repository=repository.name,
        repository_id=repository.id or 0,
        tag=tag.name,
        commit=tag.sha,
        data_folder=str(request.data.resolve()) if request.data else "",
        known_tests=[view.uid for view in asked.snapshot.of_type("test", project.key)],
    )
    session.add(run)
    session.flush()
    session.add_all(run_test(run, test) for test in asked.tests)
    session.add_all(_run_data_set(run, one) for one in asked.data_sets)
    job = enqueue(session, JOB_KIND, {"run": run.id}, by, project_id=run.project_id)
    run.job_id = job.id
    told = {
        "protocol": run.protocol,
        "release": run.release_uid,
        "tag": run.tag,
        "commit": run.commit,
        "predecessor": run.predecessor,
        "reason": run.reason,
        "tests": {test.uid: test.content_digest for test in asked.tests},
        "data_sets": {one.uid: one.fields["digest"] for one in asked.data_sets},
    }
    ledger.append(
        session, "run:run:start", by, run.project_id, subject=f"run {run.number}", data=told
    )
    return run


def note_deviation(
    session: Session, run: Run, deviation: Deviation, by: Actor, proof: Reauthentication
) -> RunEvent:
    """Note what did not go as the protocol says, its effect, and what was decided; and sign it.

    Raises
    ------
    Refused
        If the person holds no role that may, or the password was another person's.
    Invalid
        If one of the three is missing; each is named.
    """
    held = by.held_of(run.project_id, MAY_NOTE)
    if not held:
        raise Refused(f"{by.name} neither executes, reviews nor answers for runs of this project.")
    if proof.person_id != by.person_id:
        raise Refused("The password given was another person's; nothing was signed.")
    told = {name: text.strip() for name, text in asdict(deviation).items()}
    faults = [
        Fault("deviation-incomplete", name, "is missing.", "Say it in a sentence.")
        for name, text in told.items()
        if not text
    ]
    if faults:
        raise Invalid("The deviation is not complete.", faults)
    lent = by.deputy_for(run.project_id, held[0])
    role = as_deputy(held[0], lent.name if lent else "")
    project = session.get_one(Project, run.project_id)
    bound = deviation_digest(project.key, str(run.number), by.uid, role, **told)
    signed = {"uid": by.uid, "role": role, "meaning": NOTED, "digest": bound}
    decided = {"effect": told["effect"], "disposition": told["disposition"]}
    event = RunEvent(
        run_id=run.id or 0,
        kind=EventKind.DEVIATION,
        text=told["what"],
        by=by.name,
        data={**decided, "signed": signed},
    )
    session.add(event)
    ledger.append(
        session,
        "run:deviation:note",
        by,
        project_id=run.project_id,
        subject=f"run {run.number}",
        data={**told, "signed": signed},
    )
    return event


def find_run(session: Session, project: Project, number: int) -> Run:
    """Return a project's run by the number people use.

    Raises
    ------
    NotFound
        If there is none.
    """
    run = session.scalars(
        select(Run).where(col(Run.project_id) == project.id, col(Run.number) == number)
    ).first()
    if run is None:
        raise NotFound(f"{project.key} has no run {number}.")
    return run


def run_before(session: Session, run: Run) -> Run | None:
    """Return the run to compare with: the one it repeats, else the last of its protocol.

    By hand that is the last of the same test.
    """
    query = select(Run).where(col(Run.project_id) == run.project_id)
    if run.predecessor is not None:
        query = query.where(col(Run.number) == run.predecessor)
    else:
        query = query.where(col(Run.protocol) == run.protocol)
    if run.predecessor is None and run.protocol == MANUAL:
        own = select(col(RunTest.uid)).where(col(RunTest.run_id) == run.id)
        of_test = select(col(RunTest.run_id)).where(col(RunTest.uid).in_(own))
        query = query.where(col(Run.id).in_(of_test))
    query = query.where(col(Run.number) < run.number).order_by(col(Run.number).desc())
    return session.scalars(query.limit(1)).first()


def job_of(session: Session, run: Run) -> Job | None:
    """Return the job that executes a run."""
    return None if run.job_id is None else session.get(Job, run.job_id)


def role_to_run(project: Project, by: Actor) -> str:
    """Return the role in which a person executes a protocol.

    Raises
    ------
    Refused
        If they hold none of those that may.
    """
    held = by.held_of(_id(project), RUN_ROLES)
    if held:
        lent = by.deputy_for(_id(project), held[0])
        return as_deputy(held[0], lent.name if lent else "")
    raise Refused(
        f"A run is executed by a {', '.join(RUN_ROLES[:-1])} or {RUN_ROLES[-1]} of {project.key}; "
        f"{by.name} is none of them."
    )


def _refuse_a_second(session: Session, newest: Run | None) -> None:
    if newest is None:
        return
    if standing(newest, job_of(session, newest)) in (RunState.QUEUED, RunState.RUNNING):
        raise Conflict(
            f"Run {newest.number} of this protocol is {newest.state}; wait for its end or cancel "
            "its job."
        )


def run_test(run: Run, test: TestRecord) -> RunTest:
    """Return the row that keeps a test as it was in force when a run began."""
    return RunTest(
        run_id=run.id or 0,
        uid=test.uid,
        title=test.title,
        automated=test.automated,
        revision=test.revision or 0,
        content_digest=test.content_digest,
        approved_at=test.approved_at,
        approved_by=test.approved_by,
    )


def _run_data_set(run: Run, record: RecordView) -> RunDataSet:
    """Return the row that keeps a data set as it was registered when a run was asked for."""
    return RunDataSet(
        run_id=run.id or 0,
        uid=record.uid,
        title=record.title,
        version=str(record.fields.get("version") or ""),
        revision=record.revision or 0,
        content_digest=record.content_digest,
        digest=str(record.fields["digest"]),
    )


def next_number(session: Session, project: Project) -> int:
    """Return the number of a project's next run."""
    # Two starts at once wait for each other here, and nobody who writes a record waits for them.
    ledger.hold_still(session)
    last = session.scalar(select(func.max(Run.number)).where(col(Run.project_id) == project.id))
    return (last or 0) + 1


def _id(project: Project) -> int:
    if project.id is None:
        raise NotFound(f"The project {project.key} is not saved yet.")
    return project.id
