"""The engine's digest follows its source, and the self-test follows the engine."""

import ast
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import engine
from engine.provenance import LIBRARIES, engine_digest, library_versions
from engine.selftest import run_selftest

pytestmark = pytest.mark.verifies("TST-034")

HOME = Path(engine.__path__[0])


def digest_of(home: Path) -> str:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from engine.provenance import engine_digest; print(engine_digest())"
    )
    done = subprocess.run(  # noqa: S603  (our own interpreter and code)
        [sys.executable, "-I", "-B", "-c", code, str(home)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_one_changed_byte_of_source_changes_the_digest(tmp_path: Path) -> None:
    shutil.copytree(HOME, tmp_path / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    assert digest_of(tmp_path) == engine_digest()

    with (tmp_path / "engine" / "dose" / "slabs.py").open("a") as stream:
        stream.write("#")

    assert digest_of(tmp_path) != engine_digest()


def test_versions_are_those_installed() -> None:
    assert library_versions()["numpy"] == version("numpy")


def test_the_libraries_are_those_that_the_engine_imports() -> None:
    """One that is not imported would be missing where only what is needed is installed."""
    imported = {
        name.partition(".")[0]
        for path in HOME.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported - sys.stdlib_module_names - {"engine"} == set(LIBRARIES)


def test_the_selftest_passes_and_names_what_it_measured() -> None:
    found = run_selftest()

    assert found.passed
    assert len(found.checks) == 24
    assert all(check.actual is not None for check in found.checks)


def test_the_selftest_notices_a_wrong_figure(monkeypatch) -> None:
    """A coverage 0.1 % too large is ten times what the volume check allows."""
    from engine.dose import rings

    true_area = rings.signed_area
    monkeypatch.setattr(rings, "signed_area", lambda ring: true_area(ring) * 1.0000005)
    monkeypatch.setattr("engine.selftest.VOLUME_PERCENT", 0.00001)

    assert not run_selftest().passed
