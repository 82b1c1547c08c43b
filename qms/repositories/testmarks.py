"""Read what pytest's marks and properties name, and which lines each speaks for. Pure."""

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qms.repositories.layout import Layout
from qms.repositories.regions import Span, block_around, block_from, decorated

LONGEST_LINE = 2_000
"""Characters of a line that is looked at; a longer one was made by a machine."""

HINT = r"record_(?:testsuite_)?property\(|\bmark\."

_NAMES = r"requirements?|req|verifies|covers|implements|traces?|record"
_NAME = re.compile(_NAMES)
_MARK = re.compile(rf"\b(?:pytest\.)?mark\.(?P<name>{_NAMES})\((?P<told>[^()]{{1,2000}})\)")
_PROPERTY = re.compile(
    rf"record_(?:testsuite_)?property\(\s*['\"](?P<name>{_NAMES})['\"]\s*,(?P<told>[^()]{{1,2000}})\)"
)
_WORD = r"[A-Za-z][A-Za-z0-9._~-]{0,199}"
_WORDS = re.compile(rf"{_WORD}(?:[,;\s]+{_WORD})*")
_QUOTED = re.compile(rf"['\"](?P<named>{_WORDS.pattern})['\"]")
_PROPERTIES = ("record_property", "record_testsuite_property")
_ASIDE = ("reason", "description", "comment")
"""Arguments that say something, and name nothing."""

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class TestMark:
    """What one mark names; lines are counted from 0.

    Attributes
    ----------
    owner : Span or None
        The lines that it speaks for, where the file could be parsed.
    pure : bool
        Whether its lines hold nothing else.
    """

    role: str
    named: tuple[str, ...]
    first: int
    last: int
    pure: bool
    kind: str
    owner: Span | None = None


def marks_in(page: Layout) -> list[TestMark]:
    """Return pytest's marks and properties of a file, by line."""
    # The parser takes a carriage return for the end of a line, and Git does not.
    text = "\n".join(page.lines).replace("\r", " ")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return list(_textual(page.lines))
    return sorted(_parsed(tree, page.lines), key=lambda one: one.first)


def place(page: Layout, mark: TestMark, stops: set[int]) -> Span:
    """Return the lines that a mark speaks for."""
    end = max(len(page.lines) - 1, 0)
    if mark.owner is not None:
        first, last = mark.owner
        while first < last and first in stops:
            first += 1
        return first, min(last, end)
    if mark.kind == "property":
        return block_around(page, mark.first, stops)
    if mark.kind == "decorator":
        start = min(mark.last + 1, end)
        return block_from(page, decorated(page, start, stops))
    return (0, end) if mark.kind == "module" else (mark.first, mark.last)


def _parsed(tree: ast.Module, lines: Sequence[str]) -> Iterator[TestMark]:
    """Walk a syntax tree without recursion; each node with what it stands in."""
    waiting: list[tuple[ast.AST, Scope | None, str]] = [(tree, None, "")]
    while waiting:
        node, scope, kind = waiting.pop()
        if isinstance(node, ast.Call):
            mark = _called(node, scope, kind, lines)
            if mark is not None:
                yield mark
                continue
        inner, decorators = scope, set()
        if isinstance(node, Scope):
            inner, decorators = node, {id(one) for one in node.decorator_list}
        for child in ast.iter_child_nodes(node):
            told = "whole" if id(child) in decorators else _kind_of(child, kind)
            waiting.append((child, inner, told))


def _kind_of(node: ast.AST, kind: str) -> str:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        named = any(isinstance(one, ast.Name) and one.id == "pytestmark" for one in targets)
        return "module" if named else ""
    if isinstance(node, ast.Expr):
        return "statement"
    return {"statement": "whole", "whole": ""}.get(kind, kind)


def _called(
    node: ast.Call, scope: Scope | None, kind: str, lines: Sequence[str]
) -> TestMark | None:
    called = node.func
    told = [*node.args, *(one.value for one in node.keywords if one.arg not in _ASIDE)]
    name, marks, begins = "", False, "@"
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name | ast.Attribute):
        of = called.value
        marks = (of.id if isinstance(of, ast.Name) else of.attr) == "mark"
        name = called.attr if marks else ""
    elif isinstance(called, ast.Name) and called.id in _PROPERTIES and told:
        key, begins = told.pop(0), called.id
        name = str(key.value) if isinstance(key, ast.Constant) else ""
    if not _NAME.fullmatch(name):
        return None
    named = tuple(_named(told))
    if not named:
        return None
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    whole = kind == "module" and scope is None
    owner = (0, max(len(lines) - 1, 0)) if whole else _owner(scope) if scope else (first, last)
    role = "implements" if name == "implements" else "verifies"
    before = lines[first].lstrip().startswith(begins)
    after = lines[last].encode()[node.end_col_offset or 0 :].decode("utf-8", "replace").strip()
    pure = kind == "whole" and before and (not after or after.startswith("#"))
    return TestMark(role, named, first, last, pure, "", owner)


def _named(told: Sequence[ast.expr]) -> Iterator[str]:
    for one in told:
        items = one.elts if isinstance(one, ast.List | ast.Tuple | ast.Set) else [one]
        for item in items:
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                said = item.value.strip()
                if _WORDS.fullmatch(said):
                    yield from re.split(r"[,;\s]+", said)


def _owner(scope: Scope) -> Span:
    lines = [scope.lineno, *(one.lineno for one in scope.decorator_list)]
    return min(lines) - 1, (scope.end_lineno or scope.lineno) - 1


def _textual(lines: Sequence[str]) -> Iterator[TestMark]:
    """Read the marks of a file that cannot be parsed."""
    lines = [line if len(line) <= LONGEST_LINE else "" for line in lines]
    text = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    matches = [(one, "mark") for one in _MARK.finditer(text)]
    matches += [(one, "property") for one in _PROPERTY.finditer(text)]
    for found, kind in matches:
        first = bisect_right(starts, found.start()) - 1
        last = bisect_right(starts, found.end() - 1) - 1
        line = lines[first].lstrip()
        if line.startswith("#"):
            continue
        if kind == "mark":
            kind = "decorator" if line.startswith("@") else "line"
            kind = "module" if line.startswith("pytestmark") else kind
        pure = line.startswith(("@", "record_"))
        role = "implements" if found["name"] == "implements" else "verifies"
        named = [
            one
            for quoted in _QUOTED.finditer(found["told"])
            for one in re.split(r"[,;\s]+", quoted["named"])
        ]
        yield TestMark(role, tuple(named), first, last, pure, kind)
