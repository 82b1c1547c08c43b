"""Rows that were changed behind the audit trail's back are found."""

import json
import re
from html import unescape

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner

from app.cli import cli
from app.schema import newest
from core.backup import backup, restore
from core.blobs import BlobStore
from core.ledger.routes import router as ledger_pages
from core.settings import get_settings
from validation.runs.integrity import ENTRIES_PER_RUN, run_faults, runs_worth


@pytest.fixture
def tampered(with_run):
    """Run SQL against the database with its guards dropped, then ask for faults."""

    def change(*statements: str) -> list[str]:
        with with_run.db.engine.begin() as connection:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in list(triggers):
                connection.execute(text(f'DROP TRIGGER "{name}"'))
            for statement in statements:
                connection.execute(text(statement))
        return [str(fault) for fault in faults(with_run)]

    return change


def faults(department):
    with department.db.reading() as session:
        return run_faults(session, BlobStore(department.settings.data_dir / "blobs"))


def test_an_untouched_run_has_no_fault(executed):
    assert faults(executed) == []


def test_a_run_is_worth_its_rows_and_the_gathering_of_them(executed):
    tables = ("scenario", "step", "measurement", "attachment")
    with executed.db.reading() as session:
        rows = [
            session.execute(text(f"SELECT count(*) FROM validation_run_{one}")).scalar_one()
            for one in tables
        ]
        assert runs_worth(session) == ENTRIES_PER_RUN + sum(rows)
    assert all(rows)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE validation_run_scenario SET status = 'failed' WHERE ordinal = 0",
            "status is 'failed' in the database, 'passed' in evidence",
        ),
        (
            "UPDATE validation_run_measurement SET figures = "
            """'{"expected": 3, "tolerance": 0.5, "actual": 2.9}' WHERE id = 1""",
            "steps, measurements or files differ",
        ),
        (
            "UPDATE validation_run_scenario SET evidence_sha256 = stdout_sha256 WHERE ordinal = 0",
            "its audit entry",
        ),
        (
            "UPDATE validation_run_measurement SET figures = '{}' WHERE id = 1",
            "measurement 'sum' (row 1) of the step ",
        ),
        (
            "UPDATE validation_run_measurement SET figures = '[]' WHERE id = 1",
            "has no expected, tolerance, actual",
        ),
        ("DELETE FROM validation_run_attachment WHERE id = 1", "measurements or files differ"),
    ],
)
def test_a_changed_row_is_named(tampered, statement, said):
    found = tampered(statement)

    assert any(said in fault and "RPM run 1 scenario:TST-001:0" in fault for fault in found), found
    assert not any("TST-002" in fault for fault in found)


def test_page_and_command_and_restoration_find_the_same(tampered, with_run, tmp_path, monkeypatch):
    found = tampered(
        "UPDATE validation_run_measurement SET figures = '{}' WHERE id = 1",
        "UPDATE validation_run_scenario SET title = 'Another' WHERE ordinal = 1",
        "CREATE TABLE alembic_version (version_num VARCHAR(80) NOT NULL)",
        f"INSERT INTO alembic_version VALUES ('{newest()}')",
    )
    assert len(found) == 3

    browser = with_run.browser("PPL-FR")
    browser.app.include_router(ledger_pages)
    page = browser.get("/p/RPM/audit?verify=true")
    shown = re.findall(r"<li>(RPM run 1 .*?) <span", page.text)
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(with_run.settings.data_dir))
    monkeypatch.setenv("FIDUCIAL_DATABASE_URL", with_run.settings.database_url)
    get_settings.cache_clear()
    told = CliRunner().invoke(cli, ["audit", "verify", "--json"])
    get_settings.cache_clear()
    assert told.exit_code == 1, told.stderr
    said = [one for one in json.loads(told.stdout)["findings"] if one["code"] == "run-altered"]
    made = backup(with_run.settings, tmp_path / "backup.zip")
    restored = restore(made.path, tmp_path / "elsewhere")

    runs = [f"{one['where']}: {one['what']}" for one in said]
    assert [unescape(one) for one in shown] == runs
    again = [one for one in restored.faults if one.code == "run-altered"]
    assert [f"{one.where}: {one.what}" for one in again] == runs
    assert len(runs) == 3


def test_a_removed_scenario_is_named(tampered):
    found = tampered(
        "DELETE FROM validation_run_measurement",
        "DELETE FROM validation_run_attachment",
        "DELETE FROM validation_run_step",
        "DELETE FROM validation_run_scenario WHERE ordinal = 1",
    )

    assert any("TST-002:0: has an audit entry but no rows" in fault for fault in found)


def test_a_changed_evidence_file_is_named(tampered, with_run):
    with with_run.db.engine.connect() as connection:
        sha256 = connection.execute(
            text("SELECT evidence_sha256 FROM validation_run_scenario WHERE ordinal = 1")
        ).scalar_one()
    path = with_run.settings.data_dir / "blobs" / sha256[:2] / sha256[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"passed", b"PASSED"))

    found = tampered()

    assert any("altered on disk" in fault and "TST-002" in fault for fault in found)


def test_the_database_itself_refuses_to_change_what_was_recorded(executed):
    for statement in (
        "UPDATE validation_run_scenario SET status = 'passed'",
        "DELETE FROM validation_run_step",
        "UPDATE validation_run_measurement SET passed = 1",
        "DELETE FROM validation_run_attachment",
    ):
        with pytest.raises(IntegrityError, match="append-only"), executed.db.engine.begin() as held:
            held.execute(text(statement))
