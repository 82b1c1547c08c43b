"""All records of a project as ``needs.json``, the interchange file of sphinx-needs.

A need has texts and lists of ids; what is neither (a table, a number, what a link says of itself)
stands there as JSON text, so that nothing is lost. Field names and roles are options and link
types of their own. There is no time in it, so that the same records are the same bytes.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from core.canonical import canonical_json
from qms.interchange.markdown.record_file import RecordFile

RESERVED = frozenset(
    {"id", "type", "title", "content", "status", "tags", "links", "sections", "hide"}
    | {"docname", "lineno", "external_url", "is_need", "is_part", "parts"}
    | {"revision", "digest", "link_order"}
)
"""Names that a need has already; a field or role called so gets a word before it."""


def to_needs(project: str, records: Sequence[RecordFile]) -> bytes:
    """Write every record as one need of the current, unnamed version."""
    names = field_names(records)
    needs = {one.uid: _need(one, names) for one in records}
    version = {
        "needs_amount": len(needs),
        "needs": needs,
        "needs_schema": _schema(records, names),
    }
    value = {"project": project, "current_version": "", "versions": {"": version}}
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def option_of(field: str) -> str:
    """Return the option that a field becomes."""
    return f"field_{field}" if field in RESERVED else field


def field_names(records: Iterable[RecordFile]) -> frozenset[str]:
    """Return the names of all fields that any of some records has."""
    return frozenset(name for one in records for name in one.content.fields)


def _schema(records: Iterable[RecordFile], names: Collection[str]) -> dict[str, Any]:
    """Say which keys of a need are links and which are options, as newer readers ask."""
    roles = {link_type_of(link.role, names) for one in records for link in one.content.links}
    text = {"type": "string", "field_type": "extra", "default": ""}
    links = {"type": "array", "items": {"type": "string"}, "field_type": "links", "default": []}
    options = {option_of(name) for name in names} | {"revision", "digest", "link_order"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {**dict.fromkeys(options, text), **dict.fromkeys({*roles, "links"}, links)},
    }


def link_type_of(role: str, fields: Collection[str]) -> str:
    """Return the link type that a role becomes, where these are the fields of all records."""
    return f"link_{role}" if role in RESERVED or role in fields else role


def as_text(value: Any) -> str:
    """Return a value as text: texts as they are, all else as JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode()


def _need(one: RecordFile, names: Collection[str]) -> dict[str, Any]:
    content = one.content
    need: dict[str, Any] = {
        "id": one.uid,
        "type": one.type,
        "title": content.title,
        "content": content.body,
        "status": one.state,
        "revision": str(one.revision),
        "digest": one.digest or one.content_digest,
        "tags": [],
        "sections": [],
        "docname": None,
        "links": [],
    }
    for name, value in content.fields.items():
        need[option_of(name)] = as_text(value)
    for link in content.links:
        own = link.project is None or link.project == one.project
        target = link.target if own else f"{link.project}/{link.target}"
        need.setdefault(link_type_of(link.role, names), []).append(target)
    if content.links:
        # Lists by role forget which link came first, and what a link says of itself.
        said = [[link.role, link.target, dict(link.attributes)] for link in content.links]
        need["link_order"] = as_text(said)
    return need
