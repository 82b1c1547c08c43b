"""Read JSON into plain values that remember their lines, within limits and with every key once."""

import json
import math
import re
from typing import Any

from core.canonical import LARGEST_INTEGER
from core.located_yaml import Lined
from qms.interchange.corpus import Place
from qms.interchange.readers.codes import SHAPE, UNREADABLE
from qms.interchange.readers.gathering import Gathering

DEEPEST = 60

MOST_VALUES = 5_000_000

_TOKEN = re.compile(
    r"(?P<space>[ \t\n\r]+)|(?P<mark>[{}\[\],:])"
    r'|(?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")'
    r"|(?P<number>-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<word>true|false|null)"
)
_HALF = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None}


class Unreadable(Exception):
    """Text that is no JSON, from a line on."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def read_json(text: str, name: str, into: Gathering) -> Any:
    """Return the value, its mappings as `Lined`; None, with a fault, for what is no JSON."""
    try:
        reader = _Reader(text)
        value = reader.whole()
    except Unreadable as fault:
        into.fault(UNREADABLE, Place(name, fault.line), f"This is not JSON: {fault.what}")
        return None
    for line, what, mend in reader.odd:
        into.fault(SHAPE, Place(name, line), what, mend)
    return value


class _Reader:
    """One token ahead; the line is counted as the text goes by."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next_line = 1
        self._values = 0
        self.line = 1
        self.kind = ""
        self.found = ""
        self.odd: list[tuple[int, str, str]] = []
        self._advance()

    def _advance(self) -> None:
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                raise Unreadable(self._next_line, f"{self._text[self._at : self._at + 20]!r}.")
            self._at = found.end()
            self.kind, self.found = str(found.lastgroup), found[0]
            if self.kind == "space":
                self._next_line += self.found.count("\n")
                continue
            self.line = self._next_line
            return
        self.kind = self.found = ""
        self.line = self._next_line

    def whole(self) -> Any:
        """Read the one value of the text."""
        value = self.value(0)
        if self.kind:
            raise Unreadable(self.line, "something follows after the end of the value.")
        return value

    def value(self, depth: int) -> Any:
        """Read one value."""
        self._values += 1
        if depth > DEEPEST:
            raise Unreadable(self.line, f"it is nested more than {DEEPEST} deep.")
        if self._values > MOST_VALUES:
            raise Unreadable(self.line, f"it holds more than {MOST_VALUES:,} values.")
        if self.found == "{":
            return self._mapping(depth)
        if self.found == "[":
            return self._list(depth)
        kind, written = self.kind, self.found
        if kind not in {"text", "number", "word"}:
            raise Unreadable(self.line, f"{written or 'the end'!r} where a value is expected.")
        line = self.line
        self._advance()
        if kind == "word":
            return _WORDS[written]
        return self._said(written, line) if kind == "text" else self._number(written, line)

    def _said(self, written: str, line: int) -> str:
        text: str = json.loads(written)
        if "\\u" in written and _HALF.search(text):
            raise Unreadable(line, "a text holds half of a surrogate pair, which is no character.")
        return text

    def _number(self, written: str, line: int) -> int | float | str:
        """Return a number, or its spelling where no number of JSON holds it exactly."""
        value: int | float = json.loads(written)
        if abs(value) <= LARGEST_INTEGER or (isinstance(value, float) and math.isfinite(value)):
            return value
        what = f"The number {written} is larger than JSON can hold; it is taken as a text."
        self.odd.append((line, what, "Write it in quotes."))
        return written

    def _mapping(self, depth: int) -> Lined:
        found = Lined(self.line)
        self._advance()
        while self.found != "}":
            if found:
                self._expect(",")
            if self.kind != "text":
                raise Unreadable(self.line, f"{self.found!r} where a key in quotes is expected.")
            key, line = self._said(self.found, self.line), self.line
            self._advance()
            self._expect(":")
            value = self.value(depth + 1)
            if key in found:
                what = f"'{key[:60]}' stands a second time in one mapping; the first is taken."
                self.odd.append((line, what, "Keep one of the two."))
            else:
                found[key], found.lines[key] = value, line
        self._advance()
        return found

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._advance()
        while self.found != "]":
            if found:
                self._expect(",")
            found.append(self.value(depth + 1))
        self._advance()
        return found

    def _expect(self, mark: str) -> None:
        if self.found != mark:
            raise Unreadable(self.line, f"{self.found or 'the end'!r} where '{mark}' is expected.")
        self._advance()
