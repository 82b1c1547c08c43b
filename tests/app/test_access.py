"""Every route of the application against every kind of person, as one table says."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from core.web.identity import for_programs
from tests.app.access_table import (
    AUTHORS,
    CHOSEN,
    MEMBERS,
    PASS,
    RAISING,
    RUNNERS,
    TABLE,
    WRITER,
    Line,
)
from tests.app.conftest import House, parts_of
from tests.app.furnished import (
    ANONYMOUS,
    ANYWHERE,
    NEIGHBOUR,
    OWNER,
    SECRET,
    STRANGER,
    TITLE,
)
from tests.core.conftest import words_of

pytestmark = pytest.mark.verifies("TST-035")

OPEN_TO_ALL = {"/static"}
"""What is mounted for everybody: style sheets and scripts, which say nothing of anybody."""


def routes_of(app: FastAPI) -> set[str]:
    """Return every route as the table writes it: "GET /p/{project}/records"."""
    found = set()
    for one in iter_route_contexts(app.routes):
        if isinstance(one.original_route, Mount):
            assert one.path in OPEN_TO_ALL, f"{one.path} is mounted and nobody says for whom"
            continue
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", one.path).replace("{project_key}", "{project}")
        found |= {f"{method} {path}" for method in one.methods if method != "HEAD"}
    return found


def refusal(line: Line, who: str) -> int:
    """Return how somebody is refused: outside of a project nothing in it is even known to exist."""
    if who == ANONYMOUS and line.route != "GET /sign-in":
        return 401 if for_programs(line.path) else 303
    if line.otherwise:
        return line.otherwise
    inside = line.path.startswith(("/p/", "/jobs/", "/api/p/", "/api/jobs/"))
    return 404 if inside and who not in MEMBERS else 403


def test_no_address_takes_a_number_that_no_database_can_hold(house: House) -> None:
    """A plain int reaches the database however large it is, and is an error of ours there."""
    unbound = {
        one.path
        for one in iter_route_contexts(house.app.routes)
        for name, kind in getattr(getattr(one, "endpoint", None), "__annotations__", {}).items()
        if kind is int and "{" + name + "}" in one.path
    }

    assert unbound == set()


def refused_at_the_door(line: Line, who: str) -> bool:
    """Whether somebody is led to the sign-in page, and back from there."""
    return who == ANONYMOUS and refusal(line, who) == 303 and who not in line.who


def met(line: Line) -> list[str]:
    """Return who sends the request of a line.

    Whoever may be refused is always asked. Of the many whom a page of the project welcomes, its
    least and its most powerful reader ask, and another one for every line.
    """
    some = sorted(MEMBERS)[[*TABLE, *RAISING].index(line) % len(MEMBERS)]
    asking = {"viewer", OWNER, some} if line.who >= MEMBERS else MEMBERS
    return [ANONYMOUS, STRANGER, NEIGHBOUR, *sorted(asking)]


def test_every_route_has_one_line_and_every_line_a_route(house: House) -> None:
    written = [line.route for line in TABLE]

    assert set(routes_of(house.app)) ^ set(written) == set()
    assert len(written) == len(set(written))


@pytest.mark.parametrize("line", [*TABLE, *RAISING], ids=lambda line: line.route)
def test_everybody_is_let_in_or_refused_as_the_table_says(house: House, line: Line) -> None:
    wrong = []
    for who in met(line):
        answer = house.ask(line, who, house.installation.own)
        expected = line.done if who in line.who else refusal(line, who)
        led_away = answer.headers.get("location", "").startswith("/sign-in?next=")
        if (answer.status_code, led_away) != (expected, refused_at_the_door(line, who)):
            wrong.append(f"{who}: {answer.status_code} is not {expected}: {words_of(answer.text)}")
        if SECRET in answer.text and who not in (NEIGHBOUR, OWNER):
            wrong.append(f"{who} is told of the other project: {words_of(answer.text)}")

    assert wrong == []


NAMING = [
    line
    for line in TABLE
    if line.path.startswith(("/p/", "/api/p/")) and set(parts_of(line)) > {"project"}
]
"""Lines whose address names something, of which another project may have one too."""

NOBODYS = {"project", "format_name", "kind", "type_name", "number", "framework", "clause"}
"""Parts of an address that name no thing of one project alone; a run's number is called `run`."""


@pytest.mark.parametrize("line", NAMING, ids=lambda line: line.route)
def test_an_id_of_another_project_names_nothing_here(house: House, line: Line) -> None:
    """Not even for somebody who may do everything in both: the address says where a thing is."""
    own, other = house.installation.own, house.installation.other
    guesses = {line.at.get(part, part) for part in parts_of(line)} - NOBODYS

    for guessed in sorted(guesses):
        answer = house.ask(line, ANYWHERE, {**own, guessed: other[guessed]})
        assert answer.status_code == 404, (guessed, words_of(answer.text))
        assert SECRET not in answer.text.replace(TITLE, "")


LINKED = {
    "title": "Derived", "action": "save", "field.category": "functional", "field.acceptance": "It.",
    "link.derives_from.0.target": "{held}", "link.derives_from.0.project": "{project}",
}  # fmt: skip

BENT = (
    (Line("POST /p/RPM/sign", WRITER, 404, sends={**PASS, "chosen": CHOSEN}), "quality_manager"),
    (Line("POST /p/RPM/new/requirement", AUTHORS, 422, sends=LINKED), "author"),
    (Line("POST /p/RPM/runs", RUNNERS, 422, sends={"release": "{release}"}), "tester"),
    (Line("POST /p/RPM/runs", RUNNERS, 422, sends={"release": "REL-1", "predecessor": "{run}"}),
        "tester"),
    (Line("POST /p/RPM/map/connections/C101/qa", AUTHORS, 404,
        sends={"qa_procedure": "{procedure}"}), "author"),
    (Line("GET /p/RPM/map?level=all&focus={system_A}", MEMBERS, 404), "viewer"),
    (Line("GET /p/RPM/trace?release={release}", MEMBERS, 404), "viewer"),
    (Line("GET /p/RPM/risks?release={release}", MEMBERS, 404), "viewer"),
    (Line("GET /p/RPM/records?q={held}", MEMBERS, 200), "viewer"),
    (Line("GET /p/RPM/audit?subject={held}", MEMBERS, 200), "viewer"),
    (Line("GET /p/RPM/new/requirement?derives_from={held}", AUTHORS, 200), "author"),
)  # fmt: skip
"""What a query or a form may name, beside what the address names."""


@pytest.mark.parametrize(("line", "who"), BENT, ids=lambda one: getattr(one, "route", ""))
def test_a_bent_form_reaches_nothing_of_another_project(house: House, line: Line, who: str) -> None:
    answer = house.ask(line, who, house.installation.other)

    assert answer.status_code == line.done, words_of(answer.text)
    assert SECRET not in answer.text
