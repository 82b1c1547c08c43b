"""All records of a project as one JSON document: nothing left out, and read back as it was."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.canonical import NotCanonical, read_json
from core.errors import Fault, Invalid
from core.records.checking import UID
from core.records.content import Content, LinkDraft
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import LARGEST_REVISION, RecordFile, unkeepable

FORMAT = "fiducial-records/1"
LARGEST_FILE = 200_000_000
MOST_RECORDS = 100_000

_SHAPE: Mapping[str, type] = {
    "id": str,
    "type": str,
    "title": str,
    "revision": int,
    "state": str,
    "digest": str,
    "text": str,
    "fields": dict,
    "links": list,
}
_LINK: Mapping[str, type] = {"role": str, "project": str, "target": str, "attributes": dict}


def to_json(project: str, title: str, records: Sequence[RecordFile]) -> bytes:
    """Write one document; the same records are the same bytes."""
    value = {
        "format": FORMAT,
        "project": {"key": project, "title": title},
        "records": [_entry(one) for one in records],
    }
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _entry(one: RecordFile) -> dict[str, Any]:
    return {
        "id": one.uid,
        "type": one.type,
        "title": one.content.title,
        "revision": one.revision,
        "state": one.state,
        "digest": one.digest or one.content_digest,
        "text": one.content.body,
        "fields": dict(one.content.fields),
        "links": [link_entry(link, one.project) for link in one.content.links],
    }


def link_entry(link: LinkDraft, project: str) -> dict[str, Any]:
    """Return a link as JSON, always with the project that it leads into."""
    return {
        "role": link.role,
        "project": link.project or project,
        "target": link.target,
        "attributes": dict(link.attributes),
    }


def from_json(data: bytes, name: str) -> RecordFolder:
    """Read what `to_json` wrote, or tell every entry that is none.

    Raises
    ------
    Invalid
        If it is no such document at all.
    """
    if len(data) > LARGEST_FILE:
        fault = Fault("TR308", name, f"holds {len(data):,} bytes; at most {LARGEST_FILE:,} do.")
        raise Invalid(f"{name} was not read.", [fault])
    try:
        value = read_json(data)
    except NotCanonical as error:
        raise Invalid(f"{name} was not read.", [Fault("TR320", name, str(error))]) from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        fault = Fault("TR320", name, "holds no records as JSON.", f"Its format must be {FORMAT}.")
        raise Invalid(f"{name} was not read.", [fault])
    project, entries = value.get("project"), value.get("records")
    key = project.get("key") if isinstance(project, dict) else None
    if not isinstance(key, str) or not isinstance(entries, list) or len(entries) > MOST_RECORDS:
        what = f"does not say its project and at most {MOST_RECORDS:,} records."
        raise Invalid(f"{name} was not read.", [Fault("TR320", name, what)])
    faults: list[Fault] = []
    found: list[RecordFile] = []
    uids: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        wrong = _wrong(entry)
        where = f"{name} record {number}"
        if wrong:
            faults.append(Fault("TR321", where, wrong))
        elif entry["id"] in uids:
            faults.append(Fault("TR310", where, f"has the id {entry['id']} again."))
        else:
            uids.add(entry["id"])
            record = _record(entry, key, f"{name} {entry['id']}")
            if why := unkeepable(record.content):
                faults.append(Fault("TR321", where, f"what it says cannot be kept: {why}"))
            else:
                found.append(record)
    return RecordFolder(tuple(found), tuple(faults))


def _wrong(entry: Any) -> str:
    """Say what keeps an entry from being a record; empty where nothing does."""
    if not isinstance(entry, dict) or set(entry) != set(_SHAPE):
        return f"has other keys than {', '.join(_SHAPE)}."
    for key, kind in _SHAPE.items():
        if type(entry[key]) is not kind:
            return f"{key} is of another kind."
    if not UID.fullmatch(entry["id"]):
        return f"'{entry['id'][:80]}' is no uid."
    if not 1 <= entry["revision"] <= LARGEST_REVISION:
        return f"revision is {entry['revision']}."
    for link in entry["links"]:
        shaped = isinstance(link, dict) and set(link) == set(_LINK)
        if not shaped or any(type(link[key]) is not kind for key, kind in _LINK.items()):
            return f"a link has other parts than {', '.join(_LINK)}."
    return ""


def _record(entry: Mapping[str, Any], project: str, file: str) -> RecordFile:
    links = tuple(
        LinkDraft(
            link["role"],
            link["target"],
            None if link["project"] == project else link["project"],
            link["attributes"],
        )
        for link in entry["links"]
    )
    content = Content(entry["title"], entry["text"], entry["fields"], links)
    return RecordFile(
        project,
        entry["type"],
        entry["id"],
        content,
        entry["revision"],
        entry["state"],
        entry["digest"],
        file,
    )
