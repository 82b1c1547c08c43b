"""What programs are told of the demonstration is what the schemas of the document say."""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from app import schema
from app.main import create_app
from core.db import open_database
from core.jobs.told import JobTold
from core.people.tokens import ACT, WRITE
from qms.rules.told import CheckTold
from tests.demonstration import BuiltDemo
from tests.programs import Program
from validation.runs.told import RunTold

pytestmark = pytest.mark.slow

DIALECT = "https://json-schema.org/draft/2020-12/schema"
THERE = {
    "project": "RPM", "project_key": "RPM", "uid": "REQ-009", "number": "1", "view_id": "1",
    "name": "1", "before": "1", "after": "1",
}  # fmt: skip
"""What the demonstration has, by the part of an address that names it."""

ON_THE_MAP = {**THERE, "project": "DEPT", "uid": "C023"}
"""The same below the department map."""

NOWHERE = {"/api/p/{project}/map/drift/{number}", "/api/p/{project}/trace-checks/{number}"}
"""What the demonstration has none of: nobody imported a destination list or sent files."""


@dataclass(frozen=True)
class Told:
    """The service on a copy of the demonstration, its document, and a program of its manager."""

    app: FastAPI
    document: Mapping[str, Any]
    program: Program

    def of(self, named: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
        """Return what holds a value against a schema of the document."""
        whole = {"$schema": DIALECT, "components": self.document["components"], **named}
        return jsonschema_rs.Draft202012Validator(whole)

    def named(self, name: str) -> jsonschema_rs.Draft202012Validator:
        """Return what holds a value against a schema by its name."""
        return self.of({"$ref": f"#/components/schemas/{name}"})


@pytest.fixture(scope="module")
def told(built_demo: BuiltDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    copy = built_demo.copy_to(tmp_path_factory.mktemp("told") / "var")
    database = open_database(copy.settings.database)
    schema.upgrade_database(database)
    app = create_app(copy.settings, database)
    program = Program(app, database, "PPL-EQ", WRITE, ACT)
    yield Told(app, program.get("/openapi.json"), program)
    database.engine.dispose()


def readable(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the address and the schema of everything that is read below /api/."""
    for path, operations in document["paths"].items():
        if path.startswith("/api/") and "get" in operations and path not in NOWHERE:
            told = operations["get"]["responses"]["200"]["content"]
            if "application/json" in told:
                yield path, told["application/json"]["schema"]


def test_everything_that_programs_read_is_as_its_schema_says(told: Told) -> None:
    asked = []

    for path, its in readable(told.document):
        there = ON_THE_MAP if "/map/" in path else THERE
        address = re.sub(r"\{(\w+)\}", lambda part, there=there: there[part[1]], path)
        value = told.program.get(address)
        assert told.of(its).is_valid(value), (address, next(told.of(its).iter_errors(value)))
        asked.append(address)

    assert "/api/p/RPM/trace/why/REQ-009" in asked
    assert len(asked) > 15


def test_every_run_of_the_demonstration_is_a_run_as_the_schema_says(told: Told) -> None:
    runs = told.program.get("/api/p/RPM/runs")["runs"]
    schema_of_run = told.named("RunTold")

    for line in runs:
        run = told.program.get(f"/p/RPM/runs/{line['number']}.json")
        assert schema_of_run.is_valid(run), next(schema_of_run.iter_errors(run))

    assert {one["protocol"] for one in runs} >= {"verification", "numerical"}


def test_every_job_of_the_demonstration_is_a_job_as_the_schema_says(told: Told) -> None:
    jobs, number = told.named("JobTold"), 1

    while (answer := told.program.ask("GET", f"/jobs/{number}.json")).status_code == 200:
        assert jobs.is_valid(answer.json()), next(jobs.iter_errors(answer.json()))
        number += 1

    assert number > 2


def test_a_run_that_says_more_less_or_something_else_is_none(told: Told) -> None:
    run, of = told.program.get("/p/RPM/runs/1.json"), told.named("RunTold")
    more, less, other, inside = (deepcopy(run) for _ in range(4))
    more["spare"] = 1
    del less["verdict"]
    other["verdict"] = "green"
    inside["scenarios"][0]["steps"][0]["passed"] = True

    assert of.is_valid(run)
    assert [of.is_valid(one) for one in (more, less, other, inside)] == [False] * 4


def test_check_of_a_release_and_of_the_project_are_one_schema(told: Told) -> None:
    of = told.named("CheckTold")
    release = told.program.get("/p/RPM/releases/REL-0.1.0/check.json")
    whole = told.program.get("/api/p/DEPT/check")
    bent = deepcopy(release)
    bent["rules"][0]["verdict"] = "green"

    assert of.is_valid(release), next(of.iter_errors(release))
    assert of.is_valid(whole), next(of.iter_errors(whole))
    assert not of.is_valid(bent)
    assert release["counts"]["rules"] == len(release["rules"])


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/p/{project}/releases/{uid}/check.json", CheckTold),
        ("/api/p/{project}/check", CheckTold),
        ("/p/{project}/runs/{number}.json", RunTold),
        ("/jobs/{job_id}.json", JobTold),
    ],
)
def test_document_names_the_schema_that_the_model_has(told: Told, path: str, model: type) -> None:
    answer = told.document["paths"][path]["get"]["responses"]["200"]

    named = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]

    assert named == model.__name__
    assert told.document["openapi"].startswith("3.1")
    assert told.document["components"]["schemas"][named]["additionalProperties"] is False
