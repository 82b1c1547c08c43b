"""The demo department, as a file, as drafts and as the value every rule reads."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

import core.jobs.models
import core.signing.models  # noqa: F401 - their tables are part of the database
from app.main import create_app
from core.clock import now
from core.db import Database, Table, open_database
from core.ledger.guards import install_guards
from core.people.actor import Actor
from core.people.models import Person, WebSession
from core.people.service import find_actor, grant
from core.records import types
from core.records.content import Content, LinkDraft, RecordDraft
from core.records.importing import import_records
from core.records.service import create_project, find_project
from core.settings import Settings
from core.web.access import COOKIE
from dataflows.department import load_department
from dataflows.inventory import Category, Connection, Department, System
from dataflows.survey import department_from_drafts

ROOT = Path(__file__).parents[2]
DEMO_FILE = ROOT / "app" / "demo" / "department.yaml"


Browse = Callable[[str], TestClient]


HOSTILE = (
    '"]] !include /etc/passwd <b>',
    "line\n!include /etc/passwd\r\n@enduml",
    '%date() %getenv("HOME") $x',
    "[[javascript:alert(1) click]]",
    "</text><script>alert(1)</script>",
    '\\N \\G \\E \\" \\\\',
    "&amp; &#60;b&#62; &lt;i&gt;",
    "--struck-- **bold** //italic// __u__ ~~w~~ ==h==",
    "' comment /' block '/",
    "#red:coloured; |row|",
    "\u202eright to left\u200b\x07",
    "naïve Prüfung 線量",
)
"""Names that break out of a string, a line, a link or a comment of some diagram language."""


DEVICE = [
    RecordDraft("RPM", "project", "PRJ-RPM", Content("RT Plan Metrics")),
    RecordDraft("RPM", "requirement", "REQ-001", Content("Accept RT objects")),
    RecordDraft("RPM", "requirement", "REQ-003", Content("Match plan, dose and structures")),
    RecordDraft(
        "RPM",
        "test",
        "TST-002",
        Content("Stored unchanged", links=(LinkDraft("exercises", "C023", "DEPT"),)),
    ),
]
"""What the demo department names of the device, and a test that exercises C023."""


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def department_file() -> Path:
    return DEMO_FILE


@pytest.fixture(scope="session")
def department_drafts() -> list[RecordDraft]:
    return load_department(DEMO_FILE)


@pytest.fixture(scope="session")
def department(department_drafts: list[RecordDraft]) -> Department:
    return department_from_drafts(department_drafts, "DEPT")


@pytest.fixture
def small() -> Department:
    """A with parts A.1 and A.2 sends to B twice by DICOM and once by file; A.1 feeds A.2."""
    systems = {
        "A": System("A", "Planning"),
        "A.1": System("A.1", "Workstation", parent="A"),
        "A.2": System("A.2", "Export service", parent="A"),
        "B": System("B", "Archive"),
        "D": System("D", "Portal"),
    }
    connections = {
        uid: Connection(uid, uid, source, target, category)
        for uid, source, target, category in (
            ("C1", "A.1", "B", Category.DICOM),
            ("C2", "A.2", "B", Category.DICOM),
            ("C3", "A.2", "B", Category.FILE),
            ("C4", "A.1", "A.2", Category.OTHER),
        )
    }
    return Department("DEPT", systems, connections)


@pytest.fixture(scope="session")
def map_file(
    tmp_path_factory: pytest.TempPathFactory, department_drafts: list[RecordDraft]
) -> Path:
    """A database with the demo department and what it names of the device."""
    types.use_packs([ROOT / "qms" / "types", ROOT / "dataflows" / "types"])
    path = tmp_path_factory.mktemp("map") / "map.db"
    db = open_database(f"sqlite:///{path}")
    Table.metadata.create_all(db.engine)
    with db.engine.begin() as connection:
        install_guards(connection)
    with db.writing() as session:
        for key, title in (("RPM", "RT Plan Metrics"), ("DEPT", "Radiotherapy department")):
            create_project(session, key, title, by=None, demonstration=True)
        for username, uid, name in (
            ("amara", "PPL-AK", "Amara Kole"),
            ("vera", "PPL-VW", "Vera Wynn"),
        ):
            person = Person(username=username, uid=uid, name=name, password_hash="")
            session.add(person)
            session.flush()
            everywhere = uid == "PPL-AK"
            project = None if everywhere else find_project(session, "DEPT").id
            grant(session, person, ["author" if everywhere else "viewer"], None, project)
        by = find_actor(session, "PPL-AK")
        import_records(session, [*DEVICE, *department_drafts], by, types.get_registry())
    db.engine.dispose()
    return path


@pytest.fixture
def map_db(map_file: Path, tmp_path: Path) -> Iterator[Database]:
    """The demo department, to read and to change."""
    types.use_packs([ROOT / "qms" / "types", ROOT / "dataflows" / "types"])
    shutil.copy(map_file, tmp_path / "map.db")
    db = open_database(f"sqlite:///{tmp_path / 'map.db'}")
    yield db
    db.engine.dispose()


@pytest.fixture
def author(map_db: Database) -> Actor:
    """A person who may write in every project."""
    with map_db.reading() as session:
        return find_actor(session, "PPL-AK")


@pytest.fixture
def viewer(map_db: Database) -> Actor:
    """A person who may read the department and nothing else."""
    with map_db.reading() as session:
        return find_actor(session, "PPL-VW")


@pytest.fixture
def browse(map_db: Database, tmp_path: Path) -> Iterator[Browse]:
    """Return a browser in which a person is signed in."""
    app = create_app(Settings(data_dir=tmp_path / "var"), map_db)
    clients: list[TestClient] = []

    def sign_in(uid: str) -> TestClient:
        with map_db.writing() as session:
            person = session.exec(select(Person).where(Person.uid == uid)).one()
            session.add(
                WebSession(
                    token_digest=hashlib.sha256(uid.encode()).hexdigest(),
                    person_id=person.id or 0,
                    csrf="its-own",
                    created_at=now(),
                    seen_at=now(),
                    expires_at=now() + timedelta(hours=1),
                )
            )
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        client.cookies.set(COOKIE, uid)
        client.headers["accept"] = "text/html"
        clients.append(client)
        return client

    yield sign_in
    for client in clients:
        client.close()


@pytest.fixture
def browser(browse: Browse) -> TestClient:
    """A browser of an author."""
    return browse("PPL-AK")
