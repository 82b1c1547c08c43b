"""Read the `needs.json` of sphinx-needs: the needs of its current version, with their links."""

import difflib
from typing import Any

from core.located_yaml import Lined
from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.codes import NO_ID, NO_VALUE, NOT_READ, SHAPE
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering, shape_of
from qms.interchange.readers.located_json import read_json

LINKS = "links"
"""The one kind of link that every installation has; others are named in the schema."""

_TOLD = frozenset({"id", "type", "title", "description", "content", "docname"})


def read(files: Files) -> Gathering:
    """Read every file that holds needs."""
    into = Gathering("sphinx-needs")
    for name in files.ending(".json"):
        text = files.text(name, into)
        value = None if text is None else read_json(text, name, into)
        if value is None:
            continue
        if not holds_needs(value):
            into.left_out["other JSON files"] += 1
            continue
        _file(name, value, into)
    return into


def holds_needs(value: Any) -> bool:
    """Tell whether a JSON value is a file of needs."""
    return isinstance(value, Lined) and isinstance(value.get("versions"), Lined)


def _file(name: str, value: Lined, into: Gathering) -> None:
    versions: Lined = value["versions"]
    current = str(value.get("current_version"))
    if current not in versions:
        known = [str(one) for one in versions]
        if len(known) != 1:
            near = difflib.get_close_matches(current, known, 1)
            mend = (
                f"Did you mean {near[0]}?" if near else f"There are {', '.join(known) or 'none'}."
            )
            place = Place(name, value.line_of("current_version"))
            into.fault(NOT_READ, place, f"There is no version '{current}' in the file.", mend)
            return
        current = known[0]
    into.left_out["needs of earlier versions"] += sum(
        len(one["needs"])
        for key, one in versions.items()
        if key != current and isinstance(one, Lined) and isinstance(one.get("needs"), Lined)
    )
    version = versions[current]
    needs = version.get("needs") if isinstance(version, Lined) else None
    if not isinstance(needs, Lined):
        place = Place(name, versions.line_of(current))
        into.fault(SHAPE, place, f"Version '{current}' holds {shape_of(needs)}, no needs.")
        return
    kinds = _roles(version, needs)
    ids = frozenset(
        {*needs, *(str(one.get("id")) for one in needs.values() if isinstance(one, Lined))}
    )
    for key, need in needs.items():
        place = Place(name, needs.line_of(key))
        if not isinstance(need, Lined):
            into.fault(SHAPE, place, f"'{key}' is {shape_of(need)}, no need.", uid=key)
            continue
        _need(name, key, need, kinds, ids, into)


def _roles(version: Lined, needs: Lined) -> tuple[frozenset[str], frozenset[str]]:
    """Return which fields are links and which say the same from the other end."""
    schema = version.get("needs_schema")
    declared = schema.get("properties") if isinstance(schema, Lined) else None
    if isinstance(declared, Lined):
        kinds = {
            key: one.get("field_type") for key, one in declared.items() if isinstance(one, Lined)
        }
        roles = {key for key, kind in kinds.items() if kind == "links"}
        back = {key for key, kind in kinds.items() if kind == "backlinks"}
        return frozenset(roles | {LINKS}), frozenset(back)
    # Older files state no schema; what comes with its own "_back" is a link.
    keys = {key for one in needs.values() if isinstance(one, Lined) for key in one}
    back = {key for key in keys if key.endswith("_back")}
    return (
        frozenset({LINKS, *(key.removesuffix("_back") for key in back)}),
        frozenset(back),
    )


def _need(
    name: str,
    key: str,
    need: Lined,
    kinds: tuple[frozenset[str], frozenset[str]],
    ids: frozenset[str],
    into: Gathering,
) -> None:
    roles, back = kinds
    uid = need.get("id", key)
    place = Place(name, need.line_of("id"))
    if not isinstance(uid, str) or not uid:
        into.fault(NO_ID, place, "A need states no id.", "Give it one.")
        return
    references = tuple(
        reference
        for role in sorted(roles & need.keys())
        for reference in _links(role, need[role], Place(name, need.line_of(role)), (uid, ids), into)
    )
    texts = {one: into.text(need.get(one), place, one, uid) for one in sorted(_TOLD - {"id"})}
    fields = {
        one: value
        for one, value in need.items()
        if one not in _TOLD and one not in roles and one not in back and value not in (None, "", [])
    }
    into.add(
        Item(
            uid=uid,
            kind=texts["type"] or "need",
            title=texts["title"],
            text=texts["content"] or texts["description"],
            place=place,
            document=texts["docname"],
            fields=fields,
            references=references,
        )
    )


def _links(
    role: str, value: Any, place: Place, among: tuple[str, frozenset[str]], into: Gathering
) -> list[Reference]:
    uid, ids = among
    found = []
    links = [value] if isinstance(value, str) else value
    if not isinstance(links, list):
        if links is not None:
            into.fault(SHAPE, place, f"'{role}' is {shape_of(links)}, no list of ids.", uid=uid)
        return []
    for link in links:
        if not isinstance(link, str) or not link:
            into.fault(NO_VALUE, place, f"A link of '{role}' is {shape_of(link)}.", uid=uid)
            continue
        whole, part = _whole_and_part(link, ids)
        found.append(Reference(role, whole, place, attributes={"part": part} if part else {}))
    return found


def _whole_and_part(link: str, ids: frozenset[str]) -> tuple[str, str]:
    """Return the need that a link leads to, and the part of it, which lives and dies with it.

    An id may hold dots itself (`REL-0.1.0`), so a part is only what follows the id of a need.
    """
    at = len(link)
    while at > 0 and link[:at] not in ids:
        at = link.rfind(".", 0, at)
    return (link, "") if at <= 0 else (link[:at], link[at + 1 :])
