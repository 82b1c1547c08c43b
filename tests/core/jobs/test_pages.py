"""The page of a job: for those concerned only, true to the moment, and of use without a mouse."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlmodel import col

from app.main import create_app
from core.clock import now
from core.db import Database
from core.jobs import queue, service
from core.jobs.models import Job
from core.jobs.processes import here, this_process
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.people.models import Person, WebSession
from core.people.service import actor_of, grant
from core.settings import Settings

Browser = Callable[[str], TestClient]

PRIVATE = "a payload that is nobody's business"


@pytest.fixture
def asked(office: Any) -> int:
    """A job of the project, asked for by Amara Kole."""
    with office.writing() as session:
        job = service.enqueue(
            session,
            "validation.run",
            {"note": PRIVATE},
            office.staff["PPL-AK"],
            project_id=office.project(session).id,
        )
        assert job.id is not None
        return job.id


@pytest.fixture
def browser(office: Any, database: Database, jobs_settings: Settings) -> Browser:
    """Give a browser in which a person is signed in."""
    app = create_app(jobs_settings, database)

    def open_for(uid: str) -> TestClient:
        client = TestClient(app, base_url="http://127.0.0.1", headers={"accept": "text/html"})
        if uid:
            client.cookies.set("fiducial_session", signed_in(database, uid))
        return client

    return open_for


def signed_in(database: Database, uid: str) -> str:
    token = f"token-of-{uid}"
    with database.writing() as session:
        person = session.execute(select(Person).where(col(Person.uid) == uid)).scalar_one()
        session.merge(
            WebSession(
                token_digest=hashlib.sha256(token.encode()).hexdigest(),
                person_id=person.id or 0,
                csrf=f"csrf-{uid}",
                created_at=now(),
                seen_at=now(),
                expires_at=now() + timedelta(hours=1),
            )
        )
    return token


def outsider(database: Database, uid: str, *roles: str) -> Actor:
    """Create a person without a role in the project."""
    with database.writing() as session:
        person = Person(username=uid.lower(), uid=uid, name=uid, password_hash="")
        session.add(person)
        session.flush()
        if roles:
            grant(session, person, roles, None)
        return actor_of(session, person)


def begin(database: Database) -> queue.Lease:
    with database.writing() as session:
        worker = queue.enlist(session, here(), this_process(), "w")
        lease = queue.claim_next(session, worker, ["validation.run"])
        assert lease is not None
        return lease


class _Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, tag: str) -> dict[str, str | None]:
        (found,) = [given for name, given in self.found if name == tag]
        return found


@pytest.mark.parametrize("uid", ["PPL-AK", "PPL-EQ", "PPL-VW"])
def test_who_asked_and_the_members_of_the_project_see_a_job(
    browser: Browser, asked: int, uid: str
) -> None:
    page = browser(uid).get(f"/jobs/{asked}")

    assert page.status_code == 200
    assert "Validation run" in page.text
    assert "Waiting for a worker" in page.text
    assert PRIVATE not in page.text


def test_an_administrator_sees_every_job(browser: Browser, database: Database, asked: int) -> None:
    outsider(database, "PPL-AD", "administrator")

    assert browser("PPL-AD").get(f"/jobs/{asked}").status_code == 200


@pytest.mark.parametrize("address", ["", ".json", "/progress"])
def test_anyone_else_is_told_that_there_is_no_such_job_and_it_is_on_record(
    browser: Browser, database: Database, asked: int, address: str
) -> None:
    outsider(database, "PPL-XX")
    client = browser("PPL-XX")

    hidden = client.get(f"/jobs/{asked}{address}")
    absent = client.get(f"/jobs/{asked + 1}{address}")

    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text.replace(f"job {asked}", "") == absent.text.replace(f"job {asked + 1}", "")
    with database.reading() as session:
        query = select(LedgerEntry).where(col(LedgerEntry.action).startswith("refusal:"))
        refusals = session.execute(query).scalars().all()
        assert [(each.person_name, each.subject) for each in refusals] == [
            ("PPL-XX", f"/jobs/{asked}{address}")
        ]


def test_nobody_is_led_to_sign_in(browser: Browser, asked: int) -> None:
    page = browser("").get(f"/jobs/{asked}", follow_redirects=False)

    assert (page.status_code, page.headers["location"]) == (303, f"/sign-in?next=%2Fjobs%2F{asked}")


def test_a_waiting_job_says_when_no_worker_is_there(
    browser: Browser, database: Database, asked: int
) -> None:
    client = browser("PPL-AK")
    assert "No worker has been heard of" in client.get(f"/jobs/{asked}").text

    with database.writing() as session:
        queue.enlist(session, here(), this_process(), "w")

    assert "No worker has been heard of" not in client.get(f"/jobs/{asked}").text


def test_a_running_job_shows_how_far_it_is_and_keeps_itself_up_to_date(
    browser: Browser, database: Database, asked: int
) -> None:
    lease = begin(database)
    with database.writing() as session:
        queue.hold(session, lease, progress={"done": 3, "total": 12, "text": "TST-<004>"})

    client = browser("PPL-AK")
    whole, part = client.get(f"/jobs/{asked}"), client.get(f"/jobs/{asked}/progress")

    for answer in (whole, part):
        elements = _Elements(answer.text)
        bar = elements.one("progress")
        assert (bar["value"], bar["max"]) == ("3", "12")
        assert [each["for"] for tag, each in elements.found if tag == "label"].count(bar["id"]) == 1
        assert "TST-&lt;004&gt;" in answer.text
        section = elements.one("section")
        assert section["hx-get"] == f"/jobs/{asked}/progress"
        assert "every 2s" in str(section["hx-trigger"])
    assert "<html" not in part.text
    shown = client.get(f"/jobs/{asked}.json").json()
    assert shown["state"] == "running"
    assert shown["progress"] == {"done": 3, "total": 12, "text": "TST-<004>", "percent": 25}
    assert PRIVATE not in str(shown)


def test_a_finished_job_stops_asking_and_leads_to_its_result(
    browser: Browser, database: Database, asked: int
) -> None:
    lease = begin(database)
    with database.writing() as session:
        queue.finish(session, lease, {"address": "/p/RPM/runs/1"})

    page = browser("PPL-AK").get(f"/jobs/{asked}")

    elements = _Elements(page.text)
    assert "hx-get" not in elements.one("section")
    assert ("a", {"href": "/p/RPM/runs/1"}) in elements.found
    assert "Cancel this job" not in page.text


def test_an_interrupted_attempt_is_shown_with_its_reason(
    browser: Browser, database: Database, asked: int
) -> None:
    with database.writing() as session:
        session.execute(update(Job).values(state="queued"))
    lease = begin(database)
    with database.writing() as session:
        queue.interrupt(session, lease, "The worker (a, process 7) ended.", worker_lost=True)
    lease = begin_again(database)
    with database.writing() as session:
        queue.finish(session, lease, {})

    page = browser("PPL-AK").get(f"/jobs/{asked}")

    assert "The worker (a, process 7) ended." in page.text
    assert "interrupted" in page.text


def begin_again(database: Database) -> queue.Lease:
    with database.writing() as session:
        worker = session.get_one(queue.JobWorker, "w")
        lease = queue.claim_next(session, worker, ["validation.run"])
        assert lease is not None
        return lease


def test_a_failed_job_says_why_line_by_line(
    browser: Browser, database: Database, asked: int
) -> None:
    lease = begin(database)
    with database.writing() as session:
        queue.fail(session, lease, "It is not acceptable.\n  line 3: is <empty>.", final=True)

    page = browser("PPL-AK").get(f"/jobs/{asked}")

    assert "Failed" in page.text
    assert "<p>It is not acceptable.</p>" in page.text
    assert "line 3: is &lt;empty&gt;." in page.text


def test_a_job_is_cancelled_by_a_form_of_ones_own_and_it_is_on_record(
    browser: Browser, database: Database, asked: int
) -> None:
    viewer, client = browser("PPL-VW"), browser("PPL-AK")
    assert "Cancel this job" not in viewer.get(f"/jobs/{asked}").text
    refused = viewer.post(f"/jobs/{asked}/cancel", data={"csrf_token": "csrf-PPL-VW"})
    assert (refused.status_code, "may not cancel" in refused.text) == (403, True)
    assert "Cancel this job" in client.get(f"/jobs/{asked}").text

    assert client.post(f"/jobs/{asked}/cancel").status_code == 403
    answer = client.post(
        f"/jobs/{asked}/cancel", data={"csrf_token": "csrf-PPL-AK"}, follow_redirects=False
    )

    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{asked}")
    assert "Cancelled" in client.get(f"/jobs/{asked}").text
    with database.reading() as session:
        query = select(LedgerEntry).where(col(LedgerEntry.action) == "job:job:cancel")
        entry = session.execute(query).scalar_one()
        assert (entry.person_name, entry.subject) == ("Amara Kole", f"job {asked}")
    again = client.post(f"/jobs/{asked}/cancel", data={"csrf_token": "csrf-PPL-AK"})
    assert again.status_code == 409


@pytest.mark.parametrize(
    "address", ["/jobs/0", "/jobs/999999999999999999999", "/jobs/x", "/jobs/-1"]
)
def test_an_odd_number_is_refused_calmly(browser: Browser, address: str) -> None:
    assert browser("PPL-AK").get(address).status_code in {404, 422}
