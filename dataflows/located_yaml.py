"""Read YAML 1.2 so that every fault can name its line.

Stricter than YAML: a key twice in one mapping, an anchor, an alias or a foreign tag is a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.errors import Fault, Invalid

Path = tuple[str | int, ...]

PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "timestamp", "map", "seq")
)


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A YAML document as plain values, with the line on which each of them starts."""

    name: str
    value: Any
    lines: Mapping[Path, int]

    def where(self, path: Path) -> str:
        """Return `file:line` of a value, or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


class _Reader:
    """Turns composed nodes into values, noting lines and faults on the way."""

    def __init__(self, yaml: YAML, name: str) -> None:
        self.constructor = yaml.constructor
        self.name = name
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: Node, path: Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        if getattr(node, "anchor", None):
            self.fault(
                node,
                "yaml-anchor",
                f"The anchor '{node.anchor}' is not allowed.",
                "Write the value out where it is used.",
            )
            return None
        if str(node.tag) not in PLAIN_TAGS:
            self.fault(
                node,
                "yaml-tag",
                f"The tag '{node.tag}' is not allowed.",
                "Write plain text, numbers, lists and mappings only.",
            )
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(child, (*path, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 - the third and last kind of node
        return self.scalar(node)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str):
                self.fault(key_node, "yaml-key", "A key is not plain text.", "Use a word.")
            elif key in found:
                self.fault(
                    key_node,
                    "duplicate-key",
                    f"'{key}' stands here a second time.",
                    "Keep one of the two.",
                )
            else:
                found[key] = self.value(value_node, (*path, key))
                self.lines[*path, key] = key_node.start_mark.line + 1
        return found

    def scalar(self, node: ScalarNode) -> Any:
        try:
            return self.constructor.construct_object(node, deep=True)
        except (YAMLError, ValueError) as error:
            self.fault(
                node,
                "yaml-value",
                f"'{node.value}' cannot be read: {error}.",
                "Put it in quotes if it is text.",
            )
            return None

    def fault(self, node: Node, code: str, what: str, mend: str) -> None:
        self.faults.append(Fault(code, f"{self.name}:{node.start_mark.line + 1}", what, mend))


def read_yaml(text: str, name: str) -> tuple[LocatedYaml, tuple[Fault, ...]]:
    """Read one document and everything that is wrong with its spelling.

    Raises
    ------
    Invalid
        If the text is no YAML at all, so that nothing in it can be judged.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        fault = Fault("yaml-syntax", f"{name}:{line}", f"This is not YAML: {error.problem}.")
    except YAMLError as error:
        fault = Fault("yaml-syntax", name, f"This is not YAML: {error}.")
    except RecursionError:
        fault = Fault("yaml-depth", name, "It is nested too deeply to be read.")
    else:
        if node is None:
            fault = Fault("yaml-empty", name, "The file is empty.")
        else:
            reader = _Reader(yaml, name)
            value = reader.value(node, ())
            return LocatedYaml(name, value, reader.lines), tuple(reader.faults)
    raise Invalid(f"{name} cannot be read.", (fault,))
