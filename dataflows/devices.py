"""Which project a reference from the map belongs to."""

from collections.abc import Iterable, Mapping
from typing import Any


def split_reference(reference: str) -> tuple[str | None, str]:
    """Return project and uid of a reference; the project is None when it is not written.

    Examples
    --------
    >>> split_reference("RPM/REQ-001")
    ('RPM', 'REQ-001')
    >>> split_reference("REQ-001")
    (None, 'REQ-001')
    """
    project, _, uid = reference.rpartition("/")
    return project or None, uid


def device_project(uid: str) -> str:
    """Return the project that holds a device's own record: PRJ-RPM stands in project RPM."""
    return uid.removeprefix("PRJ-")


def devices_at(systems: Mapping[str, Mapping[str, Any]], ends: Iterable[str]) -> tuple[str, ...]:
    """Return the projects of the devices that some systems, or what they are part of, realise."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    pending = list(ends)
    while pending:
        here = pending.pop()
        system = systems.get(here)
        # Guarded against circles: this runs on files that have not passed their checks yet.
        if system is None or here in seen:
            continue
        seen.add(here)
        for reference in _texts(system.get("realises")):
            project, uid = split_reference(reference)
            found[project or device_project(uid)] = None
        pending += _texts([system.get("parent")])
    return tuple(sorted(found))


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
