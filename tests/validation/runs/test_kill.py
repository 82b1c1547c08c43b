"""`kill -9` in the middle of a run: it completes once, and the interruption stays visible."""

import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from core.blobs import BlobStore
from core.jobs.models import Job, JobState
from tests.validation.runs.conftest import Department, StartWorker
from tests.validation.runs.devices import adding_device
from validation.runs.integrity import run_faults
from validation.runs.models import RunMeasurement, RunScenario, RunStep
from validation.runs.plain import run_as_plain

SCENARIOS = 4

FEATURE = "Feature: Slow adding\n" + "".join(
    f"""
  @TST-00{number}
  Scenario: Slow sum {number}
    Given the number {number}
    When one is added slowly
    Then the sum is {number + 1}
"""
    for number in range(1, SCENARIOS + 1)
)

STEPS = """
import time
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("adding.feature")

@given(parsers.parse("the number {number:d}"), target_fixture="number")
def number(number):
    return number

@when("one is added slowly", target_fixture="total")
def add(number, evidence):
    time.sleep(0.5)
    evidence.attach("sum.txt", str(number + 1).encode(), "text/plain")
    return number + 1

@then(parsers.parse("the sum is {expected:d}"))
def check(total, expected, evidence):
    evidence.measure("sum", actual=total, expected=expected, tolerance=0)
"""


@pytest.fixture
def slow_department(empty_department: Department, tmp_path) -> Department:
    """Four tests whose scenarios each take about a second."""
    names = {f"TST-00{number}": f"Slow sum {number}" for number in range(1, SCENARIOS + 1)}
    for uid, title in names.items():
        empty_department.add_test(uid, title)
    empty_department.add_release("REL-0.1.0", "v0.1.0", list(names))
    empty_department.add_device(adding_device(tmp_path, feature=FEATURE, steps=STEPS))
    return empty_department


def recorded(department: Department, number: int) -> list[str]:
    def names(session: Any, run: Any) -> list[str]:
        return list(
            session.scalars(
                select(RunScenario.name)
                .where(col(RunScenario.run_id) == run.id)
                .order_by(col(RunScenario.ordinal))
            )
        )

    return department.look(number, names)


def until(fact: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.01)


def assert_complete_once(department: Department, number: int, kills: int) -> None:
    """Nothing is missing, nothing counts twice, and each interrupted attempt is on record."""
    run = department.look(number, run_as_plain)
    assert (run["state"], run["verdict"]) == ("complete", "passed")
    assert [one["name"] for one in run["scenarios"]] == [
        f"scenario:TST-00{at}:0" for at in range(1, SCENARIOS + 1)
    ]
    assert [one["ordinal"] for one in run["scenarios"]] == list(range(SCENARIOS))

    def counts(session: Any, _run: Any) -> list[int]:
        tables = (RunScenario, RunStep, RunMeasurement)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    assert department.look(number, counts) == [SCENARIOS, 3 * SCENARIOS, SCENARIOS]
    interruptions = [event for event in run["events"] if event["kind"] == "interrupted"]
    assert len(interruptions) == kills
    assert len({event["data"]["attempt"] for event in interruptions}) == kills
    with department.db.reading() as session:
        assert run_faults(session, BlobStore(department.settings.data_dir / "blobs")) == []


@pytest.mark.database
def test_a_killed_worker_costs_one_scenario_and_leaves_a_note(
    slow_department: Department, start_worker: StartWorker
) -> None:
    number = slow_department.start()
    worker = start_worker(slow_department)
    third = slow_department.settings.data_dir / "runs/1/attempt-1/scenario-TST-003-0/out"
    until((third / "scenario.jsonl").exists)

    worker.send_signal(signal.SIGKILL)
    worker.wait()
    seen = slow_department.look(number, run_as_plain)
    assert seen["state"] == "running"
    assert seen["verdict"] == "running"
    assert all(one["status"] == "passed" for one in seen["scenarios"])
    before = {one["name"]: one["evidence_sha256"] for one in seen["scenarios"]}
    assert start_worker(slow_department, once=True).wait(timeout=120) == 0

    assert_complete_once(slow_department, number, kills=1)
    run = slow_department.look(number, run_as_plain)
    after = {one["name"]: one["evidence_sha256"] for one in run["scenarios"]}
    assert before.items() <= after.items()
    [note] = [event for event in run["events"] if event["kind"] == "interrupted"]
    assert '"Slow sum 3" was being executed' in note["text"]
    assert note["scenario"] == "Slow sum 3"


@pytest.mark.parametrize("seed", range(2))
def test_kills_at_random_moments_lose_and_double_nothing(
    slow_department: Department, start_worker: StartWorker, seed: int
) -> None:
    chance = random.Random(seed)
    number = slow_department.start()
    kills = 0
    for _ in range(3):
        worker = start_worker(slow_department)
        time.sleep(chance.uniform(1.0, 5.0))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert start_worker(slow_department, once=True).wait(timeout=120) == 0

    with slow_department.db.reading() as session:
        job = session.scalars(select(Job)).one()
        assert job.state == JobState.DONE
        kills = job.attempts - 1
    assert_complete_once(slow_department, number, kills)
    assert list((slow_department.settings.data_dir / "runs").iterdir()) == []
