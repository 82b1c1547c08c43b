"""What commands tell: sentences for people, the same as JSON for programs, and an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from core.db import open_database
from tests.conftest import ROOT
from tests.demonstration import BuiltDemo

pytestmark = [pytest.mark.slow, pytest.mark.verifies("TST-041")]


def fiducial(*arguments: object, data_dir: Path) -> subprocess.CompletedProcess[str]:
    told = {**os.environ, "FIDUCIAL_DATA_DIR": str(data_dir), "COLUMNS": "40"}
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    return subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True)  # noqa: S603


def test_an_intact_baseline_is_said_to_be_intact(built_demo: BuiltDemo) -> None:
    told = fiducial("baseline", "verify", "RPM", 1, data_dir=built_demo.data_dir)
    as_json = fiducial("baseline", "verify", "RPM", 1, "--json", data_dir=built_demo.data_dir)

    assert (told.returncode, as_json.returncode) == (0, 0), told.stderr
    found = json.loads(as_json.stdout)
    assert found["intact"] is True
    assert found["lost"] == []
    assert told.stdout.strip() == (
        f"Baseline 1 is intact: {found['count']} records, root {found['frozen']['root']}."
    )


def test_a_baseline_whose_record_was_changed_is_named(demo_copy: BuiltDemo) -> None:
    database = open_database(demo_copy.settings.database, demo_copy.data_dir)
    with database.engine.begin() as connection:
        guards = text(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'revision'"
        )
        for guard in connection.execute(guards).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{guard}"'))
        connection.execute(
            text(
                # A digest of the same length that no revision has, whatever the first digit was.
                "UPDATE revision SET envelope_digest ="
                " CASE substr(envelope_digest, 1, 1) WHEN 'f' THEN '0' ELSE 'f' END"
                " || substr(envelope_digest, 2)"
                " WHERE id = (SELECT effective_id FROM record WHERE uid = 'REQ-003')"
            )
        )
    database.engine.dispose()

    told = fiducial("baseline", "verify", "RPM", 1, data_dir=demo_copy.data_dir)

    assert told.returncode == 1
    assert "RPM REQ-003 revision 1: no revision has the digest that was frozen." in told.stdout
    assert told.stdout.count("no revision has") == 1


def test_the_counts_of_the_map_are_told_to_programs(built_demo: BuiltDemo) -> None:
    told = fiducial("flows", "counts", "--json", data_dir=built_demo.data_dir)

    collapsed, expanded = json.loads(told.stdout)
    assert (collapsed["systems"], collapsed["routes"]) == (26, 59)
    assert collapsed["categories"] == {"dicom": 32, "file": 13, "other": 14}
    assert (expanded["systems"], expanded["routes"]) == (51, 91)


def test_what_a_retirement_touches_is_told_to_programs(built_demo: BuiltDemo) -> None:
    told = fiducial(
        "flows", "impact", "PQA", "--for", "retire", "--json", data_dir=built_demo.data_dir
    )

    found = json.loads(told.stdout)
    assert [one["device"]["uid"] for one in found["devices"]] == ["PRJ-RPM"]
    touched = {one["record"]["uid"] for one in found["evidence"]}
    assert {"REQ-001", "REQ-003", "RSK-001", "RSK-012"} <= touched
    runs = {one["test"]["uid"]: (one["word"], one["run"]) for one in found["runs"]}
    assert runs["TST-004"] == ("passed", "1")
    assert runs["TST-002"] == ("not run", "")
    assert [one["uid"] for one in found["losses"]["pathways"]] == ["P1"]
    assert found["losses"]["qa_without_subject"] == ["QA-022"]
    assert found["gaps"] == ["C048", "C061"]


def test_the_self_test_tells_each_figure_with_what_was_expected(tmp_path: Path) -> None:
    told = fiducial("dose", "selftest", "--json", data_dir=tmp_path)

    found = json.loads(told.stdout)
    assert found["passed"] is True
    assert {"name", "expected", "actual", "tolerance", "unit", "passed"} == set(found["checks"][0])
    assert found["provenance"]["engine_digest"]


def test_a_scan_tells_what_it_brought(
    demo_copy: BuiltDemo, built_demo: BuiltDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The copy's repository is still where the first demonstration made it.
    monkeypatch.setenv(
        "FIDUCIAL_REPOSITORY_SOURCES", json.dumps([str(built_demo.data_dir / "demo")])
    )

    told = fiducial("git", "scan", "RPM", "--as", "PPL-AK", data_dir=demo_copy.data_dir)
    as_json = fiducial(
        "git", "scan", "RPM", "--as", "PPL-AK", "--json", data_dir=demo_copy.data_dir
    )

    assert told.stdout == (
        "rt-plan-metrics: 0 new commits, 0 lost to a rewritten history; 0 record ids linked, 0 "
        "that no record has; 0 new tags, 0 moved; 0 source files read, 18 links to marked lines, 0 "
        "of them need re-review.\n"
    ), told.stderr
    [report] = json.loads(as_json.stdout)
    assert (report["repository"], report["commits"], report["lost"]) == ("rt-plan-metrics", 0, 0)


def test_every_setting_that_cannot_be_used_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIDUCIAL_PORT", "http")
    monkeypatch.setenv("FIDUCIAL_SESSION_HOURS", "48")
    monkeypatch.setenv("FIDUCIAL_ALLOWED_HOSTS", "quality.example.org")

    told = fiducial("project", "list", data_dir=tmp_path)

    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    named = [line.strip().split(":")[0] for line in told.stderr.splitlines()[1:]]
    assert named == ["FIDUCIAL_PORT", "FIDUCIAL_ALLOWED_HOSTS", "FIDUCIAL_SESSION_HOURS"]


def test_findings_alone_are_one_per_line_and_counted_beside(built_demo: BuiltDemo) -> None:
    told = fiducial("check", "RPM", "--gate", "design", "--findings", data_dir=built_demo.data_dir)
    asked = ("check", "RPM", "--gate", "design", "--findings", "--json")
    as_json = fiducial(*asked, data_dir=built_demo.data_dir)

    found = json.loads(as_json.stdout)
    lines = told.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one["code"] for one in found]
    assert told.returncode == as_json.returncode == any(one["level"] == "error" for one in found)
    assert f"{len(found)} " in told.stderr or not found
    assert "looked at" not in told.stdout


def test_a_map_is_taken_away_brought_back_and_what_changed_is_told(
    demo_copy: BuiltDemo, tmp_path: Path
) -> None:
    file = tmp_path / "map.zip"

    def told(*arguments: object) -> subprocess.CompletedProcess[str]:
        return fiducial(*arguments, data_dir=demo_copy.data_dir)

    taken = told("export", "department", "--from", "DEPT", "-o", file)
    back = told("import", "department", file, "--into", "DEPT", "--as", "PPL-AK", "--update")
    grown = told("flows", "diff", "--from", "2020-01-01", "--format", "json")

    assert taken.returncode == 0, taken.stderr
    assert back.stdout.strip() == "0 created, 0 changed, 213 unchanged."
    assert grown.returncode == 1
    assert len(json.loads(grown.stdout)["rows"]) == 213
