"""Read XML that a stranger may have written into a small tree that knows its lines.

Python's own expat, driven directly: it tells the line of every element, which neither ElementTree
nor a library above it does, and a document type is refused before anything of it is believed. With
no document type there are no entities but XML's own five, so nothing can expand and nothing is
fetched. What remains is sheer size, and that is counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from xml.parsers import expat


@dataclass(frozen=True)
class Limits:
    """How much is read of one file.

    Attributes
    ----------
    deepest, elements : int
        How deep elements may lie in each other, and how many there may be; more is refused.
    text : int or None
        Characters kept of the text directly inside one element; what follows them is left out.
    """

    deepest: int
    elements: int
    text: int | None = None


class Trouble(Enum):
    """Why a file is not read."""

    MALFORMED = "malformed"
    ENCODING = "encoding"
    DECLARES = "declares"
    """It declares a document type or an entity, or refers to one outside of it."""
    TOO_MUCH = "too much"


class UnreadableXml(Exception):
    """A file that is not read: the line, and what is wrong there as the end of a sentence."""

    def __init__(self, trouble: Trouble, line: int, what: str) -> None:
        super().__init__(f"Line {line} {what}")
        self.trouble, self.line, self.what = trouble, line, what


@dataclass(slots=True)
class Element:
    """One element; its name and those of its attributes are without prefixes."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)
    """Elements and the text between them, in their order."""

    def get(self, name: str) -> str:
        """Return an attribute without the spaces around it; empty where there is none."""
        return self.attributes.get(name, "").strip()

    def elements(self, name: str | None = None) -> Iterator["Element"]:
        """Go through the elements directly below, or those of one name."""
        for child in self.children:
            if isinstance(child, Element) and name in (None, child.name):
                yield child

    def first(self, *path: str) -> "Element | None":
        """Return the first element at the end of a path of names."""
        found: Element | None = self
        for name in path:
            found = next(found.elements(name), None) if found else None
        return found

    def all_named(self, name: str) -> Iterator["Element"]:
        """Go through every element of a name below this one, in the order of the file."""
        waiting = list(reversed(list(self.elements())))
        while waiting:
            one = waiting.pop()
            if one.name == name:
                yield one
            waiting += reversed(list(one.elements()))

    def text(self) -> str:
        """Return the text directly inside, without spaces around it."""
        return "".join(child for child in self.children if isinstance(child, str)).strip()


def read_xml(data: bytes, limits: Limits, spelt: Callable[[str], str] = str) -> Element:
    """Return the outermost element; `spelt` says how names are kept.

    Raises
    ------
    UnreadableXml
        If it is too deep, holds too much, is not well formed, or declares a document type or an
        entity.
    """
    builder = _Builder(limits, spelt)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        what = f"is not well-formed XML: {expat.ErrorString(error.code)}"
        raise UnreadableXml(Trouble.MALFORMED, error.lineno, what) from error
    except (LookupError, ValueError) as error:
        what = f"is in an encoding that cannot be read: {error}"
        raise UnreadableXml(Trouble.ENCODING, 1, what) from error
    if builder.outermost is None:
        raise UnreadableXml(Trouble.MALFORMED, 1, "holds no element")
    return builder.outermost


class _Builder:
    """The handlers of one parser, and the elements that are open."""

    def __init__(self, limits: Limits, spelt: Callable[[str], str]) -> None:
        self.limits, self.spelt = limits, spelt
        # Prefixes are cut off by ourselves: some tools write one that they never declare.
        self.parser = expat.ParserCreate(namespace_separator=None)
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._declares
        self.parser.EntityDeclHandler = self._declares
        self.parser.ExternalEntityRefHandler = self._declares
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.outermost: Element | None = None
        self._open: list[Element] = []
        self._kept: list[int] = []
        """Characters kept of the text of each open element."""
        self._count = 0

    def _declares(self, *_: object) -> int:
        raise self._refused(Trouble.DECLARES, "declares a document type or an entity")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > self.limits.elements:
            what = f"holds more than {self.limits.elements:,} elements"
            raise self._refused(Trouble.TOO_MUCH, what)
        if len(self._open) == self.limits.deepest:
            what = f"is nested more than {self.limits.deepest} deep"
            raise self._refused(Trouble.TOO_MUCH, what)
        one = Element(self._plain(name), self.parser.CurrentLineNumber, self._said(attributes))
        if self._open:
            self._open[-1].children.append(one)
        else:
            self.outermost = one
        self._open.append(one)
        self._kept.append(0)

    def _plain(self, name: str) -> str:
        return self.spelt(name.rpartition(":")[2])

    def _said(self, attributes: dict[str, str]) -> dict[str, str]:
        """Return attributes by their plain names; one that has a prefix hides none that has not."""
        own = [(self.spelt(key), value) for key, value in attributes.items() if ":" not in key]
        said = dict(own)
        if len(said) < len(own):
            raise self._refused(Trouble.MALFORMED, "spells one attribute in two ways")
        said.pop("xmlns", None)
        for key, value in attributes.items():
            if ":" in key and not key.startswith("xmlns:"):
                said.setdefault(self._plain(key), value)
        return said

    def _end(self, _: str) -> None:
        self._open.pop()
        self._kept.pop()

    def _characters(self, text: str) -> None:
        if self.limits.text is not None:
            text = text[: self.limits.text - self._kept[-1]]
        if text:
            self._kept[-1] += len(text)
            self._open[-1].children.append(text)

    def _refused(self, trouble: Trouble, what: str) -> UnreadableXml:
        return UnreadableXml(trouble, self.parser.CurrentLineNumber, what)
