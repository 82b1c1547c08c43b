"""Read ReqIF 1.x and its zipped form: objects, their values, their hierarchies and relations."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.canonical import LARGEST_INTEGER
from core.located_xml import Element
from qms.interchange.corpus import Attached, Item, Place, Reference
from qms.interchange.readers.archives import members
from qms.interchange.readers.codes import NO_ID, NO_VALUE, PLACED, SHAPE, UNKNOWN, UNREADABLE
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering, attached
from qms.interchange.readers.xhtml import objects_named, plain_text
from qms.interchange.readers.xml_files import read_xml

TITLES = ("ReqIF.ChapterName", "ReqIF.Name", "Title", "Name", "Object Heading")
TEXTS = ("ReqIF.Text", "Object Text", "Description", "Text")
"""What tools call the two values that every item has; the first one that is there is taken."""

DEEPEST_HIERARCHY = 100
_VALUE = "ATTRIBUTE-VALUE-"


@dataclass
class _Types:
    """What the file declares, by identifiers."""

    names: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


def read(files: Files) -> Gathering:
    """Read every ReqIF file below a folder; the members of a zip as files below it."""
    into = Gathering("reqif")
    for name in files.ending(".reqif", ".reqifz"):
        data = files.data(name, into)
        if data is None:
            continue
        if name.lower().endswith(".reqif"):
            _file(name, data, {}, into)
            continue
        packed = dict(members(data, name, into))
        for member, content in packed.items():
            if member.lower().endswith((".reqif", ".xml")):
                _file(f"{name}/{member}", content, packed, into)
    return into


def _file(name: str, data: bytes, packed: dict[str, bytes], into: Gathering) -> None:
    if not data.strip():
        into.fault(UNREADABLE, Place(name, 1), "The file is empty.", "Export it again.")
        return
    root = read_xml(data, name, into)
    if root is None:
        return
    content = root.first("CORE-CONTENT", "REQ-IF-CONTENT") if root.name == "REQ-IF" else None
    if content is None:
        what = f"Its outermost element '{root.name[:40]}' holds no CORE-CONTENT of ReqIF."
        into.fault(UNREADABLE, Place(name, root.line), what, "Export it as ReqIF 1.0 or later.")
        return
    _Reader(name, content, packed, into).read()
    extensions = root.first("TOOL-EXTENSIONS")
    into.left_out["tool extensions"] += len(list(extensions.elements())) if extensions else 0


class _Reader:
    """Reads the content of one file."""

    def __init__(
        self, name: str, content: Element, packed: dict[str, bytes], into: Gathering
    ) -> None:
        self.name, self.content, self.packed, self.into = name, content, packed, into
        self.types = _declared(content)
        self.objects: dict[str, Element] = {}
        self.relations: dict[str, list[Reference]] = defaultdict(list)
        self.places: dict[str, tuple[str, tuple[int, ...]]] = {}

    def read(self) -> None:
        """Read all of it: what stands where, what leads where, then the objects."""
        twice = []
        for one in self._below("SPEC-OBJECTS", "SPEC-OBJECT"):
            uid = one.attributes.get("IDENTIFIER", "")
            if not uid:
                self.fault(NO_ID, one, "An object has no IDENTIFIER.", "Give it one.")
            elif uid in self.objects:
                twice.append((uid, one))
            else:
                self.objects[uid] = one
        for specification in self._below("SPECIFICATIONS", "SPECIFICATION"):
            self._hierarchy(specification)
        for relation in self._below("SPEC-RELATIONS", "SPEC-RELATION"):
            self._relation(relation)
        groups = list(self._below("SPEC-RELATION-GROUPS", "RELATION-GROUP"))
        self.into.left_out["groups of relations"] += len(groups)
        for uid, one in (*self.objects.items(), *twice):
            self.into.add(self._item(uid, one))

    def fault(self, code: str, at: Element, what: str, mend: str = "") -> None:
        """Note a fault of an element."""
        self.into.fault(code, Place(self.name, at.line), what, mend)

    def _below(self, group: str, name: str) -> Iterator[Element]:
        found = self.content.first(group)
        return found.elements(name) if found else iter(())

    def _hierarchy(self, specification: Element) -> None:
        title = specification.attributes.get("LONG-NAME", "")
        document = title or specification.attributes.get("IDENTIFIER", "")
        waiting: list[tuple[Element, tuple[int, ...]]] = [(specification, ())]
        while waiting:
            above, position = waiting.pop()
            children = above.first("CHILDREN")
            if children is None:
                continue
            if len(position) == DEEPEST_HIERARCHY:
                self.fault(SHAPE, above, f"It lies more than {DEEPEST_HIERARCHY} levels deep.")
                continue
            for number, child in enumerate(children.elements("SPEC-HIERARCHY"), start=1):
                place = (*position, number)
                self._placed(child, document, place)
                waiting.append((child, place))

    def _placed(self, child: Element, document: str, place: tuple[int, ...]) -> None:
        reference = child.first("OBJECT", "SPEC-OBJECT-REF")
        uid = reference.text() if reference else ""
        if uid not in self.objects:
            what = f"A place of '{document}' holds the object '{uid[:80]}', which is not there."
            self.fault(PLACED, reference or child, what, "Export the object too.")
        elif uid in self.places:
            self.into.left_out["further places of an object"] += 1
        else:
            self.places[uid] = (document, place)

    def _relation(self, relation: Element) -> None:
        ends = {}
        for end in ("SOURCE", "TARGET"):
            reference = relation.first(end, "SPEC-OBJECT-REF")
            ends[end] = reference.text() if reference else ""
            if not ends[end]:
                what = f"The relation {relation.attributes.get('IDENTIFIER', '')} has no {end}."
                self.fault(NO_VALUE, relation, what, "Export it again, or take it out.")
        if not all(ends.values()):
            return
        if ends["SOURCE"] not in self.objects:
            what = f"A relation begins at '{ends['SOURCE'][:80]}', which is not there."
            self.fault(NO_VALUE, relation, what, "Export the object too.")
            return
        kind = relation.first("TYPE", "SPEC-RELATION-TYPE-REF")
        role = self.types.kinds.get(kind.text(), kind.text()) if kind else ""
        values, _ = self._values(relation)
        said = {key: str(value) for key, value in values.items() if value not in ("", None)}
        place = Place(self.name, relation.line)
        self.relations[ends["SOURCE"]].append(
            Reference(role or "relation", ends["TARGET"], place, attributes=said)
        )

    def _item(self, uid: str, one: Element) -> Item:
        values, carried = self._values(one)
        type_at = one.first("TYPE", "SPEC-OBJECT-TYPE-REF")
        type_id = type_at.text() if type_at else ""
        if type_id not in self.types.kinds:
            what = f"The object {uid[:80]} is of a type '{type_id[:80]}' that is not declared."
            self.fault(UNKNOWN, type_at or one, what, "It is taken all the same.")
        title = next((key for key in TITLES if values.get(key)), "")
        text = next((key for key in TEXTS if values.get(key)), "")
        document, position = self.places.get(uid, ("", ()))
        chosen = {title, text}
        long_name = one.attributes.get("LONG-NAME", "")
        return Item(
            uid=uid,
            kind=self.types.kinds.get(type_id) or type_id or "object",
            title=_line(values.get(title)) or long_name,
            text=str(values.get(text) or one.attributes.get("DESC", "")),
            place=Place(self.name, one.line),
            document=document,
            position=position,
            revision=one.attributes.get("LAST-CHANGE"),
            fields={key: value for key, value in values.items() if key not in chosen},
            references=tuple(self.relations.pop(uid, ())),
            attached=carried,
        )

    def _values(self, one: Element) -> tuple[dict[str, object], tuple[Attached, ...]]:
        """Return the values of an object by the names of their attributes, and its files."""
        found: dict[str, object] = {}
        carried: dict[str, Attached] = {}
        values = one.first("VALUES")
        for value in values.elements() if values else ():
            if not value.name.startswith(_VALUE):
                continue
            kind = value.name.removeprefix(_VALUE)
            reference = value.first("DEFINITION", f"ATTRIBUTE-DEFINITION-{kind}-REF")
            definition = reference.text() if reference else ""
            name = self.types.names.get(definition) or definition or "value"
            if name in found:
                name = f"{name} ({definition})"
            found[name] = self._value(kind, value)
            if kind == "XHTML" and (inside := value.first("THE-VALUE")):
                for path in objects_named(inside):
                    if path in self.packed:
                        carried[path] = attached(path, self.packed[path])
                    else:
                        self.into.left_out["objects embedded in texts"] += 1
        return found, tuple(carried.values())

    def _value(self, kind: str, value: Element) -> object:
        written = value.attributes.get("THE-VALUE", "")
        if kind == "XHTML":
            inside = value.first("THE-VALUE")
            return plain_text(inside) if inside else ""
        if kind == "ENUMERATION":
            chosen = value.first("VALUES")
            choices = [one.text() for one in chosen.elements("ENUM-VALUE-REF")] if chosen else []
            return tuple(self.types.choices.get(one, one) for one in choices)
        reader = _READERS.get(kind, str)
        try:
            return reader(written)
        except ValueError:
            self.fault(SHAPE, value, f"'{written[:40]}' is no value of kind {kind}.")
            return written


def _boolean(text: str) -> bool:
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return text in {"true", "1"}


def _whole(text: str) -> int:
    value = int(text[:40])
    if len(text) > 40 or abs(value) > LARGEST_INTEGER:
        raise ValueError(text)
    return value


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READERS: dict[str, Callable[[str], object]] = {
    "BOOLEAN": _boolean, "INTEGER": _whole, "REAL": _real,
}  # fmt: skip


def _declared(content: Element) -> _Types:
    types = _Types()
    datatypes, spec_types = content.first("DATATYPES"), content.first("SPEC-TYPES")
    for choice in datatypes.all_named("ENUM-VALUE") if datatypes else ():
        uid = choice.attributes.get("IDENTIFIER", "")
        types.choices[uid] = choice.attributes.get("LONG-NAME") or uid
    for one in spec_types.elements() if spec_types else ():
        uid = one.attributes.get("IDENTIFIER", "")
        types.kinds[uid] = one.attributes.get("LONG-NAME") or uid
        attributes = one.first("SPEC-ATTRIBUTES")
        for attribute in attributes.elements() if attributes else ():
            own = attribute.attributes.get("IDENTIFIER", "")
            types.names[own] = attribute.attributes.get("LONG-NAME") or own
    return types


def _line(value: object) -> str:
    return " ".join(str(value or "").split())
