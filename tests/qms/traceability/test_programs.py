"""Programs read why a row is as it is, and keep views, as the pages do."""

import pytest
from sqlmodel import Session

from app.main import ROUTERS
from core.people.tokens import WRITE
from core.records.service import find_project
from qms.traceability.service import load_trace, why
from tests.programs import Program

AT = "/api/p/RPM/trace"


@pytest.fixture
def site(new_site):
    return new_site(*ROUTERS)


@pytest.fixture
def program(site) -> Program:
    site.browser("PPL-EQ", "quality_manager")
    return Program(site.app, site.db, "PPL-EQ", WRITE)


def sentences(session: Session, uid: str, rows: str) -> list[str]:
    loaded = load_trace(session, find_project(session, "RPM").key, rows)
    return [str(one) for one in why(session, loaded, uid)[1]]


def test_why_is_told_in_the_sentences_of_the_page(program, site) -> None:
    told = program.get(f"{AT}/why/REQ-009", release="none")
    need = program.get(f"{AT}/why/UN-002", rows="user_need", columns=["test"], release="none")

    with site.db.reading() as session:
        assert [one["text"] for one in told["sentences"]] == sentences(
            session, "REQ-009", "requirement"
        )
    assert told["release"] is None
    assert {one["flag"] for one in told["reasons"]} <= {
        one["flag"] for one in told["sentences"]
    } | {"not run", "uncovered", "unsigned"}
    linked = [part["address"] for one in need["sentences"] for part in one["parts"]]
    assert "/p/RPM/UN-002" in linked
    for wrong in ("why/REQ-404", "why/UN-002", "why/REQ-009?release=REL-404"):
        assert program.ask("GET", f"{AT}/{wrong}").status_code == 404
    assert program.ask("GET", f"{AT}/why/REQ-009?rows=nothing").status_code == 422


def test_a_view_is_kept_changed_opened_by_default_and_deleted(program, site) -> None:
    other = site.browser("PPL-NW", "author")
    choice = {"rows": "user_need", "columns": ["test"], "show": "uncovered", "sort": "id"}

    made = program.post(f"{AT}/views", {"name": "Needs", "choice": choice})
    at = f"{AT}/views/{made.json()['id']}"
    default = program.post(f"{at}/default", {"wanted": True}).json()
    changed = program.ask("PUT", at, json={"name": "Ours", "shared": True}).json()
    listed = program.get(f"{AT}/views")
    seen = other.get(f"{AT}/views").json()
    gone = program.ask("DELETE", at)

    assert (made.status_code, made.json()["words"]) == (
        201, "user needs with test; uncovered; the newest release; by id",
    )  # fmt: skip
    assert (made.json()["own"], made.json()["default"], default["default"]) == (True, False, True)
    assert (changed["name"], changed["shared"], changed["choice"]["rows"]) == (
        "Ours", True, "requirement",
    )  # fmt: skip
    assert listed == [changed]
    assert [(one["id"], one["own"], one["may_delete"]) for one in seen] == [
        (changed["id"], False, False)
    ]
    assert (gone.json(), program.get(f"{AT}/views")) == ({"name": "Ours"}, [])
    assert program.ask("DELETE", at).status_code == 404


def test_every_fault_of_a_view_is_told_and_none_is_kept(program) -> None:
    choice = {"show": "nothing", "sort": "nothing", "release": "REL-404"}

    answer = program.post(f"{AT}/views", {"name": " ", "choice": choice})

    assert answer.status_code == 422
    assert len(answer.json()["faults"]) == 4
    assert program.get(f"{AT}/views") == []
