"""The department in small, whose release names one manual test beside the automated ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.blobs import BlobStore
from core.people.service import Reauthentication
from core.records import service as records
from tests.validation.runs.conftest import TITLES, Department, copied, opened_department
from tests.validation.runs.devices import adding_device
from validation.manual import service
from validation.manual.beginning import ByHand, begin
from validation.manual.service import Observation
from validation.runs.service import find_run

PROTOCOL = """1. Open the report of plan 7.
2. Read the mean dose [2.00 ± 0.02 Gy].
3. Close the report.
"""

TOLD = {"site": "Ward 3", "machine": "PC 12", "tools": "Firefox 128\nRuler, serial 44"}


@dataclass
class Bench:
    """What a tester does by hand, each deed in a transaction of its own."""

    department: Department
    told: dict[str, str] = field(default_factory=lambda: dict(TOLD))

    @property
    def store(self) -> BlobStore:
        """Return the installation's files."""
        return BlobStore(self.department.settings.data_dir / "blobs")

    def begin(self, by: str = "PPL-FR", **asked: str) -> int:
        """Begin a run and return its number."""
        given = {"test": "TST-003", "release": "REL-0.1.0", **self.told, **asked}
        with self.department.db.writing() as session:
            project = self.department.project(session)
            return begin(session, project, ByHand(**given), self.department.actors[by]).number

    def record(self, number: int, step: int, by: str = "PPL-FR", **told: Any) -> Any:
        """Record one step; return whether it was new."""
        said = Observation(**{"observed": "As written.", **told})
        with self.department.db.writing() as session:
            run = find_run(session, self.department.project(session), number)
            actor = self.department.actors[by]
            return service.record_entry(session, self.store, run, step, said, actor) is not None

    def record_all(self, number: int, measured: str = "2.01") -> None:
        """Record every step of the protocol."""
        self.record(number, 1, outcome="passed")
        self.record(number, 2, measured=measured)
        self.record(number, 3, outcome="passed")

    def sign(self, number: int, by: str = "PPL-FR", password_of: str = "") -> None:
        """Sign a run."""
        with self.department.db.writing() as session:
            run = find_run(session, self.department.project(session), number)
            proof = Reauthentication(self.department.actors[password_of or by].person_id)
            service.sign(session, self.store, run, self.department.actors[by], proof)

    def give_up(
        self, number: int, reason: str = "The room was locked.", by: str = "PPL-FR"
    ) -> None:
        """Give a run up."""
        with self.department.db.writing() as session:
            run = find_run(session, self.department.project(session), number)
            service.give_up(session, run, self.department.actors[by], reason)

    def revise(self, uid: str = "TST-003") -> None:
        """Bring another revision of a test into force."""
        with self.department.db.writing() as session:
            record = records.find_record(session, self.department.project(session), uid)
            latest = records.latest_revision(session, record)
            content = records.read_content(session, record)
            changed = type(content)(content.title, "1. Do it otherwise.", content.fields)
            author = self.department.actors["PPL-AK"]
            records.save_draft(session, record, changed, author, records.edit_token(latest))
            self.department.approve(session, record)


def filled(department: Department, root: Path) -> Bench:
    """Give a department its tests, its release and its device."""
    for uid, title in TITLES.items():
        department.add_test(uid, title)
    department.add_test("TST-003", "A report is read", body=PROTOCOL, method="manual")
    department.add_release("REL-0.1.0", "v0.1.0", [*TITLES, "TST-003"])
    department.add_device(adding_device(root))
    return Bench(department)


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    """The department made once; each test works in a copy of it."""
    root = tmp_path_factory.mktemp("by-hand")
    with opened_department(root) as made:
        yield filled(made, root).department


@pytest.fixture
def bench(begun: Department, tmp_path: Path) -> Iterator[Bench]:
    """A department with a manual test in force, of which nothing was executed."""
    made = copied(begun, tmp_path)
    yield Bench(made)
    made.db.engine.dispose()
