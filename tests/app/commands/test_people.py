"""Who deputises for whom, told by a command."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.people.deputies import lending
from core.people.deputies.service import Wish, end_deputy, name_deputy
from core.settings import get_settings
from tests.conftest import TEST_DATABASE, Office

pytestmark = pytest.mark.skipif(bool(TEST_DATABASE), reason="the folder is that of SQLite")


@pytest.fixture(autouse=True)
def _installed(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(lending, "now", lambda: datetime(2026, 12, 7, 12, tzinfo=UTC))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def told(*arguments: str) -> str:
    answer = CliRunner().invoke(cli, ["people", "deputies", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_the_command_tells_current_coming_and_past(office: Office) -> None:
    before = told("RPM")
    with office.writing() as session:
        project, esther = office.project(session), office.staff["PPL-EQ"]
        for role, first, last in (
            ("quality_manager", "2026-12-07", "2026-12-11"),
            ("release_manager", "2026-12-14", "2026-12-18"),
        ):
            wish = Wish(role, "PPL-EQ", "PPL-CV", first, last, "Annual leave.")
            name_deputy(session, project, wish, esther)
        wish = Wish("tester", "PPL-FR", "PPL-VW", "2026-12-07", "2026-12-07", "A course.")
        end_deputy(
            session, project, name_deputy(session, project, wish, esther).id or 0, esther, "Late."
        )

    text, plain = told("RPM"), json.loads(told("RPM", "--json"))

    assert before.split() == ["Nobody", "is", "or", "was", "a", "deputy", "in", "RPM."]
    assert "Chidi Vance (PPL-CV) holds quality manager for Esther Quill (PPL-EQ)" in " ".join(
        text.split()
    )
    assert [(one["standing"], one["role"], one["for"], one["deputy"]) for one in plain] == [
        ("coming", "release_manager", "PPL-EQ", "PPL-CV"),
        ("past", "tester", "PPL-FR", "PPL-VW"),
        ("current", "quality_manager", "PPL-EQ", "PPL-CV"),
    ]
    assert (plain[1]["ended_by"], plain[1]["ended_why"]) == ("Esther Quill", "Late.")
    assert (plain[2]["last_day"], plain[2]["without_effect"]) == ("2026-12-11", None)


def test_an_unknown_project_has_no_deputies() -> None:
    answer = CliRunner().invoke(cli, ["people", "deputies", "NONE"])

    assert answer.exit_code == 1
