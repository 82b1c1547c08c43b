"""Read a YAML 1.2 file into plain values that remember their lines, and name every fault at once.

Stricter than YAML: a key twice in one mapping, an alias, a tag of a programming language and a key
that is not text are faults. Dates stay text, as they were written.
"""

from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from core.errors import Fault, Invalid

MAX_BYTES = 5_000_000
"""Fifty times the demo's file; a larger one is not a design record written by people."""

_CORE = "tag:yaml.org,2002:"
_COLLECTIONS = {f"{_CORE}map", f"{_CORE}seq"}
_BASES = ("0x", "0o")
_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "timestamp": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text.replace("_", ""), 0) if text[:2].lower() in _BASES else int(text),
    "float": lambda text: float(text.replace(".inf", "inf").replace(".nan", "nan")),
}


class Lined(dict[str, Any]):
    """A mapping that knows the line it begins on and the line of each key, counted from 1."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Return the line of `key`, or of the mapping when it has no such key."""
        return self.lines.get(key, self.line)


def read_lined_yaml(content: bytes, name: str) -> Lined:
    """Return the mapping that a YAML file holds.

    Parameters
    ----------
    content : bytes
        The file, UTF-8.
    name : str
        The file's name, for the faults.

    Raises
    ------
    Invalid
        If it is too large, not UTF-8, not YAML, not a mapping, or breaks one of our own limits;
        the last kind all at once.
    """
    if len(content) > MAX_BYTES:
        raise _refused(name, f"holds {len(content)} bytes; at most {MAX_BYTES} are read.")
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(content.decode("utf-8"))
        reader = _Reader(name)
        value = reader.value(node)
    except UnicodeDecodeError as error:
        raise _refused(name, f"is not UTF-8 text (byte {error.start}).") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(f"{name}:{line}", f"is not YAML: {error.problem}.") from error
    except YAMLError as error:
        raise _refused(name, f"is not YAML: {error}.") from error
    except RecursionError as error:
        raise _refused(name, "is nested too deeply to be a design record.") from error
    if not isinstance(value, Lined):
        raise _refused(name, "does not begin with a mapping of sections.")
    if reader.faults:
        raise Invalid(f"{name} cannot be read.", reader.faults)
    return value


def _refused(where: str, what: str) -> Invalid:
    return Invalid(f"{where} {what}", [Fault("YAML", where, what)])


class _Reader:
    """Turns one tree of YAML nodes into values, collecting the faults on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def value(self, node: Node | None) -> Any:
        if node is None:
            return None
        if id(node) in self._seen:
            return self._fault(node, "uses an alias.", "Write the value out where it is used.")
        self._seen.add(id(node))
        if not isinstance(node, ScalarNode) and node.tag not in _COLLECTIONS:
            return self._fault(node, f"uses the tag {node.tag}.", "Write a plain value.")
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        return [self.value(child) for child in node.value]

    def _mapping(self, node: MappingNode) -> Lined:
        lined = Lined(node.start_mark.line + 1)
        for key_node, value_node in node.value:
            value = self.value(value_node)
            if not isinstance(key_node, ScalarNode):
                self._fault(key_node, "has a key that is not text.", "Use a plain word as the key.")
                continue
            key = str(key_node.value)
            if key in lined:
                first = lined.lines[key]
                self._fault(key_node, f"says {key} twice (first on line {first}).", "Keep one.")
                continue
            lined[key] = value
            lined.lines[key] = key_node.start_mark.line + 1
        return lined

    def _scalar(self, node: ScalarNode) -> Any:
        kind = str(node.tag).removeprefix(_CORE)
        if kind not in _SCALARS:
            return self._fault(node, f"uses the tag {node.tag}.", "Write a plain value.")
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            return self._fault(node, f"says {node.value!r}, which is no {kind}.", "Quote the text.")

    def _fault(self, node: Node, what: str, mend: str) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}"
        self.faults.append(Fault("YAML", where, what, mend))
