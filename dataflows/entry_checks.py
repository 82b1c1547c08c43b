"""What must hold between the entries of a department file: ids, parents, ends, steps, QA names.

Works on what was written, so a file with a misspelt field still hears about its missing links.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import Fault
from core.located_yaml import LocatedYaml, Path
from dataflows.devices import devices_at

SECTIONS = ("systems", "connections", "pathways", "procedures", "records")

WHOLE = {"systems": "system", "connections": "connection"}
"""The type under which a record of a section may also stand whole, among the records."""


def link_faults(document: LocatedYaml) -> list[Fault]:
    """Return every fault between entries, in the order of the file's sections."""
    return [
        *_repeated_ids(document),
        *_parent_faults(document),
        *_connection_faults(document),
        *_step_faults(document),
        *_gap_faults(document),
        *_qa_faults(document),
        *_device_faults(document),
    ]


def entries(document: LocatedYaml, section: str) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the entries of a section that are mappings, each with its path."""
    value = document.value if isinstance(document.value, dict) else {}
    listed = value.get(section)
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(entry, dict):
            yield (section, index), entry


def label(document: LocatedYaml, path: Path) -> str:
    """Return `file:line id`: where a fault is and which record it is about."""
    place = document.where(path)
    if len(path) < 2 or not isinstance(path[1], int):
        return place
    listed = document.value[path[0]]
    entry = listed[path[1]] if isinstance(listed, list) else None
    if isinstance(entry, dict) and isinstance(entry.get("id"), str):
        return f"{place} {entry['id']}"
    return place


def _ids(document: LocatedYaml, section: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for _, entry in entries(document, section):
        if isinstance(entry.get("id"), str):
            found.setdefault(entry["id"], entry)
    for _, entry in entries(document, "records"):
        if isinstance(entry.get("id"), str) and entry.get("type") == WHOLE.get(section):
            found.setdefault(entry["id"], entry)
    return found


def _repeated_ids(document: LocatedYaml) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for section in SECTIONS:
        for path, entry in entries(document, section):
            uid = entry.get("id")
            if not isinstance(uid, str):
                continue
            here = document.where((*path, "id"))
            if uid in first:
                yield Fault(
                    "duplicate-id",
                    f"{here} {uid}",
                    f"The id {uid} stands already at {first[uid]}.",
                    "Give one of the two another id.",
                )
            else:
                first[uid] = here


def _parent_faults(document: LocatedYaml) -> Iterator[Fault]:
    parents = {
        uid: entry["parent"]
        for uid, entry in _ids(document, "systems").items()
        if isinstance(entry.get("parent"), str)
    }
    known = _ids(document, "systems")
    for path, entry in entries(document, "systems"):
        uid, parent = entry.get("id"), entry.get("parent")
        if not isinstance(parent, str) or not isinstance(uid, str):
            continue
        where = label(document, (*path, "parent"))
        if parent not in known:
            yield Fault(
                "missing-system",
                where,
                f"Its parent {parent} is not a system here.",
                "Add the system, or correct the parent.",
            )
            continue
        seen, here = [uid], parent
        while here in parents and here not in seen:
            seen.append(here)
            here = parents[here]
        if here == uid:
            yield Fault(
                "parent-circle",
                where,
                f"It is a part of itself: {' > '.join([*seen, uid])}.",
                "Take one of the parents away.",
            )


def _connection_faults(document: LocatedYaml) -> Iterator[Fault]:
    systems = _ids(document, "systems")
    for path, entry in entries(document, "connections"):
        for end in ("source", "target"):
            uid = entry.get(end)
            if isinstance(uid, str) and uid not in systems:
                yield Fault(
                    "missing-system",
                    label(document, (*path, end)),
                    f"Its {end} {uid} is not a system here.",
                    f"Add the system, or correct the {end}.",
                )
        if isinstance(entry.get("source"), str) and entry["source"] == entry.get("target"):
            yield Fault(
                "no-way",
                label(document, (*path, "target")),
                f"It runs from {entry['source']} to itself.",
                "Name the part that sends and the part that receives.",
            )
        if entry.get("category") != "dicom" and entry.get("associations"):
            yield Fault(
                "not-dicom",
                label(document, (*path, "associations")),
                f"It has DICOM associations but its category is {entry.get('category')}.",
                "Make the category dicom, or take the associations away.",
            )


def _step_faults(document: LocatedYaml) -> Iterator[Fault]:
    connections = _ids(document, "connections")
    for path, entry in entries(document, "pathways"):
        steps = entry.get("steps")
        walked: set[str] = set()
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            uid = step.get("connection") if isinstance(step, dict) else None
            if not isinstance(uid, str):
                continue
            where = label(document, (*path, "steps", index))
            if uid not in connections:
                yield Fault(
                    "missing-connection",
                    where,
                    f"Step {index + 1} names {uid}, which is not a connection here.",
                    "Add the connection, or correct the step.",
                )
            if uid in walked:
                yield Fault(
                    "repeated-step",
                    where,
                    f"Step {index + 1} repeats {uid}.",
                    "Keep the first of the two steps.",
                )
            walked.add(uid)


def _gap_faults(document: LocatedYaml) -> Iterator[Fault]:
    connections = _ids(document, "connections")
    about = document.value.get("department") if isinstance(document.value, dict) else None
    gaps = about.get("known_gaps") if isinstance(about, dict) else None
    for index, gap in enumerate(gaps if isinstance(gaps, list) else []):
        uid = gap.get("connection") if isinstance(gap, dict) else None
        if isinstance(uid, str) and uid not in connections:
            yield Fault(
                "missing-connection",
                document.where(("department", "known_gaps", index)),
                f"The known gap {gap.get('id')} names {uid}, which is not a connection here.",
                "Add the connection, or correct the gap.",
            )


def _qa_faults(document: LocatedYaml) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for section, scope in (("connections", "connection"), ("pathways", "pathway")):
        for path, entry in entries(document, section):
            listed = entry.get("qa")
            for index, qa in enumerate(listed if isinstance(listed, list) else []):
                if not isinstance(qa, dict):
                    continue
                where = label(document, (*path, "qa", index))
                if qa.get("scope") in ("connection", "pathway") and qa["scope"] != scope:
                    yield Fault(
                        "wrong-scope",
                        where,
                        f"The QA procedure {qa.get('ref')} stands on a {scope} "
                        f"but its scope is {qa['scope']}.",
                        f"Make its scope {scope}.",
                    )
                name = qa.get("ref")
                if not isinstance(name, str):
                    continue
                if name in first:
                    yield Fault(
                        "duplicate-qa",
                        where,
                        f"The QA procedure {name} stands already at {first[name]}.",
                        "Keep one; further connections are linked to its record later.",
                    )
                else:
                    first[name] = where


def _device_faults(document: LocatedYaml) -> Iterator[Fault]:
    """Ask for the project of a monitored requirement where the map does not tell it."""
    systems = _ids(document, "systems")
    for section in ("connections", "pathways"):
        for path, entry in entries(document, section):
            ends = [entry[end] for end in ("source", "target") if isinstance(entry.get(end), str)]
            devices = devices_at(systems, ends)
            for index, qa in enumerate(entry["qa"] if isinstance(entry.get("qa"), list) else []):
                monitors = qa.get("monitors") if isinstance(qa, dict) else None
                bare = [
                    reference
                    for reference in (monitors if isinstance(monitors, list) else [])
                    if isinstance(reference, str) and "/" not in reference
                ]
                if bare and len(devices) != 1:
                    known = ", ".join(devices) or "no system at this connection realises one"
                    yield Fault(
                        "unknown-device",
                        label(document, (*path, "qa", index, "monitors")),
                        f"{', '.join(bare)} could belong to {len(devices)} devices ({known}).",
                        "Write the project too, as in RPM/REQ-001.",
                    )
