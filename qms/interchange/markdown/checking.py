"""Whether the records of a folder fit their types and each other; no database is asked."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.errors import Fault
from core.records.checking import content_faults
from core.records.content import Content
from core.records.snapshot import Key
from core.records.type_shape import RecordType
from core.records.types import TypeRegistry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile

MOST_SUGGESTIONS = 100
"""Finding a name that is near costs a look at every other; after so many the point is made."""


def check_folder(found: RecordFolder, registry: TypeRegistry) -> list[Fault]:
    """Return everything that is wrong with a folder: its files, its records and their links.

    A link into a project of which the folder holds nothing cannot be judged here and is not told.
    """
    return [
        *found.faults,
        *(fault for one in found.records for fault in type_faults(one, registry)),
        *link_faults(found.records, registry),
    ]


def type_faults(one: RecordFile, registry: TypeRegistry) -> list[Fault]:
    """Return what a record's type has against it, each with the line it stands on."""
    if one.type not in registry:
        near = difflib.get_close_matches(one.type, registry.names(), 1)
        mend = f"Did you mean {near[0]}?" if near else ""
        return [Fault("TR311", one.where("type"), f"'{one.type[:60]}' is no record type.", mend)]
    record_type = registry.of(one.type)
    _, faults = content_faults(record_type, one.content, one.where("title"))
    if not faults:
        return []
    places = _places(one, record_type)
    return [
        replace(fault, code="TR312", where=places.get(fault.what, fault.where)) for fault in faults
    ]


def _places(one: RecordFile, record_type: RecordType) -> Mapping[str, str]:
    """Return where each fault stands, by what it says: every part is asked again on its own."""
    parts: list[tuple[str, Content]] = [
        (one.where("fields", name), Content("-", "", {name: value}))
        for name, value in one.content.fields.items()
    ]
    parts += [
        (one.where("links", place), Content("-", "", {}, (link,)))
        for place, link in enumerate(one.content.links)
    ]
    return {
        fault.what: where
        for where, content in parts
        for fault in content_faults(record_type, content, where)[1]
    }


def link_faults(
    records: Sequence[RecordFile],
    registry: TypeRegistry,
    kept: Mapping[Key, str] | None = None,
) -> list[Fault]:
    """Return each link that leads nowhere, to itself, or to a type its role does not allow.

    Parameters
    ----------
    kept : mapping, optional
        The type of every record beside the files that a link can lead to; without it only links
        into projects of which there are files are judged.
    """
    types = {**(kept or {}), **{one.key: one.type for one in records}}
    projects = {key.project for key in types}
    faults: list[Fault] = []
    suggesting = _Suggesting(types)
    for one in records:
        if one.type not in registry:
            continue
        roles = registry.of(one.type).links
        for place, link in enumerate(one.content.links):
            key = Key(link.project or one.project, link.target)
            spec = roles.get(link.role)
            if spec is None or (kept is None and key.project not in projects):
                continue
            where, found = one.where("links", place), types.get(key)
            if key == one.key:
                what = f"'{spec.label}' leads from {one.uid} to itself."
                faults.append(Fault("TR315", where, what, "Name another record."))
            elif found is None:
                what = f"'{spec.label}' {link.target} leads to no record."
                faults.append(Fault("TR313", where, what, suggesting.mend(key)))
            elif found not in spec.to:
                what = f"'{spec.label}' {link.target} leads to a {found.replace('_', ' ')}."
                mend = f"It may lead to: {', '.join(spec.to)}."
                faults.append(Fault("TR314", where, what, mend))
    return faults


class _Suggesting:
    """Names what may have been meant, as long as that is worth its time."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.uids: dict[str, list[str]] = {}
        for key in keys:
            self.uids.setdefault(key.project, []).append(key.uid)
        self.left = MOST_SUGGESTIONS

    def mend(self, key: Key) -> str:
        if self.left > 0:
            self.left -= 1
            near = difflib.get_close_matches(key.uid, self.uids.get(key.project, ()), 1)
            if near:
                return f"Did you mean {near[0]}?"
        return "Add that record, or take the link away."
