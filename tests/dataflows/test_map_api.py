"""What programs do with the map: describe it, paste, confirm, order, take away, bring back."""

import pytest
from fastapi.testclient import TestClient

from core.db import Database
from core.ports import FrozenRevisions, frozen_source
from core.records.service import edit_token, find_project, find_record, latest_revision

API = "/api/p/DEPT/map"
CSRF = {"x-csrf-token": "its-own"}
CONNECTION = {
    "source": "CTSIM.ACQ", "target": "PQA", "category": "file", "data_types": "List; Table",
    "protocol": "SMB", "trigger": "scheduled", "responsible": "Physics",
    "surveyed_from": "interview",
}  # fmt: skip


def _read(map_db: Database, uid: str) -> str:
    with map_db.reading() as session:
        record = find_record(session, find_project(session, "DEPT"), uid)
        return edit_token(latest_revision(session, record))


def test_a_program_adds_connects_and_states_that_nothing_goes(browser: TestClient) -> None:
    system = {"name": "Film lab", "kind": "film", "owner": "Physics", "criticality": "low"}

    added = browser.post(f"{API}/systems", json=system, headers=CSRF)
    connected = browser.post(f"{API}/connections", json=CONNECTION, headers=CSRF)
    nothing = {"source": "Film lab", "target": "PQA", "reason": "On paper."}
    stated = browser.post(f"{API}/no-transfer", json=nothing, headers=CSRF)
    refused = browser.post(f"{API}/connections", json={**CONNECTION, "source": "X"}, headers=CSRF)

    assert (added.status_code, added.json()["uid"]) == (201, "SYS-001")
    assert (connected.status_code, connected.json()["uid"]) == (201, "C092")
    assert stated.json()["title"] == "No transfer from SYS-001 to PQA"
    assert refused.status_code == 422
    assert "X" in refused.text


def test_a_program_pastes_first_to_see_and_then_to_keep(browser: TestClient) -> None:
    table = {"text": "From,To,Category\nCTSIM.ACQ,PQA,file\nCTSIM.ACQ,NOWHERE,file\n"}

    seen = browser.post(f"{API}/paste", json=table, headers=CSRF).json()
    half = browser.post(f"{API}/paste", json={**table, "keep": True}, headers=CSRF).json()
    whole = {**table, "keep": True, "create_systems": True}
    kept = browser.post(f"{API}/paste", json=whole, headers=CSRF).json()

    assert [one["verdict"] for one in seen["rows"]] == ["create", "fault"]
    assert seen["missing_systems"] == ["NOWHERE"]
    assert half["kept"] is False
    assert (kept["kept"], kept["created_systems"]) == (True, ["NOWHERE"])
    assert [one["uid"] for one in kept["rows"]] == ["C092", "C093"]


def test_a_program_confirms_and_orders_what_it_read(browser: TestClient, map_db: Database) -> None:
    said = {"group": "Physics", "source": "interview", "expected": _read(map_db, "C001")}
    confirmed = browser.post(f"{API}/connections/C001/confirm", json=said, headers=CSRF)
    steps = ["C052", "C023 entry"]
    order = {"steps": steps, "expected": _read(map_db, "P5"), "reason": "Two only."}
    ordered = browser.put(f"{API}/pathways/P5/steps", json=order, headers=CSRF)
    stale = browser.put(f"{API}/pathways/P5/steps", json=order, headers=CSRF)
    nowhere = {**order, "steps": ["C999"], "expected": ordered.json()["expected"]}
    missing = browser.put(f"{API}/pathways/P5/steps", json=nowhere, headers=CSRF)

    assert confirmed.json()["standing"] == "confirmed"
    assert "Step 1, C052" in ordered.json()["faults"][0]
    assert (stale.status_code, missing.status_code) == (409, 422)
    assert "C999" in missing.text


@pytest.mark.parametrize("form", ["yaml", "zip"])
def test_a_file_taken_away_comes_back_on_the_page_and_by_program(
    browser: TestClient, form: str
) -> None:
    data = browser.get(f"{API}/department.{form}").content
    assert data == browser.get(f"/p/DEPT/map/department.{form}").content
    sent = {"file": (f"map.{form}", data)}

    told = browser.post(f"{API}/department", files=sent, headers=CSRF).json()
    page = browser.post("/p/DEPT/map/files", files=sent, data={"csrf_token": "its-own"})
    keep = {"csrf_token": "its-own", "action": "keep", "seen": told["digest"]}
    kept = browser.post("/p/DEPT/map/files", files=sent, data=keep)
    wrong = {"file": ("map.yaml", b"schema: dataflows/2\nsystems: [{id: A}]\n")}
    refused = browser.post("/p/DEPT/map/files", files=wrong, data=keep)

    assert {one["verdict"] for one in told["records"]} == {"unchanged"}
    assert "0 to create, 0 to change, 213 unchanged" in page.text
    assert kept.status_code == 303
    assert refused.status_code == 422
    assert "map.yaml:2" in refused.text


def test_a_baseline_is_compared_with_today(browser: TestClient) -> None:
    def frozen(_session: object, _project: str, name: str) -> FrozenRevisions:
        return FrozenRevisions(f"baseline {name}", {"C001": 1, "C002": 1})

    with frozen_source.filled(frozen):
        told = browser.get(f"{API}/history?before=baseline+3").json()

    assert told["before"] == "baseline 3"
    assert len(told["lines"]) == 211
    assert {one["kind"] for one in told["lines"]} == {"added"}
