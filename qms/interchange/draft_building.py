"""Collect what one entry of a design record says: fields, links, and second statements of a link.

The vocabulary a section is described in (`field`, `link`, `nested`, ...) is here; the sections
themselves are in ``design_record_shape``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from core.errors import Fault
from core.located_yaml import Lined
from core.records.content import LinkDraft

AT_BUILD = "<at build>"
"""Stands in the file for a value that exists only once something was built."""

_DAY_OF_BUILD = re.compile(r"<day of build(?: \+ (\d{1,5}))?>")
"""A date of a demonstration's story, so that a review that is due next year stays due next year."""


@dataclass(frozen=True)
class Stated:
    """One link as stated in the file.

    Attributes
    ----------
    source, role, target : str
        Uids of both ends and the role that joins them.
    attributes : mapping
        The link's attributes.
    revision : int or None
        The target's revision it was reviewed against (``X@2``).
    where : str
        File, line and record, for faults.
    department : bool
        The target is a record of the department map.
    """

    source: str
    role: str
    target: str
    where: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    revision: int | None = None
    department: bool = False


@dataclass
class Reading:
    """What has been read from one file so far.

    Attributes
    ----------
    first, second : list of Stated
        Links that are stored, and further statements that must agree with one of ``agreeing``.
    pending : list of str
        ``uid.key`` of every value the file leaves to the build and nobody gave.
    mentions : list of (uid, where)
        Records named inside a field; they must exist.
    control_kinds : mapping
        The kind of control a requirement claims for itself, with its place.
    """

    name: str
    built: Mapping[str, Any]
    today: date
    faults: list[Fault] = field(default_factory=list)
    first: list[Stated] = field(default_factory=list)
    second: list[Stated] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    mentions: list[tuple[str, str]] = field(default_factory=list)
    control_kinds: dict[str, tuple[str, str]] = field(default_factory=dict)

    def fault(self, code: str, where: str, what: str, mend: str = "") -> None:
        """Keep one fault; reading goes on."""
        self.faults.append(Fault(code, where, what, mend))


@dataclass
class Entry:
    """One entry of a section while it becomes a record."""

    reading: Reading
    type: str
    uid: str
    line: int
    title: str = ""
    body: str = ""
    state: str = ""
    number: int = 1
    author: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def where(self, line: int | None = None) -> str:
        """Return file, line and record for a fault."""
        return f"{self.reading.name}:{line or self.line} {self.uid}"

    def fault(self, code: str, line: int, what: str, mend: str = "") -> None:
        """Keep one fault about this entry."""
        self.reading.fault(code, self.where(line), what, mend)


@dataclass(frozen=True)
class At:
    """One key of an entry: its dotted path, its line."""

    path: str
    line: int

    def below(self, key: str, line: int) -> "At":
        """Return the place of a key inside this one."""
        return At(f"{self.path}.{key}" if self.path else key, line)


Handler = Callable[[Entry, Any, At], None]
"""Takes one value of an entry and puts it where it belongs."""


def title(entry: Entry, value: Any, at: At) -> None:
    """Take the value as the record's title."""
    entry.title = text_of(entry, value, at) or ""


def body(entry: Entry, value: Any, at: At) -> None:
    """Take the value as the record's text."""
    entry.body = (text_of(entry, value, at) or "").strip()


def field_of(name: str, kind: str = "text") -> Handler:
    """Return a handler that keeps a value of a kind (text, integer, boolean, texts) as a field."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        kept = _KINDS[kind](entry, value, at)
        if kept is not None:
            entry.fields[name] = kept

    return keep


def table(name: str, columns: tuple[str, ...]) -> Handler:
    """Return a handler that keeps a list of mappings as the rows of a field, all cells texts."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        rows = []
        for row in value if isinstance(value, list) else [value]:
            if not isinstance(row, Lined) or not set(row) <= set(columns):
                what = f"{at.path} needs rows of {', '.join(columns)}."
                entry.fault("DR15", at.line, what)
                continue
            said = {
                key: text_of(entry, one, At(f"{at.path}.{key}", row.line))
                for key, one in row.items()
            }
            rows.append({key: one for key, one in said.items() if one is not None})
        entry.fields[name] = rows

    return keep


def nested(keys: Mapping[str, Handler]) -> Handler:
    """Return a handler for a mapping inside an entry."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        if not isinstance(value, Lined):
            entry.fault("DR15", at.line, f"{at.path} is {_shown(value)}, not a mapping.")
            return
        take(entry, value, keys, at)

    return keep


def link(role: str, *, department: bool = False, **attributes: Any) -> Handler:
    """Return a handler that turns one uid or a list of them into links of this record."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        for uid, revision in uids_of(entry, value, at):
            entry.reading.first.append(
                Stated(entry.uid, role, uid, entry.where(at.line), attributes, revision, department)
            )

    return keep


def linked_from(role: str) -> Handler:
    """Return a handler for links that belong to the records named, and point to this one."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        for uid, _ in uids_of(entry, value, at):
            entry.reading.first.append(Stated(uid, role, entry.uid, entry.where(at.line)))

    return keep


def second_statement(role: str) -> Handler:
    """Return a handler for a list that repeats, from the far end, links stated elsewhere."""

    def keep(entry: Entry, value: Any, at: At) -> None:
        for uid, _ in uids_of(entry, value, at):
            entry.reading.second.append(Stated(uid, role, entry.uid, entry.where(at.line)))

    return keep


def take(entry: Entry, values: Lined, keys: Mapping[str, Handler], at: At | None = None) -> None:
    """Hand each value to its key's handler; a key without one is a fault."""
    place = at or At("", values.line)
    for key, value in values.items():
        here = place.below(key, values.line_of(key))
        handler = keys.get(key)
        if handler is None:
            entry.fault(
                "DR10",
                here.line,
                f"has the unknown key {here.path}.",
                f"Known here: {', '.join(sorted(keys))}.",
            )
        else:
            handler(entry, value, here)


def text_of(entry: Entry, value: Any, at: At) -> str | None:
    """Return a text, or what the build gave for it, or None while nobody has.

    In a list the build gives one text for each that it was asked for.
    """
    if not isinstance(value, str):
        entry.fault("DR15", at.line, f"{at.path} is {_shown(value)}, not text.", "Quote it.")
        return None
    day = _DAY_OF_BUILD.fullmatch(value)
    if day:
        return (entry.reading.today + timedelta(days=int(day[1] or 0))).isoformat()
    if AT_BUILD not in value:
        return value
    key = f"{entry.uid}.{at.path}"
    given = entry.reading.built.get(key)
    if given is None:
        entry.reading.pending.append(key)
        return None
    return str(given)


def texts_of(entry: Entry, value: Any, at: At) -> list[str] | None:
    """Return a list of texts, without those that the build has yet to give."""
    if not isinstance(value, list):
        entry.fault("DR15", at.line, f"{at.path} is {_shown(value)}, not a list.", "Use [ ].")
        return None
    texts = [text_of(entry, each, at) for each in value]
    return [text for text in texts if text is not None]


def uids_of(entry: Entry, value: Any, at: At) -> list[tuple[str, int | None]]:
    """Return the uids of one or several records, each with the revision after its ``@``."""
    values = value if isinstance(value, list) else [value]
    found = []
    for each in values:
        text = text_of(entry, each, at)
        if text is None:
            continue
        uid, mark, revision = text.partition("@")
        if mark and not (revision.isascii() and revision.isdigit()):
            entry.fault("DR17", at.line, f"{at.path} says {text!r}.", "Write a number after the @.")
            continue
        found.append((uid, int(revision) if mark else None))
    return found


def link_draft(stated: Stated, department: str) -> LinkDraft:
    """Return a stated link as the draft of one."""
    return LinkDraft(
        role=stated.role,
        target=stated.target,
        project=department if stated.department else None,
        attributes=dict(stated.attributes),
    )


def _integer_of(entry: Entry, value: Any, at: At) -> int | None:
    if type(value) is int:
        return value
    entry.fault("DR15", at.line, f"{at.path} is {_shown(value)}, not a whole number.")
    return None


def _boolean_of(entry: Entry, value: Any, at: At) -> bool | None:
    if isinstance(value, bool):
        return value
    entry.fault("DR15", at.line, f"{at.path} is {_shown(value)}.", "Write true or false.")
    return None


def _shown(value: Any) -> str:
    text = repr(dict(value) if isinstance(value, Lined) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_KINDS: Mapping[str, Callable[[Entry, Any, At], Any]] = {
    "text": text_of,
    "integer": _integer_of,
    "boolean": _boolean_of,
    "texts": texts_of,
}
