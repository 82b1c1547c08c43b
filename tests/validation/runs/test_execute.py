"""The isolated child: what reaches it, what bounds it, and that nothing of it stays behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.validation.runs.devices import folder_with
from validation.recorder.evidence import ScenarioEvidence, Status
from validation.runs.data import RunData
from validation.runs.execute import (
    INSTALL_ROOT,
    Executed,
    Limits,
    list_scenarios,
    run_scenario,
)

FEATURE = """Feature: One step

  @TST-001
  Scenario: The step of this test
    Given a first step
    Then the step is taken
"""

STEP = """
from pytest_bdd import given, scenarios, then

scenarios("adding.feature")

@given("a first step")
def first(evidence):
    evidence.measure("one", actual=1, expected=1, tolerance=0)

@then("the step is taken")
def taken(evidence, request):
    import os, sys, time
{body}
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Executed]:
    """Execute one scenario whose second step has the given body."""

    def one(
        body: str, *, limits: Limits | None = None, data: Path | None = None, **files: str
    ) -> Executed:
        checkout = folder_with(
            tmp_path / "checkout",
            FEATURE,
            STEP.format(body=textwrap.indent(textwrap.dedent(body), "    ")),
            **files,
        )
        [planned] = scenarios(checkout, tmp_path / "listing")
        return run_scenario(
            checkout, planned, tmp_path / "attempt", limits=limits or Limits(), data=data
        )

    return one


def scenarios(checkout: Path, work: Path) -> list[ScenarioEvidence]:
    listed = list_scenarios(checkout, work)["scenarios"]
    return [ScenarioEvidence.from_dict(one["scenario"]) for one in listed]


def equal(name: str, expression: str, expected: object) -> str:
    given = f"actual={expression}, expected={expected!r}, comparison='equal'"
    return f"evidence.measure({name!r}, {given})"


def test_foreign_configuration_conftest_and_plugins_are_not_used(run, tmp_path, monkeypatch):
    explode = "raise RuntimeError('foreign code ran')\n"
    (tmp_path / "conftest.py").write_text(explode)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "foreign.py").write_text(explode)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "foreign")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    done = run(
        equal("xdist", "request.config.pluginmanager.hasplugin('xdist')", False)
        + "\n"
        + equal("root", "request.config.rootpath.name", "checkout"),
        **{
            "conftest.py": explode,
            "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--no-such-option"]\n',
            "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
            "setup.cfg": "[tool:pytest]\naddopts = --no-such-option\n",
            "sitecustomize.py": explode,
        },
    )

    assert done.evidence.status == Status.PASSED, done.evidence.failure


def test_only_the_step_code_has_its_assertions_explained(run):
    compiled = "type({}.__spec__.loader).__name__ == 'AssertionRewritingHook'"

    done = run(
        "import pydicom, engine.errors, steps.inner.shapes\n"
        + "\n".join(
            equal(module, compiled.format(module), expected)
            for module, expected in {
                "sys.modules[__name__]": True,
                "steps.inner.shapes": True,
                "pydicom": False,
                "engine.errors": False,
            }.items()
        ),
        **{"steps/inner/shapes.py": "SIDES = 4\n"},
    )

    assert done.evidence.status == Status.PASSED, done.evidence.failure


def test_no_setting_or_secret_of_the_service_reaches_the_child(run, monkeypatch, tmp_path):
    monkeypatch.setenv("FIDUCIAL_DATABASE_URL", "postgresql://s3cr3t")
    monkeypatch.setenv("SECRET_TOKEN", "s3cr3t")
    data = tmp_path / "data"

    done = run(
        equal("environment", "[v for v in os.environ.values() if 's3cr3t' in v]", [])
        + "\n"
        + equal("data", "os.environ['FIDUCIAL_RUN_DATA']", str(data)),
        data=RunData(data),
    )

    assert done.evidence.status == Status.PASSED, done.evidence.failure


def test_the_device_cannot_put_its_own_engine_in_front_of_ours(run):
    done = run(
        "import engine\nimport steps.shapes\n"
        + equal("engine", "engine.__path__[0]", str(INSTALL_ROOT / "engine"))
        + "\n"
        + equal("own module", "steps.shapes.SIDES", 4),
        **{
            "engine/__init__.py": "raise RuntimeError('shadowed')\n",
            "steps/shapes.py": "SIDES = 4\n",
        },
    )

    assert done.evidence.status == Status.PASSED, done.evidence.failure


def test_a_scenario_over_its_time_is_an_error_in_the_step_where_it_was(run):
    done = run("time.sleep(60)", limits=Limits(wall_s=6.0))

    assert done.end.timed_out
    assert done.evidence.status == Status.ERROR
    assert "wall-clock limit of 6 s" in done.evidence.failure
    assert [step.status for step in done.evidence.steps] == ["passed", "error"]
    assert done.evidence.steps[0].measurements[0].actual == 1


def test_memory_is_bounded(run):
    done = run("held = bytearray(3 * 2**30)", limits=Limits(memory_bytes=2 * 2**30))

    assert done.evidence.status == Status.ERROR
    assert "MemoryError" in done.evidence.failure


def test_cpu_time_is_bounded(run):
    done = run("while True: pass", limits=Limits(cpu_s=4))

    assert done.evidence.status == Status.ERROR
    assert "used more than its 4 s of processor time and was ended" in done.evidence.failure
    assert [step.status for step in done.evidence.steps] == ["passed", "error"]


def test_a_scenario_that_does_not_listen_to_the_limit_is_ended_all_the_same(run):
    deaf = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"

    done = run(deaf, limits=Limits(cpu_s=5))

    assert done.evidence.status == Status.ERROR
    assert "SIGKILL" in done.evidence.failure


def test_a_written_file_is_bounded(run, tmp_path):
    done = run(
        "from pathlib import Path\nPath(os.environ['TMPDIR'], 'x').write_bytes(bytes(2**24))",
        limits=Limits(file_bytes=2**22),
    )

    assert done.evidence.status == Status.ERROR
    assert "File too large" in done.evidence.failure


@pytest.mark.parametrize(
    ("body", "named"),
    [("os._exit(0)", "exit code 0"), ("os.kill(os.getpid(), 9)", "SIGKILL")],
)
def test_a_child_that_vanishes_never_passes(run, body, named):
    done = run(f"print('last words', flush=True)\n{body}")

    assert done.evidence.status == Status.ERROR
    assert named in done.evidence.failure
    assert done.end.stdout.is_file()
    assert done.evidence.steps[1].status == "error"


@pytest.mark.parametrize("leaving", [False, True])
def test_a_process_the_scenario_left_behind_is_ended(run, tmp_path, leaving):
    """Also one that left the scenario's process group."""
    pid_file = tmp_path / "checkout" / "pid"

    done = run(
        "import subprocess\n"
        "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
        f"start_new_session={leaving})\n"
        f"open({str(pid_file)!r}, 'w').write(str(left.pid))\n"
        + equal("started", "left.poll()", None)
    )

    assert done.evidence.status == Status.PASSED, done.evidence.failure
    assert gone(int(pid_file.read_text()))


def test_the_evidence_so_far_is_told_while_the_scenario_runs(tmp_path):
    checkout = folder_with(tmp_path / "c", FEATURE, STEP.format(body="    time.sleep(2)"))
    [planned] = scenarios(checkout, tmp_path / "l")
    seen: list[tuple[str, ...]] = []

    run_scenario(
        checkout,
        planned,
        tmp_path / "a",
        on_step=lambda evidence: seen.append(tuple(step.status for step in evidence.steps)),
    )

    assert ("passed", "running") in seen


SERVICE = """
import json, sys
from pathlib import Path
from validation.recorder.evidence import ScenarioEvidence
from validation.runs.execute import run_scenario
planned = ScenarioEvidence.from_dict(json.loads(sys.argv[2]))
run_scenario(Path(sys.argv[1]), planned, Path(sys.argv[3]))
"""


def test_killing_the_service_ends_the_scenario_and_all_it_started(tmp_path):
    pid_file = tmp_path / "c" / "pids"
    body = (
        "    import subprocess\n"
        "    own = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    with open({str(pid_file)!r} + '.new', 'w') as f: "
        "f.write(f'{os.getppid()} {os.getpid()} {own.pid}')\n"
        f"    os.rename({str(pid_file)!r} + '.new', {str(pid_file)!r})\n"
        "    time.sleep(600)\n"
    )
    checkout = folder_with(tmp_path / "c", FEATURE, STEP.format(body=body))
    [planned] = scenarios(checkout, tmp_path / "l")
    service = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SERVICE, checkout, json.dumps(planned.as_dict()), tmp_path / "a"],
        cwd=INSTALL_ROOT,
        env={**os.environ, "PYTHONPATH": str(INSTALL_ROOT)},
    )
    wait_until(pid_file.exists, 120)
    supervisor, scenario, grandchild = (int(pid) for pid in pid_file.read_text().split())
    assert not any(gone(pid, 0) for pid in (supervisor, scenario, grandchild))

    service.send_signal(signal.SIGKILL)
    service.wait()

    assert gone(supervisor)
    assert gone(scenario)
    assert gone(grandchild)
    kept = json.loads((tmp_path / "a" / "out" / "scenario.jsonl").read_text())
    assert ScenarioEvidence.from_dict(kept).status == Status.RUNNING


def gone(pid: int, within_s: float = 60.0) -> bool:
    """Say whether a process has ended (a zombie has)."""

    def ended() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"

    return wait_until(ended, within_s, fail=False)


def wait_until(condition: Callable[[], bool], within_s: float, *, fail: bool = True) -> bool:
    deadline = time.monotonic() + within_s
    while True:
        if condition():
            return True
        if time.monotonic() > deadline:
            assert not fail, f"not within {within_s} s"
            return False
        time.sleep(0.02)
