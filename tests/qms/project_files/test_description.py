"""A project is described in one small file, and everything wrong with it is told with its line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from qms.project_files.description import NAME, read_description


def fiducial(*arguments: object, said: str = ""):
    return CliRunner().invoke(cli, [*map(str, arguments)], input=said)


def test_a_description_is_written_and_shown(tmp_path: Path) -> None:
    told = fiducial(
        "project", "new", tmp_path, "--key", "RPM", "--title", "RT: Plan # Metrics", "--results",
        "build/results", "--repository", "rpm=git@git.example.org:physics/rpm.git",
        "--trailer", "Closes=fixes",
    )  # fmt: skip
    (tmp_path / "docs/record/requirement").mkdir(parents=True)
    (tmp_path / "build/results").mkdir(parents=True)
    record = "---\nid: REQ-001\ntype: requirement\nproject: RPM\ntitle: A\n---\n"
    (tmp_path / "docs/record/requirement/REQ-001.md").write_text(record)

    shown = fiducial("project", "show", tmp_path, "--json")

    assert told.exit_code == 0, told.output
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout) == {
        "description": {
            "project": "RPM",
            "title": "RT: Plan # Metrics",
            "records": "docs/record",
            "results": "build/results",
            "default_branch": "main",
            "repositories": [
                {"name": "rpm", "address": "ssh://git@git.example.org/physics/rpm.git"}
            ],
            "trailers": {"Closes": "fixes"},
        },
        "records": 1,
        "faults": [],
    }
    described, _ = read_description(tmp_path)
    assert described is not None
    assert (tmp_path / NAME).read_text() == described.text()


def test_key_and_title_are_asked_for_and_nothing_is_written_over(tmp_path: Path) -> None:
    asked = fiducial("project", "new", tmp_path, said="RPM\nRT Plan Metrics\n")
    before = (tmp_path / NAME).read_text()

    again = fiducial("project", "new", tmp_path, "--key", "OTHER", "--title", "Other")

    assert asked.exit_code == 0, asked.output
    assert "project: RPM\ntitle: RT Plan Metrics\nrecords: docs/record\n" in before
    assert again.exit_code == 1
    assert "is there already" in again.output
    assert (tmp_path / NAME).read_text() == before


def test_what_cannot_be_meant_is_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    told = fiducial(
        "project", "new", tmp_path, "--key", "rpm", "--title", " ", "--records", "../outside",
        "--repository", "a=ext::sh", "--trailer", "Closes=ends", "--branch", "-x",
    )  # fmt: skip
    form = fiducial("project", "new", tmp_path, "--key", "RPM", "--title", "A", "--trailer", "x")

    assert told.exit_code == form.exit_code == 1
    for words in (
        "'rpm' is no key", "one line of text", "'../outside' is no folder", "names a remote helper",
        "'ends' is no role", "'-x' is no branch",
    ):  # fmt: skip
        assert words in told.output
    assert "is not of the form KEY=ROLE" in form.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "code", "line", "what"),
    [
        ("project: RPM\ntitle: A\ntitel: B\n", "PD02", 3, "titel"),
        ("project: RPM\n", "PD03", 1, "no title"),
        ("title: A\nproject: 12\n", "PD04", 2, "project"),
        ("project: RPM\ntitle: A\nrecords: /etc\n", "PD04", 3, "no folder of this repository"),
        ("project: RPM\ntitle: A\ntrailers:\n  On: fixes\n  Off: never\n", "PD04", 5, "no role"),
        ("project: RPM\ntitle: A\ntrailers:\n  A b: fixes\n", "PD04", 4, "no key of a trailer"),
        ("project: RPM\ntitle: A\nrepositories:\n  - nam: a\n    address: /a\n", "PD02", 4, "nam"),
        (
            "project: RPM\ntitle: A\nrepositories:\n  - name: a\n    address: /srv/a\n"
            "  - name: a\n    address: /srv/b\n", "PD05", 6, "second repository",
        ),
        ("- a\n", "PD01", 1, "no mapping"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, text: str, code: str, line: int, what: str
) -> None:
    (tmp_path / NAME).write_text(text)

    _, faults = read_description(tmp_path)

    assert any(
        (one.code, one.where) == (code, f"{NAME}:{line}") and what in str(one) for one in faults
    ), faults


def test_folders_and_records_are_looked_at(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "record").symlink_to(outside)
    (root / NAME).write_text("project: RPM\ntitle: A\nresults: out\n")
    linked = fiducial("project", "show", root, "--json")
    (root / "docs" / "record").unlink()
    (root / "docs/record/risk").mkdir(parents=True)
    record = "---\nid: RSK-001\ntype: risk\nproject: DEPT\ntitle: A\ncolour: red\n---\n"
    (root / "docs/record/risk/RSK-001.md").write_text(record)

    told = fiducial("project", "show", root)

    codes = [one["code"] for one in json.loads(linked.stdout)["faults"]]
    assert codes == ["PD06", "PD06"]
    assert told.exit_code == 1
    for words in ("TR304", "PD07", "they are of DEPT, not of RPM", "there is no folder out",
                  "1 records, 3 faults."):  # fmt: skip
        assert words in told.output


def test_no_description_says_what_writes_one(tmp_path: Path) -> None:
    told = fiducial("project", "show", tmp_path)

    assert told.exit_code == 1
    assert "`fiducial project new` writes one" in told.output
