"""Records as files by command: written, checked, brought back, and what each ends with."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.settings import get_settings
from tests.demonstration import BuiltDemo


def fiducial(*arguments: object):
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.fixture
def demo(demo_copy: BuiltDemo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(demo_copy.data_dir))
    get_settings.cache_clear()
    yield demo_copy
    get_settings.cache_clear()


def test_records_go_out_are_edited_and_come_back(demo: BuiltDemo, tmp_path: Path) -> None:
    folder = tmp_path / "record"
    told = fiducial("export", "records", "--from", "RPM", "--to", folder)
    assert told.exit_code == 0, told.output
    assert "0 unchanged" in told.stderr
    again = fiducial("export", "records", "--from", "RPM", "--to", folder)
    assert "0 files written" in again.stderr
    path = folder / "requirement" / "REQ-001.md"
    path.write_text(path.read_text().replace("\ntitle: ", "\ntitle: Edited, "))
    command = ("import", "records", folder, "--into", "RPM", "--as", "PPL-AK")

    dry = fiducial(*command, "--dry-run")
    kept = fiducial(*command, "--json")
    twice = fiducial(*command)

    assert dry.exit_code == 0, dry.output
    assert dry.stdout.splitlines()[0] == "update    REQ-001"
    assert "0 to create, 1 to change," in dry.stdout
    assert "nothing was kept" in dry.stdout
    assert kept.exit_code == 0, kept.output
    value = json.loads(kept.stdout)
    assert [one["uid"] for one in value["records"] if one["verdict"] == "update"] == ["REQ-001"]
    assert value["baselines"]["RPM"]
    assert "0 to create, 0 to change," in twice.stdout


@pytest.mark.parametrize("form", ["json", "needs", "reqif", "xlsx"])
def test_each_form_is_one_file(demo: BuiltDemo, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"rpm.{form}"

    told = fiducial("export", "records", "--from", "RPM", "-o", path, "--format", form)

    assert told.exit_code == 0, told.output
    assert path.stat().st_size > 10_000


def test_json_comes_back_unchanged(demo: BuiltDemo, tmp_path: Path) -> None:
    path = tmp_path / "rpm.json"
    fiducial("export", "records", "--from", "RPM", "-o", path, "--format", "json")

    told = fiducial("import", "records", path, "--into", "RPM", "--as", "PPL-AK", "--dry-run")

    assert told.exit_code == 0, told.output
    assert "0 to create, 0 to change," in told.stdout


def test_a_folder_is_checked_without_an_installation(tmp_path: Path) -> None:
    path = tmp_path / "requirement" / "REQ-001.md"
    path.parent.mkdir()
    path.write_text("---\nid: REQ-001\ntype: requirement\ntitle: A\n---\n")
    right = fiducial("records", "check", tmp_path)
    path.write_text("---\nid: REQ-001\ntype: requirment\ntitle: A\n---\n")

    wrong = fiducial("records", "check", tmp_path, "--json")

    assert (right.exit_code, right.stdout) == (0, "1 records, 0 faults.\n")
    assert wrong.exit_code == 1
    assert [one["code"] for one in json.loads(wrong.stdout)["faults"]] == ["TR309", "TR311"]


def test_an_empty_folder_proves_nothing(tmp_path: Path) -> None:
    told = fiducial("records", "check", tmp_path)

    assert told.exit_code == 1
    assert "holds no record" in told.output


def test_what_cannot_be_exported_is_named(tmp_path: Path) -> None:
    told = fiducial("export", "risks", "--from", "RPM", "-o", tmp_path / "x")

    assert told.exit_code == 1
    assert "there are department and records" in told.output
