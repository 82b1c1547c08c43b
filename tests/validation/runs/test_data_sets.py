"""Runs on registered data sets: given those alone, held to their digests, refused otherwise."""

import shutil

import pytest

from tests.validation.runs.devices import FEATURE, adding_device
from validation.runs import job
from validation.runs.confinement import abi, in_force
from validation.runs.facts import runs_of_tests
from validation.runs.panels import runs_panel
from validation.runs.plain import run_as_plain
from validation.runs.registered import Standing, data_sets

STEPS = """
import os
from pathlib import Path
from pytest_bdd import given, parsers, scenarios, then, when

scenarios("../features")
DATA = Path(os.environ.get("FIDUCIAL_RUN_DATA", ""))

@given("the numbers 1 and 2", target_fixture="numbers")
def two():
    return [float(one) for one in (DATA / "DS-001" / "two.txt").read_text().split()]

@given("the numbers of the table", target_fixture="numbers")
def table(datatable):
    return [float(row[0]) for row in datatable[1:]]

@when("they are added", target_fixture="total")
def add(numbers):
    return sum(numbers)

@then(parsers.parse("the sum is {expected:g} within {tolerance:g}"))
def check(total, expected, tolerance, evidence):
    evidence.measure("sum", actual=total, expected=expected, tolerance=tolerance, unit="Gy")
"""

LOOKS_ASIDE = STEPS.replace('"DS-001" / "two.txt"', '"DS-009" / "two.txt"')


@pytest.fixture
def fill(empty_department, tmp_path):
    """Fill a department whose tests are on two of its three data sets."""

    def build(steps=STEPS):
        one = empty_department
        one.add_data_set("DS-001", {"two.txt": "1 2", "deep/more.txt": "3"})
        one.add_data_set("DS-002", {"table.txt": "1 2.25"})
        one.add_data_set("DS-009", {"two.txt": "1 2"})
        one.add_test("TST-001", "Two numbers are added", data=["DS-001"])
        one.add_test("TST-002", "The sum of the table is stated", data=["DS-001", "DS-002"])
        one.add_release("REL-0.1.0", "v0.1.0", ["TST-001", "TST-002"])
        one.add_device(adding_device(tmp_path, feature=FEATURE, steps=steps))
        return one

    return build


def refusals(run):
    return [event["text"] for event in run["events"] if event["kind"] == "refused"]


def test_a_run_is_given_the_sets_of_its_tests_and_keeps_their_digests(fill):
    department = fill()

    run = department.look(department.execute(), run_as_plain)

    assert run["verdict"] == "passed", run["scenarios"]
    assert [entry["path"] for entry in run["data"]] == [
        "DS-001/deep/more.txt",
        "DS-001/two.txt",
        "DS-002/table.txt",
    ]
    assert [one["uid"] for one in run["data_sets"]] == ["DS-001", "DS-002"]
    assert all(one["digest"] == one["registered_digest"] for one in run["data_sets"])
    with department.db.reading() as session:
        facts = runs_of_tests(session, "RPM")
    [held] = {fact.data_sets for fact in facts}
    assert dict(held) == {one["uid"]: one["digest"] for one in run["data_sets"]}


def test_sets_that_differ_or_are_not_there_refuse_the_run_and_are_all_named(fill):
    department = fill()
    place = department.settings.data_sets_dir / "RPM"
    (place / "DS-001" / "two.txt").write_text("1 3")
    (place / "DS-002" / "added.txt").write_text("0")

    run = department.look(department.execute(), run_as_plain)

    assert (run["state"], run["scenarios"]) == ("refused", [])
    told = refusals(run)
    assert told[0] == "The data are not those that are registered."
    assert [one.split(":")[0] for one in told[1:]] == ["DS-001", "DS-002"]
    assert all("has the digest" in one for one in told[1:])

    for uid in ("DS-001", "DS-002"):
        shutil.rmtree(place / uid)
    run = department.look(department.execute(reason="Data put back."), run_as_plain)

    assert run["state"] == "refused"
    assert [f"{place / uid}: is not a folder." in told for uid in ("DS-001", "DS-002")
            for told in [" ".join(refusals(run))]] == [True, True]  # fmt: skip


def test_a_set_that_changes_under_the_run_fails_it(fill, monkeypatch):
    department = fill()
    real = job.run_scenario

    def while_it_changes(*given, **named):
        done = real(*given, **named)
        place = department.settings.data_sets_dir / "RPM" / "DS-002"
        (place / "table.txt").write_text("9")
        return done

    monkeypatch.setattr(job, "run_scenario", while_it_changes)

    run = department.look(department.execute(), run_as_plain)

    assert run["verdict"] == "failed"
    [changed] = [event["text"] for event in run["events"] if event["kind"] == "changed"]
    assert "changed DS-002/table.txt (data)" in changed


@pytest.mark.skipif(not abi(), reason=f"on this machine: {in_force()}")
def test_step_code_reads_no_other_set(fill):
    department = fill(LOOKS_ASIDE)

    run = department.look(department.execute(), run_as_plain)

    assert [one["status"] for one in run["scenarios"]] == ["error", "passed"]
    assert "Permission denied" in run["scenarios"][0]["failure"]


def test_sets_in_a_folder_of_their_own_must_not_lead_to_the_installation(fill, tmp_path):
    department = fill()
    elsewhere = tmp_path / "large"
    shutil.copytree(department.settings.data_sets_dir, elsewhere)
    department.settings = department.settings.model_copy(update={"data_sets": elsewhere})
    run = department.look(department.execute(), run_as_plain)
    assert run["verdict"] == "passed"

    shutil.rmtree(elsewhere / "RPM" / "DS-002")
    (elsewhere / "RPM" / "DS-002").symlink_to(department.settings.data_dir.resolve())
    run = department.look(department.execute(reason="Again."), run_as_plain)

    assert run["state"] == "refused"
    assert "would let step code read" in " ".join(refusals(run))


def test_each_set_stands_to_its_record_as_it_is_told(fill):
    department = fill()
    place = department.settings.data_sets_dir / "RPM"
    (place / "DS-001" / "two.txt").write_text("1 3")
    shutil.rmtree(place / "DS-002")
    (place / "DS-009").joinpath("link.txt").symlink_to(place / "DS-001" / "two.txt")

    with department.db.reading() as session:
        found = data_sets(session, department.project(session), department.settings.data_sets_dir)

    assert [(one.uid, one.standing, one.wrong) for one in found] == [
        ("DS-001", Standing.DIFFERS, True),
        ("DS-002", Standing.ABSENT, True),
        ("DS-009", Standing.ABSENT, True),
    ]
    assert "is not an ordinary file" in found[2].as_dict()["faults"][0]


def test_the_page_of_a_data_set_lists_the_runs_on_it(fill):
    department = fill()
    number = department.execute()

    with department.db.reading() as session:
        project = department.project(session)
        from core.records.service import find_record

        used = runs_panel(session, project, find_record(session, project, "DS-002"))
        unused = runs_panel(session, project, find_record(session, project, "DS-009"))

    assert used is not None
    assert unused is not None
    assert [line.number for line in used.context["runs"]] == [number]
    assert unused.context["runs"] == []
