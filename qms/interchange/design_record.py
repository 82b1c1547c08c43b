"""Read a design record file (schema ``rsq-demo/2``) as drafts of records, or name all its faults.

One file holds one device. Every key of it is mapped: to a field, to a typed link, or to a second
statement of a link that must agree with the first. Nothing is guessed and nothing is dropped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from core.clock import now
from core.errors import Fault, Invalid
from core.located_yaml import Lined, read_mapping
from core.records.content import Content, LinkDraft, RecordDraft
from qms.interchange.agreement import mend_and_compare
from qms.interchange.design_record_shape import SCHEMA, SECTIONS, STATES
from qms.interchange.draft_building import At, Entry, Reading, Stated, link_draft, take, uids_of

DEPARTMENT = "DEPT"
"""The project that holds the department map the device's links end in, unless told otherwise."""

COMMON = frozenset({"id", "state", "rev", "author"})
"""Keys that every entry of every section may have."""

MEANINGS = frozenset({"authored", "reviewed", "approved", "released"})
"""What a signature can mean here; the file may list them, and only them."""

_TITLES = {"release": "Release {version}", "risk_policy": "Risk policy {uid}"}
"""How a record is called whose entry states no title."""


@dataclass(frozen=True)
class DesignRecord:
    """What one file holds.

    Attributes
    ----------
    drafts : tuple of RecordDraft
        In the file's order.
    title : str
        The device's name.
    pending : tuple of str
        ``uid.key`` of each value left to the build ("<at build>") that was not given.
    """

    drafts: tuple[RecordDraft, ...]
    title: str
    pending: tuple[str, ...]


class FaultyRecord(Invalid):
    """A file with faults, and the records that could be read of it all the same.

    Attributes
    ----------
    drafts : tuple of RecordDraft
        Not to be kept: only so that what their types say of them can be told along.
    """

    def __init__(
        self, message: str, faults: Iterable[Fault], drafts: Iterable[RecordDraft]
    ) -> None:
        super().__init__(message, faults)
        self.drafts = tuple(drafts)


def load_design_record(
    path: Path,
    project: str,
    *,
    department: str = DEPARTMENT,
    built: Mapping[str, str] | None = None,
    today: date | None = None,
) -> DesignRecord:
    """Read a design record file for a project. See `read_design_record`."""
    return read_design_record(
        path.read_bytes(), path.name, project, department=department, built=built, today=today
    )


def read_design_record(
    content: bytes,
    name: str,
    project: str,
    *,
    department: str = DEPARTMENT,
    built: Mapping[str, str] | None = None,
    today: date | None = None,
) -> DesignRecord:
    """Read the content of a design record file.

    Parameters
    ----------
    content, name : bytes, str
        The file and the name it has in faults.
    project : str
        Key of the project its records shall belong to.
    department : str
        Key of the project that holds the systems and connections it refers to.
    built : mapping, optional
        Values for what the file leaves to the build, by ``uid.key``:
        ``{"REL-0.1.0.commit": "3f2c1a9..."}``.
    today : date, optional
        The day that "<day of build>" stands for; today, unless given.

    Raises
    ------
    FaultyRecord
        With every fault of the file, each with file, line and record.
    """
    top = read_mapping(content, name)
    reading = Reading(name, built or {}, today or now().date())
    defaults = _defaults(top, reading)
    _refuse_unknown_sections(top, reading)
    entries = _entries(top, reading, defaults)
    _deployment(top, reading)
    _compare_meanings(top, reading)
    links = mend_and_compare(reading, {entry.uid: entry.number for entry in entries})
    _refuse_unused(reading, entries)
    named = [entry for entry in entries if entry.title and not entry.uid.startswith("(")]
    drafts = tuple(_draft(entry, links, project, department) for entry in named)
    if reading.faults:
        told = f"{name} has {len(reading.faults)} faults; nothing was read from it."
        uids = frozenset(entry.uid for entry in named)
        raise FaultyRecord(told, reading.faults, (_without_loose(one, uids) for one in drafts))
    device = next((entry.title for entry in entries if entry.type == "project"), project)
    return DesignRecord(drafts, device, tuple(reading.pending))


def _defaults(top: Lined, reading: Reading) -> Mapping[str, Any]:
    if top.get("schema") != SCHEMA:
        where = f"{reading.name}:{top.line_of('schema')}"
        what = f"has the schema {top.get('schema')!r}."
        reading.fault("DR01", where, what, f"This reader knows {SCHEMA}.")
    defaults = top.get("defaults") or Lined(top.line)
    for key in sorted(set(defaults) - COMMON | {"id"} & set(defaults)):
        where = f"{reading.name}:{top.line_of('defaults')}"
        reading.fault("DR10", where, f"defaults has the unknown key {key}.", "Remove it.")
    return defaults if isinstance(defaults, Mapping) else {}


def _refuse_unknown_sections(top: Lined, reading: Reading) -> None:
    known = {*SECTIONS, "schema", "defaults", "training_matrix", "deployment", "signature_meanings"}
    for key in top:
        if key not in known:
            where = f"{reading.name}:{top.line_of(key)}"
            mend = f"Known: {', '.join(sorted(known))}."
            reading.fault("DR10", where, f"has the unknown section {key}.", mend)


def _entries(top: Lined, reading: Reading, defaults: Mapping[str, Any]) -> list[Entry]:
    entries: list[Entry] = []
    taken: dict[str, int] = {}
    for name, section in SECTIONS.items():
        for number, values in enumerate(_listed(top, name, reading), start=1):
            if name == "project" and "training_matrix" in top:
                values["training_matrix"] = top["training_matrix"]
                values.lines["training_matrix"] = top.line_of("training_matrix")
            uid = values.get("id")
            where = f"{reading.name}:{values.line}"
            if not isinstance(uid, str) or not uid:
                reading.fault("DR11", where, f"entry {number} of {name} has no id.", "Give it one.")
                uid = f"({name} {number})"
            elif uid in taken:
                what = f"has the id {uid} again (first on line {taken[uid]})."
                reading.fault("DR12", where, what, "An id names one record only.")
            taken.setdefault(uid, values.line)
            entry = Entry(reading, section.type, uid, values.line)
            _common(entry, values, defaults)
            rest = Lined(values.line)
            rest.update({k: v for k, v in values.items() if k not in COMMON and k != "type"})
            rest.lines = values.lines
            _type(entry, values, rest, section.keys)
            take(entry, rest, section.keys)
            _finish(entry)
            entries.append(entry)
    return entries


def _listed(top: Lined, name: str, reading: Reading) -> list[Lined]:
    """Return the entries of a section; project and risk_policy are one entry, not a list."""
    value = top.get(name)
    if value is None:
        return []
    single = name in ("project", "risk_policy")
    listed = [value] if single else value
    where = f"{reading.name}:{top.line_of(name)}"
    if not isinstance(listed, list):
        reading.fault(
            "DR15", where, f"the section {name} is not a list.", "Begin each with a dash."
        )
        return []
    entries = [each for each in listed if isinstance(each, Lined)]
    if len(entries) < len(listed):
        reading.fault("DR15", where, f"the section {name} holds something that is no mapping.")
    return entries


def _common(entry: Entry, values: Lined, defaults: Mapping[str, Any]) -> None:
    """Take state, revision and author, from the entry or from the defaults."""
    word = values.get("state", defaults.get("state", "draft"))
    if word not in STATES:
        mend = f"Known: {', '.join(sorted(STATES))}."
        entry.fault("DR16", values.line_of("state"), f"has the state {word!r}.", mend)
    entry.state = STATES.get(str(word), "draft")
    number = values.get("rev", defaults.get("rev", 1))
    if type(number) is not int or number < 1:
        entry.fault("DR17", values.line_of("rev"), f"has the revision {number!r}.", "Count from 1.")
        number = 1
    entry.number = number
    author = values.get("author", defaults.get("author"))
    if author is not None and not isinstance(author, str):
        entry.fault("DR15", values.line_of("author"), f"has the author {author!r}.", "Give a uid.")
        author = None
    entry.author = author
    if author is not None:
        entry.reading.mentions.append((author, entry.where(values.line_of("author"))))
    if entry.type == "training":
        entry.fields["outcome"] = "complete" if word == "complete" else "planned"
        entry.state = "recorded"
    elif entry.type == "release":
        entry.fields["stage"] = "planned" if word == "planned" else "candidate"
    elif word == "complete":
        entry.fault("DR16", values.line_of("state"), "is complete, which only training can be.")


def _type(entry: Entry, values: Lined, rest: Lined, keys: Mapping[str, Any]) -> None:
    """Take the key ``type``: a document's kind, or else the record type itself."""
    if "type" not in values:
        return
    if "type" in keys:
        rest["type"] = values["type"]
    elif values["type"] != entry.type:
        what = f"says type {values['type']!r} among records of type {entry.type}."
        entry.fault("DR15", values.line_of("type"), what, "Move it or correct the type.")


def _finish(entry: Entry) -> None:
    if entry.title:
        return
    pattern = _TITLES.get(entry.type)
    if pattern is None:
        entry.fault("DR18", entry.line, "has no title.", "Name it in a few words.")
        return
    entry.title = pattern.format(uid=entry.uid, version=entry.fields.get("version", entry.uid))


def _deployment(top: Lined, reading: Reading) -> None:
    """Take which software item runs on which system of the department."""
    for values in _listed(top, "deployment", reading):
        entry = Entry(reading, "software_item", str(values.get("item", "(no item)")), values.line)
        if set(values) != {"item", "deployed_on"}:
            entry.fault("DR10", values.line, "deployment needs {item: ..., deployed_on: ...}.")
            continue
        for uid, revision in uids_of(entry, values["deployed_on"], At("deployed_on", values.line)):
            reading.first.append(
                Stated(entry.uid, "deployed_on", uid, entry.where(), {}, revision, department=True)
            )


def _compare_meanings(top: Lined, reading: Reading) -> None:
    for meaning in top.get("signature_meanings") or ():
        if meaning not in MEANINGS:
            where = f"{reading.name}:{top.line_of('signature_meanings')}"
            what = f"lists the signature meaning {meaning!r}."
            reading.fault("DR15", where, what, f"Known: {', '.join(sorted(MEANINGS))}.")


def _refuse_unused(reading: Reading, entries: Iterable[Entry]) -> None:
    """Name every value that was given for the build and that the file never asked for."""
    asked = {entry.uid for entry in entries}
    for key in sorted(reading.built):
        if not any(key.startswith(f"{uid}.") for uid in asked):
            what = f"a build value was given for {key}, which is not in the file."
            reading.fault("DR19", reading.name, what, "Give it under uid.key.")


def _without_loose(draft: RecordDraft, uids: frozenset[str]) -> RecordDraft:
    """Leave out links that lead to no record of the file: each is among the faults already."""
    links = [one for one in draft.content.links if one.project or one.target in uids]
    return replace(draft, content=replace(draft.content, links=tuple(links)))


def _draft(
    entry: Entry, links: Mapping[str, list[Stated]], project: str, department: str
) -> RecordDraft:
    drafts: list[LinkDraft] = [link_draft(each, department) for each in links.get(entry.uid, ())]
    content = Content(entry.title, entry.body, dict(entry.fields), tuple(drafts))
    return RecordDraft(
        project=project,
        type=entry.type,
        uid=entry.uid,
        content=content,
        number=entry.number,
        state=entry.state,
        author=entry.author,
        origin=entry.where(),
    )
