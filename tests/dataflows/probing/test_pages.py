"""Probes and drift as a person and a program meet them."""

import html
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from core.db import Database
from core.settings import Settings
from core.web.access import COOKIE
from core.web.forgery import FIELD
from dataflows.probing import drifting, routes
from tests.dataflows.conftest import Browse
from tests.dataflows.probing.conftest import OWN, Answering, Done, post

Work = Callable[[Settings], Done]
LIST = b"AE title,host,port\nPACS_ARC,192.0.2.99,104\nNEW,192.0.2.98,104\n"


@pytest.fixture
def allowed(map_db: Database, settings: Settings, browse: Browse) -> TestClient:
    """The author's browser at a service that may probe."""
    browse("PPL-AK")  # opens the session
    client = TestClient(
        create_app(settings, map_db), base_url="http://127.0.0.1", follow_redirects=False
    )
    client.cookies.set(COOKIE, "PPL-AK")
    client.headers["accept"] = "text/html"
    return client


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_where_probing_is_off_the_page_says_so_and_asking_is_refused(browser: TestClient) -> None:
    page = words(browser.get("/p/DEPT/map/probes").text)
    asked = post(browser, "/p/DEPT/map/probes", connection="C023")

    assert "Probing is off here" in page
    assert "FIDUCIAL_PROBE_HOSTS" in page
    assert "never probed 43" in page
    assert "Probe 43 associations now" not in page
    assert asked.status_code == 409
    assert "Probing is off here" in words(asked.text)


def test_who_asks_is_led_to_the_job_and_then_reads_the_word_with_its_reason(
    allowed: TestClient, settings: Settings, network: Answering, work: Work
) -> None:
    before = words(allowed.get("/p/DEPT/C012").text)
    asked = post(allowed, "/p/DEPT/map/probes", connection="C012")
    network.outcome = "wrong-calling-ae"
    work(settings)
    job = words(allowed.get(asked.headers["location"]).text)
    record = words(allowed.get("/p/DEPT/C012").text)
    history = words(allowed.get("/p/DEPT/map/probes/C012").text)
    listed = words(allowed.get("/p/DEPT/map/probes?outcome=wrong-calling-ae").text)

    assert "never probed Nobody has probed it yet." in before
    assert (asked.status_code, asked.headers["location"][:6]) == (303, "/jobs/")
    assert "2 wrong calling AE" in job
    for page in (record, history, listed):
        assert "wrong calling AE It is wrong-calling-ae." in page
    assert "CONT asks PACS_ARC 192.0.2.11:104" in record
    assert "with the AE title of the system that asks, from this host" in history
    assert "Fiducial 0, a test" in history
    assert "2 associations" in listed


def test_the_export_holds_what_the_page_shows(allowed: TestClient) -> None:
    rows = allowed.get("/p/DEPT/map/probes?format=csv").text.splitlines()

    assert len([row for row in rows if ",never probed," in row]) == 43


def test_a_host_that_is_not_allowed_is_refused_with_every_reason(
    map_db: Database, browse: Browse, settings: Settings
) -> None:
    browse("PPL-AK")
    few = Settings(data_dir=settings.data_dir, probe_hosts=["192.0.2.14"])
    client = TestClient(create_app(few, map_db), base_url="http://127.0.0.1")
    client.cookies.set(COOKIE, "PPL-AK")
    client.headers["accept"] = "text/html"

    asked = post(client, "/p/DEPT/map/probes", connection="C012")

    assert asked.status_code == 422
    assert "192.0.2.11 is not among the hosts that may be probed" in words(asked.text)


def test_a_list_is_imported_reported_and_proposed(browser: TestClient) -> None:
    sent = browser.post(
        "/p/DEPT/map/drift",
        data={FIELD: OWN, "system": "CTSIM"},
        files={"sent": ("ct.csv", LIST, "text/csv")},
    )
    at = sent.headers["location"]
    report = words(browser.get(at).text)
    export = browser.get(f"{at}?format=csv").text
    proposed = post(browser, f"{at}/propose")
    again = post(browser, f"{at}/propose")
    listed = words(browser.get("/p/DEPT/map/drift").text)

    assert sent.status_code == 303
    assert "PACS_ARC at 192.0.2.11:104 PACS_ARC at 192.0.2.99:104 line 2 host" in report
    assert "NEW at 192.0.2.98:104" in report
    assert "changed,PACS_ARC,192.0.2.11,104,C001 C002," in export
    assert (proposed.status_code, again.status_code) == (303, 409)
    assert "ct.csv" in listed


def test_the_lists_come_a_page_at_a_time_and_only_the_newest_is_proposed_from(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "LISTS", 2)
    built: list[str] = []
    whole = drifting.modelled_destinations
    monkeypatch.setattr(
        drifting,
        "modelled_destinations",
        lambda department, system: built.append(system) or whole(department, system),
    )
    sent = [
        browser.post(
            "/p/DEPT/map/drift",
            data={FIELD: OWN, "system": "CTSIM"},
            files={"sent": (f"ct{n}.csv", LIST, "text/csv")},
        ).headers["location"]
        for n in (1, 2, 3)
    ]

    first = words(browser.get("/p/DEPT/map/drift").text)
    compared = list(built)
    second = words(browser.get("/p/DEPT/map/drift?page=2").text)
    beyond = words(browser.get("/p/DEPT/map/drift?page=3").text)
    old, newest = (browser.get(at).text for at in (sent[0], sent[2]))

    assert compared == ["CTSIM"]
    assert "3 lists · 1-2 page 1 of 2 Next" in first
    assert [name in first for name in ("ct3.csv", "ct2.csv", "ct1.csv")] == [True, True, False]
    assert "ct1.csv" in second
    assert "There are no lists on this page." in beyond
    assert "CTSIM has a newer list , ct3.csv" in words(old)
    assert f"{sent[0]}/propose" not in old
    assert f"{sent[2]}/propose" in newest
    refused = post(browser, f"{sent[0]}/propose")
    assert refused.status_code == 409
    assert "propose from that one" in words(refused.text)


def test_a_list_with_faults_comes_back_with_all_of_them(browser: TestClient) -> None:
    sent = browser.post(
        "/p/DEPT/map/drift",
        data={FIELD: OWN, "system": "CTSIM"},
        files={"sent": ("ct.csv", b"ae,host,port\n,h,1\nA,h,0\n", "text/csv")},
    )

    assert sent.status_code == 422
    page = words(sent.text)
    assert "ct.csv:2 : '' is no AE title." in page
    assert "ct.csv:3 : '0' is no port." in page


def test_a_program_asks_reads_and_imports(
    map_db: Database, settings: Settings, allowed: TestClient, network: Answering, work: Work
) -> None:
    allowed.headers["accept"] = "application/json"
    allowed.headers["x-csrf-token"] = OWN

    asked = allowed.post("/api/p/DEPT/map/probes", json={"connections": ["C023"]})
    work(settings)
    listed = allowed.get("/api/p/DEPT/map/probes?outcome=ok").json()
    results = allowed.get("/api/p/DEPT/map/probes/C023").json()
    sent = {"system": "CTSIM", "name": "ct.csv", "text": LIST.decode()}
    made = allowed.post("/api/p/DEPT/map/drift", json=sent)
    drift = allowed.get(made.headers["location"]).json()
    drafts = allowed.post(f"{made.headers['location']}/propose", json={})
    newer = allowed.post("/api/p/DEPT/map/drift", json=sent).json()
    superseded = allowed.get(made.headers["location"]).json()
    refused = allowed.post(f"{made.headers['location']}/propose", json={})
    listed_first = allowed.get("/api/p/DEPT/map/drift").json()
    beyond = allowed.get("/api/p/DEPT/map/drift?page=2").json()

    assert asked.status_code == 202
    assert asked.json()["follow"].startswith("/jobs/")
    assert [one["connection"] for one in listed["associations"]] == ["C023"]
    assert listed["associations"][0]["last"]["person"] == "Amara Kole"
    assert [one["outcome"] for one in results] == ["ok"]
    assert made.status_code == 201
    assert drift["changed"][0]["what"] == "host"
    assert [one["ae"] for one in drift["added"]] == ["NEW"]
    assert (drift["superseded_by"], superseded["superseded_by"]) == (None, newer["number"])
    assert (newer["superseded_by"], refused.status_code) == (None, 409)
    assert [one["number"] for one in listed_first] == [newer["number"], drift["number"]]
    assert beyond == []
    assert drafts.json()["drafts"] == drift["changed"][0]["before"]["connections"]


def test_who_only_reads_may_look_and_not_ask(browse: Browse) -> None:
    viewer = browse("PPL-VW")

    assert viewer.get("/p/DEPT/map/probes").status_code == 200
    assert viewer.get("/p/DEPT/map/drift").status_code == 200
    assert post(viewer, "/p/DEPT/map/probes").status_code == 403
    assert post(viewer, "/p/DEPT/map/drift", system="CTSIM").status_code == 403
