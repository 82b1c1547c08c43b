"""Read the JSON that RoboClerk keeps its items in: lists of items by their sort, with links."""

import difflib
from typing import Any

from core.located_yaml import Lined
from qms.interchange.corpus import Item, Place, Reference
from qms.interchange.readers.codes import NO_ID, NO_VALUE, NOT_READ, SHAPE, UNKNOWN
from qms.interchange.readers.files import Files
from qms.interchange.readers.gathering import Gathering, shape_of
from qms.interchange.readers.located_json import read_json

PARENT, CHILD = "Parent", "Child"

LINKS = {0: PARENT, 1: CHILD, 2: "Related"}
"""The numbers that mean the same in each of its versions; others keep their number."""

SECTIONS = (
    "SystemRequirements", "SoftwareRequirements", "DocumentationRequirements", "DocContents",
    "Risks", "SOUPs", "SoftwareSystemTests", "UnitTests", "Anomalies",
)  # fmt: skip

ABOVE = {
    "SystemRequirement": (),
    "SoftwareRequirement": ("SystemRequirement",),
    "SoftwareSystemTest": ("SoftwareRequirement",),
    "DocumentationRequirement": (),
    "DocContent": ("DocumentationRequirement",),
}
"""The levels that its traces go through; risks, tests of units and the others have none."""

TITLES = ("ItemTitle", "SOUPName", "RiskPrimaryHazard", "UnitTestPurpose")
TEXTS = (
    "RequirementDescription", "DocContent", "RiskCauseOfFailure", "SOUPDetailedDescription",
    "TestCaseDescription", "UnitTestAcceptanceCriteria", "AnomalyDetailedDescription",
)  # fmt: skip
_TOLD = frozenset({"ItemID", "ItemType", "ItemRevision", "LinkedItems"})


def read(files: Files) -> Gathering:
    """Read every file of items."""
    into = Gathering("roboclerk")
    into.above = dict(ABOVE)
    for name in files.ending(".json"):
        text = files.text(name, into)
        value = None if text is None else read_json(text, name, into)
        if value is None:
            continue
        if not holds_items(value):
            into.left_out["other JSON files"] += 1
            continue
        for section, entries in value.items():
            _section(name, section, entries, value.line_of(section), into)
    return into


def holds_items(value: Any) -> bool:
    """Tell whether a JSON value is a file of RoboClerk's items."""
    return isinstance(value, Lined) and len(value.keys() & set(SECTIONS)) >= 2


def _section(name: str, section: str, entries: Any, line: int, into: Gathering) -> None:
    place = Place(name, line)
    if section not in SECTIONS:
        near = difflib.get_close_matches(section, SECTIONS, 1)
        mend = f"Did you mean {near[0]}?" if near else "It is left out."
        # An empty one is told as well, and nothing is lost with it.
        code = UNKNOWN if entries in (None, [], {}) else NOT_READ
        into.fault(code, place, f"There is no sort of items '{section[:60]}'.", mend)
        into.left_out[section] += len(entries) if isinstance(entries, list) else 1
        return
    if not isinstance(entries, list):
        into.fault(SHAPE, place, f"'{section}' is {shape_of(entries)}, no list of items.")
        return
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, Lined):
            _item(name, section, number, entry, into)
        else:
            into.fault(SHAPE, place, f"{section} {number} is {shape_of(entry)}, no item.")


def _item(name: str, section: str, number: int, entry: Lined, into: Gathering) -> None:
    place = Place(name, entry.line_of("ItemID"))
    uid = into.text(entry.get("ItemID"), place, "ItemID")
    if not uid:
        into.fault(NO_ID, place, f"{section} {number} has no ItemID.", "Give it one.")
        return
    title = next((key for key in TITLES if entry.get(key)), "")
    text = next((key for key in TEXTS if key in entry), "")
    into.add(
        Item(
            uid=uid,
            kind=into.text(entry.get("ItemType"), place, "ItemType", uid) or section,
            title=into.text(entry.get(title), place, title, uid),
            text=into.text(entry.get(text), place, text, uid).replace("\r\n", "\n"),
            place=place,
            document=section,
            position=(number,),
            revision=into.text(entry.get("ItemRevision"), place, "ItemRevision", uid) or None,
            fields={key: value for key, value in entry.items() if key not in _TOLD | {title, text}},
            references=_links(name, entry, uid, into),
        )
    )


def _links(name: str, entry: Lined, uid: str, into: Gathering) -> tuple[Reference, ...]:
    links = entry.get("LinkedItems") or []
    place = Place(name, entry.line_of("LinkedItems"))
    if not isinstance(links, list):
        into.fault(SHAPE, place, f"'LinkedItems' is {shape_of(links)}, no list.", uid=uid)
        return ()
    found = []
    for link in links:
        target = link.get("TargetID") if isinstance(link, Lined) else None
        at = Place(name, link.line_of("TargetID")) if isinstance(link, Lined) else place
        if target in (None, ""):
            into.fault(NO_VALUE, at, "A link has no TargetID.", "Name the item.", uid)
            continue
        kind = link.get("LinkType")
        role = LINKS.get(kind, f"LinkType {kind}") if isinstance(kind, int) else str(kind)
        found.append(Reference(role, into.text(target, at, "TargetID", uid), at))
    return tuple(found)
