"""Begin a run by hand: hold what is asked for against the record, and tell every fault at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core import ledger
from core.canonical import digest
from core.clock import now
from core.errors import Conflict, Fault, Invalid
from core.people.actor import Actor
from core.records.models import Project
from core.records.queries import load_snapshot
from core.records.snapshot import Key, RecordView, Snapshot
from qms.repositories.models import Repository, RepositoryTag
from qms.repositories.service import tag_and_repository
from validation.protocols.manual import ManualStep, read_steps
from validation.protocols.plan import COUNTED, MANUAL, TestRecord, approval_faults
from validation.runs.models import ENDED, EventKind, Run, RunEvent, RunState, RunTest
from validation.runs.requests import place_of, record_of
from validation.runs.service import next_number, role_to_run, run_test

Place = tuple[RepositoryTag, Repository]

TOLD = {"site": "the site", "machine": "the machine", "tools": "what it is done with"}
"""What a tester says of the surroundings, which no program can see."""


@dataclass(frozen=True)
class ByHand:
    """What a person asks for who will execute a test by hand.

    Attributes
    ----------
    release : str
        Uid of the release; empty for a run of no release, which names a tag instead.
    site, machine, tools : str
        Where it is done, on what, and with which programs and instruments, one per line.
    reason : str
        Asked for when the test was executed at the same commit before.
    """

    test: str
    release: str = ""
    tag: str = ""
    site: str = ""
    machine: str = ""
    tools: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Granted:
    """A request that can be granted."""

    test: TestRecord
    steps: tuple[ManualStep, ...]
    place: Place
    before: Run | None


def begin(session: Session, project: Project, asked: ByHand, by: Actor) -> Run:
    """Begin a run that this person will execute by hand.

    Raises
    ------
    Refused
        If the person has none of the roles that may execute a protocol.
    Invalid
        With every fault at once: a test that is not in force or not manual, a protocol without
        steps, a release or tag that names no commit, nothing said of the surroundings.
    Conflict
        If the test is being executed by hand at this commit already.
    """
    role = role_to_run(project, by)
    granted = _examine(session, project, asked)
    run = _run(project, asked, granted, by, role)
    run.number = next_number(session, project)
    # Two may have begun at once; whoever waited for the number looks again.
    _refuse_a_second(_before(session, project, granted.test.uid, run.commit))
    session.add(run)
    session.flush()
    session.add(run_test(run, granted.test))
    session.add(
        RunEvent(
            run_id=run.id or 0,
            kind=EventKind.STARTED,
            text=f"{by.name} began {granted.test.uid} by hand.",
            by=by.name,
            data={"steps": [one.as_dict() for one in granted.steps]},
        )
    )
    told = {
        "protocol": MANUAL,
        "release": run.release_uid,
        "tag": run.tag,
        "commit": run.commit,
        "predecessor": run.predecessor,
        "reason": run.reason,
        "tests": {granted.test.uid: granted.test.content_digest},
        "environment": run.environment,
        "steps": run.steps_planned,
    }
    ledger.append(
        session, "run:run:start", by, run.project_id, subject=f"run {run.number}", data=told
    )
    return run


def _run(project: Project, asked: ByHand, granted: _Granted, by: Actor, role: str) -> Run:
    """Return the run that is asked for, still without its number."""
    tag, repository = granted.place
    environment = {
        "by_hand": True,
        "site": asked.site.strip(),
        "machine": asked.machine.strip(),
        "tools": _lines(asked.tools),
        "told_by": by.name,
    }
    return Run(
        project_id=project.id or 0,
        number=0,
        protocol=MANUAL,
        release_uid=asked.release or None,
        predecessor=granted.before.number if granted.before else None,
        reason=asked.reason.strip(),
        tester_id=by.person_id,
        tester=by.name,
        tester_uid=by.uid,
        tester_role=role,
        state=RunState.RUNNING,
        repository=repository.name,
        repository_id=repository.id or 0,
        tag=tag.name,
        commit=tag.sha,
        protocol_digest=granted.test.content_digest,
        environment=environment,
        environment_digest=digest(environment),
        steps_planned=len(granted.steps),
        started_at=now(),
    )


def releases_of_test(snapshot: Snapshot, test: Key) -> list[RecordView]:
    """Return the releases that name a test and a tag, the newest last."""
    return [
        one
        for one in snapshot.of_type("release", test.project)
        if not one.withdrawn
        and one.fields.get("git_tag")
        and any(link.target == test for link in snapshot.outgoing(one.key, "tested_by"))
    ]


def _examine(session: Session, project: Project, asked: ByHand) -> _Granted:
    latest = load_snapshot(session, [project.key], effective=False)
    in_force = load_snapshot(session, [project.key])
    key = Key(project.key, asked.test)
    test, steps, faults = _test(latest, in_force, key)
    place, place_faults = _place(session, project, latest, asked)
    faults += place_faults
    faults += [
        Fault("not-told", name, f"says nothing of {words}.", "Nobody can see it later; say it.")
        for name, words in TOLD.items()
        if not getattr(asked, name).strip()
    ]
    before = _before(session, project, asked.test, place[0].sha) if place else None
    _refuse_a_second(before)
    if before is not None and not asked.reason.strip():
        what = f"run {before.number} executed {asked.test} at this commit already."
        mend = "Say why it is executed again; the earlier run stays as it is."
        faults.append(Fault("reason-missing", "reason", what, mend))
    if faults or place is None:
        raise Invalid("The run cannot be begun.", faults)
    return _Granted(test, steps, place, before)


def _test(
    latest: Snapshot, in_force: Snapshot, key: Key
) -> tuple[TestRecord, tuple[ManualStep, ...], list[Fault]]:
    """Return the test as it is in force, its steps, and why it cannot be executed by hand."""
    known = latest.records.get(key)
    if known is None or known.type != "test":
        mend = "Choose a test of this project."
        return (
            TestRecord(key.uid, "", state="missing"),
            (),
            [Fault("test-unknown", key.uid or "test", f"is no test of {key.project}.", mend)],
        )
    view = in_force.records.get(key)
    test = record_of(key, view, latest)
    if view is None or not test.approved:
        return test, (), approval_faults(test)
    if test.automated:
        mend = "Start the run of its release."
        what = "is an automated test; the worker executes it."
        return test, (), [Fault("test-automated", key.uid, what, mend)]
    steps, faults = read_steps(key.uid, view.body)
    return test, steps, faults


def _place(
    session: Session, project: Project, latest: Snapshot, asked: ByHand
) -> tuple[Place | None, list[Fault]]:
    """Find the commit that is executed: the release's, or that of a tag of no release."""
    if not asked.release:
        return _place_of_tag(session, project, asked.tag)
    release = latest.records.get(Key(project.key, asked.release))
    if release is None or release.type != "release" or release.withdrawn:
        what, mend = f"is no release of {project.key}.", "Choose one of the list."
        return None, [Fault("release-unknown", asked.release, what, mend)]
    named = {link.target.uid for link in latest.outgoing(release.key, "tested_by")}
    faults = []
    if asked.test not in named:
        what = f"does not name {asked.test} among its tests."
        faults = [Fault("test-not-of-release", asked.release, what, "Link it: tested by.")]
    place, more = place_of(session, project, release)
    return place, [*faults, *more]


def _place_of_tag(session: Session, project: Project, tag: str) -> tuple[Place | None, list[Fault]]:
    found = tag_and_repository(session, project.key, tag) if tag else None
    if found is not None:
        return found, []
    what = (
        f"is a tag that no repository of {project.key} has."
        if tag
        else "names neither a release nor a tag, so nobody could say what was tested."
    )
    mend = "Choose one of the list; a tag is there once its repository was scanned."
    return None, [Fault("tag-missing", tag or "release", what, mend)]


def _before(session: Session, project: Project, test: str, commit: str) -> Run | None:
    """Return the latest run that executed a test at a commit, or began to do so by hand."""
    return session.scalars(
        select(Run)
        .join(RunTest, col(RunTest.run_id) == col(Run.id))
        .where(
            col(Run.project_id) == project.id,
            col(Run.commit) == commit,
            col(RunTest.uid) == test,
            # An automated run lists the manual tests of its release and executes none of them.
            (col(Run.protocol) == MANUAL)
            | (col(Run.protocol).in_(COUNTED) & col(RunTest.automated).is_(True)),
        )
        .order_by(col(Run.number).desc())
        .limit(1)
    ).first()


def _refuse_a_second(before: Run | None) -> None:
    if before is not None and before.protocol == MANUAL and before.state not in ENDED:
        raise Conflict(
            f"{before.tester} is executing this test by hand in run {before.number}; wait for its "
            "signature, or have it given up."
        )


def _lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
