"""Read YAML 1.2 into plain values that remember their lines, and name every fault at once.

Stricter than YAML: a key twice in one mapping, a key that is not text, an anchor with its aliases
and a tag of a programming language are faults. Dates stay text, as they were written.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from core.canonical import LARGEST_INTEGER
from core.errors import Fault, Invalid

LARGEST_BYTES = 5_000_000
"""Fifty times a department's whole record; a larger file was not written by people."""

DEEPEST = 40
"""Four times the deepest file we know."""

Path = tuple[str | int, ...]

_CORE = "tag:yaml.org,2002:"
_COLLECTIONS = frozenset({f"{_CORE}map", f"{_CORE}seq"})
_BASES = ("0x", "0o")
_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "timestamp": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text, 0) if text[:2].lower() in _BASES else int(text),
    # Infinity and NaN are no figures of a record; their YAML spelling is none that float() knows.
    "float": float,
}


_BROKEN = "A text holds half of a surrogate pair, which is no character."
_HALF = re.compile("[\ud800-\udfff]")


def _is_number(value: float) -> bool:
    """Whether a number is one that JSON holds, and with it every record."""
    return abs(value) <= LARGEST_INTEGER if isinstance(value, int) else math.isfinite(value)


class Lined(dict[str, Any]):
    """A mapping that knows the line it begins on and the line of each key, counted from 1."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Return the line of `key`, or of the mapping when it has no such key."""
        return self.lines.get(key, self.line)


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A YAML document as plain values, with the line on which each of them starts.

    Attributes
    ----------
    value : object
        Text, numbers, lists, and mappings that are :class:`Lined`.
    lines : mapping
        The line of every value, by the keys and positions that lead to it.
    """

    name: str
    value: Any
    lines: Mapping[Path, int]

    def where(self, path: Path) -> str:
        """Return `file:line` of a value, or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


def read_yaml(content: str | bytes, name: str) -> tuple[LocatedYaml, tuple[Fault, ...]]:
    """Read one document and everything that is wrong with its spelling.

    Parameters
    ----------
    content : str or bytes
        The file; bytes are UTF-8.
    name : str
        The file's name, for the faults.

    Raises
    ------
    Invalid
        If it is too large, not UTF-8 or no YAML at all, so that nothing in it can be judged.
    """
    node = _compose(_text(content, name), name)
    if node is None:
        raise _refused("yaml-empty", name, "The file is empty.")
    reader = _Reader(name)
    value = reader.value(node, ())
    return LocatedYaml(name, value, reader.lines), tuple(reader.faults)


def read_mapping(content: str | bytes, name: str) -> Lined:
    """Read one document that must be a mapping without any fault.

    Raises
    ------
    Invalid
        As `read_yaml` does, and with every fault of the spelling.
    """
    document, faults = read_yaml(content, name)
    if faults:
        raise Invalid(f"{name} cannot be read.", faults)
    if not isinstance(document.value, Lined):
        what = "The file does not begin with a mapping of sections."
        raise _refused("yaml-shape", document.where(()), what, "Begin it with `name: value`.")
    return document.value


def _text(content: str | bytes, name: str) -> str:
    if len(content) > LARGEST_BYTES:
        what = f"The file holds {len(content):,} bytes; at most {LARGEST_BYTES:,} are read."
        raise _refused("yaml-size", name, what)
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"Byte {error.start} is not UTF-8 text."
        raise _refused("not-text", name, what, "Save the file as UTF-8.") from error


def _compose(text: str, name: str) -> Node | None:
    # Another parser than the pure one would read YAML 1.1, where `on` is true.
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = f"This is not YAML: {error.problem}."
        raise _refused("yaml-syntax", f"{name}:{line}", what) from error
    except YAMLError as error:
        what = f"This is not YAML: {' '.join(str(error).split())}."
        raise _refused("yaml-syntax", name, what) from error
    except ValueError as error:
        # An escape such as \\U00110000 names no character.
        raise _refused("yaml-syntax", name, f"This is not YAML: {str(error)[:80]}.") from error
    except RecursionError as error:
        raise _refused("yaml-depth", name, "It is nested too deeply to be read.") from error
    return node


def _refused(code: str, where: str, what: str, mend: str = "") -> Invalid:
    return Invalid(f"{where.partition(':')[0]} cannot be read.", [Fault(code, where, what, mend)])


class _Reader:
    """Turns composed nodes into values, noting lines and faults on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._told: set[int] = set()

    def value(self, node: Node, path: Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if getattr(node, "anchor", None):
            # What has no anchor has no alias, so every other node is met once.
            if id(node) not in self._told:
                self._told.add(id(node))
                what = f"The anchor '{node.anchor}' is not allowed."
                self._fault(node, "yaml-anchor", what, "Write the value out where it is used.")
            return None
        if len(path) > DEEPEST:
            what = f"It is nested more than {DEEPEST} levels deep."
            return self._fault(node, "yaml-depth", what, "Write it flatter.")
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node.tag not in _COLLECTIONS:
            return self._tag(node)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]

    def _mapping(self, node: MappingNode, path: Path) -> Lined:
        found = Lined(node.start_mark.line + 1)
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                self._fault(key_node, "yaml-key", "A key is not plain text.", "Use a word.")
            elif _HALF.search(key):
                self._fault(key_node, "yaml-key", _BROKEN, "Write the character itself.")
            elif key in found:
                what = f"'{key[:80]}' stands here a second time (first on line {found.lines[key]})."
                self._fault(key_node, "duplicate-key", what, "Keep one of the two.")
            else:
                found[key] = self.value(value_node, (*path, key))
                found.lines[key] = self.lines[*path, key] = line
        return found

    def _scalar(self, node: ScalarNode) -> Any:
        kind = str(node.tag).removeprefix(_CORE)
        if kind not in _SCALARS:
            return self._tag(node)
        try:
            value = _SCALARS[kind](node.value)
        except ValueError:
            what = f"'{node.value[:80]}' cannot be read as {kind}."
            return self._fault(node, "yaml-value", what, "Put it in quotes if it is text.")
        if isinstance(value, int | float) and not _is_number(value):
            what = f"The number '{node.value[:80]}' is larger than can be kept."
            return self._fault(node, "yaml-value", what, "Put it in quotes if it is text.")
        if isinstance(value, str) and _HALF.search(value):
            return self._fault(node, "yaml-value", _BROKEN, "Write the character itself.")
        return value

    def _tag(self, node: Node) -> None:
        what = f"The tag '{node.tag}' is not allowed."
        mend = "Write plain text, numbers, lists and mappings only."
        self._fault(node, "yaml-tag", what, mend)

    def _fault(self, node: Node, code: str, what: str, mend: str) -> None:
        self.faults.append(Fault(code, f"{self.name}:{node.start_mark.line + 1}", what, mend))
