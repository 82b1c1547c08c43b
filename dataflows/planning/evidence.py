"""The devices that a change touches, what of their records names it, and the tests of those. Pure.

A device is touched most where a system that changes realises it, less where it reads over a
connection that changes, and least where data reaches it later in a pathway.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from core.records.snapshot import Key, RecordView, Snapshot, natural_order
from core.verdicts import Verdict
from dataflows.devices import device_project
from dataflows.impact import Impact
from dataflows.inventory import Department, Outside
from dataflows.survey import MAP_TYPES

TESTING = ("verifies", "validates")
"""The links by which a test says what it tests."""

READS, SENDS = "reads", "sends"
"""What a device does over a connection that changes."""


class Nearness(IntEnum):
    """How a device is touched, nearest first."""

    REALISED = 0
    CONNECTED = 1
    DOWNSTREAM = 2


@dataclass(frozen=True, slots=True)
class TouchedDevice:
    """A device, how near the change is to it, and over what; `how` says both in words."""

    device: Outside
    nearness: Nearness
    how: str
    connections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A record outside the map that rests on what changes, and why.

    Attributes
    ----------
    direct : bool
        False where only what is fed later in a pathway rests on it.
    stands : str
        Of a risk, its level in words; empty where nobody says.
    """

    record: Outside
    why: tuple[str, ...]
    direct: bool = True
    stands: str = ""


@dataclass(frozen=True, slots=True)
class LastRun:
    """A test of what rests on the change, and what its last validation run says."""

    record: Outside
    shows: tuple[str, ...]
    verdict: Verdict


def touched_devices(department: Department, found: Impact) -> tuple[TouchedDevice, ...]:
    """Return each device once, as near as the change comes to it."""
    best: dict[tuple[str, str], TouchedDevice] = {}
    for one in _devices(department, found):
        key = (one.device.project, one.device.uid)
        known = best.get(key)
        if known is None or one.nearness < known.nearness:
            best[key] = one
        elif one.nearness == known.nearness:
            connections = tuple(dict.fromkeys((*known.connections, *one.connections)))
            how = _told_together(known.how, one.how)
            best[key] = TouchedDevice(known.device, known.nearness, how, connections)
    return tuple(sorted(best.values(), key=lambda one: (one.nearness, one.device)))


def _told_together(how: str, more: str) -> str:
    """Return both ways in words; "reads over C1" and "reads over C2" are one."""
    parts = how.split("; ")
    verb, over, uid = more.partition(" over ")
    alike = [n for n, part in enumerate(parts) if part.startswith(f"{verb} over ")]
    if over and alike and verb in (READS, SENDS):
        parts[alike[0]] += f", {uid}"
    else:
        parts.append(more)
    return "; ".join(dict.fromkeys(parts))


def _devices(department: Department, found: Impact) -> Iterator[TouchedDevice]:
    scope = frozenset(found.scope)
    above = {up for part in found.scope for up in department.lineage[part]}
    for uid in sorted(above, key=natural_order):
        for device in department.systems[uid].realises:
            yield TouchedDevice(device, Nearness.REALISED, f"realised by {uid}")
    for connection in found.direct:
        for end, verb in ((connection.target, READS), (connection.source, SENDS)):
            if end not in scope:
                for device in _realised_at(department, end):
                    how = f"{verb} over {connection.uid}"
                    yield TouchedDevice(device, Nearness.CONNECTED, how, (connection.uid,))
    for touched in found.pathways:
        for step in touched.downstream:
            if step.connection is None or step.connection.target in scope:
                continue
            for device in _realised_at(department, step.connection.target):
                how = f"fed over {step.uid}, step {step.number} of {touched.pathway.uid}"
                yield TouchedDevice(device, Nearness.DOWNSTREAM, how, (step.uid,))


def _realised_at(department: Department, system: str) -> Iterable[Outside]:
    """Return each device once, though a system and what it is a part of may both realise it."""
    lineage = department.lineage[system]
    return dict.fromkeys(device for uid in lineage for device in department.systems[uid].realises)


def evidence_of(
    snapshot: Snapshot, department: Department, found: Impact, devices: Iterable[TouchedDevice]
) -> tuple[Evidence, ...]:
    """Return the records outside the map that rest on what changes, each with every reason.

    These are records that name a connection, a system that changes or one that it is a part of,
    requirements that a QA procedure to repeat monitors, and, where a device is only fed later in a
    pathway, what names the connection that feeds it.
    """
    direct = [c.uid for c in found.direct]
    later = [uid for one in devices for uid in one.connections if uid not in direct]
    reasons: dict[Key, dict[str, bool]] = {}
    above = {up for part in found.scope for up in department.lineage[part]} - set(found.scope)
    systems = (*found.scope, *sorted(above, key=natural_order))
    for uid in (*systems, *direct, *dict.fromkeys(later)):
        for link in snapshot.incoming(Key(department.project, uid)):
            record = snapshot.records.get(link.source)
            if record is not None and record.type not in MAP_TYPES and not record.withdrawn:
                why = f"{link.role.replace('_', ' ')} {uid}"
                reasons.setdefault(link.source, {})[why] = uid not in later
    for procedure in found.procedures:
        for one in procedure.monitors:
            why = f"monitored by {procedure.uid}"
            reasons.setdefault(Key(one.project, one.uid), {})[why] = True
    made = [
        Evidence(outside(snapshot, key), tuple(why), any(why.values()))
        for key, why in reasons.items()
    ]
    return tuple(
        sorted(
            made,
            key=lambda e: (not e.direct, e.record.project, natural_order(e.record.uid)),
        )
    )


def last_runs(
    snapshot: Snapshot, evidence: Iterable[Evidence], verdicts: Mapping[Key, Verdict]
) -> tuple[LastRun, ...]:
    """Return the tests that show what the evidence claims, with their last runs.

    Only tests of projects whose verdicts were asked for are listed.
    """
    shows: dict[Key, dict[str, None]] = {}
    for one in evidence:
        key = Key(one.record.project, one.record.uid)
        if one.record.type == "test":
            shows.setdefault(key, {})
        for role in TESTING:
            for link in snapshot.incoming(key, role):
                shows.setdefault(link.source, {})[key.uid] = None
    found = []
    for key in sorted(shows, key=lambda k: (k.project, natural_order(k.uid))):
        test = snapshot.records.get(key)
        if test is not None and test.type == "test" and not test.withdrawn:
            verdict = verdicts.get(key)
            if verdict is not None:
                found.append(LastRun(outside(snapshot, key), tuple(shows[key]), verdict))
    return tuple(found)


def outside(snapshot: Snapshot, key: Key) -> Outside:
    """Return a record outside the map; only its uid where the reader may not know more."""
    view: RecordView | None = snapshot.records.get(key)
    return Outside(key.project, key.uid, view.title if view else "", view.type if view else "")


def projects_of(devices: Iterable[TouchedDevice], evidence: Iterable[Evidence]) -> list[str]:
    """Return the projects that records outside the map belong to."""
    named = {one.record.project for one in evidence}
    named |= {one.device.project or device_project(one.device.uid) for one in devices}
    return sorted(named)
