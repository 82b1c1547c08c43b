"""Set-up on machines that lack something."""

import sys
from pathlib import Path

import pytest

from scripts import setup
from scripts.setup import SetupError, digest_of, install_system_packages, missing_packages


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
    for peer in ("dcmtk", "chromium", "postgresql", "poppler"):
        need(peer)

    assert missing_packages({**setup.SERVICE_NEEDS, **setup.TEST_NEEDS}) == []


def test_the_entry_point_is_one_file_for_the_shell_and_for_python() -> None:
    assert setup.ENTRY_POINT.startswith("#!/bin/sh\n'''exec' ")
    compile(setup.ENTRY_POINT, "fiducial", "exec")


def test_setting_up_again_does_nothing(capfd, monkeypatch) -> None:
    root = Path(setup.__file__).parent.parent
    if not (root / ".venv" / setup.STAMP).is_file():
        pytest.skip("needs a tree that was set up: make setup")
    monkeypatch.setattr(sys, "argv", ["setup.py"])
    monkeypatch.setattr(setup, "run", lambda *command, **_env: pytest.fail(f"ran {command}"))
    # Another interpreter than the one that set up would rightly make .venv anew.
    monkeypatch.setattr(setup, "install_python_packages", lambda: None)

    assert setup.main() == 0
    assert capfd.readouterr().out == ""
