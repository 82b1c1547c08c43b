"""What differs between two states of the map, one line for each thing that changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.records.comparing import Part, compare, word_difference
from core.records.content import Content, LinkDraft
from core.records.snapshot import natural_order
from core.records.type_shape import RecordType
from core.records.types import get_registry
from dataflows.history.then import MapThen, Said
from dataflows.survey import MAP_TYPES

WORDS = {
    "system": "system",
    "connection": "connection",
    "pathway": "pathway",
    "qa_procedure": "QA procedure",
}


class Kind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that differs.

    Attributes
    ----------
    what : str
        The field or kind of link; empty where the record as a whole came or went.
    """

    kind: Kind
    type: str
    uid: str
    title: str
    what: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def said(self) -> str:
        """What came and went as plain text: [-went-] and {+came+}."""
        marks = {"same": "{}", "added": "{{+{}+}}", "removed": "[-{}-]"}
        return "".join(marks[one.kind].format(one.text) for one in self.parts)

    def __str__(self) -> str:
        what = f"{self.what}: {self.said}" if self.what else self.said
        return " ".join(filter(None, [self.uid, WORDS[self.type], self.kind.value, what])).strip()


@dataclass(frozen=True)
class MapDiff:
    """All that differs, by kind of record and id."""

    before: str
    after: str
    lines: tuple[Line, ...]

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """How many lines of each kind each type has."""
        found: dict[str, Counter[str]] = {name: Counter() for name in MAP_TYPES}
        for line in self.lines:
            found[line.type][line.kind.value] += 1
        return found


def differing(before: MapThen, after: MapThen) -> MapDiff:
    """Compare two states of one map."""
    uids = {*before.records, *after.records}
    lines: list[Line] = []
    for uid in uids:
        lines += _record(before.records.get(uid), after.records.get(uid))
    order = {name: place for place, name in enumerate(MAP_TYPES)}
    lines.sort(key=lambda one: (order[one.type], natural_order(one.uid)))
    return MapDiff(before.label, after.label, tuple(lines))


def _record(old: Said | None, new: Said | None) -> Iterable[Line]:
    if old is None and new is not None:
        yield _line(Kind.ADDED, new, "", _whole(new, "added"))
    elif new is None and old is not None:
        yield _line(Kind.REMOVED, old, "", _whole(old, "removed"))
    elif old is not None and new is not None and old.revision != new.revision:
        yield from _changed(old, new)


def _line(kind: Kind, said: Said, what: str = "", parts: Sequence[Part] = ()) -> Line:
    return Line(kind, said.type, said.uid, said.title, what, tuple(parts))


def _whole(said: Said, kind: str) -> tuple[Part, ...]:
    if said.content is None:
        return ()
    ends = [one.target for one in said.content.links]
    told = said.content.title + (f" ({', '.join(ends)})" if ends else "")
    return (Part("added" if kind == "added" else "removed", told),)


def _changed(old: Said, new: Said) -> Iterable[Line]:
    if old.content is None or new.content is None:
        text = "its draft was saved again since, and what it said then was not kept"
        yield _line(Kind.UNKNOWN, new, "", (Part("same", text),))
        return
    record_type = get_registry().of(new.type)
    bare = [_without_links(one) for one in (old.content, new.content)]
    for one in compare(record_type, *bare):
        yield _line(Kind.CHANGED, new, one.label, one.parts)
    for role in record_type.links:
        yield from _links(record_type, role, old, new)


def _without_links(content: Content) -> Content:
    return Content(content.title, content.body, content.fields)


def _links(record_type: RecordType, role: str, old: Said, new: Said) -> Iterable[Line]:
    """Yield a line for each link that came, went or says something else, and one for the order."""
    label = record_type.links[role].label
    was, is_now = (_of(one, role) for one in (old, new))
    names = [[_name(one) for one in links] for links in (was, is_now)]
    if not record_type.links[role].many and names[0] and names[1]:
        if names[0] != names[1]:
            ends = (Part("removed", names[0][0]), Part("added", names[1][0]))
            yield _line(Kind.CHANGED, new, label, ends)
        return
    for one in was:
        if _name(one) not in names[1]:
            yield _line(Kind.REMOVED, new, label, (Part("removed", _name(one)),))
    for one in is_now:
        if _name(one) not in names[0]:
            yield _line(Kind.ADDED, new, label, (Part("added", _name(one)),))
    stayed = [[name for name in side if name in names[0] and name in names[1]] for side in names]
    if stayed[0] != stayed[1]:
        parts = word_difference(" ".join(stayed[0]), " ".join(stayed[1]))
        yield _line(Kind.CHANGED, new, f"order of {label}", parts)
    attributes = {_name(one): _says(one) for one in was}
    for one in is_now:
        before = attributes.get(_name(one))
        if before is not None and before != _says(one):
            parts = word_difference(before, _says(one))
            yield _line(Kind.CHANGED, new, f"{label} {_name(one)}", parts)


def _of(said: Said, role: str) -> list[LinkDraft]:
    links = said.content.links if said.content else ()
    return [one for one in links if one.role == role]


def _name(link: LinkDraft) -> str:
    return f"{link.project}/{link.target}" if link.project else link.target


def _says(link: LinkDraft) -> str:
    return "; ".join(f"{name}: {value}" for name, value in link.attributes.items() if value)
