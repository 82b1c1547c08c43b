"""What the pytest and pytest-bdd of this product write is read as they mean it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qms.results.cases import Report
from qms.results.reading import read_results

pytestmark = pytest.mark.verifies("TST-028")

TESTS = """
import pytest
from pytest_bdd import given, scenarios

scenarios("dose.feature")


@given("a plan")
def plan():
    pass


@given("a plan that is wrong")
def wrong():
    raise AssertionError("off by 2")


def test_passes(record_property):
    record_property("verifies", "REQ-0001, REQ-0002")


def test_REQ_0003_fails():
    assert 1 == 2


@pytest.mark.skip(reason="no display")
def test_skips():
    pass


@pytest.mark.xfail(reason="known")
def test_xfails():
    assert False


@pytest.mark.xfail(reason="known", strict=True)
def test_xpasses():
    pass


@pytest.fixture
def torn():
    yield
    raise RuntimeError("tear-down broke")


def test_tears_down(torn):
    pass


def test_fails_and_tears_down(torn):
    assert False


@pytest.fixture
def broken():
    raise RuntimeError("set-up broke")


def test_sets_up(broken):
    pass
"""
FEATURE = """@REQ-0031
Feature: Doses
  @TST-004
  Scenario: A good plan
    Given a plan

  Scenario: A bad plan
    Given a plan
    And a plan that is wrong
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    folder: Path = tmp_path_factory.mktemp("suite")
    (folder / "test_all.py").write_text(TESTS, encoding="utf-8")
    (folder / "dose.feature").write_text(FEATURE, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-p", "pytest_bdd.plugin", "--junitxml=j.xml", "--cucumberjson=c.json"],
        cwd=folder, capture_output=True, check=False, timeout=60,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return {name: read_results((folder / name).read_bytes(), name) for name in ("j.xml", "c.json")}


def test_pytest_says_every_outcome(written: dict[str, Report]) -> None:
    report = written["j.xml"]

    found: dict[str, set[str]] = {}
    for case in report.cases:
        found.setdefault(case.name, set()).add(str(case.outcome))
    assert report.tool == "pytest"
    assert {name: found[name] for name in sorted(found) if "plan" not in name} == {
        "test_REQ_0003_fails": {"failed"},
        "test_passes": {"passed"},
        "test_sets_up": {"error"},
        "test_skips": {"skipped"},
        "test_tears_down": {"error"},
        "test_fails_and_tears_down": {"failed"},
        "test_xfails": {"xfail"},
        "test_xpasses": {"xpass"},
    }
    named = {case.name: {one.uid for one in case.named} for case in report.cases}
    assert named["test_passes"] == {"REQ-0001", "REQ-0002"}
    assert named["test_REQ_0003_fails"] == {"REQ-0003"}


def test_pytest_bdd_says_steps_and_tags(written: dict[str, Report]) -> None:
    good, bad = written["c.json"].cases

    assert (good.outcome, {one.uid for one in good.named}) == ("passed", {"REQ-0031", "TST-004"})
    assert (bad.outcome, {one.uid for one in bad.named}) == ("failed", {"REQ-0031"})
    assert "off by 2" in bad.message
