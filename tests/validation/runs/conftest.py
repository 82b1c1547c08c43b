"""A department in small: two approved tests, a release with a tag, and the device's repository."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlmodel import Session, col

import validation
from app import errors
from app.tables import prepare
from core.clock import now
from core.db import Database, Table, open_database
from core.jobs.models import Job, JobAttempt, JobWorker
from core.jobs.processes import here, this_process
from core.jobs.queue import claim_next, enlist
from core.jobs.running import run_attempt
from core.ledger.guards import install_guards
from core.people.actor import Actor
from core.people.models import Person, RoleGrant, WebSession
from core.people.service import Reauthentication, actor_of
from core.records import approval, service
from core.records.approval import Signing
from core.records.content import Content, LinkDraft
from core.records.models import Project, Record
from core.records.types import get_registry
from core.settings import Settings
from core.web.identity import COOKIE
from qms.repositories.models import Repository
from qms.repositories.scanning import scan_repository
from tests.core.conftest import hashed
from tests.validation.runs.devices import Device, adding_device
from validation.manual.routes import router as by_hand
from validation.runs.data import RunData
from validation.runs.models import Run
from validation.runs.requests import RunRequest
from validation.runs.routes import router
from validation.runs.service import JOB_KIND, find_run, start_run

ROOT = Path(validation.__path__[0]).parent
FUNCTION = "validation.runs.job:run"

WORKER = """
import json, logging, sys
from app.worker import run_worker
from core.db import open_database
from core.settings import Settings
from core.web.identity import COOKIE
logging.basicConfig(level=logging.INFO)
given = json.loads(sys.argv[1])
kinds = {"validation.run": "validation.runs.job:run"}
run_worker(open_database(given["url"]), Settings(**given["settings"]), kinds, **given["options"])
"""

StartWorker = Callable[..., "subprocess.Popen[bytes]"]

PEOPLE = {
    "PPL-AK": ("Amara Kole", ["author", "developer"]),
    "PPL-CV": ("Chidi Vance", ["technical_reviewer"]),
    "PPL-EQ": ("Esther Quill", ["quality_manager", "release_manager"]),
    "PPL-FR": ("Farid Rowe", ["validation_tester"]),
    "PPL-VW": ("Vera Woods", ["viewer"]),
}

TITLES = {
    "TST-001": "Two numbers are added",
    "TST-002": "The sum of the table is stated",
}


@dataclass
class Department:
    """Everything a test of runs needs, each call in a transaction of its own."""

    db: Database
    settings: Settings
    root: Path
    actors: dict[str, Actor] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)

    @property
    def device(self) -> Device:
        """Return the device registered first."""
        return self.devices[0]

    def project(self, session: Session) -> Project:
        """Return the project."""
        return service.find_project(session, "RPM")

    def approve(self, session: Session, record: Record) -> None:
        """Take a draft through its signatures."""
        with _no_training_asked():
            self._sign(session, record)

    def _sign(self, session: Session, record: Record) -> None:
        asked = get_registry().of(record.type).sign
        signers = {"author": "PPL-AK", "technical_reviewer": "PPL-CV", "quality_manager": "PPL-EQ"}
        for meaning, roles in asked.items():
            role = next(one for one in signers if one in roles)
            uid = signers[role]
            by = self.actors[uid]
            proof = Reauthentication(by.person_id)
            read = service.edit_token(service.latest_revision(session, record))
            if meaning == "authored":
                approval.submit(session, record, by, proof, read)
            else:
                approval.sign(session, record, Signing(meaning, role), by, proof, read)

    def add_test(
        self,
        uid: str,
        title: str,
        *,
        approved: bool = True,
        body: str = "As the scenario says.",
        data: Sequence[str] = (),
        **fields: Any,
    ) -> None:
        """Write a test record, on data sets, and, where asked for, bring it into force."""
        held = {"level": "unit", "stage": "OQ", "method": "automated", **fields}
        with self.db.writing() as session:
            project = self.project(session)
            links = tuple(LinkDraft("data", uid) for uid in data)
            content = Content(title, body=body, fields=held, links=links)
            record = service.create_record(
                session, project, "test", content, self.actors["PPL-AK"], uid
            )
            if approved:
                self.approve(session, record)

    def add_data_set(self, uid: str, files: Mapping[str, str], **fields: Any) -> Path:
        """Put a data set where it belongs and register it, with the digest it has there."""
        root = self.settings.data_sets_dir / "RPM"
        for name, text in files.items():
            path = root / uid / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = f"sha256:{RunData(root, (uid,)).digests()[uid]}"
        held = {"version": "1.0", "count": 1, "role": "test", "origin": "generated",
                "consent": "none needed", "digest": found, **fields}  # fmt: skip
        with self.db.writing() as session:
            content = Content(f"Numbers of {uid}", fields=held)
            record = service.create_record(
                session, self.project(session), "dataset", content, self.actors["PPL-AK"], uid
            )
            self.approve(session, record)
        return root / uid

    def add_release(self, uid: str, tag: str, tests: Sequence[str], **fields: Any) -> None:
        """Write a release that names its tests."""
        held = {"version": uid.removeprefix("REL-"), "stage": "candidate", "git_tag": tag, **fields}
        links = tuple(LinkDraft("tested_by", test) for test in tests)
        with self.db.writing() as session:
            content = Content(f"Release {uid}", fields=held, links=links)
            service.create_record(
                session, self.project(session), "release", content, self.actors["PPL-AK"], uid
            )

    def add_device(self, device: Device, name: str = "adder") -> None:
        """Register and scan a device's repository."""
        self.devices.append(device)
        with self.db.writing() as session:
            repository = Repository(
                project_id=self.project(session).id or 0,
                name=name,
                address=str(device.work),
                registered_by="Amara Kole",
            )
            session.add(repository)
            session.flush()
            number = repository.id or 0
        self.scan(number)

    def scan(self, repository: int = 1) -> None:
        """Scan a repository."""
        scan_repository(self.db, self.settings, repository)

    def start(self, by: str = "PPL-FR", **request: Any) -> int:
        """Start a run and return its number."""
        asked = RunRequest(**{"release": "REL-0.1.0", **request})
        with self.db.writing() as session:
            return start_run(session, self.project(session), asked, self.actors[by]).number

    def work(self) -> str:
        """Do the next job in this process; return the state it ended in."""
        with self.db.writing() as session:
            worker = session.get(JobWorker, "here") or enlist(
                session, here(), this_process(), "here"
            )
            session.flush()
            lease = claim_next(session, worker, [JOB_KIND])
        assert lease is not None, "there was no job to do"
        run_attempt(self.db, self.settings, lease, FUNCTION)
        with self.db.reading() as session:
            attempts = select(JobAttempt).order_by(col(JobAttempt.id).desc())
            assert not (said := session.scalars(attempts).first()) or not said.detail, said.detail
            return session.get_one(Job, lease.job_id).state

    def execute(self, **request: Any) -> int:
        """Start a run and do it."""
        number = self.start(**request)
        assert self.work() == "done"
        return number

    def browser(self, uid: str) -> TestClient:
        """Return a browser in which a person is signed in, over the pages of runs."""
        app = FastAPI()
        app.state.database, app.state.settings = self.db, self.settings
        errors.register(app)
        app.include_router(by_hand)
        app.include_router(router)
        token = f"token-{uid}"
        digest = hashlib.sha256(token.encode()).hexdigest()
        with self.db.writing() as session:
            if session.get(WebSession, digest) is None:
                session.add(
                    WebSession(
                        token_digest=digest,
                        person_id=self.actors[uid].person_id,
                        csrf=f"csrf-{uid}",
                        created_at=now(),
                        seen_at=now(),
                        expires_at=now() + timedelta(hours=1),
                    )
                )
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        client.cookies.set(COOKIE, token)
        client.headers["accept"] = "text/html"
        return client

    def look(self, number: int, question: Callable[[Session, Run], Any]) -> Any:
        """Ask something about a run."""
        with self.db.reading() as session:
            return question(session, find_run(session, self.project(session), number))


@contextmanager
def _no_training_asked() -> Iterator[None]:
    """What is proved here are runs; training and release check have tests of their own."""
    training, gate = approval.ports.training, approval.ports.gate
    approval.ports.training, approval.ports.gate = lambda *_: [], None
    try:
        yield
    finally:
        approval.ports.training, approval.ports.gate = training, gate


@contextmanager
def opened_department(root: Path, url: str = "") -> Iterator[Department]:
    """People and a project, no record."""
    prepare()
    url = url or f"sqlite:///{root}/fiducial.db"
    db = open_database(url)
    Table.metadata.drop_all(db.engine)
    Table.metadata.create_all(db.engine)
    with db.engine.begin() as connection:
        install_guards(connection)
    settings = Settings(data_dir=root / "var", database_url=url, repository_sources=[str(root)])
    made = Department(db, settings, root)
    with db.writing() as session:
        project = service.create_project(session, "RPM", "RT Plan Metrics", None)
        for uid, (name, roles) in PEOPLE.items():
            person = Person(username=uid.lower(), uid=uid, name=name, password_hash=hashed())
            session.add(person)
            session.flush()
            for role in roles:
                session.add(RoleGrant(person_id=person.id or 0, project_id=project.id, role=role))
            session.flush()
            made.actors[uid] = actor_of(session, person)
    yield made
    db.engine.dispose()


def fill(department: Department, device: Device) -> Department:
    """Give a department two approved tests, release REL-0.1.0 and a device."""
    for uid, title in TITLES.items():
        department.add_test(uid, title)
    department.add_release("REL-0.1.0", "v0.1.0", list(TITLES))
    department.add_device(device)
    return department


@pytest.fixture
def empty_department(tmp_path: Path) -> Iterator[Department]:
    """People and a project, no record."""
    with opened_department(tmp_path, os.environ.get("FIDUCIAL_TEST_DATABASE_URL", "")) as made:
        yield made


@pytest.fixture
def department(empty_department: Department, tmp_path: Path) -> Department:
    """The department with two approved tests, release REL-0.1.0 and the adding device."""
    return fill(empty_department, adding_device(tmp_path))


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """The department after run 1 passed; only for tests that change nothing."""
    root = tmp_path_factory.mktemp("executed")
    with opened_department(root) as made:
        fill(made, adding_device(root))
        assert made.execute() == 1
        yield made


def copied(department: Department, to: Path) -> Department:
    """Copy a department but for its device, database and files and all."""
    shutil.copytree(department.settings.data_dir, to / "var")
    source = sqlite3.connect(department.db.engine.url.database or "")
    copy = sqlite3.connect(to / "fiducial.db")
    source.backup(copy)
    source.close()
    copy.close()
    url = f"sqlite:///{to}/fiducial.db"
    settings = department.settings.model_copy(update={"data_dir": to / "var", "database_url": url})
    return replace(department, db=open_database(url), settings=settings)


@pytest.fixture
def with_run(executed: Department, tmp_path: Path) -> Iterator[Department]:
    """A copy of the department after run 1 passed, for tests that change it but not its device."""
    made = copied(executed, tmp_path)
    yield made
    made.db.engine.dispose()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker in a process of its own, which may be killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(department: Department, **options: Any) -> subprocess.Popen[bytes]:
        given = {
            "url": department.db.engine.url.render_as_string(hide_password=False),
            "settings": department.settings.model_dump(mode="json"),
            "options": {"poll_s": 0.1, "slots": 1, **options},
        }
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-c", WORKER, json.dumps(given)],
                stderr=log,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                },
            )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
