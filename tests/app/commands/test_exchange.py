"""Records as files by command: written, checked, brought back, and what each ends with."""

import json
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from app.cli import cli
from core.settings import get_settings
from qms.document_sets.templates import FOLDER
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


def test_each_form_is_one_file_and_comes_back_unchanged(demo: BuiltDemo, tmp_path: Path) -> None:
    for form in ("json", "needs", "reqif", "reqifz", "xlsx"):
        path = tmp_path / f"rpm.{form}"

        told = fiducial("export", "records", "--from", "RPM", "-o", path, "--format", form)
        back = fiducial("import", "records", path, "--into", "RPM", "--as", "PPL-AK", "--dry-run")

        assert told.exit_code == 0, told.output
        assert back.exit_code == 0, back.output
        assert "0 to create, 0 to change," in back.stdout


def test_a_file_of_another_tool_is_refused_by_name(demo: BuiltDemo, tmp_path: Path) -> None:
    path = tmp_path / "theirs.reqif"
    path.write_text("<REQ-IF><CORE-CONTENT><REQ-IF-CONTENT/></CORE-CONTENT></REQ-IF>")

    told = fiducial("import", "records", path, "--into", "RPM", "--as", "PPL-AK")

    assert told.exit_code == 1
    assert "theirs.reqif: holds ReqIF of another tool. `fiducial import corpus`" in told.output


def test_documents_of_a_signed_release_stay_the_same_whatever_is_done_later(
    demo: BuiltDemo, tmp_path: Path
) -> None:
    command = ("export", "documents", "--from", "RPM", "--release", "0.1.0", "-o")
    before = fiducial(*command, tmp_path / "set")
    record = tmp_path / "record"
    fiducial("export", "records", "--from", "RPM", "-o", record)
    path = record / "requirement" / "REQ-003.md"
    path.write_text(path.read_text().replace("\ntitle: ", "\ntitle: Later, "))
    kept = fiducial("import", "records", record, "--into", "RPM", "--as", "PPL-AK")

    again = fiducial(*command, tmp_path / "set")

    assert before.exit_code == 0, before.output
    assert kept.exit_code == 0, kept.output
    assert "10 documents of RPM, 0 files written anew." in again.output
    report = (tmp_path / "set" / "RPM-TRP.md").read_text()
    assert "| Status | Released with 0.1.0, signed " in report
    assert "7 of 7 tests passed." in report
    assert "Esther Quill, quality manager: released" in report


def test_a_document_is_printed_with_its_id_on_every_page(
    demo: BuiltDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    # One alone, because printing takes its time.
    shutil.copy(FOLDER / "07-test-report.md", own)
    monkeypatch.setattr("qms.document_sets.templates.FOLDER", own)

    told = fiducial(
        "export", "documents", "--from", "RPM", "-o", tmp_path / "set", "--format", "pdf"
    )

    assert told.exit_code == 0, told.output
    pages = PdfReader(tmp_path / "set" / "RPM-TRP.pdf").pages
    assert len(pages) > 1
    for page in pages:
        assert "RPM-TRP" in page.extract_text()
    assert "Verification and validation report" in pages[0].extract_text()


def test_documents_of_no_form_or_into_a_link_are_refused(demo: BuiltDemo, tmp_path: Path) -> None:
    output = tmp_path / "x"
    documents = fiducial("export", "documents", "--from", "RPM", "-o", output, "--format", "docx")
    output.mkdir()
    (output / "RPM-SRS.md").symlink_to(tmp_path / "elsewhere")
    linked = fiducial("export", "documents", "--from", "RPM", "-o", output)

    assert "'docx' is no form of documents; there are markdown and pdf." in documents.output
    assert "is a link to somewhere else" in linked.output
    assert not (tmp_path / "elsewhere").exists()
    assert {one.exit_code for one in (documents, linked)} == {1}


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

    assert told.exit_code == 64
    assert "No such command 'risks'" in told.output
