"""`kill -9` at any moment, and a worker that wakes up too late: nothing lost, nothing doubled."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import counted_jobs
import pytest
from counted_jobs import stored_attempts, stored_job

from core.db import Database
from core.jobs import service
from core.jobs.models import Job, JobState
from core.jobs.processes import Process, is_alive, process

pytestmark = [pytest.mark.slow, pytest.mark.verifies("TST-022")]

LOOK_S = 0.03
"""How often a fact is looked for; each look takes its time from the worker that is waited for."""

STEPS = 12
ALL_STEPS = [f"step {number}" for number in range(STEPS)]

StartWorker = Callable[..., Any]


def ask(db: Database, kind: str, **payload: Any) -> int:
    with db.writing() as session:
        job = service.enqueue(session, kind, payload, None)
        assert job.id is not None
        return job.id


def look(db: Database, job_id: int) -> tuple[Job, list[Any]]:
    return stored_job(db, job_id), stored_attempts(db, job_id)


def until(fact: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(LOOK_S)


def process_in(note: Path) -> Process:
    """Return the process whose number is written in a file, once it is."""
    until(lambda: note.exists() and note.read_text() != "")
    found = process(int(note.read_text()))
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.database
def test_a_job_survives_two_kills_of_its_worker_and_counts_every_step_once(
    jobs_db: Database, start_worker: StartWorker, seed: int
) -> None:
    """Kill the worker at two random moments between its start and the job's middle."""
    chance = random.Random(seed)
    job_id = ask(jobs_db, "count", steps=STEPS, pause_s=0.05)

    for kill in range(2):
        worker = start_worker()
        until(
            lambda kill=kill: (
                len(look(jobs_db, job_id)[1]) == kill + 1
                or look(jobs_db, job_id)[0].state == JobState.DONE
            )
        )
        # The child needs about a second to start and 0.6 s for all steps.
        time.sleep(chance.uniform(0.0, 1.6))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    last = start_worker(once=True)
    assert last.wait(timeout=120) == 0

    job, attempts = look(jobs_db, job_id)
    assert job.state == JobState.DONE
    assert counted_jobs.counted(jobs_db, job_id) == ALL_STEPS
    assert job.result is not None
    assert job.result["steps"] == ALL_STEPS
    # A kill may come just after the job was finished; otherwise each one is on record.
    cut_short = [each for each in attempts if each.outcome == "interrupted"]
    assert job.result["interrupted"] == len(cut_short)
    assert [each.outcome for each in attempts] == ["interrupted"] * len(cut_short) + ["done"]
    assert all("ended without finishing" in each.reason for each in cut_short)


def test_eight_kills_in_a_row_do_not_wear_a_job_out(
    jobs_db: Database, start_worker: StartWorker
) -> None:
    chance = random.Random(20261121)
    job_id = ask(jobs_db, "count", steps=STEPS, pause_s=0.2)

    for kill in range(8):
        worker = start_worker()
        until(lambda kill=kill: len(look(jobs_db, job_id)[1]) == kill + 1)
        time.sleep(chance.uniform(0.0, 1.4))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert start_worker(once=True).wait(timeout=120) == 0

    job, attempts = look(jobs_db, job_id)
    assert job.state == JobState.DONE
    assert [each.outcome for each in attempts] == ["interrupted"] * 8 + ["done"]
    assert counted_jobs.counted(jobs_db, job_id) == ALL_STEPS
    assert job.result == {"steps": ALL_STEPS, "interrupted": 8}


@pytest.mark.parametrize("seed", range(2))
def test_a_job_survives_the_kill_of_its_own_process(
    jobs_db: Database, start_worker: StartWorker, seed: int
) -> None:
    job_id = ask(jobs_db, "count", steps=STEPS, pause_s=0.05)
    worker = start_worker()
    until(lambda: len(counted_jobs.counted(jobs_db, job_id)) >= 2)
    time.sleep(random.Random(seed).uniform(0.0, 0.3))

    child = look(jobs_db, job_id)[1][0].child_pid
    assert child is not None
    os.kill(child, signal.SIGKILL)

    # Steps were finished, so the next attempt follows after the shortest delay.
    until(lambda: look(jobs_db, job_id)[0].state == JobState.DONE)
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=120)
    job, attempts = look(jobs_db, job_id)
    assert counted_jobs.counted(jobs_db, job_id) == ALL_STEPS
    assert [each.outcome for each in attempts] == ["interrupted", "done"]
    assert "signal SIGKILL" in attempts[0].reason
    assert job.fruitless == 0


def test_a_job_dies_with_its_killed_worker(
    jobs_db: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    ask(jobs_db, "wait", note=str(tmp_path / "note"), go=str(tmp_path / "never"))
    worker = start_worker()
    child = process_in(tmp_path / "note-1")

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    until(lambda: not is_alive(child), 5)


@pytest.mark.database
def test_a_worker_frozen_beyond_its_lease_is_refused_when_it_wakes_up(
    jobs_db: Database, start_worker: StartWorker, tmp_path: Path
) -> None:
    """SIGSTOP in the middle of a step's work, which the second attempt is then at as well.

    The first wakes up while the step is still nobody's, and commits it: that must be refused.
    """
    note, go = str(tmp_path / "note"), str(tmp_path / "go")
    job_id = ask(jobs_db, "wait", note=note, go=go)
    frozen = start_worker(lease_s=2.0)
    child = process_in(Path(f"{note}-1"))
    frozen.send_signal(signal.SIGSTOP)
    os.kill(child.pid, signal.SIGSTOP)

    second = start_worker(lease_s=30.0)
    process_in(Path(f"{note}-2"))
    assert is_alive(child), "the lease ended by time, not because the process was gone"
    Path(f"{go}-1").touch()
    os.kill(child.pid, signal.SIGCONT)
    until(lambda: not is_alive(child), 20)
    assert counted_jobs.counted_by(jobs_db, job_id) == [("first", 1)]
    Path(f"{go}-2").touch()
    until(lambda: look(jobs_db, job_id)[0].state == JobState.DONE)
    frozen.send_signal(signal.SIGCONT)
    for worker in (frozen, second):
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=120)

    job, attempts = look(jobs_db, job_id)
    assert counted_jobs.counted_by(jobs_db, job_id) == [("first", 1), ("second", 2)]
    assert (job.state, job.result) == (JobState.DONE, {"attempt": 2})
    assert [each.outcome for each in attempts] == ["interrupted", "done"]
    assert "was not heard of until its lease ended" in attempts[0].reason
