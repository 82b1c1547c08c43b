"""What a run finds of the installation it is executed on."""

import pytest

from core.canonical import digest
from engine.provenance import engine_digest
from tests.validation.runs.devices import adding_device
from validation.runs import installation, job
from validation.runs.facts import facts_of
from validation.runs.installation import (
    InstallationCheck,
    check_installation,
    installation_at_end,
    other_versions,
)
from validation.runs.plain import run_as_plain

pytestmark = pytest.mark.verifies("TST-020")


def test_the_installation_here_passes_its_check() -> None:
    found = check_installation({"machine": "here"})

    assert found.problems == ()
    assert found.figures >= 20
    assert found.environment_digest == digest({"machine": "here"})
    assert found.engine_digest == engine_digest()
    assert found.sentence.startswith("The installation passed its check: packages as locked, ")


def test_the_engine_is_read_again_when_a_run_has_ended() -> None:
    assert installation_at_end({}).engine_digest == engine_digest()


def test_another_version_than_the_locked_one_fails_the_check(monkeypatch, tmp_path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==0.0.1 \\\n    --hash=sha256:0\nabsent==1\n")
    monkeypatch.setattr(installation, "lock_file", lambda: lock)

    [problem] = check_installation({}).problems

    assert problem.startswith("numpy ")
    assert problem.endswith(", locked is 0.0.1")


def test_an_installation_without_a_lock_says_so(monkeypatch) -> None:
    monkeypatch.setattr(installation, "lock_file", lambda: None)

    assert check_installation({}).problems == ("there is no package lock to compare with",)


def test_names_of_packages_are_compared_however_they_are_spelled() -> None:
    assert other_versions("ruamel-yaml==1\n", {"Ruamel.Yaml": "1"}) == []


def test_a_run_keeps_what_it_found_before_and_after(executed) -> None:
    run = executed.look(1, run_as_plain)

    before, after = [one for one in run["events"] if one["kind"] == "checked"]
    assert (before["data"]["when"], after["data"]["when"]) == ("start", "end")
    assert before["data"]["environment_digest"] == run["environment_digest"]
    assert after["data"]["engine_digest"] == run["engine"]["digest"]
    for fact in facts_of(run):
        assert fact.installation is not None
        assert (fact.installation.problems, fact.installation.kept) == ((), True)
        assert fact.anomalies == "none"
    page = executed.browser("PPL-VW").get("/p/RPM/runs/1").text
    assert "The installation passed its check" in page


@pytest.mark.parametrize("part", ["environment_digest", "engine_digest"])
def test_a_run_whose_environment_changes_does_not_pass(
    empty_department, tmp_path, monkeypatch, part: str
) -> None:
    from tests.validation.runs.conftest import fill

    fill(empty_department, adding_device(tmp_path))
    real = installation_at_end

    def changed(models):
        found = vars(real(models))
        return InstallationCheck(**{**found, part: "0" * 64})

    monkeypatch.setattr(job, "installation_at_end", changed)
    empty_department.execute()

    run = empty_department.look(1, run_as_plain)
    assert run["verdict"] == "failed"
    [told] = [one["text"] for one in run["events"] if one["kind"] == "changed"]
    assert ("the engine" if part == "engine_digest" else "the environment") in told
    assert [one.installation.kept for one in facts_of(run)] == [False, False]


def test_a_run_that_never_looked_is_told_as_such(executed) -> None:
    run = executed.look(1, run_as_plain)

    without = {**run, "events": []}

    assert {one.installation for one in facts_of(without)} == {None}
