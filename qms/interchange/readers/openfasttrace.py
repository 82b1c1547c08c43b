"""Read OpenFastTrace Markdown: specification items between headings, each `type~name~revision`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.codes import NO_VALUE, SHAPE
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering

COVERS, DEPENDS = "covers", "depends"

_ID = r"([A-Za-z]+)~([\w][\w.-]*)~(\d{1,9})"
_ITEM = re.compile(rf"^\s{{0,3}}`?{_ID}`?\s*$")
_LINKED = re.compile(rf"^\s*[*+-]\s+\[?`?{_ID}`?")
_FORWARDED = re.compile(
    rf"^\s{{0,3}}(?:[*+-]\s+)?([A-Za-z]+)\s*-->\s*([\w\s,]+?)\s*:\s*`?{_ID}`?\s*$"
)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"^(=+|-+)\s*$")
_KEYWORD = re.compile(r"^(Needs|Covers|Depends|Tags|Status|Description|Rationale|Comment):\s*(.*)$")
_BULLET = re.compile(r"^\s*[*+-]\s+")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_LISTS = frozenset({"Covers", "Depends", "Needs", "Tags"})


@dataclass
class _Open:
    """The item that is being read."""

    uid: str
    kind: str
    revision: str
    title: str
    line: int
    place: tuple[int, ...]
    keyword: str = "Description"
    texts: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)

    def item(self, file: str) -> Item:
        """Return it as it was read."""
        texts = {key: "\n".join(lines).strip() for key, lines in self.texts.items()}
        fields: dict[str, object] = {key: text for key, text in texts.items() if text}
        fields |= {key: tuple(self.lists[key]) for key in ("Needs", "Tags") if key in self.lists}
        return Item(
            self.uid,
            self.kind,
            self.title,
            str(fields.pop("Description", "")),
            Place(file, self.line),
            document=file,
            position=self.place,
            revision=self.revision,
            fields=fields,
            references=tuple(self.references),
        )


def read(files: Files) -> Gathering:
    """Read every Markdown file below a folder."""
    into = Gathering("openfasttrace")
    for name in files.ending(".md", ".markdown"):
        text = files.text(name, into)
        if text is not None:
            for one in _items(name, text.split("\n"), into):
                into.add(one.item(name))
    _levels(into)
    return into


def holds_items(text: str) -> bool:
    """Tell whether a text holds an item of OpenFastTrace."""
    return any(_ITEM.match(line) for line in text.split("\n"))


def _levels(into: Gathering) -> None:
    """State the levels: a kind stands under each kind that needs it."""
    above: dict[str, set[str]] = {one.kind: set() for one in into.items}
    for one in into.items:
        for kind in needs(one):
            above.setdefault(kind, set()).add(one.kind)
    into.above = {kind: tuple(sorted(found - {kind})) for kind, found in above.items()}


def needs(item: Item) -> tuple[str, ...]:
    """Return the kinds of which an item says that they must cover it."""
    stated = item.fields.get("Needs")
    return tuple(str(one) for one in stated) if isinstance(stated, tuple) else ()


def _items(name: str, lines: list[str], into: Gathering) -> Iterator[_Open]:
    reading: _Open | None = None
    title, off, fenced = "", False, False
    numbers: list[int] = []
    for number, line in enumerate(lines, start=1):
        off = "oft:off" in line or (off and "oft:on" not in line)
        if off:
            continue
        fenced ^= bool(_FENCE.match(line))
        following = lines[number] if number < len(lines) else ""
        if not fenced and (depth := _heading(line, following)):
            title = _HEADING.sub(r"\1", line).strip()
            if reading:
                yield reading
            reading = None
            numbers = [*(numbers + [0] * depth)[:depth]]
            numbers[-1] += 1
        elif not fenced and (found := _FORWARDED.match(line)):
            yield _forwarded(found, name, number, tuple(numbers))
        elif not fenced and (found := _ITEM.match(line)):
            if reading:
                yield reading
            kind, own, revision = found.groups()
            reading = _Open(f"{kind}~{own}", kind, revision, title, number, tuple(numbers))
        elif reading:
            _line(reading, line, name, number, into)
    if reading:
        yield reading


def _heading(line: str, following: str) -> int:
    """Return how deep a heading is, 0 for what is none."""
    if _HEADING.match(line):
        return len(line) - len(line.lstrip("#"))
    if line.strip() and _UNDERLINE.match(following) and len(following.strip()) > 2:
        plain = not re.match(r"\s|[*+>|-]", line) and not _KEYWORD.match(line)
        return (1 if following.startswith("=") else 2) if plain and not _ITEM.match(line) else 0
    return 0


def _forwarded(found: re.Match[str], name: str, number: int, place: tuple[int, ...]) -> _Open:
    """Return the item that stands for `arch --> dsn : req~x~1`: arch hands the need on to dsn."""
    kind, needed, target, own, revision = found.groups()
    one = _Open(f"{kind}~{own}", kind, revision, "", number, place)
    one.lists["Needs"] = _split(needed)
    one.references.append(Reference(COVERS, f"{target}~{own}", Place(name, number), revision))
    return one


def _line(reading: _Open, line: str, name: str, number: int, into: Gathering) -> None:
    if keyword := _KEYWORD.match(line):
        reading.keyword, rest = keyword.groups()
        if reading.keyword in _LISTS:
            reading.lists.setdefault(reading.keyword, [])
            line = rest
            if rest and reading.keyword in {"Covers", "Depends"}:
                line = f"* {rest}"
        else:
            reading.texts.setdefault(reading.keyword, []).append(rest)
            return
    if reading.keyword in {"Covers", "Depends"}:
        _reference(reading, line, name, number, into)
    elif reading.keyword in _LISTS and (keyword or _BULLET.match(line)):
        reading.lists[reading.keyword] += _split(_BULLET.sub("", line))
        if reading.keyword == "Needs":
            _kinds_are_words(reading, name, number, into)
    elif line.strip() or reading.keyword not in _LISTS:
        # A paragraph after a list is text of the item again.
        reading.keyword = "Description" if reading.keyword in _LISTS else reading.keyword
        reading.texts.setdefault(reading.keyword, []).append(line)


def _reference(reading: _Open, line: str, name: str, number: int, into: Gathering) -> None:
    found = _LINKED.match(line)
    place = Place(name, number)
    if found:
        kind, own, revision = found.groups()
        role = reading.keyword.lower()
        reading.references.append(Reference(role, f"{kind}~{own}", place, revision))
    elif _BULLET.match(line):
        what = f"'{line.strip()[:60]}' under '{reading.keyword}' is no id."
        into.fault(NO_VALUE, place, what, "Write '* type~name~revision'.", reading.uid)
    elif line.strip():
        reading.keyword = "Description"
        reading.texts.setdefault("Description", []).append(line)


def _kinds_are_words(reading: _Open, name: str, number: int, into: Gathering) -> None:
    kinds = reading.lists["Needs"]
    for wrong in [one for one in kinds if not re.fullmatch(r"[A-Za-z]\w*", one)]:
        kinds.remove(wrong)
        what = f"'{wrong[:60]}' under 'Needs' is no kind of item."
        into.fault(SHAPE, Place(name, number), what, "Write kinds and commas.", reading.uid)


def _split(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
