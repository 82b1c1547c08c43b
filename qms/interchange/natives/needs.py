"""Write items back as the `needs.json` of sphinx-needs, with its schema."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qms.interchange.corpus import Corpus, Item
from qms.interchange.readers.needs import LINKS

VERSION = "1"


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    by_file: dict[str, list[Item]] = {}
    for item in corpus.items:
        by_file.setdefault(item.place.file, []).append(item)
    return {name: _file(items) for name, items in by_file.items()}


def _file(items: Sequence[Item]) -> bytes:
    roles = sorted({LINKS, *(one.role for item in items for one in item.references)})
    ends: dict[str, dict[str, dict[str, None]]] = {item.uid: {} for item in items}
    for item in items:
        for one in item.references:
            if one.target in ends:
                ends[one.target].setdefault(f"{one.role}_back", {})[item.uid] = None
    properties: dict[str, Any] = {}
    for role in roles:
        properties[role] = {"type": "array", "field_type": "links"}
        properties[f"{role}_back"] = {"type": "array", "field_type": "backlinks"}
    version = {
        "needs": {item.uid: _need(item, ends[item.uid]) for item in items},
        "needs_amount": len(items),
        "needs_schema": {"type": "object", "properties": properties},
    }
    value = {"current_version": VERSION, "versions": {VERSION: version}}
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _need(item: Item, back: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    links: dict[str, list[str]] = {}
    for one in item.references:
        part = one.attributes.get("part", "")
        links.setdefault(one.role, []).append(f"{one.target}.{part}" if part else one.target)
    return {
        "id": item.uid,
        "type": item.kind,
        "title": item.title,
        "content": item.text,
        "docname": item.document,
        **item.fields,
        **links,
        **{role: list(uids) for role, uids in back.items()},
    }
