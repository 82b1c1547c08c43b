"""Programs read where a release stands, freeze its baseline and compare two of them."""

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import col

from app import errors
from core.people.models import Person
from core.people.service import grant
from core.people.tokens import ACT, START
from core.records.api.routes import router as records
from core.records.service import find_project
from core.settings import Settings
from qms.baselines.api.routes import router as baselines
from qms.releases.api.routes import router as releases
from qms.releases.service import release_check
from tests.programs import Program

AT = "/api/p/RPM"


@pytest.fixture
def service(device, tmp_path) -> FastAPI:
    with device.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-AK")).one()
        project = find_project(session, "RPM")
        grant(session, person, ["author", "developer"], None, project.id)
    service = FastAPI()
    service.state.database, service.state.settings = device.db, Settings(data_dir=tmp_path)
    errors.register(service)
    for router in (baselines, releases, records):
        service.include_router(router)
    return service


@pytest.fixture
def program(service, device) -> Program:
    return Program(service, device.db, "PPL-AK", ACT)


def test_whole_check_is_that_of_the_command(program, device) -> None:
    told = program.get(f"{AT}/check")
    of_release = program.get(f"{AT}/check", release="0.1.0")
    unknown = program.ask("GET", f"{AT}/check?gate=nothing")

    with device.db.reading() as session:
        assert told == release_check(session, "RPM").as_json()
        assert of_release == release_check(session, "RPM", "REL-0.1.0").as_json()
    assert (told["release"], of_release["release"]) == ("", "REL-0.1.0")
    assert unknown.status_code == 404


def test_a_release_tells_its_five_steps_and_whose_turn_it_is(program) -> None:
    releases = {one["uid"]: one for one in program.get(f"{AT}/releases")}

    told = releases["REL-0.1.0"]
    assert [one["name"] for one in told["steps"]] == [
        "Freeze baseline", "Validate", "Release check", "Sign", "Pack",
    ]  # fmt: skip
    assert (told["current"], told["steps"][0]["state"]) == (1, "to do")
    assert (told["turn"]["act"], told["turn"]["mine"]) == ("Submit for signatures", True)
    assert told["result"]["passed"] is False
    planned = [one for one in releases.values() if one["standing"] == "planned"]
    assert planned
    assert all(one["steps"] == [] and one["result"] is None for one in planned)


def test_a_baseline_is_frozen_read_and_compared_with_the_next(program, device) -> None:
    frozen = program.post(f"{AT}/releases/REL-0.1.0/baseline")
    device.edit("REQ-009", acceptance="Within 0.3 percent.")
    program.post(f"{AT}/releases/REL-0.1.0/baseline")

    newer, older = program.get(f"{AT}/baselines")
    whole = program.get(frozen.headers["location"])
    told = program.get(f"{AT}/baselines/1/diff/{newer['root'][:12]}")

    assert (frozen.status_code, frozen.json()) == (201, older)
    assert (whole["intact"], len(whole["lines"]), whole["lost"]) == (True, older["count"], [])
    assert (told["added"], told["removed"]) == ([], [])
    [changed] = told["changed"]
    assert (changed["uid"], changed["before"], changed["after"]) == ("REQ-009", 1, 2)
    assert changed["kinds"] == ["changed"]
    assert program.get(changed["compare"])["changes"]
    assert program.get(f"{AT}/baselines/2/diff/2")["changed"] == []
    assert program.ask("GET", f"{AT}/baselines/9").status_code == 404


def test_what_is_not_signed_has_no_pack(program, service, device) -> None:
    starting = Program(service, device.db, "PPL-AK", START)

    assert starting.post(f"{AT}/releases/REL-0.1.0/pack").status_code == 403
    assert program.post(f"{AT}/releases/REL-0.1.0/pack").status_code == 403
