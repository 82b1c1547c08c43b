"""The trace page: counts that filter, explanations in place or apart, exports of what is shown."""

import csv
import io
import json
import re

import pytest

from core import ports
from core.people.actor import Actor
from core.records.content import Content
from core.records.service import create_record, find_project
from core.verdicts import Verdict, VerdictWord
from qms.traceability.routes import router

PASSED = ("TST-004", "TST-005", "TST-007", "TST-008", "TST-009", "TST-010", "TST-026")


def run_of_release(_session, _project, release):
    tests = PASSED if release == "REL-0.1.0" else ()
    return {
        uid: Verdict(VerdictWord.PASSED, run="14", detail="0.31 %", address="/p/RPM/runs/14")
        for uid in tests
    }


@pytest.fixture
def browser(new_site):
    with ports.verdict_source.filled(run_of_release):
        yield new_site(router).browser("PPL-EQ", "quality_manager")


def test_the_page_opens_on_the_newest_candidate_with_counts_that_filter(browser, words) -> None:
    response = browser.get("/p/RPM/trace")

    assert response.status_code == 200
    text = words(response)
    for count in ("all 26", "failing 0", "uncovered 0", "not run 18", "in the release 8"):
        assert count in text
    assert "TST-009" in text
    assert "Verdict at 0.1.0" in text


@pytest.mark.parametrize(
    ("show", "count"),
    [("all", 26), ("not run", 18), ("in the release", 8), ("unsigned", 26), ("nonsense", 26)],
)
def test_each_filter_shows_the_rows_it_counts(browser, words, show, count) -> None:
    response = browser.get("/p/RPM/trace", params={"show": show})

    assert f"{count} rows" in words(response)
    assert response.text.count("data-why") == count


def test_an_empty_filter_is_a_sentence(browser, words) -> None:
    assert "No row is failing." in words(browser.get("/p/RPM/trace", params={"show": "failing"}))


def test_a_clause_shows_the_rows_in_which_a_record_speaks_to_it(browser, words) -> None:
    unit = browser.get("/p/RPM/trace", params={"clause": "IEC 62304 5.5"})
    exported = browser.get("/p/RPM/trace/export/json", params={"clause": "IEC 62304 5.5"}).json()
    other = browser.get("/p/RPM/trace", params={"clause": "IEC62304-5.2"})

    shown = unit.text.count("data-why")
    assert 0 < shown < 26
    assert f"all {shown} " in words(unit)
    assert len(exported["rows"]) == shown
    assert all("TST-" in row["Test"] for row in exported["rows"])
    assert other.text.count("data-why") == 26  # every requirement speaks to it by its type


def test_a_clause_that_no_framework_lists_has_no_row_and_is_said_so(browser, words) -> None:
    response = browser.get("/p/RPM/trace", params={"clause": "13485 99.9"})

    assert "No framework lists “13485 99.9”" in words(response)
    assert response.text.count("data-why") == 0


def test_many_rows_are_paged_on_the_server(new_site) -> None:
    browser = new_site(router).browser("PPL-XX", "viewer", project="DEPT")
    asked = {"rows": "connection", "columns": "system"}

    first = browser.get("/p/DEPT/trace", params=asked)
    second = browser.get("/p/DEPT/trace", params=asked | {"page": 2})

    assert first.text.count("data-why") == 50
    assert 0 < second.text.count("data-why") < 50
    assert 'rel="next"' in first.text
    assert 'rel="prev"' in second.text
    assert browser.get("/p/DEPT/trace", params=asked | {"page": 9}).status_code == 200


def test_why_opens_beneath_the_row_and_closes_again(browser, words) -> None:
    asked = {"release": "REL-0.1.0", "at": 3}

    opened = browser.get("/p/RPM/trace/why/REQ-009", params=asked, headers={"HX-Request": "true"})
    closed = browser.get(
        "/p/RPM/trace/why/REQ-009", params=asked | {"hide": "true"}, headers={"HX-Request": "true"}
    )

    assert opened.text.lstrip().startswith('<tr class="beneath" id="why-3">')
    assert "TST-009 passed in run 14, 0.31 %." in words(opened)
    assert closed.text == '<tr class="beneath" id="why-3" hidden></tr>'


def test_why_of_one_cell_opens_beneath_its_row(browser, words) -> None:
    page = browser.get("/p/RPM/trace").text
    address = re.search(r'data-cell-why href="([^"]*/REQ-009\?[^"]*column=test)"', page)
    assert address is not None

    at = address.group(1).replace("&amp;", "&")
    in_place = browser.get(at, headers={"HX-Request": "true"})
    alone = browser.get(at)

    assert in_place.text.strip().startswith('<tr class="beneath"')
    told = words(in_place)
    assert "Why REQ-009, test, reads so" in told
    assert "TST-009 is reached from REQ-009: verified by or validated by." in told
    assert "UN-0" not in told
    assert "<h1>Why REQ-009, test, reads so" in alone.text
    assert browser.get(at.replace("column=test", "column=zebra")).status_code == 404


def test_empty_required_cell_says_so_with_its_reason_and_mend(new_site, words) -> None:
    site = new_site(router)
    with site.db.writing() as session:
        project = find_project(session, "RPM")
        by = Actor(1, "Amara Kole", "PPL-AK", {None: frozenset({"author"})})
        content = Content("Alone", "It stands alone.")
        uid = create_record(session, project, "requirement", content, by).uid
    author, reader = site.browser("PPL-A", "author"), site.browser("PPL-V", "viewer")

    told = words(author.get("/p/RPM/trace?show=uncovered"))
    page = author.get("/p/RPM/trace?show=uncovered").text

    assert "uncovered No test verifies it. Write a test" in told
    assert f'href="/p/RPM/new/test?verifies={uid}"' in page
    assert f'href="/p/RPM/{uid}/edit"' in page
    read = reader.get("/p/RPM/trace?show=uncovered").text
    assert "No test verifies it." in read
    assert "/new/test?" not in read


def test_role_path_is_shown_and_chosen(browser, words) -> None:
    page = browser.get("/p/RPM/trace")
    other = browser.get("/p/RPM/trace?along=test:mitigates.<verifies&along=test:derives_from")

    assert "verified by, or validated by" in words(page)
    assert 'value="test:&lt;verifies" checked' in page.text
    assert "mitigates, then verified by" in words(other)
    assert "along=test%3Amitigates.%3Cverifies" in other.text, "every link keeps it"
    assert "along=test%3Aderives_from" not in other.text


def test_why_is_a_page_of_its_own_without_scripts(browser, words) -> None:
    response = browser.get("/p/RPM/trace/why/REQ-009", params={"release": "REL-0.1.0", "at": 3})

    assert "<!doctype html>" in response.text
    assert "Why REQ-009 reads" in words(response)
    assert "every test that counts passed" in words(response)


@pytest.mark.parametrize("name", ["csv", "xlsx", "json", "html", "pdf"])
def test_every_export_holds_exactly_the_rows_shown(browser, name) -> None:
    response = browser.get(f"/p/RPM/trace/export/{name}", params={"show": "in the release"})

    assert response.status_code == 200
    assert f"RPM-trace-REL-0.1.0.{name}" in response.headers["content-disposition"]
    if name == "json":
        rows = json.loads(response.content)["rows"]
        assert [row["Requirement"] for row in rows][:2] == ["REQ-003", "REQ-004"]
        assert {row["Verdict"] for row in rows} == {"passed"}
    if name == "csv":
        rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
        assert len(rows) == 8


def test_any_rows_and_columns_may_be_chosen(browser, words) -> None:
    response = browser.get(
        "/p/RPM/trace", params={"rows": "user_need", "columns": ["requirement", "test"]}
    )

    assert "8 rows" in words(response)


def test_what_cannot_be_drawn_is_refused_with_every_fault(browser, words) -> None:
    response = browser.get("/p/RPM/trace", params={"columns": ["unheard", "unseen"]})

    assert response.status_code == 422
    assert "unheard" in words(response)
    assert "unseen" in words(response)


def test_an_unknown_release_row_or_project_is_not_found(browser) -> None:
    for address in (
        "/p/RPM/trace?release=9.9",
        "/p/RPM/trace/why/REQ-999",
        "/p/NONE/trace",
        "/p/DEPT/trace",
    ):
        assert browser.get(address).status_code == 404


def test_a_stranger_is_asked_to_sign_in(browser) -> None:
    browser.cookies.clear()

    for address in ("/p/RPM/trace", "/p/RPM/trace/export/csv", "/p/RPM/trace/why/REQ-009"):
        response = browser.get(address)
        assert response.status_code in (303, 401)
        assert "Dose-volume" not in response.text


def test_columns_of_a_project_that_one_may_not_read_stay_empty(browser, words) -> None:
    response = browser.get("/p/RPM/trace", params={"columns": "connection"})

    assert response.status_code == 200
    assert "C023" not in response.text
