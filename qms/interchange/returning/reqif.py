"""Read the ReqIF that we wrote back into records, with what another tool edited in it since."""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import Fault, Invalid
from core.located_xml import Element
from core.records.content import LinkDraft
from core.records.types import TypeRegistry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.readers.archives import members
from qms.interchange.readers.gathering import Gathering
from qms.interchange.readers.xhtml import objects_named, plain_text
from qms.interchange.readers.xml_files import read_xml
from qms.interchange.returning.collecting import (
    ELSEWHERE,
    Collected,
    Part,
    StatedLink,
    is_as_written,
    mapping_of,
    refuse,
)
from qms.interchange.writers.reqif import LINK, OWN, TOOL, with_line_feeds
from qms.interchange.writers.values import from_json_text, number_of, value_of

_VALUE = "ATTRIBUTE-VALUE-"
_BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}
_LEAVE = "Leave it as it was written."


def from_reqif(data: bytes, name: str, registry: TypeRegistry) -> RecordFolder:
    """Read every record of one document.

    Raises
    ------
    Invalid
        If it is no ReqIF, or that of another tool.
    """
    into = Gathering("")
    root = read_xml(data, name, into)
    refuse(name, into.findings)
    content = root.first("CORE-CONTENT", "REQ-IF-CONTENT") if root else None
    if root is None or root.name != "REQ-IF" or content is None:
        fault = Fault("TR320", name, "is XML, but no ReqIF.", "Export it as ReqIF 1.0 or later.")
        raise Invalid(f"{name} was not read.", [fault])
    declared = _declared(content)
    ours = _header(root, "SOURCE-TOOL-ID") == TOOL
    if not ours and "Fiducial.Digest" not in declared.names.values():
        tool = _header(root, "REQ-IF-TOOL-ID") or _header(root, "SOURCE-TOOL-ID") or "another tool"
        fault = Fault("TR323", name, f"holds ReqIF of {tool[:60]}.", ELSEWHERE)
        raise Invalid(f"{name} was not read.", [fault])
    project = _header(root, "REPOSITORY-ID") if ours else ""
    collected = Collected(project, registry)
    _Document(name, content, declared, collected).read()
    return collected.folder()


def from_reqifz(data: bytes, name: str, registry: TypeRegistry) -> RecordFolder:
    """Read the one document of a zip.

    Raises
    ------
    Invalid
        If the zip is hostile or damaged, or holds no document, or several.
    """
    into = Gathering("")
    found = [
        (member, content)
        for member, content in members(data, name, into)
        if member.lower().endswith((".reqif", ".xml"))
    ]
    refuse(name, into.findings)
    if len(found) != 1:
        what = f"holds {len(found)} documents of ReqIF, not one."
        mend = "Unpack it, and import each document on its own." if found else ""
        raise Invalid(f"{name} was not read.", [Fault("TR320", name, what, mend)])
    [(member, content)] = found
    return from_reqif(content, f"{name}/{member}", registry)


def _header(root: Element, name: str) -> str:
    found = root.first("THE-HEADER", "REQ-IF-HEADER", name)
    return found.text() if found else ""


@dataclass
class _Declared:
    """What the document declares, by identifiers."""

    names: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    """The record type that an object type states as its description."""


def _declared(content: Element) -> _Declared:
    found = _Declared()
    datatypes, kinds = content.first("DATATYPES"), content.first("SPEC-TYPES")
    for choice in datatypes.all_named("ENUM-VALUE") if datatypes else ():
        found.choices[_id(choice)] = choice.attributes.get("LONG-NAME", "")
    for kind in kinds.elements() if kinds else ():
        found.labels[_id(kind)] = kind.attributes.get("LONG-NAME", "")
        found.types[_id(kind)] = kind.attributes.get("DESC", "")
        attributes = kind.first("SPEC-ATTRIBUTES")
        for one in attributes.elements() if attributes else ():
            found.names[_id(one)] = one.attributes.get("LONG-NAME", "")
    return found


def _id(element: Element) -> str:
    return element.attributes.get("IDENTIFIER", "")


def _referred(element: Element, around: str, tag: str) -> str:
    found = element.first(around, tag)
    return found.text() if found else ""


class _Document:
    """The content of one document on its way to records."""

    def __init__(self, name: str, content: Element, declared: _Declared, into: Collected) -> None:
        self.name = name
        self.content = content
        self.declared = declared
        self.into = into
        self.parts: dict[str, Part] = {}

    def read(self) -> None:
        """Read objects, then what leads from one to another."""
        long_names = {}
        for one in self._below("SPEC-OBJECTS", "SPEC-OBJECT"):
            identity = _id(one)
            if identity in self.parts:
                what = f"has the identifier {identity[:80]} again."
                self._fault("TR310", one, what, "An identifier names one object only.")
                continue
            self.parts[identity] = self._object(one)
            long_names[identity] = one.attributes.get("LONG-NAME", "")
        for one in self._below("SPEC-RELATIONS", "SPEC-RELATION"):
            self._relation(one)
        for identity, part in self.parts.items():
            made = self.into.add(part)
            name = long_names[identity]
            if made is None or name in ("", part.title) or not is_as_written(made):
                continue
            what = f"the LONG-NAME of {part.uid} was changed, its ReqIF.Name was not."
            mend = "Change ReqIF.Name: it is the title."
            self.into.fault("TR321", made.where("title"), what, mend)

    def _below(self, group: str, name: str) -> Iterator[Element]:
        found = self.content.first(group)
        return found.elements(name) if found else iter(())

    def _fault(self, code: str, at: Element, what: str, mend: str = "") -> None:
        self.into.fault(code, f"{self.name}:{at.line}", what, mend)

    def _object(self, one: Element) -> Part:
        part = Part(self.name, one.line)
        kind = _referred(one, "TYPE", "SPEC-OBJECT-TYPE-REF")
        part.type = self.declared.types.get(kind) or self._labelled(kind)
        values = dict(self._values(one))
        part.uid = self._text(values, "ReqIF.ForeignID")
        part.title = self._text(values, "ReqIF.Name")
        part.body = self._text(values, "ReqIF.Text")
        kept = self._text(values, "Fiducial.Text")
        if kept and with_line_feeds(kept) == part.body:
            part.body = kept
        part.state = self._text(values, "Fiducial.State")
        part.digest = self._text(values, "Fiducial.Digest")
        part.lines = {
            (where,): values[name].line
            for where, name in (("title", "ReqIF.Name"), ("digest", "Fiducial.Digest"))
            if name in values
        }
        revision = values.get("Fiducial.Revision")
        if revision is not None:
            read = self._number(revision)
            part.revision = read if isinstance(read, int) else 0
        others = self._said(values, "Fiducial.Fields", mapping_of)
        part.fields.update(others or {})
        for link in self._said(values, "Fiducial.Links", _foreign) or []:
            place, role, project, target, said = link
            own = project == self.into.project
            draft = LinkDraft(role, target, None if own else project, said)
            part.links.append(StatedLink(draft, values["Fiducial.Links"].line, place))
        for name, value in values.items():
            if name not in OWN:
                self._field(part, name, value)
        return part

    def _labelled(self, kind: str) -> str:
        label = self.declared.labels.get(kind, "")
        return next((one.name for one in self.into.registry.all() if one.label == label), label)

    def _values(self, one: Element) -> Iterator[tuple[str, Element]]:
        """Go through the values of an object or a relation, by the names of their attributes."""
        met: set[str] = set()
        values = one.first("VALUES")
        for value in values.elements() if values else ():
            if not value.name.startswith(_VALUE):
                continue
            tag = f"ATTRIBUTE-DEFINITION-{value.name.removeprefix(_VALUE)}-REF"
            definition = _referred(value, "DEFINITION", tag)
            name = self.declared.names.get(definition, "")
            if not name:
                what = f"a value is of the attribute '{definition[:80]}', which is not declared."
                self._fault("TR304", value, what, "Take it out, or export it again.")
            elif name in met:
                self._fault("TR321", value, f"'{name[:80]}' has a second value.", "Keep one.")
            else:
                met.add(name)
                yield name, value

    def _text(self, values: Mapping[str, Element], name: str) -> str:
        value = values.get(name)
        if value is None:
            return ""
        if value.name != f"{_VALUE}XHTML":
            return value.attributes.get("THE-VALUE", "")
        inside = value.first("THE-VALUE")
        if inside is None:
            return ""
        if any(objects_named(inside)):
            what = "the text shows a file, which this form does not bring back."
            self._fault("TR321", value, what, "Take it out, and attach it to the record here.")
        exact = _exact_text(inside)
        return plain_text(inside) if exact is None else exact

    def _said(self, values: Mapping[str, Element], name: str, read: Any) -> Any:
        text = self._text(values, name)
        try:
            return read(text) if text else None
        except ValueError as error:
            self._fault("TR321", values[name], f"{name}: {error}.", _LEAVE)
            return None

    def _number(self, value: Element) -> int | float | None:
        text = value.attributes.get("THE-VALUE", "")
        try:
            return number_of(text)
        except ValueError:
            self._fault("TR321", value, f"'{text[:40]}' is no number.", "Write a finite number.")
            return None

    def _field(self, part: Part, name: str, value: Element) -> None:
        """Take the value of a field; an empty one is none."""
        spec = self.into.spec(part.type, name)
        known = self.into.registry.of(part.type).fields if part.type in self.into.registry else {}
        kind, text = value.name.removeprefix(_VALUE), value.attributes.get("THE-VALUE", "")
        part.lines["fields", name] = value.line
        found: Any = None
        if spec is None:
            near = difflib.get_close_matches(name, [*known, *OWN], 1)
            mend = f"Did you mean {near[0]}?" if near else "Take it out."
            self._fault("TR304", value, f"has the unknown attribute '{name[:80]}'.", mend)
        elif kind == "ENUMERATION":
            found = self._choice(value)
        elif kind in ("INTEGER", "REAL"):
            found = self._number(value)
        elif kind == "BOOLEAN":
            found = _BOOLEANS.get(text)
            if found is None:
                self._fault("TR321", value, f"'{text[:40]}' is neither true nor false.")
        else:
            written = self._text({name: value}, name)
            try:
                found = value_of(spec, written) if written else None
            except ValueError as error:
                self._fault("TR321", value, f"{name}: {error}.", "Write the value as JSON.")
        if found is not None:
            part.fields[name] = found

    def _choice(self, value: Element) -> str | None:
        around = value.first("VALUES")
        chosen = [one.text() for one in around.elements("ENUM-VALUE-REF")] if around else []
        if len(chosen) > 1:
            self._fault("TR321", value, "several choices are made.", "Choose one.")
        elif chosen and chosen[0] not in self.declared.choices:
            what = f"the choice '{chosen[0][:80]}' is not declared."
            self._fault("TR321", value, what, "Take one of the choices that there are.")
        return self.declared.choices.get(chosen[0]) if len(chosen) == 1 else None

    def _relation(self, one: Element) -> None:
        ends = [
            _referred(one, end, "SPEC-OBJECT-REF") for end in ("SOURCE", "TARGET")
        ]  # by their identifiers
        absent = [end for end in ends if end not in self.parts]
        if absent:
            what = f"a relation has the end '{absent[0][:80]}', which is no object here."
            self._fault("TR306", one, what, "Take it out, or put the object back.")
            return
        source, target = (self.parts[end] for end in ends)
        role = self.declared.labels.get(_referred(one, "TYPE", "SPEC-RELATION-TYPE-REF"), "")
        values = dict(self._values(one))
        place, said = self._said(values, LINK, _place) or (None, {})
        source.links.append(StatedLink(LinkDraft(role, target.uid, None, said), one.line, place))


def _exact_text(inside: Element) -> str | None:
    """Return the text of one division with breaks, as we write it; None where it is another."""
    divisions = list(inside.elements())
    around = "".join(one for one in inside.children if isinstance(one, str))
    if len(divisions) != 1 or divisions[0].name != "div" or around.strip():
        return None
    pieces = []
    for child in divisions[0].children:
        if isinstance(child, str):
            if "\n" in child:
                return None
            pieces.append(child)
        elif child.name == "br" and not child.children:
            pieces.append("\n")
        else:
            return None
    return "".join(pieces)


def _foreign(text: str) -> list[tuple[int, str, str, str, dict[str, Any]]]:
    value = from_json_text(text)
    kinds = (int, str, str, str, dict)
    if not isinstance(value, list) or not all(
        isinstance(one, list) and [type(part) for part in one] == list(kinds) for one in value
    ):
        raise ValueError(f"{json.dumps(value)[:40]} are no links")
    return [tuple(one) for one in value]


def _place(text: str) -> tuple[int, dict[str, Any]]:
    value = from_json_text(text)
    shaped = isinstance(value, list) and [type(part) for part in value] == [int, dict]
    if not shaped:
        raise ValueError(f"'{text[:40]}' is no place with what the link says")
    return value[0], value[1]
