"""Read StrictDoc `.sdoc`: documents of nodes with fields, nested in sections, with relations."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.codes import NO_VALUE, NOT_READ, OUTSIDE, SHAPE, UNREADABLE
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering

PARENT, CHILD, FILE = "Parent", "Child", "File"
ROLES = (PARENT, CHILD, FILE)

DEEPEST = 40
"""Sections in each other."""

_OPENS = re.compile(r"^\[(\[?)([A-Z][A-Z0-9_]*)(\]?)\]$")
_CLOSES = re.compile(r"^\[\[?/([A-Z][A-Z0-9_]*)\]\]?$")
_FIELD = re.compile(r"^([A-Z][A-Z0-9_]*):(?: (.*)|)$")
_ENTRY = re.compile(r"^(- |  )([A-Z_]+): ?(.*)$")
_TELLING = ("TITLE", "STATEMENT", "UID", "RELATIONS", "REFS")
_OLD_PAIRS = frozenset({"SECTION", "COMPOSITE_REQUIREMENT", "FREETEXT"})
"""What older versions closed with [/...] although they opened it with one bracket."""


@dataclass
class _Node:
    tag: str
    line: int
    position: tuple[int, ...]
    fields: dict[str, object] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)


@dataclass
class _Reader:
    """Reads one file, line by line."""

    name: str
    lines: list[str]
    into: Gathering
    number: int = 0
    sections: list[tuple[str, int]] = field(default_factory=list)
    counts: list[int] = field(default_factory=lambda: [0])
    title: str = ""

    def nodes(self) -> Iterator[_Node]:
        """Go through the nodes in their order, the document first."""
        while (line := self.next()) is not None:
            if not line.strip():
                continue
            if closes := _CLOSES.match(line):
                self._close(closes[1])
            elif opens := _OPENS.match(line):
                yield from self._node(opens[2], bool(opens[1]))
            else:
                what = f"'{line[:60]}' stands outside of any node."
                self.fault(UNREADABLE, what, "Begin with '[REQUIREMENT]', or indent it.")
        for tag, number in self.sections:
            self.number = number
            self.fault(UNREADABLE, f"[[{tag}]] is never closed.", f"Write '[[/{tag}]]'.")

    def next(self) -> str | None:
        """Take the next line."""
        if self.number == len(self.lines):
            return None
        self.number += 1
        return self.lines[self.number - 1]

    def peek(self) -> str | None:
        """Look at the next line."""
        return self.lines[self.number] if self.number < len(self.lines) else None

    def fault(self, code: str, what: str, mend: str = "", uid: str | None = None) -> None:
        """Note a fault of the line that was taken last."""
        self.into.fault(code, Place(self.name, self.number), what, mend, uid)

    def _close(self, tag: str) -> None:
        if not self.sections or self.sections[-1][0] != tag:
            expected = f"'[[/{self.sections[-1][0]}]]'" if self.sections else "nothing"
            self.fault(UNREADABLE, f"[[/{tag}]] closes what is not open; expected {expected}.")
            return
        self.sections.pop()
        self.counts.pop()

    def _node(self, tag: str, nested: bool) -> Iterator[_Node]:
        if tag == "GRAMMAR":
            self._grammar()
            return
        if tag == "FREETEXT":
            yield self._free_text()
            return
        if tag != "DOCUMENT":
            self.counts[-1] += 1
        node = _Node(tag, self.number, () if tag == "DOCUMENT" else tuple(self.counts))
        if nested or tag in _OLD_PAIRS:
            self.sections.append((tag, self.number))
            self.counts.append(0)
            if len(self.sections) == DEEPEST + 1:
                self.fault(SHAPE, f"Sections lie more than {DEEPEST} deep in each other.")
        self._fields(node)
        yield node

    def _grammar(self) -> None:
        while (line := self.peek()) is not None and not _OPENS.match(line):
            self.into.left_out["lines of grammars"] += bool(line.strip())
            self.number += 1

    def _free_text(self) -> _Node:
        self.counts[-1] += 1
        node = _Node("FREETEXT", self.number, tuple(self.counts))
        taken: list[str] = []
        while (line := self.next()) is not None and line != "[/FREETEXT]":
            taken.append(line)
        if line is None:
            self.fault(UNREADABLE, "[FREETEXT] is never closed.", "Write '[/FREETEXT]'.")
        node.fields["STATEMENT"] = "\n".join(taken)
        return node

    def _fields(self, node: _Node) -> None:
        while (line := self.peek()) is not None and line.strip():
            if _OPENS.match(line) or _CLOSES.match(line):
                return
            self.number += 1
            found = _FIELD.match(line)
            if found is None:
                what = f"'{line[:60]}' is no field of {node.tag}."
                self.fault(UNREADABLE, what, "Write 'NAME: value', or '>>>' and '<<<' around it.")
            elif found[1] in {"RELATIONS", "REFS"}:
                self._relations(node)
            elif found[1] in {"OPTIONS", "METADATA"}:
                self._options(node, found[1])
            else:
                self._take(node, found[1], found[2] or "")

    def _take(self, node: _Node, name: str, value: str) -> None:
        line = self.number
        if value == ">>>":
            value = self._until_closed(name)
        value = value.strip("\n")
        if name in node.fields:
            # Comments may be said more than once; the others may not, and the first one stays.
            if name == "COMMENT":
                node.fields[name] = f"{node.fields[name]}\n\n{value}"
            else:
                self.fault(SHAPE, f"{name} is stated twice in one {node.tag}.", "Keep one.")
            return
        node.fields[name], node.lines[name] = value, line

    def _until_closed(self, name: str) -> str:
        opened = self.number
        taken: list[str] = []
        while (line := self.next()) is not None:
            if line == "<<<":
                return "\n".join(taken)
            taken.append(line)
        self.number = opened
        self.fault(UNREADABLE, f"The text of {name} is never closed.", "Write '<<<' after it.")
        self.number = len(self.lines)
        return "\n".join(taken)

    def _options(self, node: _Node, name: str) -> None:
        options = {}
        while (line := self.peek()) is not None and line.startswith("  "):
            self.number += 1
            key, _, value = line.strip().partition(":")
            options[key] = value.strip()
        node.fields[name] = options

    def _relations(self, node: _Node) -> None:
        entry: dict[str, str] = {}
        began = self.number
        while (line := self.peek()) is not None and (found := _ENTRY.match(line)):
            self.number += 1
            if found[1] == "- ":
                self._relation(node, entry, began)
                entry, began = {}, self.number
            entry[found[2]] = found[3].strip()
        self._relation(node, entry, began)

    def _relation(self, node: _Node, entry: dict[str, str], line: int) -> None:
        if not entry:
            return
        role = entry.pop("TYPE", "")
        target = entry.pop("VALUE", "") or entry.pop("PATH", "")
        uid = str(node.fields.get("UID", "")) or None
        place = Place(self.name, line)
        if role not in ROLES:
            near = difflib.get_close_matches(role, ROLES, 1)
            mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(ROLES)}."
            self.into.fault(NOT_READ, place, f"There is no relation '{role}'.", mend, uid)
        elif not target:
            what = f"A relation {role} leads nowhere."
            self.into.fault(NO_VALUE, place, what, "Write 'VALUE: ' and a UID.", uid)
        elif role == FILE and _climbs(target):
            what = f"The relation leads to '{target[:80]}', outside of any folder."
            self.into.fault(OUTSIDE, place, what, "Name a file of the project.", uid)
        else:
            node.references.append(Reference(role, target, place, attributes=dict(entry)))


def read(files: Files) -> Gathering:
    """Read every `.sdoc` file below a folder."""
    into = Gathering("strictdoc")
    for name in files.ending(".sdoc"):
        text = files.text(name, into)
        if text is not None:
            _document(name, text, into)
    return into


def _document(name: str, text: str, into: Gathering) -> None:
    reader = _Reader(name, text.split("\n"), into)
    nodes = list(reader.nodes())
    if not nodes or nodes[0].tag != "DOCUMENT":
        what = "The file does not begin with [DOCUMENT]."
        into.fault(UNREADABLE, Place(name, 1), what, "Write '[DOCUMENT]' and 'TITLE: ...'.")
    for node in nodes:
        if node.tag == "DOCUMENT_FROM_FILE":
            into.left_out["documents taken in from other files"] += 1
            continue
        into.add(_item(name, node))


def _item(name: str, node: _Node) -> Item:
    said = node.fields
    uid = str(said.get("UID") or said.get("MID") or "")
    if not uid:
        # It has no name of its own; its place keeps two of them apart.
        at = ".".join(str(one) for one in node.position)
        uid = f"{name}#{at}" if at else name
    text = said.get("STATEMENT") or said.get("CONTENT") or ""
    return Item(
        uid=uid,
        kind=node.tag,
        title=str(said.get("TITLE", "")),
        text=str(text),
        place=Place(name, node.lines.get("UID", node.line)),
        document=name,
        position=node.position,
        fields={key: value for key, value in said.items() if key not in _TELLING or key == "UID"},
        references=tuple(node.references),
    )


def _climbs(path: str) -> bool:
    return path.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", path) or ":" in path[:3]
