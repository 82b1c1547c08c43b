"""The demo department, as a file, as drafts and as the value every rule reads."""

from pathlib import Path

import pytest
from core.records.content import RecordDraft

from dataflows.department import load_department
from dataflows.inventory import Category, Connection, Department, System
from dataflows.survey import department_from_drafts

DEMO_FILE = Path(__file__).parents[2] / "app" / "demo" / "department.yaml"


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
