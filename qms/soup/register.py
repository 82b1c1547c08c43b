"""The register of third-party components, and what rests on each of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from qms.rules.view import day, is_in_force, text
from qms.soup.components import identity

TYPE = "soup"


@dataclass(frozen=True)
class Entry:
    """One component of the register.

    Attributes
    ----------
    record : RecordView
        Its record.
    used_by : tuple of RecordView
        The software items that use it, of those that are looked at.
    evaluated_by : tuple of RecordView
        Who read its list of anomalies.
    """

    record: RecordView
    used_by: tuple[RecordView, ...]
    evaluated_by: tuple[RecordView, ...] = ()

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.record.key.uid

    @property
    def version(self) -> str:
        """The version that was evaluated."""
        return text(self.record, "version")

    @property
    def purl(self) -> str:
        """Its package URL."""
        return text(self.record, "purl")

    @property
    def key(self) -> tuple[str, str]:
        """The type of package it is, and its normal name: of its package URL, or else its title."""
        return identity(self.purl, self.record.title)

    @property
    def evaluated_on(self) -> date | None:
        """When its list of anomalies was last evaluated."""
        return day(self.record, "evaluated_on")


@dataclass(frozen=True)
class Touched:
    """What rests on a component, by kind, each in the order of the uids."""

    items: tuple[RecordView, ...] = ()
    requirements: tuple[RecordView, ...] = ()
    risks: tuple[RecordView, ...] = ()
    tests: tuple[RecordView, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, tuple[RecordView, ...]], ...]:
        """What is touched, by the word for it; kinds of which there is none are left out."""
        named = (
            ("software items", self.items),
            ("requirements", self.requirements),
            ("risks", self.risks),
            ("tests", self.tests),
        )
        return tuple((word, records) for word, records in named if records)

    @property
    def sentence(self) -> str:
        """The same as a sentence; empty where nothing rests on it."""
        told = [
            f"{word} {', '.join(one.key.uid for one in records)}" for word, records in self.groups
        ]
        return f"Touches {'; '.join(told)}." if told else ""


def entries(
    snapshot: Snapshot, project: str, items: Iterable[RecordView] | None = None
) -> tuple[Entry, ...]:
    """Return the register of a project: the components in force, in the order of their uids.

    Parameters
    ----------
    items : iterable of RecordView, optional
        The software items that are looked at, with those they are part of; every one in force,
        unless given.
    """
    looked_at = {one.key for one in (items if items is not None else _items(snapshot, project))}
    return tuple(
        Entry(
            record,
            _ends(
                snapshot, [link.source for link in snapshot.incoming(record.key, "uses")], looked_at
            ),
            _ends(snapshot, [e.target for e in snapshot.outgoing(record.key, "evaluated_by")]),
        )
        for record in snapshot.of_type(TYPE, project)
        if is_in_force(record)
    )


def items_of(snapshot: Snapshot, release: RecordView) -> list[RecordView]:
    """Return the software items of a release, and those that they are part of.

    A release that names none is looked at as if it contained every one.
    """
    contained = [link.target for link in snapshot.outgoing(release.key, "contains")]
    waiting = contained or [one.key for one in _items(snapshot, release.key.project)]
    found: dict[Key, RecordView] = {}
    while waiting:
        key = waiting.pop()
        record = snapshot.records.get(key)
        if key in found or record is None or record.withdrawn:
            continue
        found[key] = record
        waiting.extend(link.target for link in snapshot.outgoing(key, "part_of"))
    return sorted(found.values(), key=lambda one: natural_order(one.key.uid))


def touched(snapshot: Snapshot, used_by: Sequence[RecordView]) -> Touched:
    """Return what rests on a component that some items use.

    The items; the requirements they carry; the risks that involve the items or that those
    requirements control; and the tests that verify any of these.
    """
    items = [one.key for one in used_by]
    requirements = _sources(snapshot, items, ("allocated_to",))
    risks = _unique(
        [
            *_sources(snapshot, items, ("involves",)),
            *(link.target for key in requirements for link in snapshot.outgoing(key, "mitigates")),
        ]
    )
    tests = _sources(snapshot, [*requirements, *risks], ("verifies", "validates"))
    return Touched(
        items=_ends(snapshot, items),
        requirements=_ends(snapshot, requirements),
        risks=_ends(snapshot, risks),
        tests=_ends(snapshot, tests),
    )


def _items(snapshot: Snapshot, project: str) -> list[RecordView]:
    return [one for one in snapshot.of_type("software_item", project) if is_in_force(one)]


def _sources(snapshot: Snapshot, targets: Sequence[Key], roles: Sequence[str]) -> list[Key]:
    links = (
        link for target in targets for role in roles for link in snapshot.incoming(target, role)
    )
    return _unique([link.source for link in links])


def _unique(keys: Sequence[Key]) -> list[Key]:
    return list(dict.fromkeys(keys))


def _ends(
    snapshot: Snapshot, keys: Iterable[Key], among: set[Key] | None = None
) -> tuple[RecordView, ...]:
    """Return the records of some keys that are not withdrawn, each once, in order of the uids."""
    found = {
        record.key: record
        for record in map(snapshot.records.get, keys)
        if record is not None and not record.withdrawn and (among is None or record.key in among)
    }
    return tuple(sorted(found.values(), key=lambda one: natural_order(one.key.uid)))
