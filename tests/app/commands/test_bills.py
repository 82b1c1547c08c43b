"""Bills of materials as commands: what they write, find, and end with."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.settings import get_settings
from tests.conftest import ROOT
from tests.demonstration import BuiltDemo

LOCK = ROOT / "requirements.lock"
DEVICE_LOCK = ROOT / "app" / "demo" / "device" / "requirements.lock"


def fiducial(*arguments: object):
    return CliRunner().invoke(cli, ["sbom", *map(str, arguments)])


@pytest.fixture
def demo(built_demo: BuiltDemo, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIDUCIAL_DATA_DIR", str(built_demo.data_dir))
    get_settings.cache_clear()
    yield built_demo
    get_settings.cache_clear()


def test_the_same_lock_file_gives_the_same_bill(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.json", "two.json")]

    for file in files:
        assert fiducial("write", "--lock", LOCK, "--output", file).exit_code == 0

    one, two = (file.read_bytes() for file in files)
    assert one == two
    assert len(json.loads(one)["components"]) > 100


def test_the_environment_is_written_in_the_version_that_is_asked_for() -> None:
    told = fiducial("write", "--environment", "--spec", "1.5", "--created", "2026-11-20")

    value = json.loads(told.stdout)
    assert (value["specVersion"], value["metadata"]["timestamp"]) == (
        "1.5",
        "2026-11-20T00:00:00+00:00",
    )
    assert {"numpy", "cpython"} <= {one["name"] for one in value["components"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("write",),
        ("write", "--lock", LOCK, "--environment"),
        ("write", "--environment", "--spec", "1.4"),
        ("write", "--environment", "--python", "3.12"),
        ("compare", "RPM"),
        ("compare", "RPM", "--lock", LOCK, "--sbom", LOCK),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(arguments) -> None:
    assert fiducial(*arguments).exit_code == os.EX_USAGE


@pytest.mark.slow
def test_a_file_that_agrees_ends_with_0_and_a_drift_with_1(demo: BuiltDemo, tmp_path: Path) -> None:
    drifted = tmp_path / "drifted.lock"
    drifted.write_text(
        DEVICE_LOCK.read_text(encoding="utf-8").replace("pydicom==3.0.2", "pydicom==3.0.3")
    )

    same = fiducial("compare", "RPM", "--lock", DEVICE_LOCK, "--release", "0.1.0")
    other = fiducial("compare", "RPM", "--lock", drifted, "--release", "0.1.0", "--json")
    words = fiducial("compare", "RPM", "--lock", drifted, "--release", "0.1.0")

    assert (same.exit_code, other.exit_code) == (0, 1)
    assert "0 findings" in same.stdout
    [found] = json.loads(other.stdout)["findings"]
    assert (found["code"], found["record"], found["stated"]) == ("SB03", "SOUP-02", "3.0.3")
    assert found["touched"]["software_items"] == ["SI-02"]
    assert {"TST-004", "TST-005"} <= set(found["touched"]["tests"])
    assert "evaluation of the anomaly list of pydicom 3.0.3" in found["due"]
    assert "version drift: SB03 SOUP-02 says pydicom 3.0.2" in words.stdout


@pytest.mark.slow
def test_the_register_is_compared_with_a_bill_as_with_the_lock_file(
    demo: BuiltDemo, tmp_path: Path
) -> None:
    bill = tmp_path / "sbom.cdx.json"
    fiducial("write", "--lock", DEVICE_LOCK, "--output", bill)

    told = fiducial("compare", "RPM", "--sbom", bill, "--release", "REL-0.1.0")

    assert told.exit_code == 0, told.stdout


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert fiducial("write", "--lock", tmp_path / "nothing.lock").exit_code == 1
