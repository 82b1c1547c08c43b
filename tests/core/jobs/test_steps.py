"""Steps: done once, remembered with what they wrote, refused to whoever lost the job."""

import contextlib
import secrets
from collections.abc import Callable
from typing import Any

import counted_jobs
import pytest
from counted_jobs import stored_attempts, stored_job
from sqlalchemy import insert, update
from sqlmodel import Session

from core.db import Database
from core.jobs import queue, service
from core.jobs.context import JobContext, StopRequested
from core.jobs.models import AttemptOutcome, Job, JobState
from core.jobs.processes import Process, here, this_process
from core.jobs.queue import Lease, LeaseLost
from core.jobs.running import Exit, run_attempt
from core.settings import Settings

pytestmark = pytest.mark.database

DEAD = Process(pid=4_194_304, started=1)

Begin = Callable[..., JobContext]


@pytest.fixture
def begin(jobs_db: Database) -> Begin:
    """Ask for a job when there is none, and begin its next attempt."""

    def begin(process: Process | None = None, **payload: Any) -> JobContext:
        with jobs_db.writing() as session:
            if session.get(Job, 1) is None:
                service.enqueue(session, "count", payload, None)
            queue.recover(session, here(), one_machine=False)
            session.execute(update(Job).values(not_before=queue.database_now(session)))
            worker = queue.enlist(session, here(), process or this_process(), secrets.token_hex(4))
            lease = queue.claim_next(session, worker, ["count"])
            assert lease is not None
            return context(jobs_db, lease, payload)

    return begin


def context(db: Database, lease: Lease, payload: dict[str, Any]) -> JobContext:
    return JobContext(lease.job_id, payload, db, Settings(), lease)


def add(step: str) -> Callable[[Session], dict[str, str]]:
    def fn(session: Session) -> dict[str, str]:
        session.execute(insert(counted_jobs.tally).values(job_id=1, step=step, attempt=0))
        return {"step": step}

    return fn


def test_a_finished_step_is_not_done_again_by_the_next_attempt(
    jobs_db: Database, begin: Begin
) -> None:
    first = begin(DEAD)
    assert first.step("a", add("a")) == {"step": "a"}

    second = begin()

    assert second.step("a", add("not this")) == {"step": "a"}
    assert second.step("b", add("b")) == {"step": "b"}
    assert counted_jobs.counted(jobs_db, 1) == ["a", "b"]


def test_a_step_that_fails_leaves_neither_rows_nor_memory(jobs_db: Database, begin: Begin) -> None:
    def half(session: Session) -> dict[str, str]:
        add("half")(session)
        raise OSError("in the middle")

    first = begin(DEAD)
    with pytest.raises(OSError, match="in the middle"):
        first.step("a", half)

    assert counted_jobs.counted(jobs_db, 1) == []
    assert begin().step("a", add("whole")) == {"step": "whole"}


def test_slow_work_runs_without_a_transaction_and_is_remembered_with_its_rows(
    jobs_db: Database, begin: Begin
) -> None:
    done = []

    def work() -> int:
        # Another writer gets through at once, which it would not inside a transaction on SQLite.
        with jobs_db.writing() as session:
            add("someone else")(session)
        done.append("work")
        return 42

    def commit(session: Session, value: int) -> dict[str, int]:
        add("committed")(session)
        return {"value": value}

    assert begin(DEAD).step("a", work=work, commit=commit) == {"value": 42}
    assert begin().step("a", work=work, commit=commit) == {"value": 42}
    assert done == ["work"]
    assert counted_jobs.counted(jobs_db, 1) == ["someone else", "committed"]


def test_work_without_a_commit_is_remembered_by_its_value(begin: Begin) -> None:
    first = begin(DEAD).step("a", work=lambda: {"found": [1, 2]})
    again = begin().step("a", work=lambda: {"found": []})

    assert first == again == {"found": [1, 2]}


def test_the_first_attempt_sees_the_value_as_every_later_one_will(begin: Begin) -> None:
    value = begin(DEAD).step("a", lambda _: {"pair": (1, 2), 3: None})

    assert value == {"pair": [1, 2], "3": None}
    assert begin().step("a", lambda _: None) == value


def test_a_step_that_returns_nothing_is_remembered_as_done(jobs_db: Database, begin: Begin) -> None:
    def nothing(session: Session) -> None:
        add("a")(session)

    begin(DEAD).step("a", nothing)
    begin().step("a", nothing)

    assert counted_jobs.counted(jobs_db, 1) == ["a"]


@pytest.mark.parametrize("value", [object(), float("nan"), b"bytes", {1, 2}])
def test_a_value_that_json_cannot_hold_is_refused_with_the_steps_name(
    jobs_db: Database, begin: Begin, value: object
) -> None:
    def fn(session: Session) -> object:
        add("a")(session)
        return value

    with pytest.raises(TypeError, match="Step 'a' returned what JSON cannot hold"):
        begin().step("a", fn)
    assert counted_jobs.counted(jobs_db, 1) == []


def test_two_steps_of_one_name_are_a_mistake_not_one_step(begin: Begin) -> None:
    ctx = begin()
    ctx.step("a", add("first"))

    with pytest.raises(ValueError, match="give each step a name of its own"):
        ctx.step("a", add("second"))


def test_a_step_needs_exactly_one_thing_to_do(begin: Begin) -> None:
    ctx = begin()

    with pytest.raises(ValueError, match="either a function or work"):
        ctx.step("a")
    with pytest.raises(ValueError, match="either a function or work"):
        ctx.step("b", add("b"), work=lambda: 1)


def test_an_attempt_that_lost_the_job_is_refused_before_slow_work(
    jobs_db: Database, begin: Begin
) -> None:
    former = begin(DEAD)
    begin()
    worked = []

    with pytest.raises(LeaseLost):
        former.step("a", work=lambda: worked.append(1))
    with pytest.raises(LeaseLost):
        former.step("b", add("b"))
    with pytest.raises(LeaseLost):
        former.progress(1, 1, "late")
    assert worked == []
    assert counted_jobs.counted(jobs_db, 1) == []


def test_a_lease_lost_during_slow_work_refuses_its_result(jobs_db: Database, begin: Begin) -> None:
    former = begin(DEAD)

    with pytest.raises(LeaseLost):
        former.step("a", work=begin, commit=lambda session, _: add("late")(session))

    assert counted_jobs.counted(jobs_db, 1) == []


def test_a_job_that_swallows_every_exception_does_not_swallow_a_lost_lease(
    begin: Begin,
) -> None:
    former = begin(DEAD)
    begin()

    def careless() -> None:
        with contextlib.suppress(Exception):
            former.check()

    with pytest.raises(LeaseLost):
        careless()


def test_a_stop_is_obeyed_between_steps(jobs_db: Database, begin: Begin) -> None:
    ctx = begin()
    ctx.step("a", add("a"))
    ctx.stopping = lambda: True

    with pytest.raises(StopRequested):
        ctx.step("b", add("b"))
    assert counted_jobs.counted(jobs_db, 1) == ["a"]


def test_progress_is_shown_and_not_written_for_every_row(jobs_db: Database, begin: Begin) -> None:
    ctx = begin()

    for done in range(1000):
        ctx.progress(done, 1000, f"row {done}")
    with jobs_db.reading() as session:
        early = session.get_one(Job, 1).progress
    ctx.progress(1000, 1000, "all rows")

    assert early == {"done": 0, "total": 1000, "text": "row 0"}
    job = stored_job(jobs_db, 1)
    assert job.progress == {"done": 1000, "total": 1000, "text": "all rows"}
    assert service.percent(job) == 100


def test_progress_inside_a_step_belongs_to_its_transaction(jobs_db: Database, begin: Begin) -> None:
    ctx = begin()

    def fn(session: Session) -> None:
        ctx.progress(1, 2, "half")
        raise OSError("in the middle")

    with pytest.raises(OSError, match="middle"):
        ctx.step("a", fn)
    with jobs_db.reading() as session:
        assert session.get_one(Job, 1).progress == {}


def test_an_attempt_knows_which_ones_were_cut_short_before_it(begin: Begin) -> None:
    begin(DEAD)
    begin(DEAD)

    third = begin()

    assert third.attempt == 3
    assert [attempt.number for attempt in third.interrupted_attempts] == [1, 2]
    assert {attempt.outcome for attempt in third.earlier_attempts} == {AttemptOutcome.INTERRUPTED}
    assert "ended without finishing" in third.interrupted_attempts[0].reason


def run(db: Database, ctx: JobContext, kind: str) -> Exit:
    return run_attempt(db, Settings(), ctx.lease, counted_jobs.KINDS[kind])


def test_a_refusal_of_the_domain_is_final_and_told_in_full(jobs_db: Database, begin: Begin) -> None:
    assert run(jobs_db, begin(), "refuse") is Exit.RECORDED

    job = stored_job(jobs_db, 1)
    assert job.state == JobState.FAILED
    assert job.error.splitlines()[0] == "The input is not acceptable."
    assert "line 3: is empty." in job.error.splitlines()[1]


def test_an_unexpected_error_is_retried_and_keeps_what_was_finished(
    jobs_db: Database, begin: Begin
) -> None:
    assert run(jobs_db, begin(), "fail_once") is Exit.RECORDED
    assert stored_job(jobs_db, 1).state == JobState.QUEUED

    assert run(jobs_db, begin(), "fail_once") is Exit.RECORDED

    assert (stored_job(jobs_db, 1).state, stored_job(jobs_db, 1).result) == (
        JobState.DONE,
        {"attempt": 2},
    )
    assert counted_jobs.counted(jobs_db, 1) == ["first"]


def test_the_log_names_the_place_of_an_error_but_not_its_words(
    jobs_db: Database, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    ctx = begin(patient="1234567")

    run(jobs_db, ctx, "fail")

    assert "RuntimeError at" in caplog.text
    assert "counted_jobs.py" in caplog.text
    assert "1234567" not in caplog.text
    assert "RuntimeError: patient 1234567" in stored_attempts(jobs_db, 1)[0].detail


def test_a_kind_without_a_function_fails_with_its_name(jobs_db: Database, begin: Begin) -> None:
    run(jobs_db, begin(), "missing")

    assert stored_job(jobs_db, 1).state == JobState.FAILED
    assert "'counted_jobs:no_such_function' cannot be loaded" in stored_job(jobs_db, 1).error


def test_a_lost_attempt_records_nothing(jobs_db: Database, begin: Begin) -> None:
    former = begin(DEAD, steps=2)
    begin()

    assert run(jobs_db, former, "count") is Exit.LEASE_LOST
    assert stored_job(jobs_db, 1).state == JobState.RUNNING
    assert counted_jobs.counted(jobs_db, 1) == []
