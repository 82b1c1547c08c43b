"""`kill -9` in the middle of a run: it completes once, and the interruption stays visible."""

import random
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core.blobs import BlobStore
from core.jobs.models import AttemptOutcome, JobState
from tests.validation.runs.conftest import Department, StartWorker
from tests.validation.runs.devices import adding_device
from tests.validation.runs.killing import (
    PLANNED,
    Executioner,
    Reader,
    attempts_of,
    job_state,
    until,
)
from validation.runs.integrity import run_faults
from validation.runs.models import RunMeasurement, RunScenario, RunStep
from validation.runs.plain import run_as_plain

pytestmark = pytest.mark.verifies("TST-021", "TST-022")

FEATURE = """Feature: Slow adding

  @TST-001
  Scenario: Slow sum 1
    Given the number 1
    When one is added slowly
    Then the sum is 2

  @TST-002
  Scenario Outline: Slow sum 2
    Given the number <number>
    When one is added slowly
    Then the sum is <sum>

    Examples:
      | number | sum |
      | 2      | 3   |
      | 20     | 21  |

  @TST-003
  Scenario: Slow sum 3
    Given the number 3
    When one is added slowly
    Then the sum is 4

  @TST-004
  Scenario: Slow sum 4
    Given the number 4
    When one is added slowly
    Then the sum is 5
"""

STEPS = '''
import os, subprocess, sys, time
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("adding.feature")

HELPER = """
import itertools, sys, time
with open(sys.argv[1], "a") as ticks:
    for tick in itertools.count():
        print(tick, file=ticks, flush=True)
        time.sleep(0.01)
"""

@given(parsers.parse("the number {number:d}"), target_fixture="number")
def number(number):
    return number

@when("one is added slowly", target_fixture="total")
def add(number, evidence):
    """Add with a helper process, which never ends by itself."""
    helper = [sys.executable, "-c", HELPER, os.environ["TMPDIR"] + "/ticks"]
    subprocess.Popen(helper)
    time.sleep(0.5)
    evidence.attach("sum.txt", str(number + 1).encode(), "text/plain")
    return number + 1

@then(parsers.parse("the sum is {expected:d}"))
def check(total, expected, evidence):
    evidence.measure("sum", actual=total, expected=expected, tolerance=0)
'''

KILLS = 20
FINISHING_KILLS = 3


@pytest.fixture
def slow_department(empty_department: Department, tmp_path: Path) -> Department:
    """Four tests with five scenarios, each of which takes about a second."""
    names = {f"TST-00{number}": f"Slow sum {number}" for number in range(1, 5)}
    for uid, title in names.items():
        empty_department.add_test(uid, title)
    empty_department.add_release("REL-0.1.0", "v0.1.0", list(names))
    empty_department.add_device(adding_device(tmp_path, feature=FEATURE, steps=STEPS))
    return empty_department


def assert_complete_once(department: Department, number: int, kills: int) -> None:
    """Nothing is missing, nothing counts twice, and each interrupted attempt is on record."""
    run = department.look(number, run_as_plain)
    assert (run["state"], run["verdict"]) == ("complete", "passed")
    assert [one["name"] for one in run["scenarios"]] == PLANNED
    assert [one["ordinal"] for one in run["scenarios"]] == list(range(len(PLANNED)))

    def counts(session: Any, _run: Any) -> list[int]:
        tables = (RunScenario, RunStep, RunMeasurement)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]

    assert department.look(number, counts) == [len(PLANNED), 3 * len(PLANNED), len(PLANNED)]
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


def moments(chance: random.Random) -> list[str]:
    """Return the twenty moments: in any order, but one cannot finish before all is executed."""
    early = ["starting"] * 4 + ["preparing"] * 5 + ["executing"] * 5 + ["ended"] * 3
    chance.shuffle(early)
    return [*early, *["finishing"] * FINISHING_KILLS]


@pytest.mark.slow
def test_twenty_kills_of_one_run_lose_double_and_show_nothing_wrong(
    slow_department: Department, start_worker: StartWorker
) -> None:
    chance = random.Random(20261121)
    number = slow_department.start()
    reader = Reader(slow_department, number)
    executioner = Executioner(slow_department, start_worker, chance)

    for moment in moments(chance):
        executioner.kill(moment)
        reader.look()
    assert start_worker(slow_department, once=True).wait(timeout=120) == 0
    reader.end()

    assert sum(executioner.kills.values()) == KILLS
    assert len(executioner.interrupted) > KILLS / 2
    assert reader.reads > 2 * KILLS
    attempts = attempts_of(slow_department)
    assert [one.number for one in attempts if one.outcome != AttemptOutcome.DONE] == (
        executioner.interrupted
    )
    assert job_state(slow_department) == JobState.DONE
    assert_complete_once(slow_department, number, len(executioner.interrupted))
    page = slow_department.browser("PPL-VW").get(f"/p/RPM/runs/{number}").text
    for attempt in executioner.interrupted:
        assert f"Attempt {attempt} was cut short." in page
    assert list((slow_department.settings.data_dir / "runs").iterdir()) == []
