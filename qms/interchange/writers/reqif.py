"""All records of a project as ReqIF 1.2 (OMG formal/2016-07-01), for requirement tools.

One SPEC-OBJECT-TYPE per record type, one SPEC-RELATION-TYPE per role, one SPECIFICATION that lists
the records of each type. Fields keep their names; a choice is an enumeration, a text of several
lines XHTML, a list or a table JSON text. A link into another project has no object here, and is
kept with its source as text. `qms.interchange.returning.reqif` reads all of it back.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as Tree

from core.clock import now
from core.errors import Fault, Invalid
from core.records.content import LinkDraft
from core.records.type_shape import FieldSpec, RecordType
from core.records.types import TypeRegistry
from core.version import product_version
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.values import as_text, fits

NAMESPACE = "http://www.omg.org/spec/ReqIF/20110401/reqif.xsd"
XHTML = "http://www.w3.org/1999/xhtml"

OWN: Mapping[str, str] = {
    "ReqIF.ForeignID": "STRING",
    "ReqIF.Name": "STRING",
    "ReqIF.Text": "XHTML",
    "Fiducial.Revision": "INTEGER",
    "Fiducial.State": "STRING",
    "Fiducial.Digest": "STRING",
    "Fiducial.Links": "STRING",
    "Fiducial.Fields": "STRING",
    "Fiducial.Text": "STRING",
}
"""Attributes that every record has; the first three are those that every tool looks for. The last
three are stated where the others have no room: links out of the project, values that the type does
not know today, a text with carriage returns, which tools lose in XHTML."""

TOOL = "Fiducial"
LINK = "Fiducial.Link"
_ON_LINKS: Mapping[str, str] = {LINK: "STRING"}
"""The place of a link among those of its record, and what it says of itself; one attribute, as
some readers of ReqIF take the first of a relation alone."""
_KINDS = {
    "integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "choice": "ENUMERATION",
    "text": "XHTML", "markdown": "XHTML",
}  # fmt: skip
"""All else is a STRING; of a text of several lines tools lose the ends of its lines there."""
_NO_ROOM = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot say at all."""


def to_reqif(
    project: str,
    title: str,
    records: Sequence[RecordFile],
    registry: TypeRegistry,
    at: datetime | None = None,
) -> bytes:
    """Write one document.

    Parameters
    ----------
    at : datetime, optional
        The time that every element states as its last change, which ReqIF asks for; now, unless
        given.

    Raises
    ------
    Invalid
        If a text holds a character that XML has no room for, naming every such record.
    """
    faults = [
        Fault("TR322", f"{project} {one.uid}", "holds a character that XML cannot hold.", _MEND)
        for one in records
        if _NO_ROOM.search(_all_text(one))
    ]
    if faults:
        raise Invalid("No ReqIF was written.", faults)
    moment = (at or now()).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _Document(project, title, records, registry, moment).bytes()


def to_reqifz(
    project: str,
    title: str,
    records: Sequence[RecordFile],
    registry: TypeRegistry,
    at: datetime | None = None,
) -> bytes:
    """Write one document and pack it, as `to_reqif`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        # With the oldest time that a zip can state, so that packing adds none of its own.
        member = zipfile.ZipInfo(f"{project}.reqif")
        archive.writestr(
            member, to_reqif(project, title, records, registry, at), zipfile.ZIP_DEFLATED
        )
    return out.getvalue()


_MEND = "Take it out, or export as JSON or Markdown."


def _all_text(one: RecordFile) -> str:
    return "\n".join(
        [one.content.title, one.content.body, *_texts(one.content.fields)]
        + [text for link in one.content.links for text in _texts(link.attributes)]
    )


def _texts(value: Mapping[str, Any]) -> Iterable[str]:
    """Return every text of a value as it stands in an attribute: as it is, or in JSON."""
    return [as_text(one) for one in value.values()]


class _Document:
    """One ReqIF document while it is built."""

    def __init__(
        self,
        project: str,
        title: str,
        records: Sequence[RecordFile],
        registry: TypeRegistry,
        moment: str,
    ) -> None:
        self.project = project
        self.title = title
        self.records = records
        self.registry = registry
        self.moment = moment
        self.here = {one.uid for one in records}
        self.types = sorted({one.type for one in records})
        self.texts: list[tuple[Tree.Element, str]] = []
        # XHTML elements stand in their own namespace; all others in that of ReqIF.
        Tree.register_namespace("xhtml", XHTML)

    def bytes(self) -> bytes:
        root = Tree.Element("REQ-IF", {"xmlns": NAMESPACE})
        self._header(Tree.SubElement(root, "THE-HEADER"))
        content = _down(root, "CORE-CONTENT", "REQ-IF-CONTENT")
        self._datatypes(Tree.SubElement(content, "DATATYPES"))
        types = Tree.SubElement(content, "SPEC-TYPES")
        for name in self.types:
            self._object_type(types, name)
        roles = sorted({link.role for one in self.records for link in self._inner(one)})
        for role in roles:
            made = self._element(types, "SPEC-RELATION-TYPE", f"rt-{role}", role)
            self._attributes(made, f"rt-{role}", _ON_LINKS)
        self._element(types, "SPECIFICATION-TYPE", "st", "Records of one type")
        objects = Tree.SubElement(content, "SPEC-OBJECTS")
        for one in self.records:
            self._object(objects, one)
        relations = Tree.SubElement(content, "SPEC-RELATIONS")
        for one in self.records:
            for place, link in enumerate(one.content.links):
                if self._is_inner(link):
                    self._relation(relations, one, place, link)
        specifications = Tree.SubElement(content, "SPECIFICATIONS")
        for name in self.types:
            self._specification(specifications, name)
        Tree.indent(root, " ")
        # Only now: in XHTML every space counts.
        for element, text in self.texts:
            _paragraphs(element, text)
        written: bytes = Tree.tostring(root, encoding="UTF-8", xml_declaration=True)
        return written + b"\n"

    def _header(self, parent: Tree.Element) -> None:
        header = Tree.SubElement(parent, "REQ-IF-HEADER", {"IDENTIFIER": f"_{self.project}-header"})
        for name, text in (
            ("CREATION-TIME", self.moment),
            ("REPOSITORY-ID", self.project),
            ("REQ-IF-TOOL-ID", f"{TOOL} {product_version()}"),
            ("REQ-IF-VERSION", "1.0"),
            ("SOURCE-TOOL-ID", TOOL),
            ("TITLE", self.title),
        ):
            Tree.SubElement(header, name).text = text

    def _element(
        self, parent: Tree.Element, tag: str, identity: str, name: str | None = None
    ) -> Tree.Element:
        made = {"IDENTIFIER": self._name(identity), "LAST-CHANGE": self.moment}
        return Tree.SubElement(parent, tag, {**made, **({"LONG-NAME": name} if name else {})})

    def _reference(self, parent: Tree.Element, around: str, tag: str, identity: str) -> None:
        _down(parent, around, tag).text = self._name(identity)

    def _name(self, identity: str) -> str:
        """Return an identifier; a record's is its uid, and all others begin otherwise."""
        return identity if identity in self.here else f"_{self.project}-{identity}"

    def _datatypes(self, parent: Tree.Element) -> None:
        limits: Mapping[str, Mapping[str, str]] = {
            "STRING": {"MAX-LENGTH": "1000000"},
            "XHTML": {},
            "BOOLEAN": {},
            "INTEGER": {"MIN": str(-(2**53) + 1), "MAX": str(2**53 - 1)},
            "REAL": {"ACCURACY": "17", "MIN": "-1.8E308", "MAX": "1.8E308"},
        }
        for kind, more in limits.items():
            tag = f"DATATYPE-DEFINITION-{kind}"
            self._element(parent, tag, f"dt-{kind.lower()}", kind.capitalize()).attrib.update(more)
        for name in self.types:
            for field, spec in self._specs(name).items():
                if spec.kind == "choice":
                    self._enumeration(parent, name, field, spec)

    def _enumeration(self, parent: Tree.Element, name: str, field: str, spec: FieldSpec) -> None:
        identity = f"dt-{name}-{field}"
        made = self._element(parent, "DATATYPE-DEFINITION-ENUMERATION", identity, spec.label)
        values = Tree.SubElement(made, "SPECIFIED-VALUES")
        for key, choice in enumerate(spec.choices):
            one = self._element(values, "ENUM-VALUE", f"{identity}-{key}", choice)
            about = {"KEY": str(key), "OTHER-CONTENT": ""}
            Tree.SubElement(Tree.SubElement(one, "PROPERTIES"), "EMBEDDED-VALUE", about)

    def _specs(self, name: str) -> Mapping[str, FieldSpec]:
        return self._type(name).fields if name in self.registry else {}

    def _type(self, name: str) -> RecordType:
        return self.registry.of(name)

    def _object_type(self, parent: Tree.Element, name: str) -> None:
        label = self._type(name).label if name in self.registry else name
        made = self._element(parent, "SPEC-OBJECT-TYPE", f"ot-{name}", label)
        made.set("DESC", name)
        kinds = {field: _KINDS.get(one.kind, "STRING") for field, one in self._specs(name).items()}
        self._attributes(made, f"ot-{name}", {**OWN, **kinds}, name)

    def _attributes(
        self, parent: Tree.Element, owner: str, kinds: Mapping[str, str], name: str = ""
    ) -> None:
        around = Tree.SubElement(parent, "SPEC-ATTRIBUTES")
        for attribute, kind in kinds.items():
            tag = f"ATTRIBUTE-DEFINITION-{kind}"
            made = self._element(around, tag, f"{owner}-{attribute}", attribute)
            datatype = f"dt-{kind.lower()}"
            if kind == "ENUMERATION":
                made.set("MULTI-VALUED", "false")
                datatype = f"dt-{name}-{attribute}"
            self._reference(made, "TYPE", f"DATATYPE-DEFINITION-{kind}-REF", datatype)

    def _object(self, parent: Tree.Element, one: RecordFile) -> None:
        made = self._element(parent, "SPEC-OBJECT", one.uid, one.content.title or None)
        values = Tree.SubElement(made, "VALUES")
        specs, content = self._specs(one.type), one.content
        foreign = [
            [place, link.role, link.project or self.project, link.target, dict(link.attributes)]
            for place, link in enumerate(content.links)
            if not self._is_inner(link)
        ]
        known = {
            name: value
            for name, value in content.fields.items()
            if fits(specs.get(name), value) and not _with_returns(specs[name], value)
        }
        others = {name: value for name, value in content.fields.items() if name not in known}
        said: dict[str, Any] = {
            "ReqIF.ForeignID": one.uid,
            "ReqIF.Name": content.title,
            "ReqIF.Text": with_line_feeds(content.body),
            "Fiducial.Revision": one.revision,
            "Fiducial.State": one.state,
            "Fiducial.Digest": one.digest or one.content_digest,
            **({"Fiducial.Links": foreign} if foreign else {}),
            **({"Fiducial.Fields": others} if others else {}),
            **({"Fiducial.Text": content.body} if "\r" in content.body else {}),
        }
        for name, value in said.items():
            self._value(values, f"ot-{one.type}-{name}", OWN[name], value)
        for name, value in known.items():
            if specs[name].kind == "choice":
                place = f"dt-{one.type}-{name}-{specs[name].choices.index(value)}"
                self._choice(values, f"ot-{one.type}-{name}", place)
            else:
                kind = _KINDS.get(specs[name].kind, "STRING")
                self._value(values, f"ot-{one.type}-{name}", kind, value)
        self._reference(made, "TYPE", "SPEC-OBJECT-TYPE-REF", f"ot-{one.type}")

    def _value(self, parent: Tree.Element, definition: str, kind: str, value: Any) -> None:
        made = Tree.SubElement(parent, f"ATTRIBUTE-VALUE-{kind}")
        if kind == "XHTML":
            self.texts.append((Tree.SubElement(made, "THE-VALUE"), value))
        else:
            made.set("THE-VALUE", as_text(value))
        self._reference(made, "DEFINITION", f"ATTRIBUTE-DEFINITION-{kind}-REF", definition)

    def _choice(self, parent: Tree.Element, definition: str, place: str) -> None:
        made = Tree.SubElement(parent, "ATTRIBUTE-VALUE-ENUMERATION")
        self._reference(made, "VALUES", "ENUM-VALUE-REF", place)
        self._reference(made, "DEFINITION", "ATTRIBUTE-DEFINITION-ENUMERATION-REF", definition)

    def _inner(self, one: RecordFile) -> list[LinkDraft]:
        return [link for link in one.content.links if self._is_inner(link)]

    def _is_inner(self, link: LinkDraft) -> bool:
        return link.project in (None, self.project) and link.target in self.here

    def _relation(self, parent: Tree.Element, one: RecordFile, place: int, link: LinkDraft) -> None:
        made = self._element(parent, "SPEC-RELATION", f"sr-{one.uid}-{place}")
        values = Tree.SubElement(made, "VALUES")
        said = [place, dict(link.attributes)]
        self._value(values, f"rt-{link.role}-{LINK}", "STRING", said)
        self._reference(made, "SOURCE", "SPEC-OBJECT-REF", one.uid)
        self._reference(made, "TARGET", "SPEC-OBJECT-REF", link.target)
        self._reference(made, "TYPE", "SPEC-RELATION-TYPE-REF", f"rt-{link.role}")

    def _specification(self, parent: Tree.Element, name: str) -> None:
        label = self._type(name).plural if name in self.registry else name
        made = self._element(parent, "SPECIFICATION", f"sp-{name}", label)
        self._reference(made, "TYPE", "SPECIFICATION-TYPE-REF", "st")
        children = Tree.SubElement(made, "CHILDREN")
        for one in self.records:
            if one.type == name:
                entry = self._element(children, "SPEC-HIERARCHY", f"sh-{one.uid}")
                self._reference(entry, "OBJECT", "SPEC-OBJECT-REF", one.uid)


def _with_returns(spec: FieldSpec, value: Any) -> bool:
    """Whether a text would come back from XHTML with other ends of its lines."""
    return _KINDS.get(spec.kind) == "XHTML" and "\r" in value


def with_line_feeds(text: str) -> str:
    """Return a text whose lines end in line feeds alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _down(parent: Tree.Element, *tags: str) -> Tree.Element:
    for tag in tags:
        parent = Tree.SubElement(parent, tag)
    return parent


def _paragraphs(parent: Tree.Element, text: str) -> None:
    """Write a text as XHTML that gives the same text back: a break where a line ends."""
    division = Tree.SubElement(parent, f"{{{XHTML}}}div")
    first, *more = text.split("\n")
    division.text = first
    for line in more:
        Tree.SubElement(division, f"{{{XHTML}}}br").tail = line
