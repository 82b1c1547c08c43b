"""Read XML into a small tree that remembers its lines; a document type or an entity is refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from qms.interchange.corpus import Place
from qms.interchange.readers.codes import ENTITIES, TOO_MUCH, UNREADABLE
from qms.interchange.readers.gathering import Gathering

DEEPEST = 200
MOST_ELEMENTS = 3_000_000


@dataclass(slots=True)
class Element:
    """One element, its name without a namespace."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)
    """Elements and the text between them, in their order."""

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


class _Refused(Exception):
    def __init__(self, code: str, line: int, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.code, self.line, self.what, self.mend = code, line, what, mend


def read_xml(data: bytes, name: str, into: Gathering) -> Element | None:
    """Return the outermost element, or None with a fault."""
    builder = _Builder()
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        what = f"This is not XML: {expat.ErrorString(error.code)}."
        into.fault(UNREADABLE, Place(name, error.lineno), what)
    except _Refused as refusal:
        into.fault(refusal.code, Place(name, refusal.line), refusal.what, refusal.mend)
    except (LookupError, ValueError) as error:
        into.fault(UNREADABLE, Place(name, 1), f"Its encoding cannot be read: {error}.")
    else:
        return builder.outermost
    return None


class _Builder:
    """Builds the tree as the parser goes."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.outermost: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def _refuse(self, *_: object) -> int:
        what = "It declares a document type or an entity."
        line = self.parser.CurrentLineNumber
        raise _Refused(ENTITIES, line, what, "Export it without; nothing of it was expanded.")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise _Refused(TOO_MUCH, line, f"It holds more than {MOST_ELEMENTS:,} elements.")
        if len(self._open) == DEEPEST:
            raise _Refused(TOO_MUCH, line, f"It is nested more than {DEEPEST} deep.")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        one = Element(name.rpartition(" ")[2], line, plain)
        if self._open:
            self._open[-1].children.append(one)
        else:
            self.outermost = one
        self._open.append(one)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].children.append(text)
