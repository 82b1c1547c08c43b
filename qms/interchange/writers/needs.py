"""All records of a project as ``needs.json``, the interchange file of sphinx-needs.

A need has texts and lists of ids; what is neither (a table, a number, what a link says of itself)
stands there as JSON text, so that nothing is lost. Field names and roles are options and link
types of their own. There is no time in it, so that the same records are the same bytes.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from core.records.content import LinkDraft
from core.records.types import TypeRegistry
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.writers.values import as_json, as_text, fits

CREATOR = "fiducial"
"""Who wrote the file; sphinx-needs names itself in the same place."""

OWN = ("revision", "digest", "link_order", "other_fields")
"""Options of ours beside the fields: the order of all links with what each says of itself, and
values that the type does not know today."""

RESERVED = frozenset(
    {"id", "type", "title", "content", "status", "tags", "links", "sections", "hide"}
    | {"docname", "lineno", "external_url", "is_need", "is_part", "parts"}
    | {*OWN}
)
"""Names that a need has already; a field or role called so gets a word before it."""

MEANING = "meaning"
"""The key of a property of the schema that says which field or role it is."""
FIELD, ROLE = "field ", "role "


def to_needs(project: str, records: Sequence[RecordFile], registry: TypeRegistry) -> bytes:
    """Write every record as one need of the current, unnamed version."""
    names = field_names(records)
    needs = {one.uid: _need(one, names, registry) for one in records}
    version = {
        "creator": {"program": CREATOR},
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
    roles = {link.role for one in records for link in one.content.links}
    text = {"type": "string", "field_type": "extra", "default": ""}
    links = {"type": "array", "items": {"type": "string"}, "field_type": "links", "default": []}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            **dict.fromkeys(OWN, text),
            **{option_of(name): {**text, MEANING: FIELD + name} for name in names},
            "links": links,
            **{link_type_of(role, names): {**links, MEANING: ROLE + role} for role in roles},
        },
    }


def link_type_of(role: str, fields: Collection[str]) -> str:
    """Return the link type that a role becomes, where these are the fields of all records."""
    return f"link_{role}" if role in RESERVED or role in fields else role


def target_text(link: LinkDraft, project: str) -> str:
    """Return the target of a link, with its project where that is another one."""
    own = link.project is None or link.project == project
    return link.target if own else f"{link.project}/{link.target}"


def _need(one: RecordFile, names: Collection[str], registry: TypeRegistry) -> dict[str, Any]:
    content = one.content
    specs = registry.of(one.type).fields if one.type in registry else {}
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
    known = {name: value for name, value in content.fields.items() if fits(specs.get(name), value)}
    others = {name: value for name, value in content.fields.items() if name not in known}
    need |= {option_of(name): as_text(value) for name, value in known.items()}
    if others:
        need["other_fields"] = as_json(others)
    for link in content.links:
        key = link_type_of(link.role, names)
        need.setdefault(key, []).append(target_text(link, one.project))
    if content.links:
        # Lists by role forget which link came first, and what a link says of itself.
        said = [
            [link.role, target_text(link, one.project), dict(link.attributes)]
            for link in content.links
        ]
        need["link_order"] = as_json(said)
    return need
