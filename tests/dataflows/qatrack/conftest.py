"""The peer, a real server where one is named, and a department whose QA is kept there."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import Session, select

from app.main import create_app
from app.worker import JOBS
from core.clock import now
from core.db import Database
from core.jobs.processes import here, this_process
from core.jobs.queue import claim_next, enlist
from core.jobs.running import run_attempt
from core.jobs.service import find_job
from core.people.actor import Actor
from core.people.models import Person, WebSession
from core.people.service import grant
from core.records import service as records
from core.records.content import Content
from core.records.models import Project
from core.settings import Settings
from core.web.access import COOKIE
from core.web.forgery import FIELD
from dataflows.qatrack import servers
from dataflows.qatrack.client import Limits, Server
from dataflows.qatrack.servers import KIND, Wish
from tests.dataflows.qatrack.peer import TOKEN, Peer, serving

REAL_ADDRESS = os.environ.get("FIDUCIAL_QATRACK_URL", "")
REAL_TOKEN = os.environ.get("FIDUCIAL_QATRACK_TOKEN", "")
"""A real QATrack+ 3.1 to run the same tests against, and a token that reads it."""

KEPT = {
    "QA-001": "Data transfer: planning -> record and verify (RT Plan)",
    "QA-002": "Data transfer: planning -> HDR console (treatment file)",
}
"""Procedures of the demo department, and the lists of the peer that they are kept as."""

Work = Callable[[], "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    state: str
    error: str
    told: str
    result: dict[str, Any]


@pytest.fixture(scope="session")
def recorded(reference_data: Path) -> Path:
    """The folder of what a real QATrack+ answered."""
    folder = reference_data / "qatrack"
    if not folder.is_dir():
        pytest.skip(f"the recorded answers of QATrack+ are not at {folder}")
    return folder


@pytest.fixture
def peer(recorded: Path) -> Iterator[Peer]:
    with serving(Peer(recorded)) as one:
        yield one


@pytest.fixture
def server(peer: Peer) -> Server:
    """The peer as the product asks it, without patience."""
    limits = Limits(silence_s=60.0, answer_s=60.0, largest=200_000)
    return Server(peer.address, TOKEN, limits, pause=lambda _: None)


@pytest.fixture(params=["peer", "real"])
def either(request: pytest.FixtureRequest) -> Server:
    """The peer, and then the real server, for what both must satisfy."""
    if request.param == "peer":
        found: Server = request.getfixturevalue("server")
        return found
    if not (REAL_ADDRESS and REAL_TOKEN):
        pytest.skip("no real QATrack+ is named (FIDUCIAL_QATRACK_URL, FIDUCIAL_QATRACK_TOKEN)")
    return Server(REAL_ADDRESS.rstrip("/"), REAL_TOKEN)


@pytest.fixture
def settings(tmp_path: Path, peer: Peer) -> Settings:
    return Settings(data_dir=tmp_path / "var", qatrack_servers=[peer.address])


@pytest.fixture
def named(map_db: Database, author: Actor, settings: Settings, peer: Peer) -> Database:
    """A server that is named, and two procedures of the department that are kept there."""
    with map_db.writing() as session:
        wish = Wish("main", peer.address, "Europe/London", TOKEN)
        servers.name_server(session, wish, author, settings)
        project = records.find_project(session, "DEPT")
        for uid, slug in KEPT.items():
            keep_as(session, project, uid, author, slug)
    return map_db


def keep_as(
    session: Session, project: Project, uid: str, by: Actor, slug: str, instance: str = ""
) -> None:
    """Let a procedure say that it is kept as a test list of QATrack+."""
    record = records.find_record(session, project, uid)
    content = records.read_content(session, record)
    fields = {**content.fields, "source": "qatrack-testlist", "slug": slug, "instance": instance}
    expected = records.edit_token(records.latest_revision(session, record))
    changed = Content(content.title, content.body, fields, content.links)
    records.save_draft(session, record, changed, by, expected=expected, reason="Kept there.")


@pytest.fixture
def work(map_db: Database, settings: Settings) -> Work:
    """Do the job that waits longest, in this process."""

    def do_next() -> Outcome:
        with map_db.writing() as session:
            worker = enlist(session, here(), this_process(), f"worker-{os.urandom(8).hex()}")
            session.flush()
            lease = claim_next(session, worker, [KIND])
        assert lease is not None, "there was no job to do"
        run_attempt(map_db, settings, lease, JOBS[KIND])
        with map_db.reading() as session:
            job = find_job(session, lease.job_id)
            return Outcome(job.state, job.error, job.progress.get("text", ""), job.result or {})

    return do_next


Enter = Callable[[str], TestClient]
OWN = "its-own"
"""What the forms of these sessions carry."""


@pytest.fixture
def enter(map_db: Database, settings: Settings) -> Iterator[Enter]:
    """Return the browser of a person: the author, the viewer, or an administrator."""
    app = create_app(settings, map_db)
    opened: list[TestClient] = []
    with map_db.writing() as session:
        boss = Person(username="boss", uid="PPL-AD", name="Ada Min", password_hash="")
        session.add(boss)
        session.flush()
        grant(session, boss, ["administrator"], None, None)
        for uid in ("PPL-AK", "PPL-VW", "PPL-AD"):
            person = session.exec(select(Person).where(Person.uid == uid)).one()
            session.add(
                WebSession(
                    token_digest=hashlib.sha256(uid.encode()).hexdigest(),
                    person_id=person.id or 0,
                    csrf=OWN,
                    created_at=now(),
                    seen_at=now(),
                    expires_at=now() + timedelta(hours=1),
                )
            )

    def client(uid: str) -> TestClient:
        opened.append(TestClient(app, base_url="http://127.0.0.1", follow_redirects=False))
        opened[-1].cookies.set(COOKIE, uid)
        opened[-1].headers["accept"] = "text/html"
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def post(browser: TestClient, at: str, **form: str) -> Response:
    return browser.post(at, data={FIELD: OWN, **form})


@pytest.fixture
def fresh(named: Database, enter: Enter, work: Work) -> Enter:
    """The pages after the server was read, once, by who administers."""
    post(enter("PPL-AD"), "/qatrack/main/read")
    assert work().state == "done"
    return enter
