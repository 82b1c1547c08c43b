"""A picture too large to wait for is drawn by a real worker, in a process of its own."""

from pathlib import Path

import pytest
from sqlmodel import select

from app.worker import run_worker
from core.db import Database
from core.jobs.models import Job, JobState
from core.people.actor import Actor
from core.records.service import find_project
from core.settings import Settings
from dataflows import service
from dataflows.render import DrawingStore, drawn_names
from dataflows.views import Selection, choose


def test_a_worker_draws_the_picture_that_was_asked_for(
    map_db: Database, author: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "QUICK_LINES", 10)
    settings = Settings(data_dir=tmp_path / "var")
    store = DrawingStore(settings.data_dir)
    with map_db.writing() as session:
        department = service.read_department(session, "DEPT", author)
        drawn = service.drawing(
            session, store, department, choose(department, Selection(level="1"))
        )
        assert drawn.svg is None
        project = find_project(session, "DEPT")
        service.ask_for_drawing(session, store, drawn.text, project, author)

    begun = run_worker(map_db, settings, once=True, poll_s=0.05)

    assert begun == 1
    svg = store.kept(drawn.text)
    assert svg is not None
    assert len(list(drawn_names(svg, "edge"))) == 91
    with map_db.reading() as session:
        job = session.exec(select(Job)).one()
        assert job.state == JobState.DONE
