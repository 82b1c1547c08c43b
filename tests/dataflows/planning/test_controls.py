"""Whether QA still controls what a device relies on, from the rows that QATrack+ left."""

from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, select

from core.clock import now
from core.db import Database
from core.people.actor import Actor
from core.qa_controls import ControlWord, QaControl
from core.records.content import Content, LinkDraft
from core.records.service import create_record, find_project, find_record
from core.records.snapshot import Key
from dataflows.planning.controls import NOT_APPROVED, qa_controls
from dataflows.planning.plan import NO_SERVER
from dataflows.qatrack.models import QatrackItem, QatrackReading
from tests.dataflows.planning.facts import SLUG, approve, leave_reading


def test_without_a_server_nobody_was_asked_and_nothing_is_green(risky: Database) -> None:
    [control] = _asked(risky)

    assert control.procedure == Key("DEPT", "QA-022")
    assert control.watches == {
        Key("DEPT", "C023"), Key("RPM", "REQ-001"), Key("RPM", "REQ-003"),
    }  # fmt: skip
    assert (control.word, control.why) == (ControlWord.NOT_ASKED, NO_SERVER)
    assert not control.effective


@pytest.mark.parametrize(
    ("due_in_days", "result", "problem", "word", "why"),
    [
        (5, "passed", "", ControlWord.EFFECTIVE, "ok, due"),
        (-1, "passed", "", ControlWord.EFFECTIVE, "due, due"),
        (-30, "passed", "", ControlWord.NOT_EFFECTIVE, "overdue, due"),
        (5, "failed", "", ControlWord.NOT_EFFECTIVE, "failing, due"),
        (5, "incomplete", "", ControlWord.NOT_EFFECTIVE, "incomplete, due"),
        (5, None, "", ControlWord.NOT_EFFECTIVE, "not performed yet, due"),
        (5, "no tolerances set", "", ControlWord.NOT_EFFECTIVE, "ok, due"),
        (None, "passed", "", ControlWord.NOT_EFFECTIVE, "no due date, last passed"),
        (5, "passed", "It is down.", ControlWord.NOT_EFFECTIVE, "unknown since"),
    ],
)
def test_only_what_a_server_says_to_be_well_is_effective(
    *,
    risky: Database,
    due_in_days: int | None,
    result: str | None,
    problem: str,
    word: ControlWord,
    why: str,
) -> None:
    with risky.writing() as session:
        due = None if due_in_days is None else now() + timedelta(days=due_in_days)
        leave_reading(session, due, result, problem)

    [control] = _asked(risky)

    assert control.word is word
    assert control.why.startswith(why)


@pytest.mark.parametrize(("due_in_days", "result"), [(5, "failed"), (-30, "passed")])
def test_a_failing_or_overdue_test_is_told_by_the_risk_file_and_the_matrix(
    risky: Database, browser: TestClient, due_in_days: int, result: str
) -> None:
    risks, trace = "/p/RPM/risks?release=none", "/p/RPM/trace?release=none&rows=requirement"
    quiet = [browser.get(at).text for at in (risks, trace, "/p/RPM/RSK-001")]
    with risky.writing() as session:
        leave_reading(session, now() + timedelta(days=due_in_days), result)

    pages = [browser.get(at).text for at in (risks, trace, "/p/RPM/RSK-001")]
    rows = browser.get("/p/RPM/risks/export/json?release=none").json()["rows"]

    assert not any('title="control not effective"' in page for page in quiet)
    assert "not asked" in quiet[0]
    assert ["control not effective" in page for page in pages] == [True] * 3
    assert "QA-022" in pages[0]
    assert rows[0]["Level before"] == rows[0]["Level after"] == 3
    assert "control not effective" in rows[0]["Why not lower"]


def test_the_impact_of_a_system_tells_the_live_status(risky: Database, browser: TestClient) -> None:
    with risky.writing() as session:
        leave_reading(session, now() - timedelta(days=90), "passed")

    told = browser.get("/api/p/DEPT/map/impact/PQA").json()
    modes = browser.get("/p/DEPT/map/coverage?by=failure&format=json").json()["rows"]

    status = {one["uid"]: one for one in told["qa"]}["QA-022"]
    assert (status["word"], status["effective"], status["asked"]) == ("overdue", False, True)
    on_c023 = [row for row in modes if row["Connection"] == "C023"]
    assert {row["Control"] for row in on_c023} == {"control not effective"}
    assert {row["Controls"].partition(",")[0] for row in on_c023} == {"QA-022 overdue"}
    scales = ("Severity", "Occurrence", "Detection")
    assert all(row[scale] in range(1, 11) for row in on_c023 for scale in scales)
    assert {row["Action priority"] for row in on_c023} <= {"high", "medium", "low"}


def test_a_draft_decides_nothing(risky: Database, author: Actor) -> None:
    """A draft that names an overdue test holds up nobody else's release, and is no control."""
    with risky.writing() as session:
        leave_reading(session, now() - timedelta(days=30), "passed")
        kept = {"source": "qatrack-testlist", "slug": SLUG, "frequency": "monthly"}
        links = (LinkDraft("controls_connection", "C023", "DEPT"),)
        content = Content("Only thought of", "", kept, links)
        department = find_project(session, "DEPT")
        create_record(session, department, "qa_procedure", content, author, uid="QA-901")

    told = {one.procedure.uid: one for one in _asked(risky)}

    assert told["QA-022"].failed
    assert (told["QA-901"].word, told["QA-901"].why) == (ControlWord.NOT_ASKED, NOT_APPROVED)
    assert not told["QA-901"].effective


def test_a_procedure_kept_under_no_name_is_unknown(risky: Database, author: Actor) -> None:
    with risky.writing() as session:
        leave_reading(session, now() + timedelta(days=5), "passed")
        links = (LinkDraft("controls_connection", "C023", "DEPT"),)
        content = Content("Kept somewhere", "", {"source": "qatrack-testlist"}, links)
        department = find_project(session, "DEPT")
        made = create_record(session, department, "qa_procedure", content, author, uid="QA-901")
        approve(session, made)

    told = {one.procedure.uid: one for one in _asked(risky)}["QA-901"]

    assert told.word is ControlWord.NOT_EFFECTIVE
    assert told.why == "unknown: It does not say as which test it is kept."


def test_what_was_known_at_a_moment_is_told_the_same_later(risky: Database, author: Actor) -> None:
    """Between two readings the test went overdue; then the procedure was withdrawn."""
    with risky.writing() as session:
        leave_reading(session, now() + timedelta(days=5), "passed")
        signed = now()
        _read_again(session, due=now() - timedelta(days=30))
        procedure = find_record(session, find_project(session, "DEPT"), "QA-022")
        [before], [since] = qa_controls(session, "RPM", signed), qa_controls(session, "RPM")
        procedure.withdrawn_at = now()
        session.add(procedure)
        session.flush()

        assert qa_controls(session, "RPM") == []
        assert qa_controls(session, "RPM", signed) == [before]
    assert (before.word, since.word) == (ControlWord.EFFECTIVE, ControlWord.NOT_EFFECTIVE)
    assert before.watches == since.watches


def _asked(db: Database) -> list[QaControl]:
    with db.reading() as session:
        return qa_controls(session, "RPM")


def _read_again(session: Session, due: datetime) -> None:
    """Leave what another reading leaves: the list on its unit was scheduled otherwise."""
    last = session.exec(select(QatrackItem).where(QatrackItem.kind == "utc")).one()
    reading = QatrackReading(
        server_id=last.server_id, begun_at=now(), ended_at=now(), items=2, changed=1
    )
    session.add(reading)
    session.flush()
    again = {"reading_id": reading.id, "told": {**last.told, "due": due.isoformat()}}
    session.add(QatrackItem(**{**last.model_dump(exclude={"id"}), **again}))
    session.flush()
