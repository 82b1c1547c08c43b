"""A map of more routes than a reader waits for: asked for on its page, drawn by a real worker."""

import os
import random
import re
import shutil
import stat
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.worker import run_worker
from core.db import Database, open_database
from core.jobs.models import Job
from core.people.service import find_actor
from core.records import types
from core.records.importing import import_records
from core.records.service import create_project
from core.settings import Settings
from dataflows import render
from dataflows.department import drafts, read_department
from dataflows.render import drawn_names
from tests.dataflows.conftest import ROOT

SYSTEMS, ROUTES = 110, 320
MAP = "/p/BIG/map?level=all&drafts=True"
PART = MAP.replace("/map", "/map/drawing")
TOKEN = {"csrf_token": "its-own"}


def large_map() -> str:
    """Systems that mostly talk to their neighbours, as in a hospital; the same every time."""
    chance = random.Random(7)
    ways: set[tuple[int, int]] = set()
    while len(ways) < ROUTES:
        start = chance.randrange(SYSTEMS)
        near = (start + round(chance.gauss(0, 4))) % SYSTEMS
        end = near if chance.random() < 0.8 else chance.randrange(SYSTEMS)
        if start != end:
            ways.add((start, end))
    lines = ["schema: dataflows/2", "department: {id: big, name: Large department}", "systems:"]
    lines += [
        f"- {{id: S{n:03d}, name: System {n}, kind: archive, parent: null, owner: Physics, "
        "criticality: high}"
        for n in range(SYSTEMS)
    ]
    lines.append("connections:")
    lines += [
        f"- {{id: C{n:03d}, source: S{start:03d}, target: S{end:03d}, category: file, "
        "protocol: SMB, data_types: [list], trigger: manual, mode: push, integrity: none, "
        "responsible: Physics, surveyed: {source: interview, date: 2026-03-10, "
        "staff_group: Physics}, qa: []}"
        for n, (start, end) in enumerate(sorted(ways))
    ]
    return "\n".join([*lines, "pathways: []", ""])


@pytest.fixture(scope="module")
def map_file(map_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database with a second department, of 110 systems and 320 routes."""
    path = tmp_path_factory.mktemp("large") / "map.db"
    shutil.copy(map_file, path)
    found = drafts(read_department(large_map(), "large.yaml"), "BIG")
    types.use_packs([ROOT / "qms" / "types", ROOT / "dataflows" / "types"])
    db = open_database(f"sqlite:///{path}")
    with db.writing() as session:
        create_project(session, "BIG", "Large department", by=None)
        import_records(session, found, find_actor(session, "PPL-AK"), types.get_registry())
    db.engine.dispose()
    return path


@pytest.fixture
def browser(map_db: Database, browse) -> TestClient:
    return browse("PPL-AK")


@pytest.fixture
def work(map_db: Database, tmp_path: Path):
    """Let a worker do what was asked for."""

    def one() -> Job:
        run_worker(map_db, Settings(data_dir=tmp_path / "var"), once=True, slots=1, poll_s=0.05)
        with map_db.reading() as session:
            job = session.exec(select(Job).order_by(Job.id.desc())).first()
            session.expunge(job)
            return job

    return one


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Put a program in the place of Graphviz."""

    def replace(script: str) -> None:
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        dot = folder / "dot"
        dot.write_text(f"#!/bin/sh\n{script}\n")
        dot.chmod(dot.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return replace


def picture(page: str) -> str:
    """Return the picture itself; the legend beside it has small ones of its own."""
    return re.search(r"<svg[^>]* viewBox.*?</svg>", page, re.DOTALL)[0]


def test_a_large_picture_is_asked_for_drawn_and_shown_with_every_route(browser, work) -> None:
    asked = browser.get(MAP)
    begun = browser.post(PART, data=TOKEN, headers={"HX-Request": "true"})
    waiting = browser.get(begun.headers["location"])

    job = work()
    drawn = browser.get(begun.headers["location"])
    page = browser.get(MAP)
    file = browser.get(MAP.replace("/map", "/map/diagram.svg"))

    assert "a worker draws it" in asked.text
    assert 'hx-trigger="load, submit"' in asked.text
    assert (begun.status_code, begun.headers["location"]) == (303, PART)
    assert f'href="/jobs/{job.id}"' in waiting.text
    assert 'hx-trigger="every 2s"' in waiting.text
    assert (job.state, job.error) == ("done", "")
    for shown in (drawn.text, page.text):
        assert len(list(drawn_names(picture(shown), "edge"))) == ROUTES
        assert len(list(drawn_names(picture(shown), "node"))) == SYSTEMS
        assert "every 2s" not in shown
    assert len(list(drawn_names(file.text, "edge"))) == ROUTES


def test_without_scripts_the_button_leads_back_to_the_page_that_says_how_it_stands(browser) -> None:
    begun = browser.post(PART, data=TOKEN)
    page = browser.get(begun.headers["location"])

    assert begun.headers["location"] == MAP
    assert "is being drawn" in page.text
    assert "<h1" in page.text


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "echo 'out of ink' >&2; exit 3",
            "Graphviz could not draw the picture (exit 3): out of ink",
        ),
        ("read line; kill -KILL $$", "The picture took longer than 60 s; choose a smaller part"),
        ("echo '<html/>'", "The picture is not an SVG"),
    ],
)
def test_a_drawing_that_fails_is_said_on_the_page_with_what_can_be_done(
    browser, work, hurried, program: str, said: str
) -> None:
    hurried(program)
    browser.post(PART, data=TOKEN)

    job = work()
    page = browser.get(MAP)
    part = browser.get(PART)

    assert job.state == "failed"
    for shown in (page.text, part.text):
        assert "This picture could not be drawn." in shown
        assert said in shown
        assert f'href="/jobs/{job.id}"' in shown
        assert "Draw it again" in shown
        # Neither asked for again by itself, nor waited for without end.
        assert "every 2s" not in shown
        assert "load, submit" not in shown
    assert said in browser.get(f"/jobs/{job.id}").text


def test_a_failed_drawing_can_be_asked_for_again(browser, work, hurried, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        hurried("exit 3")
        browser.post(PART, data=TOKEN)
        work()
        broken.undo()
    monkeypatch.undo()

    browser.post(PART, data=TOKEN)
    job = work()

    assert job.state == "done"
    assert len(list(drawn_names(picture(browser.get(MAP).text), "edge"))) == ROUTES


def test_a_small_picture_that_a_reader_would_wait_for_becomes_a_job(
    browser, work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "WAITING", 0)

    page = browser.get("/p/DEPT/map")
    browser.post("/p/DEPT/map/drawing", data=TOKEN)
    job = work()
    drawn = browser.get("/p/DEPT/map")

    assert "a worker draws it" in page.text
    assert "could not be drawn" not in page.text
    assert job.state == "done"
    assert len(list(drawn_names(picture(drawn.text), "edge"))) == 59
