"""What differs between two baselines, or a baseline and today: in words, fields and links.

Every record that differs is read and told apart here; its words are compared when they are shown,
so that ten thousand changed records are listed without comparing the words of each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from sqlalchemy import select
from sqlmodel import Session, col

from core.collector import collector_at_rest
from core.db import chunks
from core.records.comparing import Difference, Part, compare
from core.records.content import Content, LinkDraft
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key, natural_order
from core.records.type_shape import RecordType
from core.records.types import get_registry
from qms.baselines.comparison import BaselineLine
from qms.baselines.comparison import compare as compare_lines


class Kind(StrEnum):
    """What became of a record; one may be both changed and re-linked."""

    ADDED = "added"
    CHANGED = "changed"
    RELINKED = "re-linked"
    REMOVED = "removed"
    SAME_WORDS = "same words"
    """Another revision that says what the one before said."""


@dataclass(frozen=True)
class Frozen:
    """One frozen revision as it is read back."""

    type: str
    content: Content


@dataclass(frozen=True)
class RecordDifference:
    """One record that is not the same in both.

    Attributes
    ----------
    before, after : BaselineLine or None
        Its line in each; None where it is not in that one.
    old, new : Frozen or None
        What the revisions say; None for a record of a project that is not to be read.
    """

    key: Key
    before: BaselineLine | None
    after: BaselineLine | None
    old: Frozen | None
    new: Frozen | None

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """What became of it."""
        if self.before is None:
            return frozenset({Kind.ADDED})
        if self.after is None:
            return frozenset({Kind.REMOVED})
        if self.old is None or self.new is None:
            return frozenset({Kind.CHANGED})
        found = {Kind.CHANGED} if _words(self.old) != _words(self.new) else set()
        if _links(self.old.content) != _links(self.new.content):
            found.add(Kind.RELINKED)
        return frozenset(found or {Kind.SAME_WORDS})

    @property
    def type(self) -> str:
        """The record's type; empty where it is not to be read."""
        side = self.new or self.old
        return side.type if side else ""

    @property
    def title(self) -> str:
        """Its later title; empty where it is not to be read."""
        side = self.new or self.old
        return side.content.title if side else ""

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Return each value of a changed record that differs, word by word, links last."""
        if self.old is None or self.new is None or self.type not in get_registry():
            return ()
        return tuple(compare(_type_of(self), self.old.content, self.new.content))


@dataclass(frozen=True)
class Comparison:
    """All that differs between two, in the order of projects and ids."""

    records: tuple[RecordDifference, ...]

    def count(self, kind: Kind) -> int:
        """How many records are of a kind."""
        return sum(kind in one.kinds for one in self.records)

    def of(self, kind: Kind | None) -> tuple[RecordDifference, ...]:
        """Return those of a kind, or all."""
        if kind is None:
            return self.records
        return tuple(one for one in self.records if kind in one.kinds)


def compared(
    session: Session,
    before: Iterable[BaselineLine],
    after: Iterable[BaselineLine],
    readable: Collection[str] | None = None,
) -> Comparison:
    """Return what differs between the records of two lists.

    Parameters
    ----------
    readable : collection of str, optional
        Keys of the projects whose records may be read; all of them otherwise.
    """
    with collector_at_rest():
        found = compare_lines(before, after)
        pairs = [
            *((None, line) for line in found.added),
            *((line, None) for line in found.removed),
            *((one.before, one.after) for one in found.changed),
        ]
        wanted = [line for pair in pairs for line in pair if line is not None]
        said = _read(session, wanted, readable)
        records = [
            RecordDifference(
                Key(line.project, line.uid), old, new, said.get(_name(old)), said.get(_name(new))
            )
            for old, new in pairs
            if (line := new or old) is not None
        ]
        records.sort(key=lambda one: (one.key.project, natural_order(one.key.uid)))
        return Comparison(tuple(records))


def marked(parts: Sequence[Part]) -> str:
    """Write what came and went in plain text.

    Examples
    --------
    >>> marked([Part("same", "at most "), Part("removed", "0.5"), Part("added", "0.4")])
    'at most [-0.5-]{+0.4+}'
    """
    marks = {"same": "{}", "added": "{{+{}+}}", "removed": "[-{}-]"}
    return "".join(marks[part.kind].format(part.text) for part in parts)


Name = tuple[str, str, int]
"""Project, uid and number of a revision."""


def _name(line: BaselineLine | None) -> Name:
    return (line.project, line.uid, line.revision) if line else ("", "", 0)


def _type_of(one: RecordDifference) -> RecordType:
    return get_registry().of(one.type)


def _words(side: Frozen) -> tuple[object, ...]:
    return side.content.title, side.content.body, dict(side.content.fields)


def _links(content: Content) -> list[tuple[str, str, str, object]]:
    # What order the links stand in says nothing.
    return sorted(
        ((one.role, one.project or "", one.target, dict(one.attributes)) for one in content.links),
        key=lambda link: (*link[:3], str(link[3])),
    )


def _read(
    session: Session, lines: Sequence[BaselineLine], readable: Collection[str] | None
) -> dict[Name, Frozen]:
    """Read frozen revisions: few statements for many of them."""
    wanted: dict[str, set[tuple[str, int]]] = {}
    for line in lines:
        if readable is None or line.project in readable:
            wanted.setdefault(line.project, set()).add((line.uid, line.revision))
    found: dict[Name, Frozen] = {}
    for project, revisions in wanted.items():
        for chunk in chunks(uid for uid, _ in revisions):
            found |= _read_some(session, project, chunk, revisions)
    return found


def _read_some(
    session: Session, project: str, uids: Sequence[str], wanted: Collection[tuple[str, int]]
) -> dict[Name, Frozen]:
    named = session.execute(
        select(col(Revision.id), col(Record.uid), col(Revision.number))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key) == project, col(Record.uid).in_(uids))
    )
    ids = {number: (uid, at) for number, uid, at in named if (uid, at) in wanted}
    found: dict[Name, Frozen] = {}
    for chunk in chunks(ids):
        links = _links_of(session, project, chunk)
        rows = session.execute(
            select(
                col(Revision.id),
                col(Record.type),
                col(Revision.title),
                col(Revision.body),
                col(Revision.fields),
            )
            .join(Record, col(Record.id) == col(Revision.record_id))
            .where(col(Revision.id).in_(chunk))
        )
        for number, type_name, title, body, fields in rows:
            content = Content(title, body, fields or {}, tuple(links.get(number, ())))
            found[project, *ids[number]] = Frozen(type_name, content)
    return found


def _links_of(session: Session, project: str, ids: Sequence[int]) -> Mapping[int, list[LinkDraft]]:
    rows = session.execute(
        select(
            col(Link.revision_id),
            col(Link.role),
            col(Record.uid),
            col(Project.key),
            col(Link.attributes),
        )
        .join(Record, col(Record.id) == col(Link.target_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Link.revision_id).in_(ids))
        .order_by(col(Link.revision_id), col(Link.position))
    )
    found: dict[int, list[LinkDraft]] = {}
    for revision, role, uid, key, attributes in rows:
        own = None if key == project else key
        found.setdefault(revision, []).append(LinkDraft(role, uid, own, attributes or {}))
    return found
