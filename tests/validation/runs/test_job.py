"""A run from its start to its verdict: a real repository, real children, a real database."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.jobs.service import enqueue
from core.ledger.models import LedgerEntry
from core.records.models import ObservedLink
from tests.validation.runs.conftest import fill
from tests.validation.runs.devices import FEATURE, STEPS, adding_device
from validation.runs.models import Run, RunScenario
from validation.runs.plain import run_as_plain

pytestmark = pytest.mark.slow


def test_a_run_records_every_step_and_passes(executed):
    run = executed.look(1, run_as_plain)
    assert (run["state"], run["verdict"]) == ("complete", "passed")
    assert run["counts"] == {
        "scenarios": 2,
        "by_status": {"passed": 2},
        "passed": 2,
        "steps": 6,
        "measurements": 2,
        "measurements_failed": 0,
    }
    first, second = run["scenarios"]
    assert (first["test"], second["test"]) == ("TST-001", "TST-002")
    assert first["steps"][2]["measurements"] == [
        {
            "name": "sum",
            "comparison": "within",
            "expected": 3,
            "tolerance": 0.5,
            "actual": 3,
            "unit": "Gy",
            "passed": True,
        }
    ]
    assert run["device"]["commit"] == executed.device.repository.head.commit.hexsha
    assert run["device"]["clean"]
    assert run["tester"] == {
        "name": "Farid Rowe",
        "uid": "PPL-FR",
        "role": "validation_tester",
    }
    assert [test["verdict"] for test in run["tests"]] == ["passed", "passed"]
    assert run["tests"][0]["approved_by"] == "Esther Quill"
    for name in ("protocol_digest", "environment_digest"):
        assert len(run[name]) == 64
    assert len(run["engine"]["digest"]) == 64
    assert run["environment"]["packages"]["pytest-bdd"]
    assert run["environment"]["lock_digest"]
    assert [event["kind"] for event in run["events"]] == ["checked", "checked"]


def test_every_scenario_and_the_start_and_end_of_a_run_are_in_the_audit_trail(executed):
    def entries(session, _run):
        return session.execute(
            select(LedgerEntry.action, LedgerEntry.person_name, LedgerEntry.subject)
            .where(col(LedgerEntry.action).startswith("run:"))
            .order_by(col(LedgerEntry.seq))
        ).all()

    assert [tuple(row) for row in executed.look(1, entries)] == [
        ("run:run:start", "Farid Rowe", "run 1"),
        ("run:run:begin", "", "run 1"),
        ("run:scenario:record", "", "run 1"),
        ("run:scenario:record", "", "run 1"),
        ("run:run:complete", "", "run 1"),
    ]


def test_a_complete_run_is_seen_on_its_test_records(executed):
    def links(session, _run):
        found = session.scalars(select(ObservedLink).where(col(ObservedLink.kind) == "run"))
        return [(link.source_ref, link.role, link.attributes) for link in found]

    [first, second] = executed.look(1, links)
    assert first[:2] == second[:2] == ("run 1", "executed_by")
    assert first[2] == {
        "verdict": "passed",
        "commit": executed.device.repository.head.commit.hexsha,
        "revision": 1,
        "address": "/p/RPM/runs/1",
    }


@pytest.mark.database
def test_a_failed_scenario_fails_the_run_and_the_others_are_executed_all_the_same(
    empty_department, tmp_path
):
    wrong = FEATURE.replace("sum is 3 within", "sum is 4 within")
    fill(empty_department, adding_device(tmp_path, feature=wrong))

    run = empty_department.look(empty_department.execute(), run_as_plain)

    assert run["verdict"] == "failed"
    assert [one["status"] for one in run["scenarios"]] == ["failed", "passed"]
    assert "sum: 3.0 Gy, expected 4.0 Gy within 0.5 Gy" in run["scenarios"][0]["failure"]
    assert run["counts"]["measurements_failed"] == 1


@pytest.mark.parametrize("tag", ["@skip", "@xfail"])
def test_a_skipped_or_xfailed_scenario_does_not_pass(empty_department, tmp_path, tag):
    feature = FEATURE.replace("@TST-002", f"@TST-002 {tag}")
    fill(empty_department, adding_device(tmp_path, feature=feature))

    run = empty_department.look(empty_department.execute(), run_as_plain)

    assert run["verdict"] == "failed"
    assert [test["verdict"] for test in run["tests"]] == ["passed", "failed"]


@pytest.mark.database
def test_a_test_without_a_scenario_refuses_the_run_and_names_every_fault(
    empty_department, tmp_path
):
    feature = FEATURE.replace("@TST-002", "@TST-009").replace("Two numbers", "Three numbers")
    fill(empty_department, adding_device(tmp_path, feature=feature))

    run = empty_department.look(empty_department.execute(), run_as_plain)

    assert (run["state"], run["verdict"], run["scenarios"]) == ("refused", "refused", [])
    said = "\n".join(event["text"] for event in run["events"])
    assert "TST-002: no scenario of the repository" in said
    assert "tagged @TST-009, but there is no such test" in said
    assert 'called "Three numbers are added" and the record "Two numbers are added"' in said
    assert {event["kind"] for event in run["events"]} == {"refused"}


def test_a_manual_test_reads_not_run(department, tmp_path):
    department.add_test("TST-020", "Read by two people", method="manual")
    department.add_release("REL-0.2.0", "v0.1.0", ["TST-001", "TST-020"])

    run = department.look(department.execute(release="0.2.0"), run_as_plain)

    assert run["verdict"] == "passed"
    assert {test["uid"]: test["verdict"] for test in run["tests"]} == {
        "TST-001": "passed",
        "TST-020": "not run",
    }


def test_a_protocol_that_changes_its_own_folder_does_not_pass(empty_department, tmp_path):
    steps = STEPS.replace(
        "    return sum(numbers)", "    open('left', 'w')\n    return sum(numbers)"
    )
    fill(empty_department, adding_device(tmp_path, steps=steps))

    run = empty_department.look(empty_department.execute(), run_as_plain)

    assert run["verdict"] == "failed"
    assert not run["device"]["clean"]
    [changed] = [event["text"] for event in run["events"] if event["kind"] == "changed"]
    assert "added left" in changed


def test_a_device_pinned_to_another_engine_is_refused(empty_department, tmp_path):
    manifest = 'schema: engine-app/1\nengine: {version: "9.9"}\n'
    fill(empty_department, adding_device(tmp_path, manifest=manifest))

    run = empty_department.look(empty_department.execute(), run_as_plain)

    assert run["state"] == "refused"
    assert "pinned to 9.9" in run["events"][1]["text"]


def test_the_tag_is_executed_not_what_came_after_it(department):
    department.device.write({"steps/test_adding.py": "raise RuntimeError('later')\n"})
    department.device.commit()
    department.scan()

    run = department.look(department.execute(), run_as_plain)

    assert run["verdict"] == "passed"


def test_nothing_of_a_run_stays_in_its_working_folder(executed):
    assert list((executed.settings.data_dir / "runs").iterdir()) == []


def test_every_file_of_a_run_is_kept_by_its_hash(executed):
    run = executed.look(1, run_as_plain)

    blobs = Path(executed.settings.data_dir) / "blobs"
    files = [
        file for one in run["scenarios"] for step in one["steps"] for file in step["attachments"]
    ]
    kept = [(blobs / f["sha256"][:2] / f["sha256"][2:]).read_bytes() for f in files]
    assert kept == [b"[1.0, 2.0]", b"[1.0, 2.25]"]
    evidence = run["scenarios"][0]["evidence_sha256"]
    assert (blobs / evidence[:2] / evidence[2:]).read_bytes().startswith(b'{"key": ')


@pytest.mark.database
def test_a_run_is_done_once_even_when_its_job_is_done_again(department):
    number = department.execute()

    with department.db.writing() as session:
        run = session.scalars(select(Run)).one()
        enqueue(session, "validation.run", {"run": run.id}, None)
    assert department.work() == "done"

    scenarios = department.look(number, lambda s, _r: s.scalars(select(RunScenario.name)).all())
    assert scenarios == ["scenario:TST-001:0", "scenario:TST-002:0"]


def test_a_step_that_never_ends_is_ended_and_recorded_as_an_error(empty_department, tmp_path):
    """The limit here is twelve seconds, so that listing and starting stay far below it."""
    # It waits, so that nobody's processor is kept busy; one that spins is ended in test_execute.
    endless = STEPS.replace(
        "    return sum(numbers)",
        "    import time\n    while numbers == [1, 2]: time.sleep(0.1)\n    return 3.25",
    )
    fill(empty_department, adding_device(tmp_path, steps=endless))
    limited = replace(
        empty_department,
        settings=empty_department.settings.model_copy(update={"scenario_minutes": 0.2}),
    )

    run = limited.look(limited.execute(), run_as_plain)

    first, second = run["scenarios"]
    assert (run["state"], run["verdict"]) == ("complete", "failed")
    assert [one["status"] for one in (first, second)] == ["error", "passed"]
    assert [step["status"] for step in first["steps"]] == ["passed", "error", "not reached"]
    assert first["failure"].startswith("The scenario went over its wall-clock limit of 12 s")
    assert [test["verdict"] for test in run["tests"]] == ["failed", "passed"]
