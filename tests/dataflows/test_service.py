"""The map as it is stored: read for a person, drawn, and asked about."""

from pathlib import Path

import pytest
from sqlmodel import select

from core.db import Database
from core.errors import NotFound
from core.jobs.models import Job
from core.people.actor import Actor
from core.records.content import Content, LinkDraft
from core.records.service import (
    create_record,
    edit_token,
    find_project,
    find_record,
    latest_revision,
)
from core.records.withdrawing import withdraw
from dataflows import service
from dataflows.coverage import coverage
from dataflows.graph import level_cut, roll_up
from dataflows.inventory import Department
from dataflows.render import DrawingStore, drawn_names
from dataflows.service import TableFilter
from dataflows.views import Selection, choose


@pytest.fixture
def stored(map_db: Database, author: Actor) -> Department:
    with map_db.reading() as session:
        return service.read_department(session, "DEPT", author)


def test_the_stored_map_has_the_figures_of_the_file(stored: Department) -> None:
    collapsed = roll_up(stored, level_cut(stored, 0))
    expanded = roll_up(stored, level_cut(stored, 1))

    assert (len(collapsed.systems), len(collapsed.routes)) == (26, 59)
    assert (len(expanded.systems), len(expanded.routes)) == (51, 91)
    assert [c.uid for c in coverage(stored).external] == [
        "C022", "C033", "C035", "C046", "C047", "C048", "C051", "C059", "C061", "C064",
    ]  # fmt: skip
    assert [step.connection for step in stored.pathways["P4"].steps][:3] == ["C052", "C053", "C054"]
    assert sum(step.entry for step in stored.pathways["P4"].steps) == 4
    assert stored.incomplete == ()


def test_what_nobody_approved_is_known_as_a_draft(stored: Department) -> None:
    assert len(stored.drafts) == 213
    assert "C023" in coverage(stored).only_drafts


def test_the_map_names_the_device_and_what_names_the_map(stored: Department) -> None:
    found = service.impact(stored, "PQA")

    assert [(d.uid, d.title) for d in found.devices] == [("PRJ-RPM", "RT Plan Metrics")]
    assert [(d.uid, d.title, d.role) for d in found.evidence] == [
        ("REQ-001", "Accept RT objects", "monitored by QA-022"),
        ("REQ-003", "Match plan, dose and structures", "monitored by QA-022"),
        ("TST-002", "Stored unchanged", "exercises"),
    ]


def test_a_reader_without_the_device_sees_its_uid_and_no_title(
    map_db: Database, viewer: Actor
) -> None:
    with map_db.reading() as session:
        department = service.read_department(session, "DEPT", viewer)

    found = service.impact(department, "PQA")
    assert [(d.uid, d.title) for d in found.devices] == [("PRJ-RPM", "")]
    assert "TST-002" not in {d.uid for d in found.evidence}


def test_a_withdrawn_connection_leaves_the_map_and_its_pathway_says_so(
    map_db: Database, author: Actor
) -> None:
    with map_db.writing() as session:
        record = find_record(session, find_project(session, "DEPT"), "C023")
        read = edit_token(latest_revision(session, record))
        withdraw(session, record, author, "The plan quality system was retired.", read)

    with map_db.reading() as session:
        department = service.read_department(session, "DEPT", author)
    assert "C023" not in department.connections
    steps = [step.connection for step in department.pathways["P1"].steps]
    assert "C023" in steps


def test_an_impact_of_nothing_on_the_map_is_named(stored: Department) -> None:
    with pytest.raises(NotFound, match="no system or connection NOBODY"):
        service.impact(stored, "NOBODY")


@pytest.mark.parametrize(
    ("wanted", "uids"),
    [
        (TableFilter(source="TPS", target="PQA"), ["C023"]),
        (TableFilter(source="TPS", target="OMS", category="file"), ["C039"]),
        (TableFilter(target="PQA", without_qa=True), ["C048", "C061"]),
    ],
)
def test_a_table_filter_on_a_system_stands_for_its_parts(
    stored: Department, wanted: TableFilter, uids: list[str]
) -> None:
    found = service.connections_of(stored, tuple(stored.connections), wanted)

    assert [c.uid for c in found] == uids


def test_a_table_filter_on_a_system_that_is_not_there_is_named(stored: Department) -> None:
    with pytest.raises(NotFound, match="no system NOBODY"):
        service.connections_of(stored, (), TableFilter(target="NOBODY"))


def test_a_small_picture_is_drawn_at_once_and_then_kept(
    map_db: Database, stored: Department, tmp_path: Path
) -> None:
    store = DrawingStore(tmp_path)
    shown = choose(stored, Selection())

    with map_db.reading() as session:
        drawn = service.drawing(session, store, stored, shown)

    assert drawn.svg is not None
    assert len(list(drawn_names(drawn.svg, "edge"))) == 59
    assert store.kept(drawn.text) == drawn.svg


def test_a_large_picture_waits_for_the_worker_and_is_asked_for_once(
    map_db: Database,
    stored: Department,
    author: Actor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "QUICK_LINES", 10)
    store = DrawingStore(tmp_path)
    with map_db.reading() as session:
        drawn = service.drawing(session, store, stored, choose(stored, Selection()))
    assert drawn.svg is None
    assert drawn.reason == ""

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        first = service.ask_for_drawing(session, store, drawn.text, project, author)
        second = service.ask_for_drawing(session, store, drawn.text, project, author)

        assert first.id == second.id
        payload = dict(session.exec(select(Job)).one().payload)
    assert store.text(payload["drawing"]) == drawn.text


def test_a_system_with_a_hostile_name_shows_literally_from_the_record_to_the_picture(
    map_db: Database, author: Actor, tmp_path: Path
) -> None:
    name = '"]] !include /etc/passwd <b>'
    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        create_record(session, project, "system", Content(name), author, uid="EVIL")
        content = Content(
            "To it",
            fields={"category": "dicom"},
            links=(LinkDraft("from_system", "TPS.DICOM"), LinkDraft("to_system", "EVIL")),
        )
        create_record(session, project, "connection", content, author, uid="C900")

    with map_db.reading() as session:
        department = service.read_department(session, "DEPT", author)
        shown = choose(department, Selection(focus="EVIL"))
        drawn = service.drawing(session, DrawingStore(tmp_path), department, shown)

    assert drawn.svg is not None
    assert f"{name} EVIL" in list(drawn_names(drawn.svg, "node"))
    assert list(drawn_names(drawn.svg, "edge")) == ["C900: TPS to EVIL"]
    assert "root:" not in drawn.svg
