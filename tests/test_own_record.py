"""Our own design record: whole by its own rules, carried by our tests, and the same bytes again."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from core.db import Database
from core.errors import Invalid
from core.records.service import create_project, find_project
from core.records.types import get_registry
from qms.interchange.markdown.folder import read_folder
from qms.interchange.markdown.proposing import plan_proposals
from qms.interchange.markdown.record_file import path_of, write_record
from qms.interchange.markdown.standing import Verdict
from qms.results.cases import Outcome
from qms.results.reading import read_results
from tests.conftest import add_staff

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs" / "record"

Copy = tuple[Path, Path]
"""A copy of our record, and one test file that carries an id of it."""


def check(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


@pytest.fixture
def copied(tmp_path: Path) -> Copy:
    """Everything but one requirement's chain is left out, so that one file carries all of it."""
    record, tests = tmp_path / "record", tmp_path / "tests"
    shutil.copytree(RECORD, record)
    for path in (record / "test").glob("TST-0*.md"):
        if path.stem != "TST-011":
            path.write_text(path.read_text().replace("method: automated", "method: manual"))
    tests.mkdir()
    shutil.copy(ROOT / "tests/qms/risks/test_evaluation.py", tests)
    return record, tests / "test_evaluation.py"


def test_the_check_that_continuous_integration_runs_passes(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    recipe = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    [command] = re.findall(r"fiducial (check docs/record .*)", recipe)
    assert "make --no-print-directory record" in (ROOT / ".ci" / "run").read_text()

    told = CliRunner().invoke(cli, shlex.split(command))

    assert told.exit_code == 0, told.output
    assert re.search(
        r"^40 of 40 pass, .*: 0 errors, \d+ warnings, 0 conceded\.$", told.stdout, re.MULTILINE
    )


def test_a_test_that_loses_its_mark_and_a_mark_without_a_record_are_both_named(copied) -> None:
    record, test = copied
    assert check(record, "--code", test.parent).exit_code == 0

    test.write_text(test.read_text().replace("TST-011", "TST-911"))
    told = check(record, "--code", test.parent, "--findings")

    assert told.exit_code == 1
    faults = [line for line in told.stdout.splitlines() if line.startswith("TR35")]
    assert len(faults) == 2
    assert "TR351 tests/test_evaluation.py:" in faults[0]
    assert "names TST-911" in faults[0]
    assert "TR352 test/TST-011.md:" in faults[1]


def test_what_a_rule_finds_is_told_with_the_file_it_stands_in(copied) -> None:
    record, test = copied
    path = record / "requirement" / "REQ-011.md"
    path.write_text(re.sub(r"(?m)^  acceptance: .*\n(    .*\n)*", "", path.read_text()))

    told = check(record, "--code", test.parent, "--findings")

    assert told.exit_code == 1
    assert re.search(r"^B04 REQ-011 .*\(requirement/REQ-011\.md:\d+\)$", told.stdout, re.MULTILINE)


def test_every_file_is_as_fiducial_itself_would_write_it() -> None:
    registry = get_registry()

    odd = [
        one.file
        for one in read_folder(RECORD).records
        if one.file != path_of(one)
        or write_record(one, registry.of(one.type)) != (RECORD / one.file).read_bytes()
    ]

    assert odd == []


def test_an_empty_project_takes_it_all_in(database: Database) -> None:
    folder = read_folder(RECORD)
    with database.writing() as session:
        project = create_project(session, "FID", "Fiducial", None)
        author = add_staff(session, project)["PPL-AK"]

    with database.reading() as session:
        [plan] = plan_proposals(session, [(find_project(session, "FID"), folder)], author)

    assert plan.faults == ()
    assert plan.counts[Verdict.CREATE] == len(folder.records)


def test_the_report_of_our_own_suite_names_the_tests_of_the_record(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    tests = "tests/qms/risks/test_evaluation.py"
    subprocess.run(  # noqa: S603 - tests of this very checkout
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--junitxml",
            report,
            tests,
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )

    read = read_results(report.read_bytes(), report.name)

    assert len(read.cases) > 5
    assert {one.outcome for one in read.cases} == {Outcome.PASSED}
    assert {one.uid for case in read.cases for one in case.named if one.stated} == {"TST-011"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("docs/record", "--release", "1.0"), "holds no release"),
        (("RPM", "--code", "tests"), "--code is for a folder"),
        (("docs/record", "--code", "nowhere"), "There is no nowhere"),
        (("docs/pictures",), "holds no record"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_words(monkeypatch, arguments, said) -> None:
    monkeypatch.chdir(ROOT)

    told = check(*arguments)

    assert told.exit_code == 1
    assert said in (told.stderr or str(told.exception))
    assert told.exception is None or isinstance(told.exception, Invalid | SystemExit)
