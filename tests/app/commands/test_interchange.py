"""The files of another tool checked by a command: what it tells, counts and ends with."""

import json
from pathlib import Path

from typer.testing import CliRunner

from app.cli import cli

NEEDS = """{"current_version": "1", "versions": {"1": {"needs": {
"N1": {"id": "N1", "type": "need"},
"R1": {"id": "R1", "type": "req", "links": ["N1"]},
"R2": {"id": "R2", "type": "req", "links": [
"N2"]}
}}}}
"""


def trace_check(*arguments: object):
    return CliRunner().invoke(cli, ["trace-check", *map(str, arguments)])


def test_findings_are_told_with_file_and_line_and_end_with_1(tmp_path: Path) -> None:
    (tmp_path / "needs.json").write_text(NEEDS)

    done = trace_check(tmp_path, "--level", "need", "--level", "req")

    assert done.exit_code == 1
    first, counted, last = done.output.splitlines()
    assert first.startswith("needs.json:4: TR101 R2 leads to N2 (links)")
    assert first.endswith("Did you mean N1?")
    assert counted.split()[:2] == ["1", "TR101"]
    assert last == "3 items and 2 links of sphinx-needs, 1 findings"


def test_programs_are_given_the_same_counts(tmp_path: Path) -> None:
    (tmp_path / "needs.json").write_text(NEEDS)

    done = trace_check(tmp_path, "--json")

    told = json.loads(done.output)
    assert (told["format"], told["items"], told["links"]) == ("sphinx-needs", 3, 2)
    assert told["counts"] == {"TR101": 1}
    assert told["findings"][0]["place"] == {"file": "needs.json", "line": 4}
    assert sum(told["not_judged"].values()) == 3


def test_files_in_order_end_with_0(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Nr,Parent\nN1,\nR1,N1\n")

    done = trace_check(tmp_path, "--column", "uid=Nr", "--format", "sheets")

    assert done.exit_code == 0, done.output


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    done = trace_check(tmp_path)

    assert done.exit_code == 1
    assert "none of the formats" in done.stderr
