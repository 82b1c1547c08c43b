"""An administrator names a server, a scientist picks tests of it, and pages say how they stand."""

import pytest
from sqlmodel import select

from core.db import Database
from core.ledger.models import LedgerEntry
from dataflows.qatrack.models import QatrackServer
from tests.dataflows.qatrack.conftest import KEPT, Enter, Work, post
from tests.dataflows.qatrack.peer import TOKEN, Peer
from tests.dataflows.qatrack.test_reading import ASSIGNED


def test_an_administrator_names_tests_and_reads_a_server(
    map_db: Database, enter: Enter, work: Work, peer: Peer
) -> None:
    boss = enter("PPL-AD")
    assert "No QATrack+ server is named yet" in boss.get("/qatrack").text
    zone = {"time_zone": "Europe/London"}

    wrong = post(boss, "/qatrack", name="main", address="http://10.0.0.1", token=TOKEN, **zone)
    assert wrong.status_code == 422
    assert "not among the servers" in wrong.text
    assert TOKEN not in wrong.text
    made = post(boss, "/qatrack", name="main", address=peer.address, token=TOKEN, **zone)
    assert made.headers["location"] == "/qatrack"
    tried = post(boss, "/qatrack/main/test")
    told = work()
    read = post(boss, "/qatrack/main/read")
    work()

    assert told.told == "main: It answers and the token reads: 2 units, 4 tests"
    assert "the token reads" in boss.get(tried.headers["location"]).text
    assert "8 tests and lists" in boss.get(read.headers["location"]).text
    page = boss.get("/qatrack").text
    assert "Last readings of main" in page
    assert TOKEN not in page
    with map_db.reading() as session:
        actions = [one.action for one in session.exec(select(LedgerEntry)).all()]
        assert {"qatrack:server:name", "qatrack:server:read"} <= set(actions)
        assert len(session.exec(select(QatrackServer)).all()) == 1


def test_a_procedure_shows_how_it_stands_and_where_to_perform_it(fresh: Enter, peer: Peer) -> None:
    author = fresh("PPL-AK")

    late, done = author.get("/p/DEPT/QA-002").text, author.get("/p/DEPT/QA-001").text

    assert "overdue" in late
    assert "never performed" in late
    assert "12 Oct 2026" in late
    assert "no tolerances set" in done
    assert f"{peer.address}/qc/utc/perform/1/" in done
    assert f"{peer.address}/qc/session/details/1/" in done


def test_coverage_tells_the_words_and_exports_what_it_shows(
    fresh: Enter, peer: Peer, work: Work
) -> None:
    viewer = fresh("PPL-VW")
    page = viewer.get("/p/DEPT/map/coverage").text
    assert "How the QA in QATrack+ stands" in page
    assert "1 overdue" in page

    rows = viewer.get("/p/DEPT/map/coverage?format=json").json()["rows"]
    told = {row["Id"]: row for row in rows if row["Kind"] == "QA procedure in QATrack+"}
    assert told["QA-002"]["QA status"] == "overdue"
    assert told["QA-002"]["Due"] == "2026-10-12"
    assert told["QA-003"]["QA status"].endswith("main has no test list of that name.")

    peer.fault = lambda path, _: peer.replay("19_schema") if path == ASSIGNED else None
    post(fresh("PPL-AD"), "/qatrack/main/read")
    work()
    rows = viewer.get("/p/DEPT/map/coverage?format=json").json()["rows"]
    words = {row["QA status"][:13] for row in rows if row["QA status"]}
    assert words == {"unknown since"}
    assert "status 500" in viewer.get("/p/DEPT/map/coverage").text


def expected(page: str) -> str:
    return page.partition('name="expected" value="')[2].partition('"')[0]


def test_a_test_is_picked_for_a_procedure_from_what_was_read(
    named: Database, fresh: Enter, work: Work
) -> None:
    author = fresh("PPL-AK")
    at = "/p/DEPT/map/qatrack/QA-003"
    page = author.get(f"{at}?q=end-to-end&kind=utc").text
    assert "902 HDR afterloader" in page
    assert "record and verify" not in page
    assert "Nothing that was read" in author.get(f"{at}?q=nothing+like+it").text

    chosen = "main/utc/902/testlist/annual/End-to-end: HDR brachytherapy pathway"
    assert f'value="{chosen}"' in page
    stale = post(author, at, item=chosen, expected="stale")
    nothing = post(author, at, expected=expected(page))
    picked = post(author, at, item=chosen, expected=expected(page))

    assert (stale.status_code, nothing.status_code) == (409, 422)
    assert "no test is chosen" in nothing.text
    assert picked.headers["location"] == "/p/DEPT/QA-003"
    assert work().state == "done"
    now_kept = author.get("/p/DEPT/QA-003").text
    assert "902/testlist/annual/End-to-end: HDR brachytherapy pathway" in now_kept
    assert "no due date" in now_kept


@pytest.mark.parametrize(("uid", "scope"), [("C022", "connection"), ("P3", "pathway")])
def test_a_connection_or_a_pathway_gets_a_procedure_of_its_own(
    named: Database, fresh: Enter, uid: str, scope: str
) -> None:
    author = fresh("PPL-AK")
    at = f"/p/DEPT/map/qatrack/{uid}"
    assert at in author.get(f"/p/DEPT/{uid}").text
    assert "Title of the new QA procedure" in author.get(at).text

    made = post(author, at, item="main/testlist/End-to-end: HDR brachytherapy pathway")

    page = author.get(made.headers["location"]).text
    assert "End-to-end: HDR brachytherapy pathway" in page
    assert "annual" in page
    assert scope in page
    assert "not read yet" not in author.get(f"/p/DEPT/{uid}").text


def test_who_only_reads_is_offered_nothing_to_change(fresh: Enter, named: Database) -> None:
    viewer = fresh("PPL-VW")

    page = viewer.get("/p/DEPT/map/qatrack/QA-003").text

    assert "can link one of them" in page
    assert 'type="radio"' not in page
    assert "Choose a test" not in viewer.get("/p/DEPT/QA-003").text
    assert post(viewer, "/p/DEPT/map/qatrack/QA-003", item="1").status_code == 403
    assert viewer.get("/qatrack").status_code == 403


def test_without_a_server_pages_say_that_nothing_is_known(enter: Enter, map_db: Database) -> None:
    author = enter("PPL-AK")

    assert "not known" in author.get("/p/DEPT/QA-001").text
    assert "How the QA in QATrack+ stands" not in author.get("/p/DEPT/map/coverage").text
    assert "No QATrack+ server is named here" in author.get("/p/DEPT/map/qatrack/QA-001").text
    assert post(author, "/p/DEPT/map/qatrack/QA-001/read").status_code == 404
    assert author.get("/p/DEPT/map/qatrack/PQA").status_code == 404


@pytest.mark.parametrize(
    ("uid", "role"), [("C022", "controls_connection"), ("P3", "controls_pathway")]
)
def test_without_a_server_a_procedure_is_still_begun_for_what_it_controls(
    enter: Enter, map_db: Database, uid: str, role: str
) -> None:
    author, viewer = enter("PPL-AK"), enter("PPL-VW")
    at, begin = f"/p/DEPT/map/qatrack/{uid}", f"/p/DEPT/new/qa_procedure?{role}={uid}"

    form = author.get(begin).text

    assert f'href="{begin}"' in author.get(at).text
    assert f'href="{begin}"' not in viewer.get(at).text
    assert f'name="link.{role}.1.target" value="{uid}"' in form


def test_somebody_else_s_reading_is_waited_for(fresh: Enter, work: Work) -> None:
    author = fresh("PPL-AK")
    post(fresh("PPL-AD"), "/qatrack/main/read")

    answer = post(author, "/p/DEPT/map/qatrack/QA-001/read")

    assert answer.headers["location"] == "/p/DEPT/QA-001"
    assert "read already" in author.get("/p/DEPT/QA-001").text
    work()
    mine = post(author, "/p/DEPT/map/qatrack/QA-001/read")
    assert mine.headers["location"].startswith("/jobs/")


def test_a_server_is_changed_and_retired_from_its_page(fresh: Enter, peer: Peer) -> None:
    boss = fresh("PPL-AD")

    moved = post(
        boss, "/qatrack/main/change", address=f"{peer.address}/moved", time_zone="Europe/London"
    )
    changed = post(boss, "/qatrack/main/change", address=peer.address, time_zone="UTC")
    retired = post(boss, "/qatrack/main/retire")

    assert moved.status_code == 422
    assert 'href="#main-token"' in moved.text
    assert changed.status_code == retired.status_code == 303
    assert "Read main again" in boss.get("/qatrack").text
    assert post(boss, "/qatrack/main/read").status_code == 409
    assert set(KEPT) == {"QA-001", "QA-002"}
