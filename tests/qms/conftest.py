"""The demonstration's records behind the pages of one feature, with people signed in."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from app import errors
from app.tables import prepare
from core.clock import now
from core.db import Database, Table, open_database
from core.people.actor import Actor
from core.people.models import Person, RoleGrant, WebSession
from core.records.importing import import_records
from core.records.service import create_project, find_project
from core.records.types import get_registry
from core.settings import Settings
from core.web.identity import COOKIE
from dataflows.department import load_department
from qms.interchange.design_record import load_design_record

ROOT = Path(__file__).parents[2]
EVERYWHERE = frozenset({"author", "developer", "administrator"})
"""What the person who loads the records holds; nobody signs in with it."""


@dataclass
class Site:
    """A service with one feature's pages, its database, and a browser per person."""

    db: Database
    settings: Settings
    app: FastAPI

    def browser(self, uid: str, *roles: str, project: str = "RPM") -> TestClient:
        """Return a browser in which a person with these roles in a project is signed in."""
        token = f"token-{uid}"
        with self.db.writing() as session:
            person = Person(username=uid.lower(), uid=uid, name=f"Person {uid}", password_hash="")
            session.add(person)
            session.flush()
            for role in roles:
                session.add(
                    RoleGrant(
                        person_id=person.id or 0,
                        project_id=find_project(session, project).id,
                        role=role,
                    )
                )
            session.add(
                WebSession(
                    token_digest=hashlib.sha256(token.encode()).hexdigest(),
                    person_id=person.id or 0,
                    csrf=f"csrf-{uid}",
                    created_at=now(),
                    seen_at=now(),
                    expires_at=now() + timedelta(hours=1),
                )
            )
        client = TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=False)
        client.cookies.set(COOKIE, token)
        client.headers["accept"] = "text/html"
        return client


@pytest.fixture(scope="session")
def demo_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the demonstration's records, all of them drafts."""
    prepare()
    path = tmp_path_factory.mktemp("demo") / "records.db"
    db = open_database(f"sqlite:///{path}")
    Table.metadata.create_all(db.engine)
    department = load_department(ROOT / "app/demo/department.yaml", "DEPT")
    record = load_design_record(ROOT / "app/demo/project.yaml", "RPM")
    with db.writing() as session:
        person = Person(username="ak", uid="PPL-AK", name="Amara Kole", password_hash="")
        session.add(person)
        session.flush()
        by = Actor(person.id or 0, person.name, person.uid, {None: EVERYWHERE})
        create_project(session, "DEPT", "Department", by)
        create_project(session, "RPM", "RT Plan Metrics", by)
        import_records(session, [*department, *record.drafts], by, get_registry())
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.engine.dispose()
    return path


@pytest.fixture
def new_site(demo_records: Path, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Make a service with some routers over the demonstration's records."""
    prepare()
    shutil.copy(demo_records, tmp_path / "site.db")
    db = open_database(f"sqlite:///{tmp_path / 'site.db'}")

    def make(*routers: APIRouter) -> Site:
        app = FastAPI()
        app.state.database = db
        app.state.settings = Settings(data_dir=tmp_path / "var", repository_sources=[str(tmp_path)])
        errors.register(app)
        for router in routers:
            app.include_router(router)
        return Site(db, app.state.settings, app)

    yield make
    db.engine.dispose()


def words_of(response: Response) -> str:
    """Return the text of a page without its tags, spaced as it is read."""
    text = " ".join(re.sub(r"<[^>]+>", " ", response.text).split())
    return re.sub(r" ([,.;:])", r"\1", text)


@pytest.fixture
def words() -> Callable[[Response], str]:
    return words_of
