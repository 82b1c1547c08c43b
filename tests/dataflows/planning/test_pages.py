"""A plan as a page, a table, an API's answer and a pack: all tell the same."""

import csv
import hashlib
import html
import io
import json
import re
import zipfile
from pathlib import Path

import pypdf
import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from app.answers import drift_until
from app.worker import JOBS
from core.clock import now
from core.db import Database
from core.errors import NotFound
from core.jobs.processes import here, this_process
from core.jobs.queue import claim_next, enlist
from core.jobs.running import run_attempt
from core.jobs.service import find_job
from core.people.actor import Actor
from core.people.service import find_actor
from core.records.service import find_project
from core.settings import Settings
from dataflows.planning import ports
from dataflows.planning.pack.build import KIND, ask_for_pack, zipped
from dataflows.planning.pack.contents import Contents, contents_of, manifest
from dataflows.planning.plan import Purpose
from dataflows.planning.service import read_map
from dataflows.probing.models import DestinationList
from dataflows.qatrack.models import QatrackServer
from tests.dataflows.conftest import Browse

CARRIED = ("C036", "C037", "C045", "C065")


def _words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize("purpose", list(Purpose))
def test_page_table_and_program_tell_the_same(browser: TestClient, purpose: Purpose) -> None:
    page = _words(browser.get(f"/p/DEPT/map/impact/HDR?purpose={purpose}").text)
    table = browser.get(f"/p/DEPT/map/impact/HDR?purpose={purpose}&format=csv").content
    told = browser.get(f"/api/p/DEPT/map/impact/HDR?purpose={purpose}").json()

    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))[1:]
    parts = {(row[0], row[1]) for row in rows}
    assert [one["uid"] for one in told["external"]] == list(CARRIED)
    assert [one["uid"] for one in told["pathways"]] == ["P4", "P5"]
    assert {uid for part, uid in parts if part == "connection between systems"} == set(CARRIED)
    assert {uid for part, uid in parts if part == "pathway"} == {"P4", "P5"}
    assert all(uid in page for uid in (*CARRIED, "C081", "C082", "C083", "P4", "P5"))
    assert "4 connections between systems, 3 inside; 2 pathways with 6 connections downs" in page
    assert len(told["qa"]) == sum(part == "QA to repeat" for part, _ in parts)
    assert {one["word"] for one in told["qa"]} == {"not asked"}
    assert (told["losses"] is not None) == (purpose is Purpose.RETIRE)
    assert bool(told["endpoints"]) == (purpose is Purpose.REPLACE)
    assert ("What is lost" in page) == (purpose is Purpose.RETIRE)
    assert ("Endpoints to set again" in page) == (purpose is Purpose.REPLACE)
    assert ("QA by event" in page) == (purpose is Purpose.QA)


def _printed(data: bytes) -> str:
    """The words of a print without its blanks: where a line ends is the printer's own matter."""
    pages = pypdf.PdfReader(io.BytesIO(data)).pages
    return "".join("".join(page.extract_text() for page in pages).split())


def test_the_print_of_a_replacement_holds_every_cell_of_its_table_and_its_page(
    browser: TestClient,
) -> None:
    at = "/p/DEPT/map/impact/HDR?purpose=replace"
    table = browser.get(f"{at}&format=csv").content.decode("utf-8-sig")
    page = "".join(_words(browser.get(at).text).split())
    print_ = _printed(browser.get(f"{at}&format=pdf").content)

    rows = list(csv.reader(io.StringIO(table)))
    cells = {"".join(cell.split()) for row in rows for cell in row if cell}
    assert [cell for cell in cells if cell not in print_] == []
    ids = {row[1] for row in rows[1:] if row[1]}
    groups = {"".join(row[2].split()) for row in rows if row[0] == "group to tell"}
    ends = [row[3].split() for row in rows if row[0] == "endpoint to set"]
    # Who asks is known by its name alone, who listens by name, host and port.
    assert sorted(map(len, ends)) == [1, 1, 3, 3]
    wanted = {*ids, *groups, *(part for end in ends for part in end)}
    assert [one for one in sorted(wanted) if one not in page] == []


def test_the_qa_programme_leads_to_a_new_procedure_for_who_may_write_one(browse: Browse) -> None:
    at = "/p/DEPT/map/impact/HDR?purpose=qa"
    begin = "/p/DEPT/new/qa_procedure?controls_pathway="

    author, reader = browse("PPL-AK").get(at).text, browse("PPL-VW").get(at).text

    assert [uid for uid in ("P3", "P4", "P5") if f'{begin}{uid}"' in author] == ["P4", "P5"]
    assert "#link-qa" in author
    assert begin not in reader
    assert "#link-qa" not in reader


def test_retiring_a_system_lists_pathways_qa_requirements_and_runs(browser: TestClient) -> None:
    told = browser.get("/api/p/DEPT/map/impact/PQA?purpose=retire").json()

    assert [one["device"]["uid"] for one in told["devices"]] == ["PRJ-RPM"]
    assert [one["record"]["uid"] for one in told["evidence"]] == ["REQ-001", "REQ-003", "TST-002"]
    assert [(one["test"]["uid"], one["word"]) for one in told["runs"]] == [("TST-002", "not run")]
    assert [one["uid"] for one in told["losses"]["pathways"]] == ["P1"]
    assert told["losses"]["qa_without_subject"] == ["QA-022"]


def test_a_reader_of_the_map_alone_sees_no_title_and_no_run_of_the_device(browse: Browse) -> None:
    reader = browse("PPL-VW")

    page = reader.get("/p/DEPT/map/impact/TPS").text
    told = reader.get("/api/p/DEPT/map/impact/TPS").json()

    assert "You do not read RPM" in _words(page)
    assert told["hidden"] == ["RPM"]
    assert told["runs"] == []
    assert {one["record"]["title"] for one in told["evidence"]} == {""}


@pytest.mark.parametrize(
    ("by", "count"), [("gaps", 38), ("connection", 91), ("pathway", 5), ("failure", 221)]
)
def test_every_way_to_tell_the_coverage_exports_its_rows(
    browser: TestClient, by: str, count: int
) -> None:
    page = browser.get(f"/p/DEPT/map/coverage?by={by}")
    rows = browser.get(f"/p/DEPT/map/coverage?by={by}&format=json").json()["rows"]

    assert page.status_code == 200
    assert len(rows) == count


def test_the_coverage_by_event_is_told_on_the_page_and_to_programs(browser: TestClient) -> None:
    words = _words(browser.get("/p/DEPT/map/coverage?by=event").text)
    told = browser.get("/api/p/DEPT/map/coverage").json()

    assert "10 of 65 connections between systems and 2 of 5 pathways have no QA at any" in words
    assert all(f"At {word}" in words for word in ("acceptance", "commissioning", "an upgrade"))
    assert len(told["uncovered_connections"]) == 10
    assert told["uncovered_pathways"] == ["P3", "P5"]
    assert "C023" in told["untested"]["upgrade"]


def test_a_failure_mode_without_a_live_status_is_never_told_as_controlled(
    browser: TestClient,
) -> None:
    rows = browser.get("/p/DEPT/map/coverage?by=failure&format=json").json()["rows"]

    assert {row["Control"] for row in rows} == {"not asked", "no control"}
    assert rows[0]["Action priority"] == "high"
    assert {row["Connection"] for row in rows if row["Control"] == "no control"} >= {"C022", "C064"}


def test_a_pack_is_the_same_again_and_lists_the_digest_of_every_file(
    map_db: Database, author: Actor
) -> None:
    """The print is left to the job: its texts are what must not move."""
    with map_db.reading() as session:
        made = [
            contents_of(
                session, read_map(session, "DEPT", author), "HDR", Purpose.REPLACE, "Department"
            )
            for _ in range(2)
        ]

    one, again = made
    assert one.texts == again.texts
    assert one.origin == again.origin
    listed = json.loads(manifest(one.origin, one.texts))
    assert listed["files"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in one.texts.items()
    }
    assert listed["model"] == one.origin.model
    assert "graphviz" in listed["renderer"]
    assert {"diagram.svg", "matrix.csv", "qa.csv", "risks.csv", "drift.csv", "plan.json"} <= set(
        one.texts
    )
    assert b"No destination list was compared" in one.texts["drift.csv"]
    for uid in CARRIED:
        assert uid.encode() in one.texts["endpoints.csv"] + one.texts["plan.csv"]
    assert zipped(one.texts) == zipped(again.texts)


def test_a_pack_tells_until_when_and_by_which_day(map_db: Database, author: Actor) -> None:
    """A destination list is a fact of its own; a test of QATrack+ is overdue by the day."""
    with map_db.writing() as session, ports.drift_until.filled(drift_until):
        listed = DestinationList(
            project_id=find_project(session, "DEPT").id or 0,
            system="HDR",
            name="hdr.csv",
            digest="",
            imported_at=now(),
        )
        session.add(listed)
        session.flush()
        imported = listed.imported_at
        named = QatrackServer(name="main", address="https://qa.example", time_zone="UTC")
        before = _contents(session, author)
        session.add(named)
        session.flush()
        asked = _contents(session, author)

    assert before.origin.facts_until == asked.origin.facts_until == imported
    assert before.origin.qa_judged_on == ""
    assert asked.origin.qa_judged_on in {moment.date().isoformat() for moment in (imported, now())}
    line = f"QA judged on {asked.origin.qa_judged_on}"
    assert line in asked.texts["README.txt"].decode()
    assert line not in before.texts["README.txt"].decode()


def _contents(session: Session, author: Actor) -> Contents:
    read = read_map(session, "DEPT", author)
    return contents_of(session, read, "HDR", Purpose.REPLACE, "Department")


def test_the_pack_is_built_as_a_job_and_downloaded_by_who_may_read_all_of_it(
    browse: Browse, map_db: Database, tmp_path: Path
) -> None:
    browser = browse("PPL-AK")
    at = "/p/DEPT/map/impact/PQA/pack?purpose=upgrade"

    early = browser.get(at)
    asked = browser.post(at, data={"csrf_token": "its-own"})
    waiting = browser.get("/p/DEPT/map/impact/PQA").text
    state = _work(map_db, Settings(data_dir=tmp_path / "var"))
    sent = browser.get(at)
    done = browser.get("/p/DEPT/map/impact/PQA").text

    assert early.status_code == 404
    assert re.fullmatch(r"/jobs/\d+", asked.headers["location"])
    assert "It is being built" in _words(waiting)
    assert state == "done"
    assert "It is being built" not in _words(done)
    assert "DEPT-upgrade-PQA.zip" in _words(done)
    with map_db.reading() as session:
        reader = find_actor(session, "PPL-AK")
        rebuilt = contents_of(
            session,
            read_map(session, "DEPT", reader),
            "PQA",
            Purpose.UPGRADE,
            "Radiotherapy department",
            demonstration=True,
        )
    with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
        listed = json.loads(archive.read("manifest.json"))["files"]
        assert archive.read("change-impact.pdf").startswith(b"%PDF")
        assert {*archive.namelist()} == {*listed, "manifest.json"}
        for name, digest in listed.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    # What the same map says later is the same text, and the print holds all of it.
    assert {**members, **rebuilt.texts} == members
    _holds_every_part(members["change-impact.pdf"], rebuilt)
    # It names the requirements of a device that this person does not read.
    assert browse("PPL-VW").get(at).status_code == 404


def _holds_every_part(data: bytes, told: Contents) -> None:
    """The parts of a change-impact pack, each with what only it can say."""
    print_ = _printed(data)
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert reader.xmp_metadata is not None
    assert b'pdfaid:part="3"' in reader.xmp_metadata.stream.get_data()
    boxes = [told.department.systems[uid].title for uid in ("PQA", "TPS", "FILES", "OMS")]
    for part in (
        *("The system and its neighbours", *boxes, "C023", "C048", "C061"),
        *("Extract of the transfer matrix", "TPS PQA dicom C023 | 1 QA on 1 of 1"),
        *("QA to repeat", "RPM end to end monthly", "QA by event", "Failure modes"),
        *("Risks", "Last validation runs", "Drift", "No destination list was compared"),
        *("People to tell, and sign-off", *told.plan.impact.groups, "Checked by a second person"),
        *(told.origin.model, told.origin.renderer, told.origin.signed),
    ):
        assert "".join(part.split()) in print_, part


def _work(db: Database, settings: Settings) -> str:
    with db.writing() as session:
        worker = enlist(session, here(), this_process(), "worker-of-packs")
        session.flush()
        lease = claim_next(session, worker, [KIND])
    assert lease is not None
    run_attempt(db, settings, lease, JOBS[KIND])
    with db.reading() as session:
        return str(find_job(session, lease.job_id).state)


def test_a_pack_is_made_for_a_system_that_there_is(
    map_db: Database, author: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking is a change, so it must not read the whole map while everybody who writes waits."""
    monkeypatch.setattr("dataflows.planning.service.load_snapshot", pytest.fail)
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        for uid in ("C023", "NOBODY"):
            with pytest.raises(NotFound, match=f"no system {uid}"):
                ask_for_pack(session, project, uid, Purpose.UPGRADE, author)
        assert ask_for_pack(session, project, "PQA", Purpose.UPGRADE, author).id
