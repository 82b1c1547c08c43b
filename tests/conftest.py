"""What most tests need: a database at the newest schema, people with roles, real reference data."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from sqlmodel import Session

from app.schema import upgrade_database
from app.tables import prepare
from core.db import Database, open_database
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import Reauthentication, actor_of, grant
from core.records import approval
from core.records.models import Project, Record
from core.records.service import (
    create_project,
    edit_token,
    find_project,
    find_record,
    latest_revision,
)

ROOT = Path(__file__).resolve().parent.parent

TEST_DATABASE = os.environ.get("FIDUCIAL_TEST_DATABASE_URL", "")
"""A PostgreSQL to run the database tests on; without it they run on SQLite."""

# The tests bring lxml, which the product does without: openpyxl goes the product's way here too.
os.environ["OPENPYXL_LXML"] = "False"

# The same examples every time, and no limit of wall time: a slow machine proves nothing wrong.
settings.load_profile("ci")

STAFF = {
    "PPL-AK": ("Amara Kole", ("author", "developer")),
    "PPL-CV": ("Chidi Vance", ("technical_reviewer",)),
    "PPL-DM": ("Dr Dana Moss", ("clinical_safety_officer", "clinical_lead")),
    "PPL-EQ": ("Esther Quill", ("quality_manager", "release_manager")),
    "PPL-FR": ("Farid Rowe", ("validation_tester", "tester")),
    "PPL-VW": ("Vera Wynn", ("viewer",)),
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Name in the report which test of our own design record an item executes."""
    for mark in item.iter_markers("verifies"):
        item.user_properties += [("verifies", uid) for uid in mark.args]


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    prepare()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, copied for each test instead of migrated again."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    database = open_database(f"sqlite:///{path}")
    upgrade_database(database)
    database.engine.dispose()
    return path


def renew(database: Database) -> None:
    """Empty a database of tests and bring it to the newest schema."""
    with database.engine.begin() as connection:
        # Whatever is there, also the tables that a test made for itself.
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    upgrade_database(database)


@pytest.fixture
def database(empty_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database of one's own, on PostgreSQL where one is named."""
    if TEST_DATABASE:
        opened = open_database(TEST_DATABASE)
        renew(opened)
    else:
        path = tmp_path / "fiducial.db"
        shutil.copy(empty_sqlite, path)
        opened = open_database(f"sqlite:///{path}")
    yield opened
    opened.engine.dispose()


@dataclass
class Office:
    """A project with its staff, and the few things tests ask of it again and again."""

    database: Database
    key: str
    staff: dict[str, Actor] = field(default_factory=dict)

    def writing(self) -> AbstractContextManager[Session]:
        """Open a session that commits."""
        return self.database.writing()

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that leaves nothing behind."""
        return self.database.reading()

    def project(self, session: Session) -> Project:
        """Return the project."""
        return find_project(session, self.key)

    def record(self, session: Session, uid: str) -> Record:
        """Return one of its records."""
        return find_record(session, self.project(session), uid)

    def read(self, session: Session, uid: str) -> str:
        """Return what the form on a record's page remembers of what was read there."""
        return edit_token(latest_revision(session, self.record(session, uid)))

    def proof(self, uid: str) -> Reauthentication:
        """Return what a right password gives; the password itself is tested where people are."""
        return Reauthentication(self.staff[uid].person_id)


def add_staff(session: Session, project: Project) -> dict[str, Actor]:
    """Create the staff of a project without the cost of hashing six passwords."""
    found = {}
    for uid, (name, roles) in STAFF.items():
        person = Person(username=uid.lower(), uid=uid, name=name, password_hash="none")
        session.add(person)
        session.flush()
        grant(session, person, roles, None, project.id)
        found[uid] = actor_of(session, person)
    return found


@pytest.fixture
def office(database: Database) -> Office:
    """Project RPM with its staff and no record."""
    with database.writing() as session:
        project = create_project(session, "RPM", "RT Plan Metrics", None)
        staff = add_staff(session, project)
    return Office(database, "RPM", staff)


@pytest.fixture
def all_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody be trained, where training is not what the test is about."""
    trained: Callable[..., tuple[str, ...]] = lambda *_: ()  # noqa: E731
    monkeypatch.setattr(approval.ports, "training", trained)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window; one for all, as two cannot be driven in one process."""
    from tests.peers import need

    executable = need("chromium")
    need("assets")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real files; skips visibly where it is absent."""
    folder = Path(os.environ.get("FIDUCIAL_REFERENCE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the reference data is not at {folder} (FIDUCIAL_REFERENCE_DATA)")
    return folder
