"""The pages of the map, asked for as a browser asks."""

import csv
import html
import io
import re

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from core.db import Database
from core.ledger.models import LedgerEntry
from core.people.actor import Actor
from core.records.content import Content
from core.records.service import create_record, find_project
from dataflows import service
from dataflows.inventory import Department
from dataflows.matrix import routes_in_rows
from dataflows.render import drawn_names
from tests.dataflows.conftest import Browse

HOSTILE = '"]] !include /etc/passwd <b>'


def _words(page: str) -> str:
    """What a reader sees: no tags, no references, single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "?level=all&colour=qa",
        "?level=open&focus=HDR",
        "?focus=P4&level=all&zoom=150",
        "?drafts=true",
        "/matrix",
        "/matrix?level=all",
        "/table",
        "/table?source=TPS&target=PQA&category=dicom",
        "/table?without_qa=true",
        "/pathways",
        "/pathways/P4",
        "/coverage",
        "/impact/PQA",
        "/impact/HDR",
        "/impact/C023",
    ],
)
def test_every_page_of_the_map_opens(browser: TestClient, path: str) -> None:
    answer = browser.get(f"/p/DEPT/map{path}")

    assert answer.status_code == 200, answer.text
    assert "style=" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("level", ["0", "all"])
def test_the_picture_and_the_page_hold_exactly_the_routes_of_the_view(
    browser: TestClient, level: str
) -> None:
    routes = {"0": 59, "all": 91}[level]

    svg = browser.get(f"/p/DEPT/map/diagram.svg?level={level}")
    page = browser.get(f"/p/DEPT/map?level={level}")

    names = list(drawn_names(svg.text, "edge"))
    assert svg.headers["content-type"] == "image/svg+xml"
    assert len(names) == len(set(names)) == routes
    in_page = re.findall(r'class="edge"><title>([^<]*)</title>', page.text)
    assert sorted(map(html.unescape, in_page)) == sorted(names)
    assert f"{routes} routes" in _words(page.text)


def test_every_box_of_the_picture_is_in_the_table_also_one_without_routes(
    browser: TestClient, map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        alone = Content("Stands alone", fields={"kind": "archive"})
        create_record(session, find_project(session, "DEPT"), "system", alone, author, uid="ALONE")

    page = browser.get("/p/DEPT/map?level=all").text

    _, _, table = page.partition('id="systems"')
    listed = re.findall(r'<th scope="row"><a class="uid" href="/p/DEPT/([^"]+)"', table)
    drawn = re.findall(r'class="node"><title>([^<]*)</title>', page)
    assert len(listed) == len(drawn) == 52
    assert "ALONE Stands alone archive 0 0" in _words(table)
    assert re.search(r"TPS\.WS Planning workstation [\w ,-]+ TPS External beam", _words(table))


def test_the_words_of_the_matrix_page_give_the_roll_up(browser: TestClient) -> None:
    words = _words(browser.get("/p/DEPT/map/matrix").text)

    assert "26 systems, 59 routes: 32 DICOM, 13 file, 14 other" in words


def test_the_exported_matrix_is_the_matrix_of_the_page(browser: TestClient) -> None:
    answer = browser.get("/p/DEPT/map/matrix?level=all&format=csv")

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(routes_in_rows(rows)) == 91
    assert 'filename="DEPT-matrix.csv"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("path", "count"),
    [("", 59), ("/table", 91), ("/table?without_qa=true", 36), ("/pathways", 5), ("/coverage", 38)],
)
def test_every_table_exports_what_it_shows(browser: TestClient, path: str, count: int) -> None:
    join = "&" if "?" in path else "?"

    answer = browser.get(f"/p/DEPT/map{path}{join}format=json")

    assert len(answer.json()["rows"]) == count


def test_an_unknown_format_level_or_system_is_refused_by_name(browser: TestClient) -> None:
    for path, status, words in (
        ("/table?format=exe", 422, "exe"),
        ("?level=9", 404, "no level '9'"),
        ("?focus=NOBODY", 404, "no system or pathway NOBODY"),
        ("/pathways/P99", 404, "no pathway P99"),
        ("/impact/NOBODY", 404, "no system or connection NOBODY"),
        ("/diagram.png", 404, "svg, puml or dot"),
    ):
        answer = browser.get(f"/p/DEPT/map{path}")
        assert answer.status_code == status, path
        assert words in _words(answer.text), path


def test_the_coverage_page_lists_the_ten_connections_and_two_pathways(
    browser: TestClient,
) -> None:
    page = browser.get("/p/DEPT/map/coverage").text

    words = _words(page)
    assert "10 of 65 without QA" in words
    assert "2 of 5 without end-to-end QA" in words
    outside = page[: page.index("Connections inside a system without QA</h2>")]
    linked = re.findall(r"/p/DEPT/(C\d+)#link-qa", outside)
    assert linked == [
        "C022", "C033", "C035", "C046", "C047", "C048", "C051", "C059", "C061", "C064",
    ]  # fmt: skip


def test_the_impact_page_of_the_plan_quality_system_names_device_and_evidence(
    browser: TestClient,
) -> None:
    words = _words(browser.get("/p/DEPT/map/impact/PQA?purpose=replace").text)

    assert "PRJ-RPM RT Plan Metrics" in words
    assert "REQ-003 Match plan, dose and structures" in words
    assert "TST-002 Stored unchanged" in words
    assert "No QA on C048 , C061" in words
    assert "192.0.2.26" in words


def test_a_hostile_name_shows_literally_on_every_page(
    browser: TestClient, map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        create_record(
            session, find_project(session, "DEPT"), "system", Content(HOSTILE), author, uid="EVIL"
        )

    for path in ("map", "map/explore", "map/matrix", "map/table", "map?focus=EVIL", "EVIL"):
        answer = browser.get(f"/p/DEPT/{path}")
        assert answer.status_code == 200, path
        assert HOSTILE in _words(answer.text) or path == "map/table", path
        assert "<b>" not in answer.text, path
        assert "root:" not in answer.text, path
    assert "<b>" not in browser.get("/p/DEPT/map/impact/EVIL").text
    assert "<b>" not in browser.get("/p/DEPT/map/diagram.dot").text
    text = browser.get("/p/DEPT/map/diagram.puml").text
    assert "<b>" not in text
    assert "!include" not in text


def test_the_page_of_the_cervix_pathway_shows_25_numbered_steps_in_their_order(
    browser: TestClient, department: Department
) -> None:
    page = browser.get("/p/DEPT/map/pathways/P4").text

    rows = re.findall(
        r'<td class="number">(\d+)</td>\s*<th scope="row">.*?(C\d{3})', page, re.DOTALL
    )
    steps = department.pathways["P4"].steps
    assert rows == [(str(n), step.connection) for n, step in enumerate(steps, 1)]
    assert "25 steps, 4 of them entries" in _words(page)
    assert "is faulty" not in _words(page)


def test_the_system_that_realises_the_device_leads_to_it_and_back(browser: TestClient) -> None:
    system = browser.get("/p/DEPT/PQA").text
    device = browser.get("/p/RPM/PRJ-RPM").text

    assert "/p/RPM/PRJ-RPM" in system
    assert "C023" in _words(system)
    assert "/p/DEPT/map/impact/PQA" in device
    assert "Realised by PQA" in _words(device)


def test_the_connection_page_shows_its_qa_and_its_place_in_the_pathway(
    browser: TestClient,
) -> None:
    words = _words(browser.get("/p/DEPT/C023").text)

    assert "RPM end to end monthly" in words
    assert "External beam: standard volumetric arc treatment, step 24" in words


def test_a_qa_test_is_linked_from_the_page_of_the_connection(browser: TestClient) -> None:
    answer = browser.post(
        "/p/DEPT/map/connections/C022/qa",
        data={
            "csrf_token": "its-own",
            "qa_title": "Archive read-back",
            "qa_source": "qatrack-testlist",
            "qa_slug": "arch-readback",
            "qa_frequency": "annual",
        },
    )

    assert answer.status_code == 303
    assert answer.headers["location"] == "/p/DEPT/C022"
    words = _words(browser.get("/p/DEPT/C022").text)
    assert "QA-059 Archive read-back" in words
    assert "QA-059 now names C022" in words


def test_a_refused_link_keeps_what_was_typed_and_changes_nothing(browser: TestClient) -> None:
    answer = browser.post(
        "/p/DEPT/map/connections/C022/qa",
        data={
            "csrf_token": "its-own",
            "qa_title": "Archive read-back",
            "qa_procedure": "QA-022",
            "qa_reason": "After the outage",
        },
    )

    assert answer.status_code == 422
    assert "not both" in _words(answer.text)
    assert 'value="Archive read-back"' in answer.text
    assert 'value="After the outage"' in answer.text
    assert "QA-059" not in _words(browser.get("/p/DEPT/C022").text)


def test_a_link_without_the_forms_own_token_is_refused(browser: TestClient) -> None:
    answer = browser.post("/p/DEPT/map/connections/C022/qa", data={"qa_title": "Forged"})

    assert answer.status_code == 403


def test_a_viewer_reads_the_map_but_may_not_link_and_the_refusal_is_kept(
    browse: Browse, map_db: Database
) -> None:
    reader = browse("PPL-VW")

    page = reader.get("/p/DEPT/map/impact/PQA")
    answer = reader.post(
        "/p/DEPT/map/connections/C022/qa", data={"csrf_token": "its-own", "qa_title": "New"}
    )

    assert page.status_code == 200
    assert "RT Plan Metrics" not in _words(page.text)
    assert answer.status_code == 403
    assert reader.get("/p/RPM/map").status_code == 404
    with map_db.reading() as session:
        kept = [one.action for one in session.exec(select(LedgerEntry)).all()]
    assert "refusal:record:refused" in kept


def test_a_large_picture_waits_for_a_worker_and_says_so(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "QUICK_LINES", 10)

    page = browser.get("/p/DEPT/map")
    asked = browser.post("/p/DEPT/map/drawing", data={"csrf_token": "its-own"})
    waiting = browser.get("/p/DEPT/map/drawing")
    svg = browser.get("/p/DEPT/map/diagram.svg")

    assert "a worker draws it" in _words(page.text)
    assert asked.status_code == 303
    assert asked.headers["location"] == "/p/DEPT/map"
    assert "is being drawn" in _words(waiting.text)
    assert "fiducial worker" in _words(waiting.text)
    assert svg.status_code == 503


def test_nobody_reads_the_map_without_signing_in(browse: Browse) -> None:
    client = browse("PPL-AK")
    client.cookies.clear()

    answer = client.get("/p/DEPT/map")

    assert answer.status_code in {303, 401}
    assert "/sign-in" in answer.headers.get("location", answer.text)
    assert "CT simulator" not in answer.text


@pytest.mark.parametrize("near", ["RPM", "DEPT", "", "NOWHERE"])
def test_the_word_department_map_leads_to_the_project_that_has_one(
    browse: Browse, author: Actor, near: str
) -> None:
    answer = browse(author.uid).get("/map", params={"near": near})

    assert (answer.status_code, answer.headers["location"]) == (303, "/p/DEPT/map")


def test_a_project_with_systems_of_its_own_keeps_its_reader(
    browse: Browse, author: Actor, map_db: Database
) -> None:
    with map_db.writing() as session:
        content = Content("Bench scanner")
        create_record(session, find_project(session, "RPM"), "system", content, author, uid="BENCH")

    answer = browse(author.uid).get("/map", params={"near": "RPM"})

    assert answer.headers["location"] == "/p/RPM/map"
