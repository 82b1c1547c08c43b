"""Step code does its work and cannot reach what is the installation's alone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings
from core.signing.keys import PRIVATE_NAME, create_key, key_folder
from tests.conftest import ROOT
from tests.validation.runs.conftest import Department, fill
from tests.validation.runs.devices import STEPS, adding_device
from validation.runs import confinement
from validation.runs.confinement import abi, in_force, is_confined
from validation.runs.job import protected_files

pytestmark = pytest.mark.verifies("TST-020")

confined = pytest.mark.skipif(not abi(), reason=f"on this machine: {in_force()}")

TRIES = """
import os, pathlib, sqlite3, subprocess

KEY, DATABASE, BESIDE, SERVICE = {key!r}, {database!r}, {beside!r}, {service}

def outcome(act):
    try:
        act()
    except (OSError, sqlite3.Error, subprocess.CalledProcessError) as refused:
        missing = isinstance(refused, FileNotFoundError)
        return "missing" if missing else "refused"
    return "reached"

def by_a_link():
    link = pathlib.Path(os.environ["TMPDIR"], f"link-{{os.getpid()}}")
    link.symlink_to(KEY)
    link.read_bytes()

TRIES = {{
    "read the key": lambda: pathlib.Path(KEY).read_bytes(),
    "read the key by a link": by_a_link,
    "give the key another name": lambda: os.link(KEY, os.environ["TMPDIR"] + "/own.pem"),
    "read the key by a program": lambda: subprocess.run(["cat", KEY], check=True),
    "read the database": lambda: sqlite3.connect(DATABASE).execute("SELECT * FROM person"),
    "read the database's bytes": lambda: open(DATABASE, "rb"),
    "empty the database": lambda: os.truncate(DATABASE, 0),
    "remove the key": lambda: os.remove(KEY),
    "move the data folder": lambda: os.rename(os.path.dirname(KEY), BESIDE),
    "write elsewhere": lambda: pathlib.Path(BESIDE).write_text("x"),
    "read the service's environment":
        lambda: pathlib.Path(f"/proc/{{SERVICE}}/environ").read_bytes(),
    "read by the service's root": lambda: open(f"/proc/{{SERVICE}}/root{{KEY}}"),
    "send the service a signal": lambda: os.kill(SERVICE, 0),
}}

WHEN_READ = {{name: outcome(act) for name, act in TRIES.items()}}
"""

MEASURED = """
    for name, act in TRIES.items():
        evidence.measure(name, actual=outcome(act), expected="refused", comparison="equal")
    for name, seen in WHEN_READ.items():
        evidence.measure(f"{name} while listing", actual=seen, expected="refused",
            comparison="equal")
"""

BEGIN = '    evidence.input("numbers", [a, b])\n'


@pytest.fixture
def greedy(empty_department: Department, tmp_path: Path) -> Callable[[], Department]:
    """A department whose device tries everything, as the user that the service has."""
    settings = empty_department.settings
    create_key(settings.data_dir)
    database = protected_files(settings)[1] if len(protected_files(settings)) > 1 else ""
    if not database:
        pytest.skip("the database is no file here")
    tries = TRIES.format(
        key=str(key_folder(settings.data_dir) / PRIVATE_NAME),
        database=str(database),
        beside=str(tmp_path / "beside.txt"),
        service=os.getpid(),
    )
    steps = tries + STEPS.split('"""', 2)[2].replace(BEGIN, BEGIN + MEASURED)
    return lambda: fill(empty_department, adding_device(tmp_path, steps=steps))


@confined
@pytest.mark.skipif(abi() < confinement.SIGNAL_SINCE, reason=in_force())
def test_step_code_reaches_nothing_of_the_installation(greedy, tmp_path) -> None:
    department = greedy()
    key = key_folder(department.settings.data_dir) / PRIVATE_NAME
    before = key.read_bytes()

    number = department.execute()

    run = department.browser("PPL-VW").get(f"/p/RPM/runs/{number}.json").json()
    measured = {
        one["name"]: one["actual"]
        for scenario in run["scenarios"]
        for step in scenario["steps"]
        for one in step["measurements"]
    }
    assert measured.pop("sum") == pytest.approx(3.25)
    assert {name: seen for name, seen in measured.items() if seen != "refused"} == {}
    assert len(measured) == 26
    assert run["verdict"] == "passed"
    assert key.read_bytes() == before
    assert not (tmp_path / "beside.txt").exists()


@confined
def test_the_same_step_code_reaches_them_where_it_is_not_confined(greedy, monkeypatch) -> None:
    """Without this the test above would prove nothing."""
    monkeypatch.setattr(confinement, "abi", lambda: 0)
    monkeypatch.setattr("validation.runs.execute.confinement_for", lambda *_: None)
    department = greedy()

    number = department.start()
    department.work()

    words = department.browser("PPL-VW").get(f"/p/RPM/runs/{number}").text
    run = department.browser("PPL-VW").get(f"/p/RPM/runs/{number}.json").json()
    assert run["verdict"] != "passed"
    assert run["environment"]["confinement"].startswith("none: this kernel offers no Landlock")
    assert "was not confined" in words


def test_a_run_records_and_shows_how_its_step_code_was_confined(executed) -> None:
    page = executed.browser("PPL-VW").get("/p/RPM/runs/1")
    run = executed.browser("PPL-VW").get("/p/RPM/runs/1.json").json()

    assert run["environment"]["confinement"] == in_force()
    assert in_force() in page.text
    assert ("was not confined" in page.text) is not is_confined(in_force())


@confined
def test_the_data_folder_is_out_of_reach_wherever_it_lies(tmp_path) -> None:
    """Within the installation, around it, and with the work in it: as people put it."""
    for name in ("code", "code/var/keys", "code/var/runs/1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "code/engine.py").write_text("x = 1")
    (tmp_path / "code/var/keys/secret").write_text("secret")
    (tmp_path / "code/var/runs/1/own").write_text("own")
    program = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
from validation.runs.confinement import confine, Confinement
root, protected = {str(tmp_path)!r}, sys.argv[1]
confine(Confinement(
    (root + "/" + protected,), (root + "/code/engine.py", root + "/code/var/runs/1"),
    (root + "/code/var/runs/1",),
))
def reads(name):
    try:
        open(root + "/code/" + name).close()
    except PermissionError:
        return False
    return True
print(json.dumps([reads(one) for one in ("engine.py", "var/keys/secret", "var/runs/1/own")]))
"""

    for protected in ("code/var", "code"):
        command = [sys.executable, "-c", program, protected]
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        assert json.loads(told.stdout) == [True, False, True], protected


def test_a_database_beside_the_data_folder_is_protected_too(tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    apart = protected_files(Settings(data_dir=tmp_path / "var", database_url=url))
    server = protected_files(
        Settings(data_dir=tmp_path / "var", database_url="postgresql://u:p@h/d")
    )

    names = ["var", "elsewhere.db", "elsewhere.db-wal", "elsewhere.db-shm", "elsewhere.db-journal"]
    assert [one.name for one in apart] == names
    assert [one.name for one in server] == ["var"]


@confined
def test_what_cannot_be_confined_is_not_executed(greedy, monkeypatch) -> None:
    """A kernel that refuses after it offered: the child ends before the device's code begins."""
    real = confinement.confinement_for

    def broken(*given):
        bounds = real(*given)
        return confinement.Confinement(bounds.protected, bounds.needed, ("\0",))

    monkeypatch.setattr("validation.runs.execute.confinement_for", broken)
    department = greedy()
    number = department.start()
    department.work()

    run = department.browser("PPL-VW").get(f"/p/RPM/runs/{number}.json").json()
    assert run["state"] == "refused"
    assert run["scenarios"] == []
