"""The demonstration moves to an empty installation by command, and answers there as it did here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from core.settings import get_settings
from tests.app.moved import members_of
from tests.demonstration import BuiltDemo

ASKED = (
    ("trace", "RPM", "--release", "0.1.0", "--format", "json"),
    ("trace", "RPM", "--rows", "risk", "--format", "json"),
    ("trace", "DEPT", "--rows", "connection", "--format", "json"),
    ("check", "RPM", "--release", "0.1.0", "--json"),
    ("check", "RPM", "--json"),
    ("check", "DEPT", "--json"),
    ("baseline", "verify", "RPM", "1"),
    ("baseline", "list", "RPM", "--json"),
    ("project", "list", "--json"),
    ("git", "answers", "RPM", "--json"),
)


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    yield
    get_settings.cache_clear()


def fiducial(folder: Path, patch: pytest.MonkeyPatch, *arguments: object) -> Result:
    """Run a command in an installation."""
    patch.setenv("FIDUCIAL_DATA_DIR", str(folder))
    patch.setenv("FIDUCIAL_INIT_PASSWORD", "correct horse battery staple")
    get_settings.cache_clear()
    return CliRunner().invoke(cli, [*map(str, arguments)])


def test_the_demonstration_moves_and_gives_the_same_answers(
    built_demo: BuiltDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, archive = built_demo.data_dir, tmp_path / "var", tmp_path / "demo.zip"
    key = here / "keys" / "installation.pub.pem"
    keys = ("--from", "RPM", "--from", "DEPT")

    out = fiducial(here, monkeypatch, "export", "project", *keys, "-o", archive)
    begun = fiducial(there, monkeypatch, "init", "--name", "A Manager", "--username", "am",
                     "--uid", "PPL-AM")  # fmt: skip
    command = ("import", "project", archive, "--as", "PPL-AM", "--key", key)
    dry = fiducial(there, monkeypatch, *command, "--dry-run")
    none = fiducial(there, monkeypatch, "project", "list")
    brought = fiducial(there, monkeypatch, *command)
    back = fiducial(there, monkeypatch, "export", "project", *keys, "-o", tmp_path / "back.zip")

    assert (out.exit_code, begun.exit_code, back.exit_code) == (0, 0, 0), out.output
    assert "376 records in 376 revisions, 944 signatures, 2 baselines, 2 runs" in out.stderr
    assert dry.exit_code == 0, dry.output
    assert "DEPT and RPM would come with 376 records" in dry.stdout
    assert "There is no project yet." in none.stdout
    assert brought.exit_code == 0, brought.output
    assert "the key you gave" in brought.stdout
    assert "cannot sign in until" in brought.stdout
    for question in ASKED:
        one = fiducial(here, monkeypatch, *question)
        other = fiducial(there, monkeypatch, *question)
        assert (other.exit_code, other.stdout) == (one.exit_code, one.stdout), question
        assert one.stdout.strip()
    written = [tmp_path / "here.json", tmp_path / "there.json"]
    for folder, path in zip((here, there), written, strict=True):
        told = fiducial(folder, monkeypatch, "export", "records", "--from", "RPM",
                        "--format", "json", "-o", path)  # fmt: skip
        assert told.exit_code == 0, told.output
    assert written[0].read_bytes() == written[1].read_bytes()
    verified = fiducial(there, monkeypatch, "audit", "verify", "--json")
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["signatures"] == 944
    first, second = members_of(archive), members_of(tmp_path / "back.zip")
    assert [one for one in first if first[one] != second.get(one)] == ["trail/entries.jsonl"]


def test_an_archive_that_is_no_zip_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = fiducial(tmp_path, monkeypatch, "export", "project", "--from", "RPM", "-o", "x.tar")

    assert refused.exit_code == 1
    assert "does not end in .zip" in refused.stderr
