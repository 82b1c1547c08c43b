"""A token changes what it was made for; a program is told what the page shows."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts

from app.description import calls_of
from core.people.tokens import ACT, RIGHTS, START, WRITE
from core.web.identity import COOKIE, for_programs
from core.web.sessions import RIGHT_OF
from tests.app.access_table import API, Line
from tests.app.conftest import House, address_of
from tests.app.furnished import NEIGHBOUR

pytestmark = pytest.mark.database

CHANGES = [line for line in API if line.method != "GET"]
EXPECTED = {
    WRITE: {
        "POST /api/p/{project}/records",
        "PUT /api/p/{project}/records/{uid}",
        "POST /api/p/{project}/records/{uid}/impact",
        "POST /api/p/{project}/records/{uid}/files",
        "POST /api/p/{project}/records/{uid}/threads",
        "POST /api/p/{project}/records/{uid}/threads/{thread_id}/answer",
        "POST /api/p/{project}/records/{uid}/threads/{thread_id}/settle",
        "POST /api/p/{project}/trace/views",
        "PUT /api/p/{project}/trace/views/{view_id}",
        "DELETE /api/p/{project}/trace/views/{view_id}",
        "POST /api/p/{project}/trace/views/{view_id}/default",
        "POST /api/p/{project}/map/systems",
        "POST /api/p/{project}/map/connections",
        "POST /api/p/{project}/map/no-transfer",
        "POST /api/p/{project}/map/paste",
        "PUT /api/p/{project}/map/pathways/{uid}/steps",
        "POST /api/p/{project}/map/department",
        "POST /api/p/{project}/map/drift",
        "POST /api/p/{project}/map/drift/{number}/propose",
    },
    START: {
        "POST /api/jobs/{job_id}/cancel",
        "POST /api/p/{project}/runs",
        "POST /api/p/{project}/repositories/{name}/scan",
        "POST /api/p/{project}/results",
        "POST /api/p/{project}/trace-checks",
        "POST /api/p/{project}/releases/{uid}/pack",
        "POST /api/p/{project}/map/impact/{uid}/pack",
        "POST /api/p/{project}/map/probes",
    },
    ACT: {
        "POST /api/p/{project}/records/{uid}/reject",
        "POST /api/p/{project}/records/{uid}/move",
        "POST /api/p/{project}/re-review",
        "POST /api/p/{project}/repositories",
        "POST /api/p/{project}/repositories/{name}/retire",
        "POST /api/p/{project}/releases/{uid}/baseline",
        "POST /api/p/{project}/map/connections/{uid}/confirm",
    },
}
"""Each change that a program can ask for, by the right that its token needs."""


def rights_of_routes(house: House) -> Iterator[tuple[str, list[str]]]:
    """Yield every changing route that takes a token, with the rights that it asks."""
    for one in iter_route_contexts(house.app.routes):
        path = (one.path or "").replace("{project_key}", "{project}").replace(":uid}", "}")
        for method in one.methods or ():
            if for_programs(path) and method not in ("GET", "HEAD"):
                asked = [RIGHT_OF[call] for call in calls_of(one.dependant) if call in RIGHT_OF]
                yield f"{method} {path}", asked


def test_every_change_that_a_program_can_ask_for_needs_one_right(house: House) -> None:
    found = dict(rights_of_routes(house))

    assert found == {route: [right] for right, routes in EXPECTED.items() for route in routes}
    assert set(found) == {line.route for line in CHANGES}


@pytest.mark.parametrize("line", CHANGES, ids=lambda line: line.route)
def test_a_token_is_refused_what_it_was_not_made_for(house: House, line: Line) -> None:
    """By whoever may do everything: only the token is why they are refused."""
    needed = next(right for right, routes in EXPECTED.items() if line.route in routes)
    sends = {name: text.format_map(house.installation.own) for name, text in line.sends.items()}

    for right, token in house.installation.tokens.items():
        answer = house.client.request(
            line.method,
            address_of(line, house.installation.own),
            headers={"authorization": f"Bearer {token}"},
            json=sends or None,
        )
        refused = f"This token was not made to {RIGHTS[needed]}" in answer.text
        assert refused is (right != needed), answer.text
        assert answer.status_code == 403 if refused else answer.status_code < 500


@pytest.mark.parametrize("who", ["quality_manager", "author", NEIGHBOUR])
def test_home_page_and_list_name_the_same_records(house: House, who: str) -> None:
    headers = {"cookie": f"{COOKIE}={house.installation.people[who].cookie}"}

    page = house.client.get("/", headers=headers).text
    told = house.client.get("/api/waiting", headers=headers).json()

    waiting = page[page.index("Waiting for me") : page.index("</main>")]
    linked = set(re.findall(r'href="/p/(\w+)/([A-Z][\w.-]*)', waiting))
    named = {(one["project"], one["uid"]) for kind in ("to_sign", "to_review", "to_answer",
             "drafts", "duties") for one in told[kind]}  # fmt: skip
    assert named
    assert named <= linked


def test_one_project_is_told_of_that_project_alone(house: House) -> None:
    headers = {"cookie": f"{COOKIE}={house.installation.people['anywhere'].cookie}"}

    everything = house.client.get("/api/waiting", headers=headers).json()
    own = house.client.get("/api/p/RPM/waiting", headers=headers).json()

    for kind, lines in everything.items():
        assert own[kind] == [one for one in lines if one["project"] == "RPM"]
    assert {one["project"] for one in everything["to_sign"]} == {"RPM", "SIDE"}
