"""Tell the items of another tool again from the records that they became. Pure.

What was changed here is told as the record says it now: its title, its text, the fields that the
tool has too, and its links. All that only the tool has is told as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ValidationError

from core.records.content import LinkDraft
from qms.interchange.corpus import Attached, Corpus, Finding, Item, Place, Reference
from qms.interchange.mapping.kinds import ORIGIN
from qms.interchange.mapping.origin import LEVELLED, in_cells, origin_in
from qms.interchange.mapping.uids import uid_of
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.readers.gathering import MOST_ITEMS

LISTS_AS_TUPLES = frozenset({"openfasttrace", "reqif"})
"""Formats whose readers tell lists of choices as tuples."""

COUNTED: Mapping[str, int] = {"openfasttrace": 0, "reqif": 1}
"""Formats whose readers count the places of items, and where they begin."""

DEEPEST = 100
"""Steps of a place: half of what XML may be nested."""

NOT_OF_THE_TOOL, NO_FILE, NO_ORIGIN = "TR340", "TR341", "TR347"
NO_TARGET, NOT_WRITTEN = "TR348", "TR349"

BACK: Mapping[str, str] = {
    NOT_OF_THE_TOOL: "Record that the tool never had, and that is left out",
    NO_FILE: "File of an item that is not kept here",
    NO_ORIGIN: "Record whose origin cannot be read, and that is left out",
    NO_TARGET: "Link to a record that the tool never had, and that is left out",
    NOT_WRITTEN: "Link that stands, to an item that is not written",
}
"""What a way back leaves out."""

_NEW_ROLES: Mapping[str, str] = {
    "doorstop": "parent", "strictdoc": "Parent", "openfasttrace": "covers",
    "roboclerk": "Parent", "sphinx-needs": "links", "sheets": "links",
}  # fmt: skip
"""What a link that was made here is called there; elsewhere as most links between such items."""


def corpus_of(
    records: Iterable[RecordFile],
    format_name: str,
    files: Mapping[str, Attached],
    withdrawn: Iterable[RecordFile] = (),
) -> Corpus:
    """Return the corpus of one format that some records came from, as they say it now.

    Parameters
    ----------
    files : mapping
        What is attached to the records, by its digest.
    withdrawn : iterable of RecordFile
        Records that are not told, but that links of the others may still lead to.

    Returns
    -------
    Corpus
        Its findings name each record that the tool never had, each file that is not kept, and each
        link that is left out or leads to an item that is not told.
    """
    telling = _Telling(list(records), format_name, files, list(withdrawn))
    items = telling.items()
    return Corpus(
        format_name, tuple(items), tuple(dict.fromkeys(telling.findings)), {}, telling.above
    )


class _Link(BaseModel):
    role: str
    target: str
    became: str | None = None
    stated: str | None = None
    attributes: dict[str, str] = {}


class _File(BaseModel):
    name: str
    sha256: str


class _Shape(BaseModel):
    """What an origin has to look like; a file of records can say anything."""

    id: str
    kind: str = ""
    file: str = ""
    document: str = ""
    position: list[int] = []
    revision: str | None = None
    title: str = ""
    shown: str = ""
    above: list[str] = []
    fields: dict[str, Any] = {}
    moved: dict[str, str] = {}
    links: list[_Link] = []
    files: list[_File] = []


def odd_part(origin: Mapping[str, Any]) -> str:
    """Return which part of an origin no import states so; empty where each may be one's.

    What stands before a place is written too where the format counts places, so a place sets how
    much that is.
    """
    try:
        position = _Shape.model_validate(origin).position
    except ValidationError as error:
        return ".".join(str(part) for part in error.errors()[0]["loc"])
    first = COUNTED.get(str(origin.get("format")))
    far = first is not None and any(not first <= one <= MOST_ITEMS for one in position)
    return "position" if far or (first is not None and len(position) > DEEPEST) else ""


class _Telling:
    """Records of one format on their way back."""

    def __init__(
        self,
        records: Sequence[RecordFile],
        format_name: str,
        files: Mapping[str, Attached],
        withdrawn: Sequence[RecordFile],
    ) -> None:
        self.format, self.files = format_name, files
        self.findings: list[Finding] = []
        self.above: dict[str, tuple[str, ...]] = {}
        self.told: list[tuple[RecordFile, Mapping[str, Any]]] = []
        for one in records:
            origin = origin_in(one.content)
            if origin is not None and origin.get("format") == format_name:
                self._take(one, origin)
            else:
                what = f"{one.uid} was not imported from {format_name} and is left out."
                self.findings.append(Finding(NOT_OF_THE_TOOL, what, Place(one.uid), one.uid))
        self.ids = {one.uid: str(origin["id"]) for one, origin in self.told}
        self.passed = self._passed([*records, *withdrawn])
        self.all_ids = self.passed | self.ids
        self.uids = {theirs: uid for uid, theirs in self.all_ids.items()}
        self.roles = self._usual_roles()

    def _take(self, one: RecordFile, origin: Mapping[str, Any]) -> None:
        if where := odd_part(origin):
            what = f"The origin of {one.uid} cannot be read ({where}), and it is left out."
            self.findings.append(Finding(NO_ORIGIN, what, Place(one.uid), one.uid))
        else:
            self.told.append((one, origin))

    def _passed(self, records: Iterable[RecordFile]) -> dict[str, str]:
        """Return the ids of the items that are not told, by the uids of their records."""
        return {
            one.uid: str(origin["id"])
            for one in records
            if one.uid not in self.ids
            and (origin := origin_in(one.content)) is not None
            and origin.get("format") == self.format
        }

    def items(self) -> list[Item]:
        """Return every item, in the order of its file and its place in that."""
        found = [self._item(one, origin) for one, origin in self.told]
        return sorted(found, key=lambda one: (one.place.file, one.document, one.position, one.uid))

    def _usual_roles(self) -> dict[str, str]:
        """Return what the tool calls most of the links that have a role here."""
        counts: dict[str, dict[str, int]] = {}
        for _, origin in self.told:
            for one in origin.get("links", ()):
                by = counts.setdefault(str(one.get("became")), {})
                by[one["role"]] = by.get(one["role"], 0) + 1
        return {ours: max(by, key=lambda role: by[role]) for ours, by in counts.items()}

    def _item(self, one: RecordFile, origin: Mapping[str, Any]) -> Item:
        content = one.content
        title = content.title
        if "shown" in origin and title == origin["shown"]:
            title = str(origin.get("title", ""))
        document = str(origin.get("document", ""))
        if self.format in LEVELLED:
            self.above[document] = tuple(origin.get("above", ()))
        return Item(
            uid=str(origin["id"]),
            kind=str(origin.get("kind", "")),
            title=title,
            text=content.body,
            place=Place(str(origin.get("file", "")) or PurePosixPath(one.uid).name),
            document=document,
            position=tuple(int(part) for part in origin.get("position", ())),
            revision=origin.get("revision"),
            fields=self._fields(one, origin),
            references=tuple(self._references(one, origin)),
            attached=tuple(self._attached(one, origin)),
        )

    def _fields(self, one: RecordFile, origin: Mapping[str, Any]) -> dict[str, object]:
        ours = {name: value for name, value in one.content.fields.items() if name != ORIGIN}
        moved = origin.get("moved", {})
        texts = in_cells(self.format, str(origin.get("kind", "")))
        said: dict[str, object] = {
            theirs: str(ours[name]) if texts else ours[name]
            for theirs, name in moved.items()
            if name in ours
        }
        return {
            name: self._listed(value) for name, value in origin.get("fields", {}).items()
        } | said

    def _listed(self, value: Any) -> Any:
        if self.format in LISTS_AS_TUPLES and isinstance(value, list):
            return tuple(value)
        return value

    def _references(self, one: RecordFile, origin: Mapping[str, Any]) -> list[Reference]:
        """Return the links as the tool stated them that still hold, then those made here."""
        held = {(link.role, link.target): link for link in one.content.links if not link.project}
        ids, uids = self.all_ids, self.uids
        file = Place(str(origin.get("file", "")))
        found, told = [], set()
        for stated in origin.get("links", ()):
            became, target = stated.get("became"), stated["target"]
            # Its record may be here no more; the link of this one led to the uid of its id.
            uid = uids.get(target) or uid_of(target)
            if became and (became, uid) not in held:
                continue
            told.add((became, uid))
            if became and uid not in self.ids:
                self._not_written(one, target)
            found.append(
                Reference(
                    stated["role"], target, file, stated.get("stated"),
                    dict(stated.get("attributes", {})),
                )
            )  # fmt: skip
        for link in one.content.links:
            if link.project or link.target not in ids:
                if link.project or (link.role, link.target) not in told:
                    self._no_target(one, link)
            elif (link.role, link.target) not in told:
                if link.target not in self.ids:
                    self._not_written(one, ids[link.target])
                found.append(Reference(self._new_role(link), ids[link.target], file))
        return found

    def _not_written(self, one: RecordFile, target: str) -> None:
        what = f"{one.uid} links to {target}, which is not written: it is withdrawn or left out."
        mend = "Take the link out, or keep the item in its tool."
        self.findings.append(Finding(NOT_WRITTEN, what, Place(one.uid), one.uid, mend))

    def _no_target(self, one: RecordFile, link: LinkDraft) -> None:
        target = f"{link.project} {link.target}" if link.project else link.target
        what = f"{one.uid} {link.role} {target}, which {self.format} does not have: it is left out."
        self.findings.append(Finding(NO_TARGET, what, Place(one.uid), one.uid))

    def _new_role(self, link: LinkDraft) -> str:
        return self.roles.get(link.role) or _NEW_ROLES.get(self.format) or link.role

    def _attached(self, one: RecordFile, origin: Mapping[str, Any]) -> list[Attached]:
        found = []
        for stated in origin.get("files", ()):
            held = self.files.get(stated["sha256"])
            if held is None:
                what = f"The file '{stated['name']}' of {one.uid} is not kept here."
                self.findings.append(Finding(NO_FILE, what, Place(one.uid), one.uid))
            else:
                found.append(Attached(stated["name"], held.sha256, held.data))
        return found
