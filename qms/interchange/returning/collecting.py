"""Collect the records of one file that came back, and everything that is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.canonical import NotCanonical
from core.errors import Fault, Invalid
from core.records.checking import UID
from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec
from core.records.types import TypeRegistry
from qms.interchange.corpus import Finding
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.plain_yaml import Path
from qms.interchange.markdown.record_file import LARGEST_REVISION, RecordFile, unkeepable
from qms.interchange.writers.json_form import MOST_RECORDS
from qms.interchange.writers.values import from_json_text

ELSEWHERE = "`fiducial import corpus` reads files of other tools."


@dataclass(frozen=True)
class StatedLink:
    """A link as a file states it.

    Attributes
    ----------
    place : int or None
        Its place among all links of the record; None where the file says none, as of a new one.
    line : int
        Of the file.
    """

    link: LinkDraft
    line: int
    place: int | None = None


@dataclass
class Part:
    """One record of a file, before it is known to be one."""

    file: str
    line: int
    uid: str = ""
    type: str = ""
    title: str = ""
    body: str = ""
    revision: int = 1
    state: str = "draft"
    digest: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    links: list[StatedLink] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)


class Collected:
    """What was read of a file so far."""

    def __init__(self, project: str, registry: TypeRegistry) -> None:
        self.project = project
        self.registry = registry
        self.faults: list[Fault] = []
        self.records: list[RecordFile] = []
        self._first: dict[str, str] = {}

    def fault(self, code: str, where: str, what: str, mend: str = "") -> None:
        """Note something that is wrong."""
        self.faults.append(Fault(code, where, what, mend))

    def spec(self, type_name: str, name: str) -> FieldSpec | None:
        """Return what the type says of a field, or None where it says nothing."""
        return self.registry.of(type_name).fields.get(name) if type_name in self.registry else None

    def add(self, part: Part) -> RecordFile | None:
        """Take a record that has an id, a type and a revision; return it."""
        where = f"{part.file}:{part.line}"
        if not UID.fullmatch(part.uid):
            what = f"'{part.uid[:80]}' is no uid." if part.uid else "has no id."
            self.fault("TR321", where, what, "A uid begins with a capital, as REQ-001.")
            return None
        if part.uid in self._first:
            what = f"has the id {part.uid} again (first in {self._first[part.uid]})."
            self.fault("TR310", where, what, "An id names one record only.")
            return None
        self._first[part.uid] = where
        if not part.type:
            self.fault("TR321", where, f"{part.uid} has no type.", "Say what it is.")
            return None
        if not 1 <= part.revision <= LARGEST_REVISION:
            self.fault("TR321", where, f"revision is {part.revision}.", "The first is 1.")
            return None
        content = Content(part.title, part.body, part.fields, tuple(one.link for one in part.links))
        if why := unkeepable(content):
            self.fault("TR321", where, f"what {part.uid} says cannot be kept: {why}")
            return None
        if len(self.records) == MOST_RECORDS:
            raise Invalid(
                f"{part.file} was not read.",
                [Fault("TR308", where, f"There are more than {MOST_RECORDS:,} records.")],
            )
        made = _made(part, self.project)
        self.records.append(made)
        return made

    def folder(self) -> RecordFolder:
        """Return everything."""
        return RecordFolder(tuple(self.records), tuple(self.faults))


def _made(part: Part, project: str) -> RecordFile:
    last = len(part.links)
    # By their places; what states none comes after, in the order of the file.
    ordered = sorted(part.links, key=lambda one: last if one.place is None else one.place)
    links = tuple(one.link for one in ordered)
    lines: dict[Path, int] = {(): part.line, **part.lines}
    lines |= {("links", place): one.line for place, one in enumerate(ordered)}
    content = Content(part.title, part.body, part.fields, links)
    return RecordFile(
        project,
        part.type,
        part.uid,
        content,
        part.revision,
        part.state or "draft",
        part.digest,
        part.file,
        lines,
    )


def is_as_written(one: RecordFile) -> bool:
    """Whether a record says what it was written from; what has no digest at all does not."""
    try:
        return not one.is_edited
    except NotCanonical:
        return False


def target_of(text: str, project: str) -> tuple[str, str | None]:
    """Return uid and project of `UID` or `PROJECT/UID`; the own project is None."""
    foreign, _, uid = text.rpartition("/")
    return uid, foreign if foreign and foreign != project else None


def mapping_of(text: str) -> Mapping[str, Any]:
    """Return the mapping that a JSON text says.

    Raises
    ------
    ValueError
        If it says none.
    """
    value = from_json_text(text)
    if not isinstance(value, dict):
        raise ValueError(f"'{text[:40]}' is no mapping in JSON")  # noqa: TRY004 - of a text
    return value


def refuse(name: str, findings: Iterable[Finding]) -> None:
    """Refuse a file of which nothing could be read, with what was found of it.

    Raises
    ------
    Invalid
        If anything was.
    """
    faults = [Fault(one.code, str(one.place), one.what, one.mend) for one in findings]
    if faults:
        raise Invalid(f"{name} was not read.", faults)
