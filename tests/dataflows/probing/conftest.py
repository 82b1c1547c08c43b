"""A department whose hosts may be probed, and somebody to answer the probes."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import Session

from app.worker import JOBS
from core.db import Database
from core.jobs.processes import here, this_process
from core.jobs.queue import claim_next, enlist
from core.jobs.running import run_attempt
from core.jobs.service import find_job
from core.people.actor import Actor
from core.ports import prober
from core.probes import ProbeAnswer, ProbeQuestion
from core.records import service as records
from core.records.content import Content
from core.settings import Settings
from core.web.forgery import FIELD
from dataflows.inventory import Department
from dataflows.probing import service
from dataflows.service import read_department

OWN = "its-own"
"""What the forms of these sessions carry."""


@dataclass
class Answering:
    """Stands where the network is: answers each question with what the test says."""

    outcome: str = "ok"
    asked: list[ProbeQuestion] = field(default_factory=list)
    resolves_to: str = "192.0.2.11"

    def __call__(self, question: ProbeQuestion, permitted: Callable[[str], bool]) -> ProbeAnswer:
        """Answer a question, if its address may be asked."""
        if not permitted(self.resolves_to):
            return ProbeAnswer("not-allowed", "It may not be probed.", 1, "", (), (), "a test")
        self.asked.append(question)
        return ProbeAnswer(
            self.outcome, f"It is {self.outcome}.", 12, self.resolves_to,
            ("CT Image Storage",), (), "Fiducial 0, a test",
        )  # fmt: skip


@pytest.fixture
def network() -> Iterator[Answering]:
    answering = Answering()
    with prober.filled(answering):
        yield answering


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "var", probe_hosts=["192.0.2.0/24"])


@dataclass(frozen=True)
class Done:
    """What became of a job."""

    state: str
    error: str
    result: dict


@pytest.fixture
def work(map_db: Database) -> Callable[[Settings], Done]:
    """Do the probes that wait, in this process."""

    def do_next(settings: Settings) -> Done:
        with map_db.writing() as session:
            worker = enlist(session, here(), this_process(), f"worker-{os.urandom(8).hex()}")
            session.flush()
            lease = claim_next(session, worker, [service.KIND])
        assert lease is not None, "there was no job to do"
        run_attempt(map_db, settings, lease, JOBS[service.KIND])
        with map_db.reading() as session:
            job = find_job(session, lease.job_id)
            return Done(job.state, job.error, job.result or {})

    return do_next


def read(session: Session, by: Actor, *, drafts: bool = False) -> Department:
    return read_department(session, "DEPT", by, drafts=drafts)


def change(db: Database, uid: str, by: Actor, **fields: object) -> None:
    """Write fields of a record into its draft."""
    with db.writing() as session:
        record = records.find_record(session, records.find_project(session, "DEPT"), uid)
        content = records.read_content(session, record)
        expected = records.edit_token(records.latest_revision(session, record))
        changed = Content(content.title, content.body, {**content.fields, **fields}, content.links)
        records.save_draft(session, record, changed, by, expected=expected, reason="Surveyed.")


def post(browser: TestClient, at: str, **form: str) -> Response:
    return browser.post(at, data={FIELD: OWN, **form})
