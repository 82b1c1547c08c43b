"""Reports of tests, and a project with two tests that they may name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.blobs import BlobStore
from core.records.content import Content
from core.records.service import create_record
from core.settings import get_settings
from qms.results import service
from qms.results.arriving import Sent, read_all, with_files
from qms.results.judging import Standing
from qms.results.queries import imported_results
from tests.conftest import TEST_DATABASE, Office

ONE, TWO = "1" * 40, "2" * 40


def report(**cases: str) -> bytes:
    """Return JUnit XML of cases: the id that each states, and what lies in it."""
    inside = "".join(
        f'<testcase name="{name}"><properties><property name="verifies" value="{uid}"/>'
        f"</properties>{rest}</testcase>"
        for name, (uid, _, rest) in ((name, told.partition(" ")) for name, told in cases.items())
    )
    return f'<testsuite name="unit" tests="{len(cases)}">{inside}</testsuite>'.encode()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def tested(office: Office) -> Office:
    """Two tests and a release at the first commit."""
    with office.writing() as session:
        project, by = office.project(session), office.staff["PPL-AK"]
        for uid in ("TST-001", "TST-002"):
            create_record(session, project, "test", Content(title=uid), by, uid=uid)
        fields = {"version": "1.0.0", "commit": ONE}
        create_record(
            session, project, "release", Content(title="One", fields=fields), by, uid="REL-1"
        )
    return office


def send(
    office: Office,
    store: BlobStore,
    commit: str,
    *files: Sent,
    uid: str = "PPL-AK",
    ran: service.Ran = service.AS_EVER,
    **cases: str,
) -> service.Kept:
    sent = [Sent("unit.xml", report(**cases))]
    with office.writing() as session:
        return service.import_results(
            session, store, office.project(session), with_files(read_all(sent), files), commit,
            office.staff[uid], service.PROGRAM, ran,
        )  # fmt: skip


def standings(office: Office, release: str | None = None) -> dict[str, Standing]:
    with office.reading() as session:
        found = imported_results(session, "RPM", release)
    return {uid: one.standing for uid, one in found.items()}


@pytest.fixture
def installed(tested: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(tmp_path))
    if TEST_DATABASE:
        monkeypatch.setenv("FIDUCIAL_DATABASE_URL", TEST_DATABASE)
    get_settings.cache_clear()
    yield tested
    get_settings.cache_clear()
