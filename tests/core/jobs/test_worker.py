"""The worker with real processes: every job is run, none twice, and none outlives its worker."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import counted_jobs
import pytest
from counted_jobs import stored_attempts, stored_job
from sqlalchemy import select

from app.worker import JOBS, TIMEOUTS_S, run_worker, see_through
from core.db import Database
from core.jobs import service
from core.jobs.models import Job, JobAttempt, JobState, JobWorker
from core.jobs.processes import is_alive, process
from core.jobs.running import JobUnavailable, load_function
from core.settings import Settings

pytestmark = pytest.mark.slow

Ask = Callable[..., int]
Work = Callable[..., int]


@pytest.fixture
def ask(jobs_db: Database) -> Ask:
    def ask(kind: str, key: str | None = None, **payload: Any) -> int:
        with jobs_db.writing() as session:
            job = service.enqueue(session, kind, payload, None, key)
            assert job.id is not None
            return job.id

    return ask


@pytest.fixture
def work(jobs_db: Database, jobs_settings: Settings) -> Work:
    def work(**options: Any) -> int:
        options = {"once": True, "poll_s": 0.1, "slots": 1, **options}
        return run_worker(jobs_db, jobs_settings, counted_jobs.KINDS, **options)

    return work


def outcomes(db: Database, job_id: int) -> list[tuple[str, str]]:
    return [(each.outcome, each.reason) for each in stored_attempts(db, job_id)]


def until(fact: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


def number_in(note: Path) -> int:
    until(lambda: note.exists() and note.read_text() != "")
    return int(note.read_text())


@pytest.mark.database
def test_every_job_is_run_in_a_process_of_its_own(jobs_db: Database, ask: Ask, work: Work) -> None:
    first, second = ask("count", steps=4), ask("count", steps=2)

    assert work() == 2

    assert stored_job(jobs_db, first).state == JobState.DONE
    assert stored_job(jobs_db, first).result == {
        "steps": [f"step {number}" for number in range(4)],
        "interrupted": 0,
    }
    assert stored_job(jobs_db, first).progress == {"done": 4, "total": 4, "text": "step 3 done"}
    assert counted_jobs.counted(jobs_db, first) == [f"step {number}" for number in range(4)]
    assert stored_job(jobs_db, second).state == JobState.DONE
    with jobs_db.reading() as session:
        pids = set(session.execute(select(JobAttempt.child_pid)).scalars())
        left_at = session.execute(select(JobWorker)).scalar_one().stopped_at
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert left_at is not None


def test_a_job_is_given_the_workers_settings_not_those_of_the_environment(
    jobs_db: Database,
    ask: Ask,
    work: Work,
    jobs_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", "/nowhere")
    job_id = ask("settings", text="ünï")

    work()

    assert stored_job(jobs_db, job_id).result == {
        "data_dir": str(jobs_settings.data_dir),
        "payload": {"text": "ünï"},
    }


def test_a_worker_can_be_told_to_do_one_job_and_leave_the_rest(
    jobs_db: Database, ask: Ask, work: Work
) -> None:
    others, wanted = ask("count", steps=1), ask("count", steps=1)

    assert work(only=wanted) == 1

    assert stored_job(jobs_db, wanted).state == JobState.DONE
    assert stored_job(jobs_db, others).state == JobState.QUEUED


def test_a_kind_that_this_worker_does_not_know_is_left_for_another(
    jobs_db: Database, ask: Ask, work: Work
) -> None:
    job_id = ask("someone.elses", steps=1)

    assert work() == 0
    assert stored_job(jobs_db, job_id).state == JobState.QUEUED


def test_a_job_whose_process_dies_is_blamed_and_tried_again_later(
    jobs_db: Database, ask: Ask, work: Work
) -> None:
    job_id = ask("die")

    work()

    assert stored_job(jobs_db, job_id).state == JobState.QUEUED
    assert outcomes(jobs_db, job_id) == [
        ("interrupted", "Its process ended by signal SIGKILL before the work was done.")
    ]
    assert stored_job(jobs_db, job_id).fruitless == 1


def test_a_job_over_its_time_is_ended_with_everything_it_started(
    jobs_db: Database, ask: Ask, work: Work, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    job_id = ask("hang", note=str(note))

    # Long enough to be at work even on a busy machine, where starting takes some seconds.
    work(timeouts_s={"hang": 8.0})

    assert outcomes(jobs_db, job_id) == [
        ("interrupted", "It took longer than allowed and was ended.")
    ]
    until(lambda: process(number_in(note)) is None)


@pytest.mark.database
def test_two_workers_never_run_one_job_twice(
    jobs_db: Database, ask: Ask, start_worker: Callable[..., Any]
) -> None:
    jobs = [ask("count", steps=3) for _ in range(8)]
    workers = [start_worker(once=True, slots=2) for _ in range(2)]

    for worker in workers:
        assert worker.wait(timeout=120) == 0

    for job_id in jobs:
        assert stored_job(jobs_db, job_id).state == JobState.DONE
        assert stored_job(jobs_db, job_id).attempts == 1
        assert counted_jobs.counted(jobs_db, job_id) == ["step 0", "step 1", "step 2"]
    with jobs_db.reading() as session:
        holders = set(session.execute(select(JobAttempt.worker_id)).scalars())
    assert len(holders) == 2


def test_a_worker_that_is_asked_to_stop_finishes_the_step_and_hands_the_job_back(
    jobs_db: Database, ask: Ask, work: Work, start_worker: Callable[..., Any]
) -> None:
    job_id = ask("count", steps=40, pause_s=0.1)
    worker = start_worker()
    until(lambda: len(counted_jobs.counted(jobs_db, job_id)) >= 2)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=120) == 0
    done = len(counted_jobs.counted(jobs_db, job_id))
    assert 2 <= done < 40
    assert outcomes(jobs_db, job_id) == [("interrupted", "The worker was asked to stop.")]
    assert stored_job(jobs_db, job_id).state == JobState.QUEUED
    work()
    assert counted_jobs.counted(jobs_db, job_id) == [f"step {number}" for number in range(40)]


def test_a_job_that_ignores_the_request_to_stop_is_ended(
    jobs_db: Database, ask: Ask, start_worker: Callable[..., Any], tmp_path: Path
) -> None:
    note = tmp_path / "note"
    job_id = ask("hang", note=str(note))
    worker = start_worker(grace_s=0.5)
    number_in(note)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=120) == 0
    assert outcomes(jobs_db, job_id) == [("interrupted", "The worker was asked to stop.")]


def test_a_cancelled_job_is_ended_and_keeps_its_finished_steps(
    jobs_db: Database, ask: Ask, work: Work, tmp_path: Path
) -> None:
    job_id = ask("wait", note=str(tmp_path / "note"), go=str(tmp_path / "never"))
    stop = threading.Event()
    thread = threading.Thread(target=work, kwargs={"lease_s": 1.0, "stop": stop})
    thread.start()
    child = process(number_in(tmp_path / "note-1"))
    assert child is not None

    with jobs_db.writing() as session:
        service.cancel(session, session.get_one(Job, job_id), None)

    until(lambda: not is_alive(child))
    stop.set()
    thread.join(timeout=120)
    assert stored_job(jobs_db, job_id).state == JobState.CANCELLED
    assert outcomes(jobs_db, job_id) == [("cancelled", "Cancelled.")]
    assert counted_jobs.counted(jobs_db, job_id) == ["first"]


def test_a_long_step_keeps_its_lease(jobs_db: Database, ask: Ask, work: Work) -> None:
    """The worker renews a lease of one second through a step of three, outside a transaction."""
    job_id = ask("count", steps=1, pause_s=3.0)

    work(lease_s=1.0)

    assert (stored_job(jobs_db, job_id).state, stored_job(jobs_db, job_id).attempts) == (
        JobState.DONE,
        1,
    )


def test_a_job_can_be_seen_through_its_retries(
    jobs_db: Database, jobs_settings: Settings, ask: Ask
) -> None:
    job_id = ask("fail_once")

    state = see_through(jobs_db, jobs_settings, job_id, counted_jobs.KINDS, poll_s=0.1)

    assert state == JobState.DONE
    assert stored_job(jobs_db, job_id).attempts == 2


def test_a_job_that_another_worker_has_is_seen_through_too(
    jobs_db: Database, jobs_settings: Settings, ask: Ask, start_worker: Callable[..., Any]
) -> None:
    job_id = ask("count", steps=10, pause_s=0.1)
    start_worker()
    until(lambda: stored_job(jobs_db, job_id).state == JobState.RUNNING)

    state = see_through(jobs_db, jobs_settings, job_id, counted_jobs.KINDS, poll_s=0.1)

    assert (state, stored_job(jobs_db, job_id).attempts) == (JobState.DONE, 1)


def test_every_kind_of_job_has_a_name_to_load_it_by_and_a_time_limit() -> None:
    assert set(TIMEOUTS_S) <= set(JOBS)
    for name in JOBS.values():
        module, _, function = name.partition(":")
        assert module.isascii()
        assert function.isidentifier()


def test_a_name_that_leads_nowhere_is_named() -> None:
    for name in ("no_such_module:run", "json:no_such_function", "json", ":"):
        with pytest.raises(JobUnavailable, match=repr(name)):
            load_function(name)
