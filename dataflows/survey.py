"""Build the department from its records: from a snapshot, or from drafts before they are stored.

A record that says too little, or contradicts another, is set aside with its reason; everything
that does hold together is still drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.records.content import RecordDraft
from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from dataflows.inventory import (
    DRAWN_STATUSES,
    Association,
    Category,
    Connection,
    Department,
    Incomplete,
    Outside,
    Pathway,
    Procedure,
    Status,
    Step,
    System,
)
from dataflows.priorities import priority_of

MAP_TYPES = ("system", "connection", "pathway", "qa_procedure")
"""The record types that a map is made of; every other record that names them is outside it."""


@dataclass(frozen=True, slots=True)
class _Link:
    role: str
    target: Outside
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one record says, wherever it was read."""

    type: str
    uid: str
    title: str
    fields: Mapping[str, Any]
    links: tuple[_Link, ...]
    named_by: tuple[Outside, ...] = ()
    in_force: bool = False

    def text(self, name: str) -> str:
        return str(self.fields.get(name) or "")

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(item) for item in self.fields.get(name) or ())

    def towards(self, role: str) -> tuple[_Link, ...]:
        return tuple(link for link in self.links if link.role == role)

    def first(self, role: str, project: str) -> str | None:
        """Return the first record of the same project that a role names."""
        links = (link.target for link in self.towards(role))
        return next((target.uid for target in links if target.project == project), None)

    def here(self, role: str, project: str) -> tuple[str, ...]:
        return tuple(
            link.target.uid for link in self.towards(role) if link.target.project == project
        )


def department_from_snapshot(snapshot: Snapshot, project: str) -> Department:
    """Read the map of a project; withdrawn records are not on it."""
    said = [
        _said_by_view(snapshot, view)
        for name in MAP_TYPES
        for view in snapshot.of_type(name, project)
        if not view.withdrawn
    ]
    return _department(said, project)


def department_from_drafts(drafts: Iterable[RecordDraft], project: str) -> Department:
    """Read the map that drafts would make, before any of them is stored."""
    said = [
        _Said(
            draft.type,
            draft.uid,
            draft.content.title,
            draft.content.fields,
            tuple(
                _Link(link.role, Outside(link.project or project, link.target), link.attributes)
                for link in draft.content.links
            ),
        )
        for draft in drafts
        if draft.uid is not None and draft.project == project and draft.type in MAP_TYPES
    ]
    return _department(said, project)


def _said_by_view(snapshot: Snapshot, view: RecordView) -> _Said:
    links = tuple(
        _Link(link.role, _outside(snapshot, link.target), link.attributes)
        for link in snapshot.outgoing(view.key)
    )
    named_by = []
    for link in snapshot.incoming(view.key):
        other = snapshot.records.get(link.source)
        if other is not None and other.type not in MAP_TYPES and not other.withdrawn:
            named_by.append(replace(_outside(snapshot, link.source), role=_words(link.role)))
    return _Said(
        view.type,
        view.key.uid,
        view.title,
        view.fields,
        links,
        tuple(sorted(named_by)),
        view.in_force,
    )


def _outside(snapshot: Snapshot, key: Key) -> Outside:
    view = snapshot.records.get(key)
    title, type_name = (view.title, view.type) if view else ("", "")
    return Outside(key.project, key.uid, title, type_name)


def _words(role: str) -> str:
    return role.replace("_", " ")


def _department(said: Sequence[_Said], project: str) -> Department:
    by_type: dict[str, list[_Said]] = {name: [] for name in MAP_TYPES}
    for one in sorted(said, key=lambda one: natural_order(one.uid)):
        by_type[one.type].append(one)
    incomplete: list[Incomplete] = []
    systems = _systems(by_type["system"], project, incomplete)
    connections: dict[str, Connection] = {}
    no_transfer = set()
    for one in by_type["connection"]:
        connection = _connection(one, project, systems, incomplete)
        if connection is None:
            continue
        if connection.status in DRAWN_STATUSES:
            connections[one.uid] = connection
        elif connection.status is Status.NONE:
            no_transfer.add((connection.source, connection.target))
    return Department(
        project=project,
        systems=systems,
        connections=connections,
        pathways={one.uid: _pathway(one, project) for one in by_type["pathway"]},
        procedures={one.uid: _procedure(one, project) for one in by_type["qa_procedure"]},
        no_transfer=frozenset(no_transfer),
        incomplete=tuple(incomplete),
        drafts=frozenset(one.uid for one in said if not one.in_force),
    )


def _systems(
    said: Iterable[_Said], project: str, incomplete: list[Incomplete]
) -> dict[str, System]:
    found = {
        one.uid: System(
            uid=one.uid,
            title=one.title,
            kind=one.text("kind"),
            owner=one.text("owner"),
            criticality=one.text("criticality"),
            parent=one.first("part_of", project),
            realises=tuple(link.target for link in one.towards("realises")),
            named_by=one.named_by,
        )
        for one in said
    }
    for uid, system in found.items():
        if system.parent is None:
            continue
        if system.parent not in found:
            incomplete.append(
                Incomplete(
                    uid,
                    f"is part of {system.parent}, which is not a system on this map; "
                    "it is drawn as a major system",
                )
            )
            found[uid] = replace(system, parent=None)
        elif _circles(found, uid):
            incomplete.append(
                Incomplete(
                    uid,
                    f"is part of {system.parent}, which is in turn a part of it; "
                    "it is drawn as a major system",
                )
            )
            found[uid] = replace(system, parent=None)
    return found


def _circles(systems: Mapping[str, System], uid: str) -> bool:
    seen: set[str] = set()
    here: str | None = uid
    while here is not None and here in systems:
        if here in seen:
            return here == uid
        seen.add(here)
        here = systems[here].parent
    return False


def _connection(
    one: _Said, project: str, systems: Mapping[str, System], incomplete: list[Incomplete]
) -> Connection | None:
    source, target = one.first("from_system", project), one.first("to_system", project)
    for end, word in ((source, "start"), (target, "end")):
        if end is None or end not in systems:
            reason = (
                f"has no system at its {word}"
                if end is None
                else (f"names {end} at its {word}, which is not a system on this map")
            )
            incomplete.append(Incomplete(one.uid, reason))
    if source not in systems or target not in systems or source is None or target is None:
        return None
    category = one.text("category")
    if category not in set(Category):
        incomplete.append(Incomplete(one.uid, "has no category: choose DICOM, file or other"))
        return None
    status = one.text("status")
    return Connection(
        uid=one.uid,
        title=one.title,
        source=source,
        target=target,
        category=Category(category),
        protocol=one.text("protocol"),
        data_types=one.texts("data_types"),
        trigger=one.text("trigger"),
        mode=one.text("mode"),
        responsible=one.text("responsible"),
        status=Status(status) if status in set(Status) else Status.ACTIVE,
        associations=tuple(_association(row) for row in one.fields.get("associations") or ()),
        tls=bool(one.fields.get("tls")),
        named_by=one.named_by,
        priority=_highest(one.fields.get("failure_modes") or ()),
    )


def _highest(failure_modes: Iterable[Mapping[str, Any]]) -> str:
    found = {priority_of(mode) for mode in failure_modes}
    return next((word for word in ("high", "medium", "low") if word in found), "")


def _association(row: Mapping[str, Any]) -> Association:
    return Association(
        role=str(row.get("role") or ""),
        scu_ae=str(row.get("scu_ae") or ""),
        scp_ae=str(row.get("scp_ae") or ""),
        scp_host=str(row.get("scp_host") or ""),
        scp_port=int(row.get("scp_port") or 0),
        service=str(row.get("service") or ""),
    )


def _pathway(one: _Said, project: str) -> Pathway:
    # A connection of another project is none of this map, even where one here has its number.
    steps = (
        Step(
            link.target.uid if link.target.project == project
            else f"{link.target.project}/{link.target.uid}",
            bool(link.attributes.get("entry")),
        )
        for link in one.towards("steps")
    )  # fmt: skip
    return Pathway(one.uid, one.title, one.text("modality"), tuple(steps))


def _procedure(one: _Said, project: str) -> Procedure:
    return Procedure(
        uid=one.uid,
        title=one.title,
        slug=one.text("slug"),
        frequency=one.text("frequency"),
        source=one.text("source"),
        instance=one.text("instance"),
        connections=one.here("controls_connection", project),
        pathways=one.here("controls_pathway", project),
        monitors=tuple(
            replace(link.target, role="monitored by " + one.uid) for link in one.towards("monitors")
        ),
    )
