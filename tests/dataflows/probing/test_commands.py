"""Probes and drift from the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.commands.console import WITH_FAULTS
from core.settings import get_settings
from tests.conftest import TEST_DATABASE, Office
from tests.dataflows.probing.test_second_person import MOVED, mapped  # noqa: F401 - a fixture

pytestmark = pytest.mark.skipif(bool(TEST_DATABASE), reason="the folder is that of SQLite")


@pytest.fixture
def tell(mapped: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:  # noqa: F811
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FIDUCIAL_PROBE_HOSTS", "[]")
    get_settings.cache_clear()

    def run(*arguments: str) -> Result:
        asked = ["flows", *arguments, "--project", "RPM"]
        return CliRunner().invoke(cli, asked)

    yield run
    get_settings.cache_clear()


def test_probing_that_is_off_is_refused_in_a_sentence(tell) -> None:
    answer = tell("probe", "C1", "--as", "PPL-AK")

    assert answer.exit_code == 1
    assert "Probing is off here" in answer.output


def test_who_may_not_probe_or_import_is_refused_by_name(tell, tmp_path: Path) -> None:
    (tmp_path / "ct.csv").write_bytes(MOVED)

    probe = tell("probe", "--as", "PPL-VW")
    drift = tell("drift", "CT", str(tmp_path / "ct.csv"), "--as", "PPL-VW")

    assert (probe.exit_code, drift.exit_code) == (1, 1)
    assert "Vera Wynn may not probe" in probe.output
    assert "Vera Wynn may not import" in drift.output


def test_what_has_drifted_is_told_line_by_line(tell, tmp_path: Path) -> None:
    (tmp_path / "ct.csv").write_bytes(MOVED)

    text = tell("drift", "CT", str(tmp_path / "ct.csv"), "--as", "PPL-AK")
    plain = tell("drift", "CT", str(tmp_path / "ct.csv"), "--as", "PPL-AK", "--json")

    assert (text.exit_code, plain.exit_code) == (WITH_FAULTS, WITH_FAULTS)
    assert "changed ARC 192.0.2.11 104 C1 ARC 192.0.2.99 11112 2" in text.output
    told = json.loads(plain.stdout)
    assert told["told"] == "1 added, 0 removed, 1 changed, 0 the same"
    assert [one["What"] for one in told["endpoints"]] == ["changed", "added"]
