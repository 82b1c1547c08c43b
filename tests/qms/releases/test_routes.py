"""The release pages as a browser gets them, and their buttons."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from sqlalchemy import select
from sqlmodel import col

from app import errors
from core.people.models import Person
from core.people.proving import sign_in
from core.people.service import grant
from core.records.service import find_project
from core.settings import Settings
from core.web.access import COOKIE
from qms.releases import pages, ports
from qms.releases.routes import router
from qms.rules.packs import read_framework_pack
from qms.rules.registry import RULES

TESTS = ["TST-004", "TST-005", "TST-007", "TST-008", "TST-009", "TST-010", "TST-026"]
WORDS = "a long sentence to remember"
AT = "/p/RPM/releases/REL-0.1.0"


@pytest.fixture
def browser(device, tmp_path) -> Iterator[TestClient]:
    """A browser in which Amara Kole, author in RPM, is signed in."""
    settings = Settings(data_dir=tmp_path)
    service = FastAPI()
    service.state.database, service.state.settings = device.db, settings
    errors.register(service)
    service.include_router(router)
    with device.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-AK")).one()
        person.password_hash = PasswordHash.recommended().hash(WORDS)
        project = find_project(session, "RPM")
        grant(session, person, ["author", "developer"], None, project.id)
        username = person.username
    token, _ = sign_in(device.db, username, WORDS, "127.0.0.1", settings)
    with TestClient(service, cookies={COOKIE: token}, follow_redirects=False) as client:
        client.headers["accept"] = "text/html"
        yield client


def post(browser: TestClient, path: str, **fields: str):
    form = browser.get(AT).text
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', form)
    return browser.post(path, data={"csrf_token": token, **fields})


def test_the_list_names_each_release_with_where_it_stands(browser) -> None:
    text = browser.get("/p/RPM/releases").text

    assert "Release 0.1.0" in text
    assert "not judged: planned" in text
    assert re.search(r"\d+ of \d+ pass", text)


def test_a_release_shows_its_steps_and_every_rule_with_its_count(browser, device) -> None:
    text = browser.get(AT).text

    assert all(name in text for name in ("Freeze baseline", "Validate", "Release check", "Pack"))
    told = re.search(r"Release check: (\d+) of (\d+) pass, (\d+) had nothing to look at", text)
    passing, applied, idle = map(int, told.groups())
    assert (applied - passing, applied + idle) == (6, len(RULES))
    assert text.count('<th scope="row" class="mono">') == len(RULES)
    assert "is not signed by the quality manager as released." in text
    assert f'href="{AT}/check.json"' in text


def test_json_and_page_count_the_same(browser) -> None:
    counts = browser.get(f"{AT}/check.json").json()["counts"]
    text = browser.get(AT).text

    assert f"{counts['passing']} of {counts['applied']} pass" in text
    assert f"{counts['errors']} findings stop the release" in text


def test_the_button_freezes_and_leads_back(browser, device) -> None:
    answer = post(browser, f"{AT}/freeze")

    assert (answer.status_code, answer.headers["location"]) == (303, AT)
    assert "baseline" in browser.get(AT).text
    assert browser.get(f"{AT}/check.json").json()["counts"]["failing"] == 5


def test_the_button_validates_and_leads_to_the_run(browser, device) -> None:
    post(browser, f"{AT}/freeze")
    started = []

    def start(_session, project, uid, by, reason) -> str:
        started.append((project.key, uid, by.uid, reason))
        return "/p/RPM/runs/1"

    with ports.run_starter.filled(start):
        answer = post(browser, f"{AT}/validate", reason="first")

    assert answer.headers["location"] == "/p/RPM/runs/1"
    assert started == [("RPM", "REL-0.1.0", "PPL-AK", "first")]


def test_a_pack_is_built_for_who_manages_releases_or_quality_only(browser) -> None:
    answer = post(browser, f"{AT}/pack")

    assert answer.status_code == 403
    assert "release manager" in answer.text
    assert "Build the pack" not in browser.get(AT).text


def test_a_pack_before_the_signatures_is_refused_with_the_reason(browser, device) -> None:
    with device.db.writing() as session:
        person = session.scalars(select(Person).where(col(Person.uid) == "PPL-AK")).one()
        grant(session, person, ["release_manager"], None, find_project(session, "RPM").id)

    answer = post(browser, f"{AT}/pack")

    assert answer.status_code == 409
    assert "is not signed yet" in answer.text


def test_a_form_of_another_session_changes_nothing(browser) -> None:
    answer = browser.post(f"{AT}/freeze", data={"csrf_token": "guessed"})

    assert answer.status_code == 403
    assert "not frozen yet" in browser.get("/p/RPM/releases").text


def test_a_release_that_is_not_there_is_a_404_that_names_those_that_are(browser) -> None:
    answer = browser.get("/p/RPM/releases/REL-9.9.9")

    assert answer.status_code == 404
    assert "0.1.0, 1.0.0" in answer.text


def test_findings_lead_to_their_record_and_to_a_concession(browser, device) -> None:
    device.edit("SOUP-04", evaluated_on="2020-01-01")

    text = browser.get(AT).text

    assert '<a class="uid" href="/p/RPM/SOUP-04">SOUP-04</a> had its anomaly list' in text
    assert '<span class="quiet">numpy</span>' in text
    assert "Evaluate the list again and record the outcome." in text
    assert "/p/RPM/new/waiver?rule=C03" in text


def test_a_reader_of_one_project_sees_no_title_of_another(browser, device) -> None:
    """G02 names the connection, which the device's own records name; its title stays there."""
    with device.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE record SET withdrawn_at = '2026-11-20 00:00:00.000000' WHERE type = "
            "'qa_procedure'"
        )

    text = browser.get(AT).text

    assert "C023</a> has no QA procedure." in text
    assert "Plan export to plan QA system" not in text


def test_what_the_department_asks_otherwise_stands_above_the_findings(
    browser, tmp_path, monkeypatch
) -> None:
    (tmp_path / "ours.yaml").write_text(
        "changes: medical-device-software\nrules:\n  C04: {level: error}\n"
    )
    pack = read_framework_pack(tmp_path)
    monkeypatch.setattr(pages, "framework_pack", lambda: pack)

    text = browser.get(AT).text

    assert "C04, level: error instead of warn (rules/ours.yaml)" in text
    assert 'href="/p/RPM/clauses?release=REL-0.1.0"' in text
