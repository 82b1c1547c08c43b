"""What a record keeps of the item that it was imported from: all that its type has no field for.

It is a field of the revision like any other, so it stands in the content digest, in the history
and in every form of export, and the item can be told again from the record alone. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.canonical import digest
from core.records.checking import LONGEST_LINE
from core.records.content import Content, LinkDraft
from qms.interchange.corpus import Item
from qms.interchange.mapping.kinds import ORIGIN

IMPORTED = "imported"
"""Key of the digest of what the record said when it was imported last."""

COMPUTED_REVISIONS = frozenset({"doorstop"})
"""Formats whose revision of an item is computed from its text: it is told by the text alone."""

LEVELLED = frozenset({"doorstop"})
"""Formats that state the levels with their documents."""

_LONGEST_SHOWN = 120


def in_cells(format_name: str, kind: str) -> bool:
    """Tell whether an item comes from a sheet, where every value is a text."""
    return format_name == "sheets" or (format_name == "rdm" and kind == "hazard")


@dataclass(frozen=True)
class Kept:
    """What of an item became a part of the record itself.

    Attributes
    ----------
    title : str
        As the record says it; an item may have none.
    fields : mapping
        Fields of the record by the tool's names of what is in them.
    roles : tuple of (str or None)
        The role of the link that each reference became, None where it became none.
    """

    title: str
    fields: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str | None, ...] = ()


def shown_title(item: Item) -> str:
    r"""Return one line to call an item by: its title, or the beginning of its text, or its id.

    Examples
    --------
    >>> from qms.interchange.corpus import Place
    >>> shown_title(Item("R1", "req", "", "\nShall read.\nShall write.", Place("a")))
    'Shall read.'
    """
    if title := " ".join(item.title.split())[:LONGEST_LINE].strip():
        return title
    first = next((line.strip() for line in item.text.split("\n") if line.strip()), "")
    if not first:
        return item.uid[:LONGEST_LINE]
    return first if len(first) <= _LONGEST_SHOWN else f"{first[:_LONGEST_SHOWN].rstrip()}..."


def origin_of(
    item: Item, format_name: str, kept: Kept, above: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """Return what is kept beside the record's own parts; what is empty is left out."""
    stated = None if format_name in COMPUTED_REVISIONS else item.revision
    told: dict[str, Any] = {
        "format": format_name,
        "id": item.uid,
        "kind": item.kind,
        "file": item.place.file,
        "document": item.document,
        "position": list(item.position),
        "revision": stated,
        "title": item.title,
        "shown": kept.title,
        "above": list(above.get(item.document, ())) if format_name in LEVELLED else [],
        "fields": {
            name: plain(value) for name, value in item.fields.items() if name not in kept.fields
        },
        "moved": dict(kept.fields),
        "links": [
            _bare({
                "became": role,
                "role": one.role,
                "target": one.target,
                "stated": one.stated,
                "attributes": dict(one.attributes),
            })
            for one, role in zip(item.references, kept.roles, strict=True)
        ],
        "files": [{"name": one.name, "sha256": one.sha256} for one in item.attached],
    }  # fmt: skip
    if item.title == kept.title:
        del told["title"], told["shown"]
    return _bare(told)


def _bare(value: Mapping[str, Any]) -> dict[str, Any]:
    # An empty title is told: without it the record's own would be taken for the item's.
    return {
        key: one
        for key, one in value.items()
        if one not in (None, "", [], {}) or (key == "title" and "shown" in value)
    }


def plain(value: object) -> Any:
    """Return a value as JSON holds it."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def with_origin(content: Content, origin: Mapping[str, Any]) -> Content:
    """Return a record's content with its origin, and the digest of what it says now in that."""
    said = said_digest(content)
    return Content(
        content.title,
        content.body,
        {**content.fields, ORIGIN: {**origin, IMPORTED: said}},
        content.links,
    )


def origin_in(content: Content) -> Mapping[str, Any] | None:
    """Return the origin of a record, if it was imported."""
    found = content.fields.get(ORIGIN)
    return found if isinstance(found, Mapping) and found.get("id") else None


def said_digest(content: Content) -> str:
    """Return the digest of what a record says of its own, whatever its tool said beside."""
    return digest({
        "title": content.title,
        "body": content.body,
        "fields": {name: value for name, value in content.fields.items() if name != ORIGIN},
        "links": [_link(one) for one in content.links],
    })  # fmt: skip


def _link(one: LinkDraft) -> list[Any]:
    return [one.role, one.project or "", one.target, dict(one.attributes)]
