"""Read the part of YAML that we write ourselves, thirty times as fast as all of YAML is read.

It never guesses: anything that it does not know raises `NotPlain`, and the caller then asks
`core.located_yaml`, which knows all of YAML and tells what is wrong with it, line by line.
"""

import json
import math
import re
from typing import Any

from core.canonical import LARGEST_INTEGER
from core.located_yaml import DEEPEST
from qms.interchange.markdown.spelling import NO_TEXT, is_plain

Path = tuple[str | int, ...]

_KEY = re.compile(r'([A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)*"):(?: (.*)|$)')
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_WORDS = {"null": None, "true": True, "false": False}
_BLOCKS = frozenset({"|", "|-", ">-"})


PLACES_TO_DEPTH = 2
"""How deep the lines of values are kept: a field, a link."""


class NotPlain(Exception):
    """It is not how we write; all of YAML must be known to read it."""


def read_plain(lines: list[str], first: int) -> tuple[dict[str, Any], dict[Path, int]]:
    """Read the lines of a mapping, and say on which line each value of its upper levels stands.

    Parameters
    ----------
    lines : list of str
        Without their ends.
    first : int
        The number of the first one in its file.

    Raises
    ------
    NotPlain

    Examples
    --------
    >>> read_plain(["id: REQ-001", "fields:", "  parts: [1, 2]"], 2)[0]
    {'id': 'REQ-001', 'fields': {'parts': [1, 2]}}
    """
    reader = _Plain(lines, first)
    found = reader.mapping(0, ())
    if reader.at != len(lines):
        raise NotPlain
    return found, reader.places


def read_flow(text: str) -> Any:
    """Read a value that is spelt on one line in the way of JSON; raises NotPlain."""
    try:
        found = json.loads(
            text,
            parse_int=_number,
            parse_float=_fraction,
            parse_constant=_refuse,
            object_pairs_hook=_pairs,
        )
        if "\\ud" in text.lower():
            # Half of a surrogate pair cannot be encoded; the other reader says where it stands.
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise NotPlain from None
    return found


def _refuse(_text: str) -> Any:
    raise NotPlain


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotPlain
    return found


def _number(text: str) -> int | float:
    if len(text) > len(str(-LARGEST_INTEGER)):
        raise NotPlain
    value = int(text)
    if abs(value) > LARGEST_INTEGER:
        raise NotPlain
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotPlain
    return value


class _Plain:
    """Goes down the lines; `at` is the next one to read."""

    def __init__(self, lines: list[str], first: int) -> None:
        self.lines = lines
        self.first = first
        self.at = 0
        self.places: dict[Path, int] = {}

    def mapping(self, indent: int, path: Path, begun: str | None = None) -> dict[str, Any]:
        """Read the keys that stand at `indent`; `begun` is what follows a dash on this line."""
        if len(path) > DEEPEST:
            raise NotPlain
        found: dict[str, Any] = {}
        near = len(path) < PLACES_TO_DEPTH
        while begun is not None or self._stands_at(indent):
            line = begun if begun is not None else self.lines[self.at][indent:]
            begun = None
            match = _KEY.match(line)
            if match is None:
                raise NotPlain
            key, rest = match.groups()
            if key[0] == '"':
                key = read_flow(key)
            elif key.lower() in NO_TEXT:
                raise NotPlain
            if key in found:
                raise NotPlain
            where = (*path, key) if near or not rest else path
            if near:
                self.places[where] = self.first + self.at
            self.at += 1
            found[key] = self._value(rest, indent, where)
        if not found:
            raise NotPlain
        return found

    def _stands_at(self, indent: int) -> bool:
        """Whether the next line begins at `indent`; one that stands deeper is not how we write."""
        if self.at >= len(self.lines):
            return False
        line = self.lines[self.at]
        deep = len(line) - len(line.lstrip(" "))
        if deep > indent or deep == len(line):
            raise NotPlain
        return deep == indent

    def _value(self, rest: str | None, indent: int, path: Path) -> Any:
        if rest:
            return self._block(rest, indent + 2) if rest in _BLOCKS else _scalar(rest)
        if rest is not None or self.at >= len(self.lines):
            raise NotPlain
        line = self.lines[self.at]
        if line.startswith(f"{' ' * (indent + 2)}- "):
            return self._list(indent + 2, path)
        return self.mapping(indent + 2, path)

    def _list(self, indent: int, path: Path) -> list[Any]:
        found: list[Any] = []
        near = len(path) < PLACES_TO_DEPTH
        while self._stands_at(indent):
            line = self.lines[self.at]
            if not line.startswith("- ", indent):
                raise NotPlain
            where = (*path, len(found))
            if near:
                self.places[where] = self.first + self.at
            item = line[indent + 2 :]
            if _KEY.match(item):
                found.append(self.mapping(indent + 2, where, item))
                continue
            self.at += 1
            found.append(self._block(item, indent + 2) if item in _BLOCKS else _scalar(item))
        return found

    def _block(self, style: str, indent: int) -> str:
        """Read a text of several lines that stand at `indent`."""
        margin = " " * indent
        taken: list[str] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith(margin):
                taken.append(line[indent:])
            elif line == "":
                taken.append("")
            else:
                break
            self.at += 1
        if not taken or not taken[0] or not taken[-1]:
            raise NotPlain
        if any(one != one.rstrip() for one in taken) or taken[0][0].isspace():
            raise NotPlain
        if style == ">-":
            if any(not one or one[0].isspace() for one in taken):
                raise NotPlain
            return " ".join(taken)
        return "\n".join(taken) + ("\n" if style == "|" else "")


def _scalar(text: str) -> Any:
    first = text[:1]
    if not first:
        raise NotPlain
    if first == '"' or first in "[{":
        return read_flow(text)
    if is_plain(text):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return _number(text)
    if _FRACTION.fullmatch(text):
        return _fraction(text)
    raise NotPlain
