"""The house keeps its own rules: small files, documented settings, documented commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    "app", "core", "dataflows", "engine", "migrations", "qms", "scripts", "templates", "tests",
    "validation", "assets",
)  # fmt: skip
CODE = {".py", ".html", ".css", ".js"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

FIRST_MIGRATION = "migrations/versions/2026_11_21_the_record_begins.py"
EVERY_TABLE = "creates every table once and is never read for its logic"

LONG_FILES: dict[str, str] = {FIRST_MIGRATION: EVERY_TABLE}
"""Path of a longer file: why it is better whole."""

LONG_FUNCTIONS: dict[str, str] = {
    f"{FIRST_MIGRATION}:upgrade": EVERY_TABLE,
    f"{FIRST_MIGRATION}:downgrade": EVERY_TABLE,
    "dataflows/picture.py:picture": "half of it is the docstring; the rest is one list of boxes",
}
"""`path:function` of a longer function: why it is better whole."""


def code_files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in CODE and "vendor" not in path.parts and path.is_file():
                yield path


def long_functions(path: Path) -> Iterator[tuple[str, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{path.relative_to(ROOT)}:{node.name}", lines


def commands(group: Any, words: tuple[str, ...] = ("fiducial",)) -> Iterator[str]:
    below = getattr(group, "commands", None)
    if below is None:
        yield " ".join(words)
        return
    for name, command in below.items():
        yield from commands(command, (*words, name))


def test_no_file_is_too_long_to_read_in_one_go() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in code_files()
    }

    too_long = {name: count for name, count in lengths.items() if count > LONGEST_FILE}

    assert too_long.keys() == LONG_FILES.keys(), too_long


def test_no_function_is_too_long_to_hold_in_mind() -> None:
    too_long = dict(
        found for path in code_files() if path.suffix == ".py" for found in long_functions(path)
    )

    assert too_long.keys() == LONG_FUNCTIONS.keys(), too_long


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    from core.settings import Settings

    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    settings = {f"FIDUCIAL_{name.upper()}" for name in Settings.model_fields}

    documented = set(re.findall(r"\bFIDUCIAL_[A-Z0-9_]+\b", written))

    assert documented == settings


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    # Imported here, so that the other rules are still checked where the service cannot start.
    from app.cli import cli

    existing = set(commands(typer.main.get_command(cli)))

    documented = {
        " ".join(match.split())
        for match in re.findall(r"^#+ `(fiducial(?: [a-z][a-z-]*)+)", written, re.MULTILINE)
    }

    assert documented == existing


@pytest.mark.parametrize("lock", ["requirements.lock", "package-lock.json"])
def test_a_lock_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert not re.findall(r"https?://\S+", text)


def test_every_pinned_python_package_carries_its_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    pinned = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

    without_hash = [line.split()[0] for line in pinned if "--hash=sha256:" not in line]

    assert pinned
    assert not without_hash
