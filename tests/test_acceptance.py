"""The pages of statements name tests that exist, for every statement that they have to answer."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ASKED = {
    "docs/acceptance.md": {1, 2, 3, 4, 5, 6, 7, 11, 12},
    "docs/acceptance-department.md": set(range(1, 13)),
    "docs/acceptance-trace.md": set(range(1, 10)),
}
"""The statements that each page has to answer, whatever others it answers too."""

_ROW = re.compile(r"^\| (\d+) \| .+ \| (.+) \|$", re.MULTILINE)
_NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+|measure)`")
"""A test, or the one function of a benchmark that `make bench` asks."""


def rows(page: str) -> dict[int, list[tuple[str, str]]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return {int(number): _NAMED.findall(shown) for number, shown in _ROW.findall(text)}


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("page", ASKED)
def test_each_statement_is_answered_by_tests_that_exist(page: str) -> None:
    named = rows(page)

    assert set(named) >= ASKED[page]
    assert [number for number, tests in named.items() if not tests] == []
    gone = [
        f"{number}: {path}::{name}"
        for number, tests in named.items()
        for path, name in tests
        if not (ROOT / path).is_file() or name not in functions(path)
    ]
    assert gone == []


@pytest.mark.parametrize("page", ASKED)
def test_no_name_on_the_page_is_spelt_so_that_it_is_not_looked_up(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    assert text.count("::") == sum(len(tests) for tests in rows(page).values())
