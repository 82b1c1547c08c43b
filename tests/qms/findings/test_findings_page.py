"""Every finding of a project on one page: of any gate, without a release, counted as by check."""

import re

import pytest

from app.main import ROUTERS
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.service import create_record, find_project
from core.records.snapshot import Key
from qms.findings.asking import GATE_WORDS, Show, View, within
from qms.releases.service import release_check
from qms.rules.findings import Finding, Level
from qms.rules.packs import GATES

AT = "/p/RPM/findings"


@pytest.fixture
def site(new_site):
    return new_site(*ROUTERS)


@pytest.fixture
def esther(site):
    return site.browser("PPL-EQ", "quality_manager", "release_manager")


def counted(site, key: str, gate: str, release: str | None) -> tuple[int, int, int, int]:
    """Return what the command counts: all, errors, warnings, conceded."""
    with site.db.reading() as session:
        result = release_check(session, key, release, gate)
    return len(result.findings), result.errors, result.warnings, result.conceded


def filters(text: str) -> tuple[int, ...]:
    """Return the counts that filter the page."""
    found = [re.search(rf">{show.value} (\d+)</a>", text) for show in Show]
    assert all(found)
    return tuple(int(one.group(1)) for one in found if one)


def test_every_gate_is_named_and_counts_as_the_command_does(site, esther) -> None:
    assert set(GATE_WORDS) == set(GATES)
    for gate, asked, release in (
        ("release", "REL-0.1.0", "0.1.0"),
        ("plan", "none", None),
        ("design", "REL-0.1.0", "0.1.0"),
        ("always", "none", None),
    ):
        text = esther.get(f"{AT}?gate={gate}&release={asked}").text

        assert filters(text) == counted(site, "RPM", gate, release), gate


def test_project_without_any_release_has_its_findings(site, words) -> None:
    browser = site.browser("PPL-XX", "viewer", project="DEPT")

    page = browser.get("/p/DEPT/findings")

    assert page.status_code == 200
    assert "without any release" in words(page)
    assert "fiducial check DEPT" in words(page)
    assert filters(page.text) == counted(site, "DEPT", "release", None)


def test_finding_is_one_click_from_its_mend_and_from_its_concession(site, esther) -> None:
    with site.db.reading() as session:
        result = release_check(session, "RPM", "0.1.0")
    first = next(one for one in result.findings if one.blocks)

    text = esther.get(f"{AT}?rule={first.code}").text

    assert f'href="{first.address}"' in text
    asked = re.search(r'href="(/p/RPM/new/waiver\?[^"]+)"', text)
    assert asked is not None
    form = esther.get(asked.group(1).replace("&amp;", "&")).text
    assert f'value="{first.code}"' in form
    assert f'value="{first.record.uid}"' in form
    assert 'value="REL-0.1.0"' in form


def test_what_is_exported_is_what_is_shown(site, esther) -> None:
    query = "show=errors&type=requirement"
    page = esther.get(f"{AT}?{query}").text
    table = esther.get(f"{AT}/export/json?{query}").json()

    assert {row["Level"] for row in table["rows"]} == {"error"}
    assert len(table["rows"]) == filters(page)[1]
    assert table["about"]["Shown"] == "errors, requirement"
    assert "data-export>CSV" in page


def test_gate_or_release_that_is_not_there_is_said(esther) -> None:
    assert esther.get(f"{AT}?gate=zebra").status_code == 404
    assert esther.get(f"{AT}?release=9.9").status_code == 404
    assert "No finding is like that." in esther.get(f"{AT}?rule=ZZ9").text


def test_trend_and_home_lead_to_the_findings(site, esther) -> None:
    trend = esther.get("/p/RPM/trend").text

    assert 'href="/p/RPM/findings?show=errors"' in trend
    assert 'href="/p/RPM/findings"' in trend
    assert 'href="/p/RPM/findings"' in esther.get("/").text


def test_home_tells_what_is_found_in_a_record_without_any_release(site, words) -> None:
    browser = site.browser("PPL-XX", "viewer", project="DEPT")
    with site.db.writing() as session:
        by = Actor(1, "Amara Kole", "PPL-AK", {None: frozenset({"author"})})
        told = {"source": "Ward", "received_on": "2026-01-05", "patient_effect": "death"}
        about = (LinkDraft("about", "REL-0.1.0", "RPM"),)
        content = Content("A patient died", "After a plan.", told, about)
        create_record(session, find_project(session, "DEPT"), "complaint", content, by)

    page = browser.get("/")

    assert counted(site, "DEPT", "release", None) == (1, 1, 0, 0)
    assert "Record of Department: 1 error, 0 warnings" in words(page)
    assert "CMP-001 was not assessed for reporting" in words(page)
    assert 'href="/p/DEPT/findings?release=none"' in page.text
    assert 'href="/p/DEPT/CMP-001"' in browser.get("/p/DEPT/findings").text


def finding(code: str, uid: str, level: Level = Level.ERROR, waiver: str = "") -> Finding:
    return Finding(code, Key("RPM", uid), f"{uid} says nothing.", "Say it.", "/", level, waiver)


def test_findings_are_chosen_by_rule_type_and_words() -> None:
    one, two = finding("B04", "REQ-001"), finding("D01", "RSK-001")
    types = {one.record: "requirement", two.record: "risk"}

    assert within([one, two], View(rule="B04"), types) == (one,)
    assert within([one, two], View(type="risk"), types) == (two,)
    assert within([one, two], View(q="NOTHING rsk-001"), types) == (two,)


def test_each_finding_is_of_one_kind_besides_all() -> None:
    many = [
        finding("B04", "REQ-001"),
        finding("B05", "REQ-001", Level.WARN),
        finding("B04", "REQ-002", waiver="WVR-001"),
        finding("B05", "REQ-002", Level.WARN, "WVR-001"),
    ]

    assert [sum(map(show.takes, many)) for show in Show] == [4, 1, 1, 2]
