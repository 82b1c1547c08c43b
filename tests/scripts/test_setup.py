"""Set-up on machines that lack something."""

import os
import re
import sys
from pathlib import Path

import pytest

from scripts import setup
from scripts.setup import (
    SetupError,
    build_assets,
    caches,
    digest_of,
    install_system_packages,
    leftover_packages,
    missing_packages,
)

pytestmark = pytest.mark.verifies("TST-039")


def lacking(monkeypatch: pytest.MonkeyPatch, *, uid: int) -> None:
    monkeypatch.setattr(setup.os, "geteuid", lambda: uid)
    monkeypatch.setattr(setup, "SERVICE_NEEDS", {"git": lambda: True, "graphviz": lambda: False})
    monkeypatch.setattr(setup, "TEST_NEEDS", {"dcmtk": lambda: False})


def test_every_missing_package_is_named_and_none_that_is_there() -> None:
    needs = {"a b": lambda: False, "c": lambda: True, "d": lambda: False}

    assert missing_packages(needs) == ["a", "b", "d"]


def test_without_root_the_exact_command_is_said_and_nothing_is_run(monkeypatch) -> None:
    lacking(monkeypatch, uid=1000)
    monkeypatch.setattr(setup, "run", lambda *_command, **_env: pytest.fail("ran a command"))

    with pytest.raises(SetupError) as refusal:
        install_system_packages(with_tests=True)

    assert "apt-get install -y --no-install-recommends graphviz dcmtk" in str(refusal.value)


@pytest.mark.parametrize(("programs", "how"), [("sudo", "sudo sh -c"), ("", "su - -c")])
def test_the_command_is_one_that_this_machine_has(monkeypatch, programs: str, how: str) -> None:
    lacking(monkeypatch, uid=1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name: name if name in programs else None)

    with pytest.raises(SetupError, match=f" {how} 'apt-get update && apt-get install "):
        install_system_packages(with_tests=False)


def test_what_only_the_tests_need_is_not_asked_of_a_service(monkeypatch) -> None:
    lacking(monkeypatch, uid=1000)

    with pytest.raises(SetupError) as refusal:
        install_system_packages(with_tests=False)

    assert "graphviz" in str(refusal.value)
    assert "dcmtk" not in str(refusal.value)


def test_a_package_that_installs_without_effect_is_an_error(monkeypatch) -> None:
    lacking(monkeypatch, uid=0)
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(setup, "run", lambda *command, **_env: ran.append(command))

    with pytest.raises(SetupError, match="cannot be found: graphviz"):
        install_system_packages(with_tests=False)

    assert [command[-1] for command in ran] == ["update", "graphviz"]


def test_a_failing_command_is_named_with_its_exit_code() -> None:
    with pytest.raises(SetupError, match=r"-c raise SystemExit\(7\)` ended with exit code 7"):
        setup.run(sys.executable, "-c", "raise SystemExit(7)")


def test_a_digest_changes_with_content_name_and_word(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("x")
    second.write_text("x")

    digests = {digest_of([first]), digest_of([second]), digest_of([first], "more")}
    first.write_text("y")

    assert len(digests | {digest_of([first])}) == 4


def test_every_system_package_of_the_tests_can_be_found_here(need) -> None:
    for peer in ("dcmtk", "orthanc", "chromium", "postgresql", "poppler"):
        need(peer)

    assert missing_packages({**setup.SERVICE_NEEDS, **setup.TEST_NEEDS}) == []


def test_the_entry_point_is_one_file_for_the_shell_and_for_python() -> None:
    assert setup.ENTRY_POINT.startswith("#!/bin/sh\n'''exec' ")
    compile(setup.ENTRY_POINT, "fiducial", "exec")


def test_what_is_installed_but_no_longer_locked_is_found() -> None:
    lock = (Path(setup.__file__).parent.parent / "requirements.lock").read_text()
    without = re.sub(r"^ruamel-yaml==", "other==", lock, flags=re.MULTILINE)

    assert leftover_packages(Path(sys.executable), without) == ["ruamel.yaml"]


def test_what_is_ours_is_compiled_once_whatever_the_environment_forbids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", Path(sys.prefix))
    for folder in setup.OURS:
        (tmp_path / folder).mkdir()
    source = tmp_path / "core" / "dose.py"
    source.write_text("GRAY = 1\n")

    setup.compile_sources()
    [first] = source.parent.glob("__pycache__/dose.*.pyc")
    written = first.read_bytes()
    long_ago = (1, 1)
    os.utime(first, ns=long_ago)
    setup.compile_sources()
    assert first.stat().st_mtime_ns == 1, "nothing changed, so nothing is compiled again"

    source.write_text("GRAY = 100\n")
    # Whether a source changed is told by whole seconds.
    a_minute_later = source.stat().st_mtime + 60
    os.utime(source, (a_minute_later, a_minute_later))
    setup.compile_sources()
    assert first.read_bytes() != written


def test_every_folder_of_the_service_is_compiled() -> None:
    root = Path(setup.__file__).parent.parent
    packages = {path.parent.name for path in root.glob("*/__init__.py")}

    assert packages - {"scripts", "tests"} == set(setup.OURS)


@pytest.fixture(name="tree")
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small tree to build in, and the names of the programs that were run in it."""
    for folder in ("assets", "scripts", "node_modules", "app/static/vendor"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("package.json", "package-lock.json", "assets/a.css", "scripts/assets.py"):
        (tmp_path / file).write_text("one")
    ran: list[str] = []
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(setup, "VENDOR", tmp_path / "app/static/vendor")
    monkeypatch.setattr(setup, "run", lambda *command, **_env: ran.append(Path(command[0]).name))
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    return ran


def test_building_again_does_only_what_has_changed(tree: list[str]) -> None:
    python = Path(sys.executable).name

    build_assets(with_tests=False)
    build_assets(with_tests=False)
    first = tree.copy()
    (setup.ROOT / "assets" / "a.css").write_text("two")
    build_assets(with_tests=False)

    assert first == ["npm", python]
    assert tree[2:] == [python]


def test_what_was_fetched_for_the_tests_serves_the_service_too(tree: list[str]) -> None:
    build_assets(with_tests=False)
    build_assets(with_tests=True)
    build_assets(with_tests=False)

    assert tree.count("npm") == 2


def test_a_new_lock_is_fetched_and_built(tree: list[str]) -> None:
    build_assets(with_tests=False)
    (setup.ROOT / "package-lock.json").write_text("two")
    build_assets(with_tests=False)

    assert tree.count("npm") == 2
    assert len(tree) == 4


def test_without_npm_the_assets_are_refused_by_what_is_missing(tree, monkeypatch) -> None:
    monkeypatch.setattr(setup.shutil, "which", lambda _name: None)

    with pytest.raises(SetupError, match="apt-get install nodejs npm"):
        build_assets(with_tests=False)

    assert tree == []


def test_assets_that_were_built_before_need_no_npm(tree, monkeypatch) -> None:
    build_assets(with_tests=False)
    monkeypatch.setattr(setup.shutil, "which", lambda _name: None)

    build_assets(with_tests=False)

    assert len(tree) == 2


def test_a_home_that_can_be_written_keeps_the_caches_where_they_are(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    with caches() as settings:
        assert settings == {}

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", ["/proc", "/nonexistent"])
def test_without_a_home_to_write_the_caches_are_elsewhere_and_gone_afterwards(
    monkeypatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("PIP_CACHE_DIR", raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", "/chosen")

    with caches() as settings:
        folder = Path(settings["npm_config_cache"]).parent
        there = folder.is_dir()

    assert there
    assert settings["UV_CACHE_DIR"] == "/chosen"
    assert Path(settings["PIP_CACHE_DIR"]).parent == folder
    assert not folder.exists()
