"""Every record and link of some projects at one moment, as plain values that rules read."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from core.people.actor import as_deputy


class Key(NamedTuple):
    """The name of a record everywhere: its project's key and its uid."""

    project: str
    uid: str


@dataclass(frozen=True, slots=True)
class SignatureView:
    """One signature as it is shown: who, in which role, meaning what, when, over which digest.

    Attributes
    ----------
    deputy_for : str
        Name of the person in whose place the role was held; empty where it was the signer's own.
    """

    name: str
    person_uid: str
    role: str
    meaning: str
    at: datetime
    envelope_digest: str
    reason: str = ""
    deputy_for: str = ""

    @property
    def capacity(self) -> str:
        """The role in words, with whose deputy the signer was."""
        return as_deputy(self.role.replace("_", " "), self.deputy_for)

    @property
    def signer(self) -> str:
        """The printed name, with whose deputy the signer was."""
        return as_deputy(self.name, self.deputy_for)


@dataclass(frozen=True, slots=True)
class LinkView:
    """One authored link between two records that exist."""

    role: str
    source: Key
    target: Key
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordView:
    """One revision of one record.

    Attributes
    ----------
    state : str
        State of this revision, or "withdrawn" where the record is.
    revision : int
        Its number.
    approved_at : datetime or None
        When it came into force; for events, when it was recorded.
    fingerprint : str
        Digest of the title and the type's trigger fields: what makes others need re-review.
    """

    key: Key
    type: str
    title: str
    body: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    state: str = "draft"
    revision: int = 1
    author: str = ""
    author_uid: str = ""
    co_authors: tuple[str, ...] = ()
    approved_at: datetime | None = None
    content_digest: str = ""
    envelope_digest: str = ""
    fingerprint: str = ""
    signatures: tuple[SignatureView, ...] = ()
    withdrawn: bool = False
    in_force: bool = False

    @property
    def uid(self) -> str:
        """The uid alone."""
        return self.key.uid

    @property
    def address(self) -> str:
        """The page of the record."""
        return f"/p/{self.key.project}/{self.key.uid}"


MOST_ORDERED = 100_000
"""Uids whose place is kept: every list of a large map or record asks for them again."""

_DIGITS = re.compile(r"(\d+)")


@lru_cache(maxsize=MOST_ORDERED)
def natural_order(uid: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key under which REQ-9 stands before REQ-10."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in _DIGITS.split(uid)
        if part
    )


def _by_uid(record: RecordView) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    return record.key.project, natural_order(record.key.uid)


class Snapshot:
    """Records by key, links by either end; looking one up never depends on how many there are.

    Parameters
    ----------
    records : iterable of RecordView
    links : iterable of LinkView
        Kept in their authored order; a link to a record outside the snapshot is kept too.
    """

    def __init__(self, records: Iterable[RecordView], links: Iterable[LinkView]) -> None:
        self.records: Mapping[Key, RecordView] = {record.key: record for record in records}
        self.links: tuple[LinkView, ...] = tuple(links)
        self._out: dict[Key, _Ends] = defaultdict(_Ends)
        self._in: dict[Key, _Ends] = defaultdict(_Ends)
        for link in self.links:
            self._out[link.source].add(link)
            self._in[link.target].add(link)
        self._by_type: dict[str, list[RecordView]] = defaultdict(list)
        for record in sorted(self.records.values(), key=_by_uid):
            self._by_type[record.type].append(record)

    def renewed(
        self, records: Iterable[RecordView], links: Iterable[LinkView], changed: Collection[Key]
    ) -> "Snapshot":
        """Return the snapshot of these records and links, made from this one.

        Parameters
        ----------
        records, links
            As for a new snapshot. Those of keys outside `changed` are this snapshot's own.
        changed : collection of Key
            Every record that is new, or reads otherwise, or states other links.

        What was looked up of all others is kept: after an edit that is nearly everything.
        """
        made = copy(self)
        made.records = {record.key: record for record in records}
        made.links = tuple(links)
        made._part_again(self, frozenset(changed))
        return made

    def _part_again(self, earlier: "Snapshot", changed: frozenset[Key]) -> None:
        """Part the links at the ends of what changed, and the types of what changed, anew."""
        stated = [link for link in self.links if link.source in changed]
        reached = {link.target for link in stated}
        reached.update(link.target for key in changed for link in earlier.outgoing(key))
        self._out = {**earlier._out, **{key: _Ends() for key in changed}}
        self._in = {**earlier._in, **{key: _Ends() for key in reached}}
        for link in stated:
            self._out[link.source].add(link)
        for link in self.links:
            if link.target in reached:
                self._in[link.target].add(link)
        either = (self.records, earlier.records)
        types = {held[key].type for key in changed for held in either if key in held}
        self._by_type = {**earlier._by_type, **{type_: [] for type_ in types}}
        for record in sorted((r for r in self.records.values() if r.type in types), key=_by_uid):
            self._by_type[record.type].append(record)

    def of_type(self, type: str, project: str | None = None) -> list[RecordView]:  # noqa: A002 - the word of the domain
        """Return the records of one type in natural order of uid."""
        found = self._by_type.get(type, [])
        return [one for one in found if project is None or one.key.project == project]

    def get(self, uid: str, project: str) -> RecordView | None:
        """Return one record, or None."""
        return self.records.get(Key(project, uid))

    def outgoing(self, key: Key, role: str | None = None) -> tuple[LinkView, ...]:
        """Return the links that a record states, in the order it states them."""
        ends = self._out.get(key)
        return (ends.roles or ends.parted()).get(role, ()) if ends is not None else ()

    def incoming(self, key: Key, role: str | None = None) -> tuple[LinkView, ...]:
        """Return the links that others state to a record."""
        ends = self._in.get(key)
        return (ends.roles or ends.parted()).get(role, ()) if ends is not None else ()


class _Ends:
    """The links at one end of a record, parted by role when the first role is asked for.

    Rules ask for them a hundred thousand times, and mostly for a role that is not there.
    """

    __slots__ = ("_all", "roles")

    def __init__(self) -> None:
        self._all: list[LinkView] = []
        self.roles: dict[str | None, tuple[LinkView, ...]] = {}

    def add(self, link: LinkView) -> None:
        """Take in one more link; only before any is asked for."""
        self._all.append(link)

    def parted(self) -> dict[str | None, tuple[LinkView, ...]]:
        """Return those of each role, and under None all; from then on `roles` has them."""
        parted: dict[str | None, list[LinkView]] = {None: self._all}
        for link in self._all:
            parted.setdefault(link.role, []).append(link)
        self.roles = {role: tuple(links) for role, links in parted.items()}
        return self.roles
