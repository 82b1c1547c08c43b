"""Write items back as ReqIF 1.2, under the identifiers and names of the tool that they came from.

Texts were read as plain text and are written as such; types of values follow from the values.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Tree

from core.errors import Fault, Invalid
from core.records.snapshot import natural_order
from qms.interchange.corpus import Corpus, Item
from qms.interchange.readers.gathering import MOST_ITEMS
from qms.interchange.readers.reqif import TEXTS, TITLES

MOST_PLACES = 2 * MOST_ITEMS
"""Of one specification: each object once, and as many places again at which none stands."""

NAMESPACE = "http://www.omg.org/spec/ReqIF/20110401/reqif.xsd"
_MOMENT = "1970-01-01T00:00:00Z"
"""Where the tool stated no time: one that says so, and is the same each time."""


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now; a `.reqifz` with what they carry."""
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        by_file.setdefault(item.place.file, []).append(item)
    found: dict[str, bytes] = {}
    packed: dict[str, dict[str, bytes]] = {}
    for name, items in by_file.items():
        data = _Document(items).bytes()
        archive, inside, member = name.partition(".reqifz/")
        if inside:
            members = packed.setdefault(f"{archive}.reqifz", {})
            members[member] = data
            members |= {one.name: one.data for item in items for one in item.attached}
        else:
            found[name] = data
    return found | {name: _zip(members) for name, members in packed.items()}


def _zip(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


class _Document:
    """One file while it is built."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = sorted(items, key=lambda one: natural_order(one.uid))
        self.names: dict[tuple[str, str, str], str] = {}
        self.choices: dict[str, str] = {}

    def bytes(self) -> bytes:
        """Return the document."""
        root = Tree.Element("REQ-IF", {"xmlns": NAMESPACE})
        head = _below(root, "THE-HEADER", "REQ-IF-HEADER", IDENTIFIER="header")
        for name, text in (("CREATION-TIME", _MOMENT), ("REQ-IF-VERSION", "1.0")):
            Tree.SubElement(head, name).text = text
        content = _below(root, "CORE-CONTENT", "REQ-IF-CONTENT")
        datatypes, types = (Tree.SubElement(content, one) for one in ("DATATYPES", "SPEC-TYPES"))
        objects = Tree.SubElement(content, "SPEC-OBJECTS")
        for item in self.items:
            self._object(objects, item)
        relations = Tree.SubElement(content, "SPEC-RELATIONS")
        number = 0
        for item in self.items:
            for one in item.references:
                number += 1
                self._relation(relations, number, item.uid, one.role, one.target, one.attributes)
        specifications = Tree.SubElement(content, "SPECIFICATIONS")
        for document, items in self._documents().items():
            self._specification(specifications, document, items)
        self._types(datatypes, types)
        Tree.indent(root)
        return bytes(Tree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"

    def _object(self, objects: Tree.Element, item: Item) -> None:
        moment = {"LAST-CHANGE": item.revision} if item.revision else {}
        one = Tree.SubElement(objects, "SPEC-OBJECT", {"IDENTIFIER": item.uid, **moment})
        values = Tree.SubElement(one, "VALUES")
        said: dict[str, object] = dict(item.fields)
        # The names that the reader takes first and that no other value has.
        for names, text in ((TITLES, item.title), (TEXTS, item.text)):
            if text:
                said[next((name for name in names if name not in item.fields), names[0])] = text
        for name, value in said.items():
            self._value(values, ("object", item.kind), name, value)
        self._type_of(one, ("object", item.kind), "SPEC-OBJECT-TYPE-REF")

    def _relation(
        self, relations: Tree.Element, number: int, source: str, role: str, target: str,
        attributes: Mapping[str, str],
    ) -> None:  # fmt: skip
        one = Tree.SubElement(relations, "SPEC-RELATION", {"IDENTIFIER": f"relation-{number}"})
        values = Tree.SubElement(one, "VALUES")
        for name, value in attributes.items():
            self._value(values, ("relation", role), name, value)
        self._type_of(one, ("relation", role), "SPEC-RELATION-TYPE-REF")
        for end, uid in (("SOURCE", source), ("TARGET", target)):
            Tree.SubElement(Tree.SubElement(one, end), "SPEC-OBJECT-REF").text = uid

    def _type_of(self, one: Tree.Element, kind: tuple[str, str], name: str) -> None:
        self.names.setdefault((*kind, ""), f"{kind[0]}-type-{len(self.names)}")
        Tree.SubElement(Tree.SubElement(one, "TYPE"), name).text = self.names[*kind, ""]

    def _value(self, values: Tree.Element, kind: tuple[str, str], name: str, value: object) -> None:
        what, written = _written(value)
        key = (*kind, f"{what}:{name}")
        self.names.setdefault((*kind, ""), f"{kind[0]}-type-{len(self.names)}")
        identity = self.names.setdefault(key, f"attribute-{len(self.names)}")
        said = {} if written is None else {"THE-VALUE": written}
        one = Tree.SubElement(values, f"ATTRIBUTE-VALUE-{what}", said)
        definition = Tree.SubElement(one, "DEFINITION")
        Tree.SubElement(definition, f"ATTRIBUTE-DEFINITION-{what}-REF").text = identity
        if isinstance(value, tuple | list):
            chosen = Tree.SubElement(one, "VALUES")
            for choice in value:
                own = self.choices.setdefault(str(choice), f"choice-{len(self.choices)}")
                Tree.SubElement(chosen, "ENUM-VALUE-REF").text = own

    def _types(self, datatypes: Tree.Element, types: Tree.Element) -> None:
        """Declare what was used, after it was."""
        kinds = {what.partition(":")[0] for _, _, what in self.names if what}
        for kind in sorted(kinds):
            one = Tree.SubElement(
                datatypes, f"DATATYPE-DEFINITION-{kind}", {"IDENTIFIER": f"type-{kind}"}
            )
            if kind == "ENUMERATION":
                values = Tree.SubElement(one, "SPECIFIED-VALUES")
                for name, identity in self.choices.items():
                    Tree.SubElement(
                        values, "ENUM-VALUE", {"IDENTIFIER": identity, "LONG-NAME": name}
                    )
        made: dict[tuple[str, str], Tree.Element] = {}
        for (sort, kind, what), identity in self.names.items():
            tag = "SPEC-OBJECT-TYPE" if sort == "object" else "SPEC-RELATION-TYPE"
            if not what:
                said = {"IDENTIFIER": identity, "LONG-NAME": kind}
                one = Tree.SubElement(types, tag, said)
                made[sort, kind] = Tree.SubElement(one, "SPEC-ATTRIBUTES")
        for (sort, kind, what), identity in self.names.items():
            if what:
                value, _, name = what.partition(":")
                said = {"IDENTIFIER": identity, "LONG-NAME": name}
                one = Tree.SubElement(made[sort, kind], f"ATTRIBUTE-DEFINITION-{value}", said)
                inside = Tree.SubElement(one, "TYPE")
                Tree.SubElement(inside, f"DATATYPE-DEFINITION-{value}-REF").text = f"type-{value}"

    def _documents(self) -> dict[str, dict[tuple[int, ...], str]]:
        found: dict[str, dict[tuple[int, ...], str]] = {}
        for item in self.items:
            if item.position:
                found.setdefault(item.document, {})[item.position] = item.uid
        return found

    def _specification(
        self, specifications: Tree.Element, document: str, places: Mapping[tuple[int, ...], str]
    ) -> None:
        said = {"IDENTIFIER": f"specification-{len(specifications)}", "LONG-NAME": document}
        one = Tree.SubElement(specifications, "SPECIFICATION", said)
        children: dict[tuple[int, ...], Tree.Element] = {}
        for number, (place, uid) in enumerate(_whole(places)):
            if number > MOST_PLACES:
                what = f"has places so far apart that more than {MOST_PLACES:,} would stand there."
                raise Invalid("Nothing was written.", [Fault("TR345", document or "ReqIF", what)])
            above = one if len(place) == 1 else children[place[:-1]]
            group = above.find("CHILDREN")
            if group is None:
                group = Tree.SubElement(above, "CHILDREN")
            named = {"IDENTIFIER": f"place-{document}-{'.'.join(map(str, place))}"}
            children[place] = Tree.SubElement(group, "SPEC-HIERARCHY", named)
            inside = Tree.SubElement(children[place], "OBJECT")
            Tree.SubElement(inside, "SPEC-OBJECT-REF").text = uid


def _whole(places: Mapping[tuple[int, ...], str]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Go through the places in their order; where one is empty the object before stands again."""
    last: dict[tuple[int, ...], int] = {}
    before = next(iter(places.values()), "")
    for place, uid in sorted(places.items()):
        for depth in range(1, len(place) + 1):
            above, number = place[: depth - 1], place[depth - 1]
            for filler in range(last.get(above, 0) + 1, number):
                yield (*above, filler), before
            if depth < len(place) and last.get(above, 0) < number:
                yield place[:depth], before
            last[above] = max(last.get(above, 0), number)
        yield place, uid
        before = uid


def _written(value: object) -> tuple[str, str | None]:
    """Return the kind of a value in ReqIF and what is written of it."""
    if isinstance(value, bool):
        return "BOOLEAN", str(value).lower()
    if isinstance(value, int):
        return "INTEGER", str(value)
    if isinstance(value, float):
        return "REAL", repr(value)
    if isinstance(value, tuple | list):
        return "ENUMERATION", None
    return "STRING", str(value)


def _below(above: Tree.Element, *names: str, **said: Any) -> Tree.Element:
    for name in names[:-1]:
        above = Tree.SubElement(above, name)
    return Tree.SubElement(above, names[-1], said)
