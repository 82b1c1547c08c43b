"""What changed on the map between two moments, one line for each thing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from core.clock import now
from core.db import Database
from core.errors import Invalid
from core.people.actor import Actor
from core.records import lifecycle
from core.records.content import Content, LinkDraft
from core.records.models import Record
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
    read_content,
    save_draft,
)
from core.records.withdrawing import withdraw
from dataflows import service
from dataflows.history.differing import Kind, MapDiff, differing
from dataflows.history.service import compared
from dataflows.history.then import map_at, moment
from dataflows.pathways import StepFault, faults


def _in_force(session: Session, record: Record) -> None:
    """Approve what is drafted, as the acts would with their signatures."""
    revision = latest_revision(session, record)
    revision.state, revision.approved_at = lifecycle.APPROVED, now()
    session.flush()
    record.effective_id = revision.id
    session.flush()


def _change(session: Session, uid: str, by: Actor, change: Callable[[Content], Content]) -> None:
    record = find_record(session, find_project(session, "DEPT"), uid)
    if record.effective_id is None:
        _in_force(session, record)
    read = latest_revision(session, record)
    content = change(read_content(session, record))
    save_draft(session, record, content, by, edit_token(read))
    _in_force(session, record)


def _since(session: Session, at: datetime) -> MapDiff:
    project = find_project(session, "DEPT")
    later = now() + timedelta(seconds=1)
    return differing(map_at(session, project, at), map_at(session, project, later))


def test_a_change_of_one_attribute_is_one_line(map_db: Database, author: Actor) -> None:
    with map_db.writing() as session:
        record = find_record(session, find_project(session, "DEPT"), "C023")
        _in_force(session, record)
        at = now()
        encrypted = {"protocol": "DICOM over TLS"}
        _change(
            session, "C023", author, lambda said: replace(said, fields={**said.fields, **encrypted})
        )

        [line] = _since(session, at).lines

    assert (line.kind, line.uid, line.what) == (Kind.CHANGED, "C023", "Protocol")
    assert str(line) == "C023 connection changed Protocol: DICOM [-C-STORE-]{+over TLS+}"


def test_steps_qa_links_and_records_that_came_and_went_have_a_line_each(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        for uid in ("P5", "QA-001", "C061"):
            _in_force(session, find_record(session, project, uid))
        at = now()

        def swapped(said: Content) -> Content:
            first, second, *rest = said.links
            return replace(said, links=(second, first, *rest))

        more = LinkDraft("controls_connection", "C033")
        _change(session, "P5", author, swapped)
        _change(session, "QA-001", author, lambda said: replace(said, links=(*said.links, more)))
        create_record(session, project, "system", Content("Film scanner"), author, uid="FILM")
        gone = find_record(session, project, "C064")
        withdraw(session, gone, author, "Switched off.", edit_token(latest_revision(session, gone)))

        told = [(one.kind.value, one.uid, one.what) for one in _since(session, at).lines]

    assert told == [
        ("added", "FILM", ""),
        ("removed", "C064", ""),
        ("changed", "P5", "order of steps"),
        ("added", "QA-001", "controls"),
    ]


def test_a_draft_that_was_saved_again_is_said_to_be_unknown_before(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        at = now()
        record = find_record(session, find_project(session, "DEPT"), "PQA")
        said = read_content(session, record)
        read = edit_token(latest_revision(session, record))
        save_draft(session, record, replace(said, title="Plan QA 2"), author, read)

        [line] = _since(session, at).lines

    assert (line.kind, line.uid) == (Kind.UNKNOWN, "PQA")


def test_before_there_was_a_map_everything_is_added_and_today_nothing(
    map_db: Database,
) -> None:
    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        found = compared(session, project, "2020-01-01")
        nothing = compared(session, project, "today")

    assert len(found.lines) == 213
    assert found.counts["connection"] == {"added": 91}
    assert nothing.lines == ()


def test_both_days_that_cannot_be_read_are_named(map_db: Database) -> None:
    with map_db.reading() as session, pytest.raises(Invalid) as refused:
        compared(session, find_project(session, "DEPT"), "yesterday", "31.12.2026")

    assert [fault.where for fault in refused.value.faults] == ["before", "after"]


def test_a_day_ends_at_midnight_and_a_time_is_taken_in_utc() -> None:
    assert moment("2026-02-28").isoformat() == "2026-03-01T00:00:00+00:00"
    assert moment("2026-02-28T12:00+02:00").isoformat() == "2026-02-28T10:00:00+00:00"
    with pytest.raises(Invalid):
        moment("9999-12-31")


def test_the_page_and_the_program_tell_the_same(browser: TestClient) -> None:
    page = browser.get("/p/DEPT/map/history?before=2020-01-01&after=today")
    told = browser.get("/api/p/DEPT/map/history?before=2020-01-01").json()
    table = browser.get("/p/DEPT/map/history?before=2020-01-01&format=json").json()
    wrong = browser.get("/p/DEPT/map/history?before=never")

    assert "213 things changed" in page.text
    assert len(told["lines"]) == len(table["rows"]) == 213
    assert wrong.status_code == 422
    assert 'value="never"' in wrong.text


def test_withdrawing_a_connection_flags_every_pathway_that_uses_it(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        record = find_record(session, find_project(session, "DEPT"), "C023")
        withdraw(session, record, author, "Gone.", edit_token(latest_revision(session, record)))

        department = service.read_department(session, "DEPT", author)

    assert "C023" not in department.connections
    for pathway in department.pathways.values():
        used = any(step.connection == "C023" for step in pathway.steps)
        missing = [s for s in faults(department, pathway) if StepFault.MISSING in s.faults]
        assert bool(missing) is used, pathway.uid
    assert any("C023" in str(s) for s in faults(department, department.pathways["P1"]))


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+14:00", "0001-01-01T00:00", "9999-12-31T23:59-14:00", "9999-12-31"]
)
def test_a_moment_at_the_end_of_time_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(text)

    assert "is no day" in refused.value.faults[0].what
