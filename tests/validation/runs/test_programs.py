"""Programs start runs: with a token made for it, and with every fault at once where it fails."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from app.main import create_app
from core.errors import Invalid
from core.people.tokens import ACT, START, WRITE
from tests.programs import Program
from tests.validation.runs.conftest import Department
from validation.runs.requests import RunRequest, examine

AT = "/api/p/RPM/runs"


@pytest.fixture
def service(with_run: Department) -> FastAPI:
    return create_app(with_run.settings, with_run.db)


def test_a_run_is_started_followed_and_told(with_run: Department, service: FastAPI) -> None:
    program = Program(service, with_run.db, "PPL-FR", START)
    wanted = {"release": "REL-0.1.0", "reason": "Once more.", "predecessor": 1}

    answer = program.post(AT, wanted)
    again = program.post(AT, wanted)

    told = answer.json()
    assert answer.status_code == 202
    assert told == {"number": 2, "run": "/p/RPM/runs/2.json", "follow": told["follow"]}
    assert answer.headers["location"] == told["run"]
    assert program.get(told["follow"])["state"] == "queued"
    run, before = program.get(told["run"]), program.get("/p/RPM/runs/1.json")
    assert (run["state"], run["tester"]["uid"], run["predecessor"]) == ("queued", "PPL-FR", 1)
    lines = program.get(AT)["runs"]
    assert [(one["number"], one["verdict"]) for one in lines] == [(2, "queued"), (1, "passed")]
    assert lines[1]["commit"] == before["device"]["commit"]
    assert again.status_code == 409


def test_every_fault_is_told_and_nothing_is_started(with_run: Department, service: FastAPI) -> None:
    program = Program(service, with_run.db, "PPL-FR", START)

    wrong = program.post(AT, {"release": "REL-9", "predecessor": 7, "data": "/etc"})
    unknown = program.post(AT, {"release": "REL-0.1.0", "protocol": "other"})

    codes = {one["code"] for one in wrong.json()["faults"]}
    assert wrong.status_code == 422
    assert {"release-unknown", "data-not-taken", "predecessor-unknown"} <= codes
    assert (unknown.status_code, unknown.json()["faults"]) == (404, [])
    assert program.get(AT)["total"] == 1


def test_neither_another_token_nor_another_person_starts_any(
    with_run: Department, service: FastAPI
) -> None:
    refused = [
        Program(service, with_run.db, "PPL-FR"),
        Program(service, with_run.db, "PPL-FR", WRITE, ACT),
        Program(service, with_run.db, "PPL-VW", START),
    ]

    answers = [one.post(AT, {"release": "REL-0.1.0", "reason": "Again."}) for one in refused]

    assert [one.status_code for one in answers] == [403, 403, 403]
    assert refused[0].get(AT)["total"] == 1


def faults_of(with_run: Department, data: Path, *within: Path) -> set[str]:
    """Return what is wrong with asking for a numerical comparison of a folder."""
    wanted = RunRequest(protocol="numerical", data=data, data_within=tuple(within))
    with with_run.db.reading() as session:
        try:
            examine(session, with_run.project(session), wanted)
        except Invalid as error:
            return {one.code for one in error.faults}
    return set()


def test_data_is_taken_from_the_folders_that_are_named_for_it_and_from_no_other(
    with_run: Department, tmp_path: Path
) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    for folder in (allowed / "set", other):
        folder.mkdir(parents=True)
        (folder / "values.csv").write_text("1\n")
    (allowed / "away").symlink_to(other)

    assert faults_of(with_run, allowed / "set", allowed) == set()
    for outside in (other, allowed / "away", allowed / ".." / "other", tmp_path / "nothing"):
        assert faults_of(with_run, outside, allowed) == {"data-not-allowed"}
    assert faults_of(with_run, allowed / "set") == {"data-not-allowed"}
