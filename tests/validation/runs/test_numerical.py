"""Numerical comparisons: data frozen by hash, no plan and no identity, never part of a release."""

import hashlib

import pytest

from app.running import run_protocol
from core.errors import Invalid
from tests.validation.runs.devices import FEATURE, STEPS, adding_device
from validation.runs import job
from validation.runs.confinement import abi, in_force
from validation.runs.plain import run_as_plain
from validation.runs.verdicts import verdicts

NUMERICAL_FEATURE = """Feature: Published figures

  @numerical
  Scenario: The stored sum agrees with the published one
    Given the data folder of this run
    Then its sum is the published one
"""

NUMERICAL_STEPS = """
import os
from pathlib import Path
from pytest_bdd import given, scenarios, then

scenarios("published.feature")

@given("the data folder of this run", target_fixture="folder")
def folder(evidence):
    return Path(os.environ["FIDUCIAL_RUN_DATA"])

@then("its sum is the published one")
def check(folder, evidence):
    total = sum(float(line) for line in (folder / "values.txt").read_text().split())
    evidence.measure("sum", actual=total, expected=3.5, tolerance=0.01, unit="Gy")
"""


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "values.txt").write_text("1.0 2.5")
    return folder


def fill(department, tmp_path, steps=NUMERICAL_STEPS):
    department.add_test("TST-001", "Two numbers are added")
    department.add_test("TST-002", "The sum of the table is stated")
    department.add_release("REL-0.1.0", "v0.1.0", ["TST-001", "TST-002"])
    device = adding_device(tmp_path, steps=STEPS.replace('"../features"', '"adding.feature"'))
    device.write({"features/published.feature": NUMERICAL_FEATURE, "steps/published.py": steps})
    device.repository.delete_tag("v0.1.0")
    device.commit("v0.1.0")
    department.add_device(device)
    return department


def test_a_comparison_needs_neither_release_nor_approval_and_names_its_data(
    empty_department, tmp_path, data
):
    department = fill(empty_department, tmp_path)

    number = department.execute(release="", protocol="numerical", data=data)

    run = department.look(number, run_as_plain)
    assert (run["verdict"], run["release"], run["tests"]) == ("passed", None, [])
    assert run["data"] == [
        {
            "path": "values.txt",
            "size": 7,
            "sha256": hashlib.sha256(b"1.0 2.5").hexdigest(),
        }
    ]
    [scenario] = run["scenarios"]
    assert (scenario["test"], scenario["status"]) == (None, "passed")
    assert scenario["steps"][1]["measurements"][0]["actual"] == 3.5
    with department.db.reading() as session:
        assert verdicts(session, "RPM") == {}


def test_data_that_change_under_the_run_do_not_pass(empty_department, tmp_path, data, monkeypatch):
    """Somebody else writes into the folder, after it was frozen and before it is read."""
    real = job.run_scenario

    def while_it_changes(*given, **named):
        (data / "values.txt").write_text("1.5 2.0")
        return real(*given, **named)

    monkeypatch.setattr(job, "run_scenario", while_it_changes)
    department = fill(empty_department, tmp_path)

    number = department.execute(release="", protocol="numerical", data=data)

    run = department.look(number, run_as_plain)
    assert [scenario["status"] for scenario in run["scenarios"]] == ["passed"]
    assert run["verdict"] == "failed"
    [changed] = [event["text"] for event in run["events"] if event["kind"] == "changed"]
    assert "changed values.txt (data)" in changed


@pytest.mark.skipif(not abi(), reason=f"on this machine: {in_force()}")
def test_step_code_does_not_write_into_the_data(empty_department, tmp_path, data):
    steps = NUMERICAL_STEPS + '    (folder / "values.txt").write_text("9")\n'
    department = fill(empty_department, tmp_path, steps)

    number = department.execute(release="", protocol="numerical", data=data)

    run = department.look(number, run_as_plain)
    [scenario] = run["scenarios"]
    assert run["verdict"] == "failed"
    assert "Permission denied" in scenario["failure"]
    assert [event["kind"] for event in run["events"]] == ["checked", "checked"]
    assert (data / "values.txt").read_text() == "1.0 2.5"


def test_data_within_or_around_the_installation_are_refused(empty_department, tmp_path, data):
    """Step code reads the data folder, so it would read the keys and the database there."""
    department = fill(empty_department, tmp_path)
    private = department.settings.data_dir.resolve()
    own = private / "figures"
    own.mkdir()
    (own / "values.txt").write_text("1.0 2.5")

    for folder in (own, private.parent):
        number = department.start(release="", protocol="numerical", data=folder)
        department.work()
        run = department.look(number, run_as_plain)
        assert (run["state"], run["scenarios"]) == ("refused", [])
        assert f"would let step code read {private}" in str(run["events"])
        with pytest.raises(Invalid) as refusal:
            run_protocol(
                department.db,
                department.settings,
                "RPM",
                department.actors["PPL-FR"],
                protocol="numerical",
                data=folder,
            )
        assert [fault.code for fault in refusal.value.faults] == ["data-private"]


def test_an_empty_or_unnamed_folder_is_refused(empty_department, tmp_path):
    department = fill(empty_department, tmp_path)
    (tmp_path / "empty").mkdir()

    for folder, code in [(tmp_path / "empty", "data-empty"), (None, "data-missing")]:
        with pytest.raises(Invalid) as refusal:
            department.start(release="", protocol="numerical", data=folder)
        assert [fault.code for fault in refusal.value.faults] == [code]


def test_a_repository_without_numerical_scenarios_refuses(department, data):
    number = department.execute(release="", protocol="numerical", data=data)

    run = department.look(number, run_as_plain)
    assert run["state"] == "refused"
    assert "no scenario is tagged @numerical" in run["events"][1]["text"]


def test_a_comparison_may_be_repeated_without_a_reason(empty_department, tmp_path, data):
    department = fill(empty_department, tmp_path)
    department.execute(release="", protocol="numerical", data=data)

    second = department.execute(release="", protocol="numerical", data=data)

    assert department.look(second, run_as_plain)["predecessor"] == 1
    assert "@TST-001" in FEATURE
