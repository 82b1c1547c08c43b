"""Who gets in, who does not, and that every refusal is in the audit trail."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event, select

from app.main import create_app
from core.db import Database
from core.ledger.models import LedgerEntry
from core.people.models import WebSession
from core.people.service import grant, people
from core.records.service import create_project
from core.settings import Settings
from tests.core.conftest import PASSWORD, Browser, forms_of, words_of

pytestmark = pytest.mark.verifies("TST-035", "TST-036")

SHORT = "short"

Open = Callable[[str], Browser]
Actions = Callable[[str], list[LedgerEntry]]


def test_a_page_leads_to_the_sign_in_and_back(service: FastAPI) -> None:
    browser = Browser(service)
    asked = browser.open("/p/RPM/records?type=risk")
    assert asked.url.path == "/sign-in"

    arrived = browser.send("/sign-in", username="ppl-ak", password=PASSWORD)

    assert str(arrived.url).endswith("/p/RPM/records?type=risk")


def test_a_program_without_a_session_is_told_so(service: FastAPI) -> None:
    client = TestClient(service, base_url="http://127.0.0.1")

    answer = client.get("/p/RPM/records", headers={"accept": "application/json"})

    assert answer.status_code == 401
    assert "Sign in" in answer.json()["message"]


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_signing_in_leads_to_no_other_site(service: FastAPI, wanted: str) -> None:
    browser = Browser(service)
    browser.open("/sign-in")

    arrived = browser.send("/sign-in", username="ppl-ak", password=PASSWORD, next=wanted)

    assert (arrived.url.host, arrived.url.path) == ("127.0.0.1", "/")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(service: FastAPI) -> None:
    browser = Browser(service)
    browser.open("/sign-in")
    sent = dict(browser.form("/sign-in").fields) | {"username": "ppl-ak", "password": PASSWORD}

    answer = browser.client.post("/sign-in", data=sent, follow_redirects=False)

    cookie = next(
        one for one in answer.headers.get_list("set-cookie") if one.startswith("fiducial_session=")
    )
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_wrong_passwords_are_kept_and_slowed_down(service: FastAPI, actions: Actions) -> None:
    browser = Browser(service)
    answers = [browser.sign_in("ppl-ak", "wrong password!").status_code for _ in range(6)]

    assert answers == [401] * 5 + [429]
    assert len(actions("session:person:refuse")) == 5
    assert len(actions("refusal:page:too_many_attempts")) == 1
    assert browser.sign_in("ppl-ak").status_code == 429, "the right one must wait as well"


def test_a_sign_in_form_from_another_site_is_refused(service: FastAPI, actions: Actions) -> None:
    browser = Browser(service)
    browser.open("/sign-in")
    sent = dict(browser.form("/sign-in").fields) | {"username": "ppl-ak", "password": PASSWORD}

    foreign = browser.client.post("/sign-in", data=sent, headers={"origin": "https://evil.example"})
    without = browser.client.post("/sign-in", data={**sent, "before": "guessed"})

    assert (foreign.status_code, without.status_code) == (403, 403)
    assert actions("session:person:open") == []


def test_a_change_needs_the_form_of_the_same_session(browser_of: Open, actions: Actions) -> None:
    amara, chidi = browser_of("PPL-AK"), browser_of("PPL-CV")
    chidi.open("/")
    theirs = dict(chidi.form("/sign-out").fields)["csrf_token"]
    path, typed = "/p/RPM/new/user_need", {"title": "Forged", "action": "save"}

    answers = [
        amara.client.post(path, data=typed),
        amara.client.post(path, data={**typed, "csrf_token": theirs}),
        amara.client.post(path, data=typed, headers={"x-csrf-token": theirs}),
    ]
    amara.open("/")
    own = dict(amara.form("/sign-out").fields)["csrf_token"]
    foreign = amara.client.post(
        path, data={**typed, "csrf_token": own}, headers={"sec-fetch-site": "cross-site"}
    )

    assert [one.status_code for one in (*answers, foreign)] == [403] * 4
    assert actions("record:user_need:create") == []
    assert len(actions("refusal:page:refused")) == 4


def test_another_projects_record_reads_as_absent_and_is_in_the_audit_trail(
    browser_of: Open, database: Database, actions: Actions
) -> None:
    with database.writing() as session:
        create_project(session, "SECRET", "Not for everybody", None)
    amara = browser_of("PPL-AK")

    hidden = amara.open("/p/SECRET/REQ-001")
    absent = amara.open("/p/ABSENT/REQ-001")

    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert words_of(hidden.text).replace("SECRET", "X") == words_of(absent.text).replace(
        "ABSENT", "X"
    )
    kept = actions("refusal:record:hidden")
    assert [(one.subject, one.person_name) for one in kept] == [("REQ-001", "Amara Kole")]


def test_signing_out_ends_the_session_on_the_server(browser_of: Open, service: FastAPI) -> None:
    amara = browser_of("PPL-AK")
    token = amara.client.cookies["fiducial_session"]
    amara.open("/")
    amara.send("/sign-out")

    thief = Browser(service)
    thief.client.cookies.set("fiducial_session", token)

    assert thief.open("/account").url.path == "/sign-in"


def test_a_request_never_waits_for_a_second_connection(
    browser_of: Open, database: Database
) -> None:
    """Else as many requests as there are connections would each hold one and wait for ever."""
    amara = browser_of("PPL-AK")
    with database.writing() as session:
        for one in session.execute(select(WebSession)).scalars():
            one.seen_at -= timedelta(minutes=20)
    held: list[int] = []

    def count(*_: object) -> None:
        held.append(database.engine.pool.checkedout())

    event.listen(database.engine, "checkout", count)
    assert amara.open("/p/RPM/records").status_code == 200
    event.remove(database.engine, "checkout", count)

    assert len(held) >= 2, "the session was not touched"
    assert max(held) == 1


def test_a_changed_password_ends_every_session(browser_of: Open, actions: Actions) -> None:
    here, there = browser_of("PPL-AK"), browser_of("PPL-AK")
    here.open("/account")
    differ = here.send(
        "/account/password", current=PASSWORD, wanted="a new long sentence", again="another"
    )
    assert differ.status_code == 422
    wrong = here.send(
        "/account/password",
        current="not it at all",
        wanted="a new long one",
        again="a new long one",
    )
    assert wrong.status_code == 401

    here.send(
        "/account/password",
        current=PASSWORD,
        wanted="a new long sentence",
        again="a new long sentence",
    )

    assert there.open("/account").url.path == "/sign-in"
    assert here.sign_in("ppl-ak", "a new long sentence").url.path == "/"
    assert len(actions("person:password:change")) == 1


def test_only_administrators_look_after_accounts(
    browser_of: Open, database: Database, office: Any, actions: Actions
) -> None:
    amara = browser_of("PPL-AK")
    assert amara.open("/people").status_code == 403
    with database.writing() as session:
        person = next(one for one in people(session) if one.uid == "PPL-VW")
        grant(session, person, ["administrator"], None)
    vera = browser_of("PPL-VW")
    vera.open("/people")

    faulty = vera.send("/people", name="", username="New One", uid="x", password=SHORT)
    assert faulty.status_code == 422
    assert len(re.findall(r"<li>\s*<a href=\"#", faulty.text)) == 4, "all faults at once"
    made = vera.send("/people", name="Nia Cole", username="nia", uid="PPL-NC", password=PASSWORD)
    assert "Nia Cole" in made.text
    vera.send("/people/PPL-NC/roles", role="tester", project="RPM")
    assert "tester" in words_of(vera.page.text)
    assert vera.send("/people/PPL-NC/roles/revoke").status_code == 200
    assert len(actions("person:role:revoke")) == 1


def test_a_quality_manager_begins_a_project_and_may_work_in_it(
    browser_of: Open, actions: Actions
) -> None:
    esther = browser_of("PPL-EQ")
    esther.open("/projects/new")
    assert esther.send("/projects/new", key="no", title="").status_code == 422

    begun = esther.send("/projects/new", key="LINAC", title="Linac checks")

    assert begun.url.path == "/p/LINAC/records"
    assert esther.open("/p/LINAC/new/user_need").status_code == 200
    assert browser_of("PPL-AK").open("/projects/new").status_code == 403


def test_every_answer_forbids_what_is_not_ours(browser_of: Open) -> None:
    amara = browser_of("PPL-AK")

    for path in ("/", "/p/RPM/records", "/p/RPM/REQ-404", "/nowhere"):
        headers = amara.open(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_pages_hold_no_inline_script_style_or_handler(browser_of: Open) -> None:
    amara = browser_of("PPL-AK")

    for path in ("/", "/account", "/p/RPM/records", "/p/RPM/new/risk", "/p/RPM/audit"):
        page = amara.open(path).text
        assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", page), path


def test_every_form_that_changes_something_carries_the_token(browser_of: Open) -> None:
    amara = browser_of("PPL-AK")

    for path in ("/", "/account", "/p/RPM/new/risk", "/p/RPM/sign"):
        for form in forms_of(amara.open(path).text):
            if form.method == "post":
                assert dict(form.fields).get("csrf_token"), (path, form.action)


def test_an_unknown_host_and_a_large_body_are_turned_away(
    office: Any, database: Database, tmp_path: Any
) -> None:
    app = create_app(Settings(data_dir=tmp_path, largest_upload_mb=1), database)
    client = TestClient(app, base_url="http://127.0.0.1")

    assert client.get("/sign-in", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/sign-in", headers={"host": "[::1]:8000"}).status_code == 200
    large = client.post("/sign-in", content=b"x" * 3_000_000)
    chunks = client.post(
        "/sign-in",
        content=(b"x" * 100_000 for _ in range(30)),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert large.status_code == 413
    assert chunks.status_code in (400, 413)


def test_the_audit_trail_is_filtered_exported_and_verified(
    browser_of: Open, database: Database
) -> None:
    amara = browser_of("PPL-AK")
    amara.open("/p/RPM/new/user_need")
    amara.send("/p/RPM/new/user_need", title="A need", action="save")

    assert "record:user_need:create" in amara.open("/p/RPM/audit?subject=UN-001").text
    assert "No entry fits." in words_of(amara.open("/p/RPM/audit?person=nobody").text)
    rows = amara.open("/p/RPM/audit?action=create&format=csv").text.splitlines()
    assert any("UN-001" in row for row in rows)
    assert "intact" in words_of(amara.open("/p/RPM/audit?verify=true").text)
    assert amara.open("/audit").status_code == 403
