"""Leases: one holder at a time, and a former holder can do no harm."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from counted_jobs import stored_attempts, stored_job
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from core.db import Database
from core.jobs import queue, service
from core.jobs.models import Job, JobAttempt, JobState
from core.jobs.processes import Place, Process, here, this_process
from core.jobs.queue import Lease, LeaseLost

pytestmark = pytest.mark.database

DEAD = Process(pid=4_194_304, started=1)
"""One above the largest process number that Linux gives."""

Ask = Callable[..., int]
Claim = Callable[..., Lease]


@pytest.fixture
def ask(jobs_db: Database) -> Ask:
    def ask(kind: str = "count", key: str | None = None, **options: int) -> int:
        with jobs_db.writing() as session:
            job = service.enqueue(session, kind, {"steps": 3}, None, key, **options)
            assert job.id is not None
            return job.id

    return ask


@pytest.fixture
def claim(jobs_db: Database) -> Claim:
    def claim(
        place: Place | None = None, process: Process | None = None, lease_s: float = 60.0
    ) -> Lease | None:
        with jobs_db.writing() as session:
            count = session.execute(select(func.count()).select_from(queue.JobWorker)).scalar_one()
            worker = queue.enlist(
                session, place or here(), process or this_process(), f"worker {count}"
            )
            return queue.claim_next(session, worker, ["count"], lease_s)

    return claim  # type: ignore[return-value]


def recover(db: Database, place: Place | None = None, *, one_machine: bool = False) -> list[Lease]:
    with db.writing() as session:
        return queue.recover(session, place or here(), one_machine=one_machine)


def reasons(db: Database, job_id: int) -> list[tuple[str, str]]:
    return [(attempt.outcome, attempt.reason) for attempt in stored_attempts(db, job_id)]


def test_a_job_is_asked_for_only_when_the_transaction_commits(jobs_db: Database) -> None:
    def ask_and_fail() -> None:
        with jobs_db.writing() as session:
            service.enqueue(session, "count", {}, None)
            raise RuntimeError("the caller's own work fails")

    with pytest.raises(RuntimeError):
        ask_and_fail()

    with jobs_db.reading() as session:
        assert session.execute(select(func.count()).select_from(Job)).scalar_one() == 0


def test_a_payload_that_json_cannot_hold_is_refused_at_once(jobs_db: Database) -> None:
    with pytest.raises(TypeError), jobs_db.writing() as session:
        service.enqueue(session, "count", {"when": object()}, None)


def test_a_key_gives_one_job_while_it_lives_and_a_new_one_afterwards(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    first = ask(key="RPM")
    assert ask(key="RPM") == first
    assert ask(key="DEPT") != first
    assert ask("other", key="RPM") != first

    lease = claim()
    assert ask(key="RPM") == first
    with jobs_db.writing() as session:
        queue.finish(session, lease, {})

    assert ask(key="RPM") != first


def test_jobs_are_taken_in_the_order_they_were_asked_for(ask: Ask, claim: Claim) -> None:
    asked = [ask(), ask("other"), ask()]

    assert [claim().job_id, claim().job_id] == [asked[0], asked[2]]
    assert claim() is None


def test_the_former_holder_is_refused_and_writes_nothing(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask()
    former = claim(process=DEAD)
    recover(jobs_db)
    present = claim()
    assert (present.job_id, present.attempt) == (job_id, 2)
    assert present.token > former.token

    def write_both(write: Callable[[Session], object]) -> None:
        with jobs_db.writing() as session:
            session.execute(update(Job).values(error="written by the former holder"))
            write(session)

    for write in (
        lambda session: queue.hold(session, former),
        lambda session: queue.finish(session, former, {"wrong": True}),
        lambda session: queue.fail(session, former, "wrong", final=True),
        lambda session: queue.interrupt(session, former, "wrong", worker_lost=False),
    ):
        with pytest.raises(LeaseLost):
            write_both(write)

    assert (stored_job(jobs_db, job_id).state, stored_job(jobs_db, job_id).error) == (
        JobState.RUNNING,
        "",
    )


def test_a_dead_worker_of_this_machine_is_noticed_at_once(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask()
    claim(process=DEAD)

    assert [lease.job_id for lease in recover(jobs_db)] == [job_id]
    assert stored_job(jobs_db, job_id).state == JobState.QUEUED
    assert reasons(jobs_db, job_id) == [
        ("interrupted", f"The worker ({here().host}, process {DEAD.pid}) ended without finishing.")
    ]


def test_a_job_stays_with_a_dead_worker_whose_child_still_works(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    ask()
    claim(process=DEAD)
    me = this_process()
    with jobs_db.writing() as session:
        session.execute(update(JobAttempt).values(child_pid=me.pid, child_started=me.started))

    assert recover(jobs_db) == []


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(here(), boot_id="0a0b0c0d-0000-4000-8000-000000000000", host="another"),
        replace(here(), process_space="pid:[1]"),
        replace(here(), boot_id="", process_space=""),
    ],
    ids=["another machine", "another container", "a place without /proc"],
)
def test_a_worker_elsewhere_keeps_its_job_until_the_lease_ends(
    jobs_db: Database, ask: Ask, claim: Claim, elsewhere: Place
) -> None:
    job_id = ask()
    claim(place=elsewhere, process=DEAD)
    assert recover(jobs_db) == []

    with jobs_db.writing() as session:
        before = queue.database_now(session) - timedelta(seconds=1)
        session.execute(update(Job).values(lease_until=before))

    assert [lease.job_id for lease in recover(jobs_db)] == [job_id]
    assert "was not heard of until its lease ended" in reasons(jobs_db, job_id)[0][1]


def test_a_restart_of_the_only_machine_frees_its_jobs_at_once(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask()
    claim(place=replace(here(), boot_id="0a0b0c0d-0000-4000-8000-000000000000"))

    assert [lease.job_id for lease in recover(jobs_db, one_machine=True)] == [job_id]
    assert "when its machine was restarted" in reasons(jobs_db, job_id)[0][1]


def test_a_living_worker_keeps_its_job_and_can_renew_it(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask()
    lease = claim(lease_s=5)
    first = stored_job(jobs_db, job_id).lease_until

    with jobs_db.writing() as session:
        queue.hold(session, lease, 500)

    renewed = stored_job(jobs_db, job_id).lease_until
    assert first is not None
    assert renewed is not None
    assert renewed - first > timedelta(seconds=400)
    assert recover(jobs_db) == []


def test_a_job_that_keeps_failing_waits_longer_each_time_and_is_then_given_up(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask(most_attempts=3)
    waits = []

    for _ in range(3):
        lease = claim()
        with jobs_db.writing() as session:
            at = queue.database_now(session)
            queue.fail(session, lease, "no network", final=False)
        waits.append((stored_job(jobs_db, job_id).not_before - at).total_seconds())
        assert claim() is None
        with jobs_db.writing() as session:
            session.execute(update(Job).values(not_before=at))

    assert waits[:2] == pytest.approx([5, 10], abs=2)
    assert (stored_job(jobs_db, job_id).state, stored_job(jobs_db, job_id).error) == (
        JobState.FAILED,
        "no network",
    )
    assert reasons(jobs_db, job_id) == [("failed", "no network")] * 3


def test_a_job_is_not_given_up_for_workers_that_were_lost(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask(most_attempts=2)

    for _ in range(10):
        claim(process=DEAD)
        recover(jobs_db)

    assert stored_job(jobs_db, job_id).state == JobState.QUEUED
    assert len(reasons(jobs_db, job_id)) == 10


def test_a_job_that_takes_every_worker_with_it_is_given_up_in_the_end(
    jobs_db: Database, ask: Ask, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_INTERRUPTIONS", 4)
    job_id = ask()

    for _ in range(4):
        claim(process=DEAD)
        recover(jobs_db)

    assert stored_job(jobs_db, job_id).state == JobState.FAILED
    assert stored_job(jobs_db, job_id).error.startswith("Given up after 4 attempts.")


def test_a_cancelled_job_refuses_its_holder_and_frees_its_key(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask(key="RPM")
    lease = claim()

    with jobs_db.writing() as session:
        service.cancel(session, session.get_one(Job, job_id), None)

    with pytest.raises(LeaseLost), jobs_db.writing() as session:
        queue.hold(session, lease)
    assert stored_job(jobs_db, job_id).state == JobState.CANCELLED
    assert reasons(jobs_db, job_id) == [("cancelled", "Cancelled.")]
    assert ask(key="RPM") != job_id


def test_a_job_that_has_ended_cannot_be_cancelled(
    jobs_db: Database, ask: Ask, claim: Claim
) -> None:
    job_id = ask()
    lease = claim()
    with jobs_db.writing() as session:
        queue.finish(session, lease, {})

    with pytest.raises(service.Conflict, match="already ended"), jobs_db.writing() as session:
        service.cancel(session, session.get_one(Job, job_id), None)


def test_a_frozen_worker_counts_as_seen_for_a_short_while_only(
    jobs_db: Database, claim: Claim
) -> None:
    claim()
    with jobs_db.reading() as session:
        assert service.workers_seen(session) == 1

    with jobs_db.writing() as session:
        long_ago = queue.database_now(session) - timedelta(minutes=5)
        session.execute(update(queue.JobWorker).values(seen_at=long_ago))

    with jobs_db.reading() as session:
        assert service.workers_seen(session) == 0


def test_the_token_never_falls(jobs_db: Database, ask: Ask, claim: Claim) -> None:
    job_id = ask()
    tokens = []
    for _ in range(5):
        tokens.append(claim(process=DEAD).token)
        recover(jobs_db)
        tokens.append(stored_job(jobs_db, job_id).token)

    assert tokens == sorted(set(tokens))
    with jobs_db.reading() as session:
        query = select(JobAttempt.token).order_by(col(JobAttempt.number))
        assert list(session.execute(query).scalars()) == tokens[::2]
