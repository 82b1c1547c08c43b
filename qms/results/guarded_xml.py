"""Read XML that a stranger may have written, into plain nodes that know their lines.

Python's own expat, driven directly: it tells the line of every element, which neither ElementTree
nor a library above it does, and a document type is refused before anything of it is believed. With
no document type there are no entities but XML's own five, so nothing can expand and nothing is
fetched. What remains is sheer size, and that is counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from core.errors import Fault, Invalid

LARGEST_BYTES = 30_000_000
"""A hundred thousand cases with their output; longer reports are split by their tools."""

DEEPEST = 24
"""Six times as deep as suites are nested in the reports that we know."""

MOST_ELEMENTS = 1_000_000
LONGEST_TEXT = 20_000
"""Characters kept of the text of one element."""


@dataclass
class Node:
    """One element: its tag in small letters and without a prefix, and the line it begins on."""

    tag: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    below: list["Node"] = field(default_factory=list)
    text: str = ""

    def get(self, name: str) -> str:
        """Return an attribute without the blanks around it; empty where there is none."""
        return self.attributes.get(name, "").strip()

    def all(self, tag: str) -> Iterator["Node"]:
        """Yield the elements of that tag directly below."""
        return (one for one in self.below if one.tag == tag)


def read_xml(content: bytes, name: str) -> Node:
    """Return the root element.

    Raises
    ------
    Invalid
        If it is too large, too deep, not well formed, or declares a document type or an entity.
    """
    if len(content) > LARGEST_BYTES:
        what = f"has {len(content)} bytes; at most {LARGEST_BYTES} are read."
        raise refused("TR601", name, what, "Split the report.")
    building = _Building(name)
    try:
        building.parser.Parse(content, True)
    except expat.ExpatError as error:
        what = f"is not well-formed XML: {expat.ErrorString(error.code)}."
        where = f"{name}:{error.lineno}"
        raise refused("TR604", where, what, "Write the report again.") from error
    except (LookupError, ValueError) as error:
        what = "is in an encoding that cannot be read."
        raise refused("TR604", name, what, "Write it as UTF-8.") from error
    if building.root is None:
        raise refused("TR604", name, "holds no element.", "Write the report again.")
    return building.root


def refused(code: str, where: str, what: str, mend: str) -> Invalid:
    """Return the refusal of a whole file."""
    return Invalid("Nothing was read of the results.", [Fault(code, where, what, mend)])


class _Building:
    """The handlers of one parser, and the elements that are open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Node | None = None
        self.open: list[Node] = []
        self.count = 0
        self.parser = expat.ParserCreate(namespace_separator=None)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.parser.ExternalEntityRefHandler = self._outside

    @property
    def _line(self) -> int:
        return self.parser.CurrentLineNumber

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= DEEPEST:
            raise self._refuse("TR602", f"nests more than {DEEPEST} elements.", "Flatten it.")
        if self.count > MOST_ELEMENTS:
            raise self._refuse("TR602", f"has more than {MOST_ELEMENTS} elements.", "Split it.")
        # Some tools put a prefix before every tag, and some write them with capitals.
        node = Node(tag.rpartition(":")[2].lower(), self._line, attributes)
        if self.open:
            self.open[-1].below.append(node)
        else:
            self.root = node
        self.open.append(node)

    def _end(self, _tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        node = self.open[-1]
        kept = len(node.text)
        if kept < LONGEST_TEXT:
            node.text += text[: LONGEST_TEXT - kept]

    def _doctype(self, *_: object) -> None:
        raise self._refuse("TR603", "declares a document type (DOCTYPE).", "Leave it out.")

    def _entity(self, *_: object) -> None:
        raise self._refuse("TR603", "declares an entity.", "Leave it out.")

    def _outside(self, *_: object) -> int:
        raise self._refuse("TR603", "refers to an entity outside the file.", "Leave it out.")

    def _refuse(self, code: str, what: str, mend: str) -> Invalid:
        return refused(code, f"{self.name}:{self._line}", what, mend)
