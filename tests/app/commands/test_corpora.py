"""The corpus of another tool by command: told, kept, brought in again, and written back."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.settings import get_settings
from tests.demonstration import BuiltDemo

RDM = """requirements:
  # What the device does.
  - id: r-1
    title: Reads plans
    type: Functional
    description: It shall read plans.
specification:
  - id: sr-1
    title: Parser
    req_id: r-1
    description: A parser of plans.
"""


def fiducial(*arguments: object):
    return CliRunner().invoke(cli, [*map(str, arguments)])


@pytest.fixture
def demo(demo_copy: BuiltDemo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(demo_copy.data_dir))
    get_settings.cache_clear()
    yield demo_copy
    get_settings.cache_clear()


def test_a_corpus_comes_in_is_edited_there_and_goes_back(demo: BuiltDemo, tmp_path: Path) -> None:
    path = tmp_path / "data" / "requirements.yml"
    path.parent.mkdir()
    path.write_text(RDM)
    command = ("import", "corpus", tmp_path, "--into", "RPM", "--as", "PPL-AK")

    dry = fiducial(*command, "--dry-run")
    kept = fiducial(*command, "--json")
    twice = fiducial(*command)
    path.write_text(RDM.replace("A parser", "One parser"))
    edited = fiducial(*command)
    path.write_text(RDM)
    back = fiducial("export", "corpus", "--from", "RPM", "-o", tmp_path, "--drafts")

    assert dry.exit_code == 0, dry.output
    assert "2 to create, 0 to change, 0 unchanged, 0 in conflict; nothing was kept." in dry.stdout
    assert kept.exit_code == 0, kept.output
    value = json.loads(kept.stdout)
    assert [(one["id"], one["type"]) for one in value["records"]] == [
        ("r-1", "requirement"),
        ("sr-1", "design"),
    ]
    assert value["baseline"]
    assert "2 unchanged" in twice.stdout
    assert "update    Sr-1-" in edited.stdout
    assert "0 to create, 1 to change, 1 unchanged" in edited.stdout
    assert back.exit_code == 0, back.output
    assert path.read_text() == RDM.replace("A parser", "One parser")


def test_what_stops_an_import_is_told_with_file_line_and_what_was_meant(
    demo: BuiltDemo, tmp_path: Path
) -> None:
    path = tmp_path / "requirements.yml"
    path.write_text(RDM.replace("req_id: r-1", "req_id: r-2"))
    command = ("import", "corpus", tmp_path, "--into", "RPM", "--as", "PPL-AK")

    refused = fiducial(*command)
    accepted = fiducial(*command, "--accept", "TR101")
    misnamed = fiducial(*command, "--accept", "TR102", "--type", "requirment=requirement")

    assert refused.exit_code == 1
    assert "requirements.yml:10" in refused.stderr
    assert "Did you mean r-1? Or accept it: --accept TR101." in refused.stderr
    assert accepted.exit_code == 0, accepted.output
    assert "TR102" in misnamed.stderr
    assert misnamed.exit_code == 1


def test_a_link_whose_kind_is_misspelt_stops_the_import_until_it_is_accepted(
    demo: BuiltDemo, tmp_path: Path
) -> None:
    (tmp_path / "a.sdoc").write_text(
        "[DOCUMENT]\nTITLE: A\n\n[REQUIREMENT]\nUID: A-1\n\n"
        "[REQUIREMENT]\nUID: A-2\nRELATIONS:\n- TYPE: Parnt\n  VALUE: A-1\n"
    )
    command = ("import", "corpus", tmp_path, "--into", "RPM", "--as", "PPL-AK", "--dry-run")

    refused = fiducial(*command)
    accepted = fiducial(*command, "--accept", "TR014")

    assert refused.exit_code == 1
    assert "a.sdoc:10" in refused.stderr
    assert "Did you mean Parent? Or accept it: --accept TR014." in refused.stderr
    assert accepted.exit_code == 0, accepted.output


def test_nothing_is_written_where_nothing_was_imported(demo: BuiltDemo, tmp_path: Path) -> None:
    told = fiducial("export", "corpus", "--from", "RPM", "-o", tmp_path / "out")

    assert told.exit_code == 1
    assert "Nothing of RPM was imported from another tool." in told.stderr
    assert not (tmp_path / "out").exists()


def test_a_step_off_the_scale_of_the_policy_in_force_stops_until_it_is_accepted(
    demo: BuiltDemo, tmp_path: Path
) -> None:
    path = tmp_path / "risks.csv"
    path.write_text("ID,Title,Kind,Severity,Likelihood\nR-1,Heat,risk,9,0\nR-2,Cold,risk,3,2\n")
    command = ("import", "corpus", path, "--into", "RPM", "--as", "PPL-AK", "--dry-run")

    refused = fiducial(*command)
    accepted = fiducial(*command, "--accept", "TR334")

    assert refused.exit_code == 1
    assert refused.stderr.count("--accept TR334") == 2
    assert "/p/RPM/sheets/risk" in refused.stderr
    assert accepted.exit_code == 0, accepted.output
