"""What a program may do with a token, and what it may never do."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select, text
from sqlmodel import Session, col

from core.clock import now
from core.db import Database
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.models import ApiToken, Person
from core.people.service import find_actor, grant
from core.people.tokens import Wish, make_token
from core.records.audit import verify_audit
from core.records.content import Content
from core.records.service import create_project, create_record, latest_revision
from tests.conftest import Office
from tests.core.conftest import PASSWORD, Browser, words_of

pytestmark = pytest.mark.database

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]
TOMORROW = str((now() + timedelta(days=1)).date())


class Program:
    """A program that has nothing but a token."""

    def __init__(self, app: FastAPI, token: str) -> None:
        self.client = TestClient(
            app, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {token}"}
        )

    def get(self, path: str) -> Response:
        """Ask for an address."""
        return self.client.get(path, follow_redirects=False)

    def write(self, title: str, **more: Any) -> Response:
        """Create a user need."""
        sent = {"type": "user_need", "title": title, **more}
        return self.client.post("/api/p/RPM/records", json=sent)


@pytest.fixture
def need(office: Office) -> str:
    """A draft that somebody wrote."""
    with office.writing() as session:
        author, project = office.staff["PPL-AK"], office.project(session)
        create_record(session, project, "user_need", Content("A need", "It."), author)
        create_project(session, "SIDE", "Another", None)
    return "UN-001"


def token_of(office: Office, uid: str, *, writes: bool = False, project: str = "") -> str:
    """Make a token without the page."""
    with office.writing() as session:
        limit = office.project(session).id if project else None
        return make_token(session, Wish("import", writes, limit, TOMORROW), office.staff[uid])


def actor_now(session: Session, uid: str) -> Actor:
    """Return a person with the roles they hold now."""
    return find_actor(session, uid)


def test_a_person_makes_a_token_sees_it_once_and_revokes_it(
    service: FastAPI, browser_of: Open, database: Database, actions: Actions, need: str
) -> None:
    amara = browser_of("PPL-AK")
    amara.open("/account/tokens")
    typed = {"token_name": "nightly import", "scope": "write", "expires": TOMORROW}

    refused = amara.send("/account/tokens", {**typed, "password": "not it at all"})
    made = amara.send("/account/tokens", {**typed, "password": PASSWORD})

    token = next(word for word in words_of(made.text).split() if word.startswith("fid_"))
    assert refused.status_code == 401
    assert token not in amara.open("/account/tokens").text
    with database.reading() as session:
        row = session.execute(select(ApiToken)).scalar_one()
        number = row.id
        assert token not in str(row.model_dump())
        assert verify_audit(session).clean
    program = Program(service, token)
    assert program.write("Imported").status_code == 201
    amara.open("/account/tokens")
    assert "never" not in words_of(amara.page.text)
    amara.send(f"/account/tokens/{number}/revoke")
    assert program.get("/api/projects").status_code == 401
    assert [one.action for one in actions("person:token")] == [
        "person:token:create",
        "person:token:revoke",
    ]


@pytest.mark.parametrize(
    ("name", "expires"),
    [("", TOMORROW), ("x" * 81, TOMORROW), ("import", ""), ("import", "2020-01-01"),
     ("import", str((now() + timedelta(days=400)).date()))],
)  # fmt: skip
def test_a_token_has_a_name_and_ends_within_a_year(
    browser_of: Open, name: str, expires: str
) -> None:
    amara = browser_of("PPL-AK")
    amara.open("/account/tokens")

    answer = amara.send(
        "/account/tokens", token_name=name, expires=expires, password=PASSWORD, scope="read"
    )

    assert answer.status_code == 422
    assert "fid_" not in answer.text


def test_a_reading_token_reads_and_writes_nothing(
    service: FastAPI, office: Office, need: str
) -> None:
    program = Program(service, token_of(office, "PPL-AK"))
    read = program.get(f"/api/p/RPM/records/{need}").json()

    answers = [
        program.write("More"),
        program.client.put(
            f"/api/p/RPM/records/{need}", json={"title": "No", "expected": read["expected"]}
        ),
    ]

    assert (read["uid"], read["state"], read["title"]) == (need, "draft", "A need")
    assert [one.status_code for one in answers] == [403, 403]
    assert program.get("/api/p/RPM/records").json()["total"] == 1


def test_a_change_by_a_program_overwrites_nobody(
    service: FastAPI, office: Office, need: str
) -> None:
    program = Program(service, token_of(office, "PPL-AK", writes=True))
    at = f"/api/p/RPM/records/{need}"
    expected = program.get(at).json()["expected"]

    first = program.client.put(at, json={"title": "First", "expected": expected})
    second = program.client.put(at, json={"title": "Second", "expected": expected})

    assert (first.status_code, second.status_code) == (200, 409)
    assert "Nothing was overwritten" in second.json()["message"]
    assert program.get(at).json()["title"] == "First"


def test_no_token_opens_a_page_or_signs(service: FastAPI, office: Office, need: str) -> None:
    program = Program(service, token_of(office, "PPL-AK", writes=True))
    with office.reading() as session:
        read = office.read(session, need)
    signing = {"password": PASSWORD, "expected": read}

    for path in ("submit", "sign", "reject", "withdraw", "decide", "move"):
        answer = program.client.post(f"/p/RPM/{need}/{path}", data=signing)
        assert answer.status_code == 401, path
    for path in ("/", "/account", "/account/tokens", f"/p/RPM/{need}", "/p/RPM/records"):
        assert program.get(path).status_code in (401, 303), path
    with office.reading() as session:
        assert latest_revision(session, office.record(session, need)).state == "draft"


def test_a_token_takes_tables_documents_and_files_away_and_sends_none(
    service: FastAPI, office: Office, need: str
) -> None:
    program = Program(service, token_of(office, "PPL-AK", writes=True))

    taken = program.get(f"/p/RPM/{need}/document.pdf")
    missing = program.get(f"/p/RPM/{need}/files/1")
    sent = program.client.post(f"/p/RPM/{need}/files", files={"file": ("a.txt", b"a")})

    assert (taken.status_code, taken.headers["content-type"]) == (200, "application/pdf")
    assert (missing.status_code, missing.json()["faults"]) == (404, [])
    assert sent.status_code == 401


def test_a_token_reaches_no_more_than_its_project_and_its_person(
    service: FastAPI, office: Office, need: str
) -> None:
    with office.writing() as session:
        vera = session.execute(select(Person).where(col(Person.uid) == "PPL-VW")).scalar_one()
        grant(session, vera, ["administrator", "author"], None)
    with office.writing() as session:
        project_id = office.project(session).id
        limited = make_token(
            session, Wish("import", True, project_id, TOMORROW), actor_now(session, "PPL-VW")
        )
        whole = make_token(
            session, Wish("import", True, None, TOMORROW), actor_now(session, "PPL-VW")
        )

    here, everywhere = Program(service, limited), Program(service, whole)

    assert [one["key"] for one in here.get("/api/projects").json()] == ["RPM"]
    assert [one["key"] for one in everywhere.get("/api/projects").json()] == ["RPM", "SIDE"]
    assert here.get("/api/p/SIDE/records").status_code == 404
    assert here.write("A need").status_code == 201


def test_a_token_ends_with_its_day_its_role_and_its_account(
    service: FastAPI, office: Office, database: Database, browser_of: Open, need: str
) -> None:
    expired, closed = token_of(office, "PPL-AK"), token_of(office, "PPL-CV")
    with database.writing() as session:
        session.execute(select(ApiToken)).scalars().first().expires_at = now()
        vera = session.execute(select(Person).where(col(Person.uid) == "PPL-VW")).scalar_one()
        grant(session, vera, ["administrator"], None)
    assert Program(service, expired).get("/api/projects").status_code == 401
    assert Program(service, closed).get("/api/projects").status_code == 200

    admin = browser_of("PPL-VW")
    assert "import" in words_of(admin.open("/people/PPL-CV").text)
    admin.send("/people/PPL-CV/close")
    admin.send("/people/PPL-CV/open")

    assert Program(service, closed).get("/api/projects").status_code == 401


@pytest.mark.parametrize("right", ["writes", "starts", "acts"])
def test_a_right_given_behind_the_trails_back_is_seen(office: Office, right: str) -> None:
    token_of(office, "PPL-AK")
    with office.reading() as session:
        assert verify_audit(session).clean

    engine = office.database.engine.execution_options(fiducial_writes=True)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE api_token SET {right} = true"))

    with office.reading() as session:
        [found] = verify_audit(session).findings
    assert "api token import" in str(found)


def test_rights_are_ticked_one_by_one_and_told_on_the_page(
    browser_of: Open, database: Database, need: str
) -> None:
    amara = browser_of("PPL-AK")
    amara.open("/account/tokens")

    page = amara.send(
        "/account/tokens", token_name="builds", scope=["start", "act"], expires=TOMORROW,
        password=PASSWORD,
    )  # fmt: skip

    assert "builds read, start jobs and act on records" in words_of(page.text)
    with database.reading() as session:
        made = session.execute(select(ApiToken)).scalar_one()
        assert (made.writes, made.starts, made.acts) == (False, True, True)


def test_guessing_tokens_is_slowed_down_and_disturbs_no_good_one(
    service: FastAPI, office: Office
) -> None:
    good = Program(service, token_of(office, "PPL-AK"))

    answers = [Program(service, "fid_" + "x" * 43).get("/api/projects") for _ in range(7)]

    assert [one.status_code for one in answers] == [401] * 5 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert good.get("/api/projects").status_code == 200
    assert good.get("/openapi.json").status_code == 200
