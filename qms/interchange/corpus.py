"""What the files of another tool say, before any of it becomes a record: items, links, faults.

Every reader turns its format into a `Corpus`, every check of links works on one, and what is
imported or written out again goes through one; so each of them is written once, not per format.
Nothing here reads a file or knows a record type.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: a file of the corpus, relative and with slashes, and a line of it."""

    file: str
    line: int | None = None
    """Counted from 1, in a sheet its row; none where nothing can be counted."""

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Reference:
    """A link as an item states it, in the words of its tool."""

    role: str
    target: str
    place: Place
    stated: str | None = None
    """The revision or stamp of the target that the link was made for, where the format has one."""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attached:
    """A file that an item carries."""

    name: str
    sha256: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Item:
    """One requirement, test, risk or heading as its tool keeps it."""

    uid: str
    kind: str
    """The tool's own name of what it is; a mapping turns it into a record type."""
    title: str
    text: str
    place: Place
    document: str = ""
    position: tuple[int, ...] = ()
    """Its place in its document: 1.2.3 is (1, 2, 3)."""
    revision: str | None = None
    """The tool's own revision or stamp of this item."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Everything else that was said, by the tool's own names: texts, numbers, booleans, lists."""
    references: tuple[Reference, ...] = ()
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Finding:
    """Something wrong with a corpus, once, with what to do about it."""

    code: str
    """Stable, TR and three digits: programs and waivers name it."""
    what: str
    place: Place
    uid: str | None = None
    mend: str = ""


@dataclass(frozen=True)
class Corpus:
    """All that one import reads."""

    format: str
    items: tuple[Item, ...]
    findings: tuple[Finding, ...] = ()
    """What its reader could not take, each with its place; checks of the links add theirs."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What the format holds and an import does not take, by its name there: how often."""
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The levels, where the format states them: what each document or kind stands under."""
