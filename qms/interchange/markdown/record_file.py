"""One record as a Markdown file with YAML front matter: what Git shows, and what reads back alike.

The front matter holds everything but the text, in a fixed order of keys; the text follows as it
is. There is no date in it and no name of who wrote it: the same record is the same bytes.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from core.canonical import NotCanonical
from core.errors import Fault, Invalid
from core.located_yaml import Lined, LocatedYaml, read_yaml
from core.records.checking import UID
from core.records.content import Content, LinkDraft, RecordDraft, content_digest
from core.records.snapshot import Key
from core.records.type_shape import FieldSpec, RecordType
from qms.interchange.markdown.plain_yaml import NotPlain, Path, read_plain
from qms.interchange.markdown.spelling import is_printable, mapping_lines

FENCE = "---"
KEYS = ("id", "type", "project", "title", "revision", "state", "digest", "fields", "links", "text")
"""Of the front matter, in the order in which they stand."""

LARGEST_REVISION = 2**31 - 1
"""As large as the number of a revision can be where records are kept."""

NEEDED = ("id", "type", "title")
DIGEST = "sha256:"
ATTRIBUTES = "attributes"
"""The second key of a link that says something of itself; the first is its role."""


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One record as its file says it.

    Attributes
    ----------
    project : str
        Key of the project whose record it was; empty where the file does not say.
    revision : int
        The revision that the file was written from.
    state : str
        What the record was then; a file gives no state to what is approved by signature.
    digest : str
        The content digest of that revision. Where the content has another, the file was edited.
    file : str
        Relative, with slashes.
    lines : mapping
        The line of each key, field and link.
    foreign : bool
        Whether another tool keeps the file: it was written from no revision, and the origin in its
        fields tells what it said when it was imported last.
    moved : bool
        Whether it may come from another file of that tool than at its last import.
    """

    project: str
    type: str
    uid: str
    content: Content
    revision: int = 1
    state: str = "draft"
    digest: str = ""
    file: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict, compare=False, repr=False)
    foreign: bool = False
    moved: bool = False

    @property
    def key(self) -> Key:
        """The name of the record."""
        return Key(self.project, self.uid)

    @property
    def content_digest(self) -> str:
        """The digest of what the file says now."""
        return content_digest(self.project, self.type, self.uid, self.content)

    @property
    def is_edited(self) -> bool:
        """Whether the file says something else than the revision that it was written from."""
        return self.digest != self.content_digest

    def where(self, *path: str | int) -> str:
        """Return `file:line` of a part, or of the nearest around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"

    def draft(self, project: str) -> RecordDraft:
        """Return the same for the importer of records, as one of `project`."""
        return RecordDraft(
            project,
            self.type,
            self.uid,
            self.content,
            number=self.revision,
            state=self.state,
            origin=self.where("id"),
        )


def in_project(one: RecordFile, project: str) -> RecordFile:
    """Return a file as one of a project: links that name it are links to its own records."""
    links = tuple(
        replace(link, project=None) if link.project == project else link
        for link in one.content.links
    )
    return replace(one, project=project, content=replace(one.content, links=links))


def path_of(one: RecordFile) -> str:
    """Return where the file of a record stands: its type is the folder, its uid the name."""
    return f"{one.type}/{one.uid}.md"


def unkeepable(content: Content) -> str:
    """Say why a content has no digest, so that no record can say it; empty where it has one."""
    try:
        content_digest("", "", "", content)
    except NotCanonical as error:
        return str(error)
    except RecursionError:
        return "it is nested too deeply; make it flatter."
    return ""


def write_record(one: RecordFile, record_type: RecordType | None = None) -> bytes:
    """Return the bytes of a record's file.

    Parameters
    ----------
    record_type : RecordType, optional
        Gives the fields and the columns of tables the order in which forms show them; without it
        they stand by name.
    """
    content = one.content
    body = content.body if _stands_as_text(content.body) else ""
    specs = record_type.fields if record_type else {}
    said: dict[str, Any] = {
        "id": one.uid,
        "type": one.type,
        "project": one.project,
        "title": content.title,
        "revision": one.revision,
        "state": one.state,
        "digest": f"{DIGEST}{one.digest or one.content_digest}",
        "fields": {
            name: _arranged(content.fields[name], specs.get(name))
            for name in _in_order(content.fields, specs)
        },
        "links": [_link(link, one.project) for link in content.links],
        "text": "" if body == content.body else content.body,
    }
    front = {name: value for name, value in said.items() if value or name not in _LEFT_OUT}
    lines = [FENCE, *mapping_lines(front), FENCE]
    if body:
        lines += ["", body]
    return ("\n".join(lines) + "\n").encode("utf-8")


_LEFT_OUT = frozenset({"project", "fields", "links", "text"})
"""Keys that are not written where there is nothing to say."""


def _stands_as_text(body: str) -> bool:
    """Whether a text can follow the front matter; one with odd ends is a key of it instead."""
    return body == body.strip("\n") and is_printable(body)


def _in_order(names: Iterable[str], specs: Mapping[str, Any]) -> list[str]:
    places = _places(tuple(specs))
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


@lru_cache(maxsize=500)
def _places(names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(names)}


def _arranged(value: Any, spec: FieldSpec | None) -> Any:
    """Return a value with its keys in the order in which they are always written."""
    if isinstance(value, Mapping):
        columns = spec.columns if spec else {}
        return {
            key: _arranged(value[key], columns.get(key)) for key in _in_order(value.keys(), columns)
        }
    if isinstance(value, list | tuple):
        return [_arranged(one, spec) for one in value]
    return value


def _link(link: LinkDraft, project: str) -> dict[str, Any]:
    if link.role == ATTRIBUTES:
        raise Invalid(f"A link called '{ATTRIBUTES}' cannot be written to a file.")
    own = link.project is None or link.project == project
    written = {link.role: link.target if own else f"{link.project}/{link.target}"}
    return {
        **written,
        **({ATTRIBUTES: _arranged(link.attributes, None)} if link.attributes else {}),
    }


def read_record(data: bytes, name: str) -> tuple[RecordFile | None, list[Fault]]:
    """Read one file: the record, as far as it can be told, and everything wrong with the file.

    Parameters
    ----------
    name : str
        The file's name in faults.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = "is not text in UTF-8."
        return None, [Fault("TR301", f"{name}:{line}", what, "Save it as UTF-8.")]
    text = text.removeprefix("\ufeff")
    if "\r" in text:
        # A Git that writes Windows line ends on this machine changed no record by that.
        text = text.replace("\r\n", "\n")
    if not text.startswith(f"{FENCE}\n"):
        mend = f"The first line of a record is {FENCE}."
        return None, [Fault("TR302", f"{name}:1", "has no front matter.", mend)]
    end = text.find(f"\n{FENCE}\n", len(FENCE))
    if end < 0:
        if not text.endswith(f"\n{FENCE}"):
            mend = f"Write {FENCE} on a line of its own below it."
            return None, [Fault("TR302", f"{name}:1", "the front matter has no end.", mend)]
        end = len(text) - len(FENCE) - 1
    body = text[end + len(FENCE) + 2 :].strip("\n")
    front = text[len(FENCE) + 1 : max(end, len(FENCE) + 1)]
    values, lines, faults = _front(front, name)
    if values is None:
        return None, faults
    return _Shaped(values, lines, name, faults).record(body)


def _front(text: str, name: str) -> tuple[dict[str, Any] | None, Mapping[Path, int], list[Fault]]:
    try:
        values, places = read_plain(text.split("\n"), 2)
    except NotPlain:
        pass
    else:
        return values, places, []
    try:
        # An empty first line instead of the fence, so that lines are those of the file.
        located, found = read_yaml(f"\n{text}\n", name)
    except Invalid as refusal:
        return None, {}, _renamed(refusal.faults)
    if not isinstance(located.value, Lined):
        what = "the front matter is no mapping of keys to values."
        return None, {}, [Fault("TR302", f"{name}:2", what, f"Its keys are {', '.join(KEYS)}.")]
    return located.value, _near(located), _renamed(found)


def _renamed(faults: Iterable[Fault]) -> list[Fault]:
    return [replace(one, code="TR303") for one in faults]


def _near(located: LocatedYaml) -> Mapping[Path, int]:
    return {path: line for path, line in located.lines.items() if len(path) <= 2}


class _Shaped:
    """Front matter that is YAML, on its way to a record."""

    def __init__(
        self, values: Mapping[str, Any], lines: Mapping[Path, int], name: str, faults: list[Fault]
    ) -> None:
        self.values = values
        self.lines = lines
        self.name = name
        self.faults = faults

    def record(self, body: str) -> tuple[RecordFile | None, list[Fault]]:
        self._refuse_unknown()
        uid, kind, title = (self._needed(key) for key in NEEDED)
        project = self._said("project", str, "")
        revision = self._said("revision", int, 1)
        if not 1 <= revision <= LARGEST_REVISION:
            mend = f"The first is 1, and none is above {LARGEST_REVISION}."
            self._fault("TR305", ("revision",), f"revision is {revision}.", mend)
        state = self._said("state", str, "draft")
        digest = self._said("digest", str, "").removeprefix(DIGEST)
        fields = self._said("fields", dict, {})
        links = self._links()
        if (text := self._said("text", str, "")) and body:
            what = "has a text in the front matter and another below it."
            self._fault("TR305", ("text",), what, "Keep one of the two.")
        if uid and not UID.fullmatch(uid):
            self._fault("TR305", ("id",), f"'{uid[:80]}' is no uid.", "Begin with a capital.")
            uid = ""
        if not (uid and kind):
            return None, self.faults
        content = Content(title, text or body, _bare(fields), tuple(links))
        if why := unkeepable(content):
            self._fault("TR305", (), f"what it says cannot be kept: {why}")
            return None, self.faults
        made = RecordFile(
            project, kind, uid, content, revision, state, digest, self.name, self.lines
        )
        return made, self.faults

    def _refuse_unknown(self) -> None:
        for key in self.values:
            if key not in KEYS:
                near = difflib.get_close_matches(key, KEYS, 1)
                mend = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(KEYS)}."
                self._fault("TR304", (key,), f"has the unknown key '{key[:80]}'.", mend)

    def _needed(self, key: str) -> str:
        if key in self.values:
            return str(self._said(key, str, ""))
        self._fault("TR305", (), f"has no {key}.", f"Add a line with {key}:")
        return ""

    def _said(self, key: str, kind: type, unsaid: Any) -> Any:
        value = self.values.get(key)
        if value is None:
            return unsaid
        if not isinstance(value, kind) or isinstance(value, bool):
            what = f"{key} is no {_KINDS[kind]}."
            mend = "Put it in quotes." if kind is str and isinstance(value, int | float) else ""
            self._fault("TR305", (key,), what, mend)
            return unsaid
        return value

    def _links(self) -> list[LinkDraft]:
        found = []
        for place, value in enumerate(self._said("links", list, [])):
            link = _link_of(value)
            if link is None:
                what = "this is no link."
                mend = "Write `- role: UID`, or `- role: PROJECT/UID`, and attributes below it."
                self._fault("TR306", ("links", place), what, mend)
            else:
                found.append(link)
        return found

    def _fault(self, code: str, path: Path, what: str, mend: str = "") -> None:
        line = self.lines.get(path, 1)
        self.faults.append(Fault(code, f"{self.name}:{line}", what, mend))


_KINDS: Mapping[type, str] = {
    str: "text", int: "whole number", dict: "mapping of names to values", list: "list"
}  # fmt: skip


def _link_of(value: Any) -> LinkDraft | None:
    """Return a link, or None where the value is none: a role with its target comes first."""
    if not isinstance(value, dict) or not value:
        return None
    (role, target), *more = value.items()
    if not isinstance(target, str) or role == ATTRIBUTES or len(more) > 1:
        return None
    attributes: Any = {}
    if more:
        name, attributes = more[0]
        if name != ATTRIBUTES or not isinstance(attributes, dict):
            return None
    project, slash, uid = target.rpartition("/")
    if not uid or (slash and not project):
        return None
    return LinkDraft(role, uid, project or None, _bare(attributes))


def _bare(value: Any) -> Any:
    """Return a value as plain mappings and lists, without the lines that YAML remembered."""
    if isinstance(value, dict):
        return {key: _bare(one) for key, one in value.items()}
    return [_bare(one) for one in value] if isinstance(value, list) else value
