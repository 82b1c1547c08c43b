"""The map described in the browser's words: add, connect, state, paste, confirm, order."""

import html
import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from core import clock
from core.db import Database
from core.records.service import edit_token, find_project, find_record, latest_revision
from tests.dataflows.conftest import Browse

SYSTEM = {"name": "Film scanner", "uid": "FILM", "kind": "film", "owner": "Physics",
          "criticality": "low", "part_of": "CTSIM"}  # fmt: skip
CONNECTION = {"source": "CTSIM.ACQ", "target": "pqa", "category": "dicom",
              "data_types": "CT Image\nRT Plan", "protocol": "DICOM C-STORE",
              "trigger": "query", "responsible": "Physics",
              "surveyed_from": "configuration"}  # fmt: skip


def _words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def _post(browser: TestClient, path: str, **sent: str) -> tuple[int, str, str]:
    answer = browser.post(f"/p/DEPT/map{path}", data={"csrf_token": "its-own", **sent})
    return answer.status_code, answer.headers.get("location", ""), answer.text


def _seen(page: str) -> str:
    [found] = re.findall(r'name="seen" value="([^"]*)"', page)
    return str(found)


def test_a_system_is_added_connected_and_stands_in_the_matrix(browser: TestClient) -> None:
    assert _post(browser, "/add-system", **SYSTEM)[:2] == (303, "/p/DEPT/FILM")

    page = browser.get("/p/DEPT/map/connect?source=FILM&target=PQA").text
    assert 'value="FILM"' in page
    assert 'value="Physics"' in page  # its own group answers for it
    sent = {**CONNECTION, "source": "Film scanner"}
    assert _post(browser, "/connect", **sent)[:2] == (303, "/p/DEPT/C092")

    record = browser.get("/p/DEPT/C092").text
    assert "CT Image, RT Plan from FILM to PQA" in record
    assert "pull" in record
    matrix = browser.get("/p/DEPT/map/matrix?level=all&format=json").json()
    [row] = [one for one in matrix["rows"] if one["from / to"] == "FILM"]
    assert row["PQA"] == "dicom C092 | 0 QA on 0 of 1"
    assert "C092" in browser.get("/p/DEPT/map/coverage").text


def test_a_refused_form_keeps_what_was_typed_and_names_all_faults(browser: TestClient) -> None:
    status, _, page = _post(
        browser, "/connect", **{**CONNECTION, "source": "CTSIM.AQ", "protocol": "", "trigger": ""}
    )

    assert status == 422
    words = _words(page)
    assert "From : 'CTSIM.AQ' is no system of this map. Did you mean CTSIM.ACQ" in words
    assert "Protocol : is empty." in words
    assert "Started by : is empty." in words
    assert 'value="CTSIM.AQ"' in page
    assert "CT Image\nRT Plan</textarea>" in page


def test_surveyed_no_transfer_is_one_click_and_shows_in_the_matrix(browser: TestClient) -> None:
    said = {"source": "PQA", "target": "EPR", "reason": "Nothing of it is a clinical record."}
    assert "connect?source=PQA&amp;target=EPR" in browser.get("/p/DEPT/map/matrix").text

    assert _post(browser, "/no-transfer", **said)[:2] == (303, "/p/DEPT/C092")

    rows = browser.get("/p/DEPT/map/matrix?format=json").json()["rows"]
    [row] = [one for one in rows if one["from / to"] == "PQA"]
    assert row["EPR"] == "no transfer intended"
    status, _, page = _post(browser, "/no-transfer", **said)
    assert (status, "C092 states this already" in page) == (422, True)
    status, _, page = _post(
        browser, "/no-transfer", **{**said, "source": "TPS.DICOM", "target": "PQA"}
    )
    assert (status, "C023 goes from TPS.DICOM to PQA" in page) == (422, True)


def test_faulty_rows_are_corrected_in_the_page(browser: TestClient) -> None:
    head = "From\tTo\tCategory\tData types\n"
    text = head + "CTSIM.ACQ\tPAQ\tdicom\tCT Image\nTPS.DICOM\tEPR\tfile\tPDF\nX\tY\tfile\tZ\n"

    status, _, page = _post(browser, "/paste", text=text, kind="connection", action="preview")
    assert status == 200
    assert "3 rows: 1 to create, 0 to change, 0 unchanged, 2 with faults" in _words(page)
    assert 'name="cell.2.1" value="PAQ"' in page
    kept = html.unescape(re.findall(r"<textarea[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)[0])

    mended = {"text": kept, "kind": "connection", "cell.2.1": "PQA", "drop.4": "true"}
    _, _, page = _post(browser, "/paste", **mended, action="preview")
    assert "2 rows: 2 to create" in _words(page)
    assert "Import 2 rows" in page
    status, address, _ = _post(browser, "/paste", **mended, action="keep", seen=_seen(page))
    assert (status, address) == (303, "/p/DEPT/map/table?drafts=true&unapproved=true")
    assert "C093" in browser.get(address).text


def test_a_connection_is_confirmed_and_leaves_the_filter_until_it_changes(
    browser: TestClient, map_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unconfirmed() -> int:
        found = browser.get("/p/DEPT/map/table?unconfirmed=true&format=json")
        return len(found.json()["rows"])

    with map_db.reading() as session:
        record = find_record(session, find_project(session, "DEPT"), "C023")
        read = edit_token(latest_revision(session, record))
    assert unconfirmed() == 91
    form = {"group": "Physics", "confirmed_from": "configuration", "expected": read}
    assert _post(browser, "/connections/C023/confirm", **form)[0] == 303

    assert unconfirmed() == 90
    words = _words(browser.get("/p/DEPT/C023").text)
    assert "confirmed revision 1 by Amara Kole, Physics" in words
    assert "Confirm that it is so" in words
    told = browser.get("/api/p/DEPT/map/confirmations").json()
    assert [one["uid"] for one in told if one["standing"] == "confirmed"] == ["C023"]
    table = "Id,Protocol\nC023,Another\n"
    sent = {"text": table, "kind": "connection"}
    unseen, _, page = _post(browser, "/paste", **sent, action="keep")
    assert (unseen, "was not shown yet" in page) == (409, True)
    assert _post(browser, "/paste", **sent, action="keep", seen=_seen(page))[0] == 303
    assert "changed since it was confirmed" in browser.get("/p/DEPT/C023").text
    assert unconfirmed() == 91
    assert _post(browser, "/connections/C023/confirm", **form)[0] == 409


def test_a_confirmation_is_old_after_a_year() -> None:
    from dataflows.editing.confirming import Confirmation, Standing

    made = Confirmation("C1", clock.now() - timedelta(days=366), "A", "B", "", 1, "digest")

    assert Standing(made, "digest").word == "not confirmed for a year"


def test_steps_move_by_buttons_and_breaks_show_at_once(
    browser: TestClient, map_db: Database
) -> None:
    page = browser.get("/p/DEPT/map/pathways/P5/steps").text
    steps = re.findall(r'name="step" value="([^"]*)"', page)
    expected = re.search(r'name="expected" value="([^"]*)"', page)
    assert len(steps) == 20
    assert expected is not None
    assert "20 steps, no break" in _words(page)

    def press(action: str) -> str:
        sent = {"csrf_token": "its-own", "expected": expected.group(1), "step": steps,
                "action": action}  # fmt: skip
        answer = browser.post("/p/DEPT/map/pathways/P5/steps", data=sent)
        return answer.text if answer.status_code == 200 else str(answer.status_code)

    moved = press("up.2")
    now = re.findall(r'name="step" value="([^"]*)"', moved)
    assert now == [steps[1], steps[0], *steps[2:]]
    unmarked = press("entry.1")
    assert "In this order 1 step is faulty: Step 1, " in _words(unmarked)
    steps = [steps[1], steps[0], *steps[2:]]
    assert press("save") == "303"
    again = re.findall(
        r'name="step" value="([^"]*)"', browser.get("/p/DEPT/map/pathways/P5/steps").text
    )
    assert again == steps
    assert press("save") == "409", press("save")


def test_who_only_reads_is_offered_nothing_and_refused(browse: Browse) -> None:
    reader = browse("PPL-VW")

    page = reader.get("/p/DEPT/map/matrix").text

    assert "Add a system" not in page
    assert "/map/connect" not in page
    assert "What changed" in page
    for path in ("/add-system", "/connect", "/paste", "/pathways/P1/steps"):
        assert reader.get(f"/p/DEPT/map{path}").status_code == 403, path
    assert "Confirm that it is so" not in reader.get("/p/DEPT/C023").text
