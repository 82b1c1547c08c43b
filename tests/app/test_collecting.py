"""How often the programs of the product look for garbage."""

import ast
import gc
import importlib
from pathlib import Path

import pytest

import app
from app import collecting

OURS = {"app", "core", "dataflows", "engine", "qms", "validation"}


def test_importing_it_lets_the_collector_look_seldom() -> None:
    before = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        importlib.reload(collecting)

        assert gc.get_threshold() == (collecting.YOUNG_OBJECTS, 10, 10)
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("program", ["cli.py", "worker.py"])
def test_a_program_imports_it_before_anything_else_of_ours(program: str) -> None:
    tree = ast.parse((Path(app.__path__[0]) / program).read_text())
    named = [
        name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    ]

    assert next(name for name in named if name.split(".")[0] in OURS) == "app.collecting"
