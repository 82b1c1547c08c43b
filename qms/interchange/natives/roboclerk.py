"""Write items back as the JSON that RoboClerk keeps them in."""

import json
from typing import Any

from core.errors import Fault, Invalid
from qms.interchange.corpus import Corpus, Item
from qms.interchange.readers.roboclerk import LINKS, SECTIONS, TEXTS, TITLES

_TITLE = {"SOUPs": "SOUPName", "Risks": "RiskPrimaryHazard", "UnitTests": "UnitTestPurpose"}
_TEXT = dict(
    zip(
        ("DocContents", "Risks", "SOUPs", "SoftwareSystemTests", "UnitTests", "Anomalies"),
        TEXTS[1:],
        strict=True,
    )
)
"""What a section calls its title and text; the others have ItemTitle and RequirementDescription."""

LONGEST_NUMBER = 15
"""Digits; JSON holds no whole number with more."""

_NUMBERS = {name: number for number, name in LINKS.items()}


def write(corpus: Corpus) -> dict[str, bytes]:
    """Return every file with what the items say now."""
    by_file: dict[str, dict[str, list[dict[str, Any]]]] = {}
    mend = f"There are {', '.join(SECTIONS)}."
    faults = [
        Fault("TR345", one.uid, f"cannot be said: '{one.document[:80]}' is no section.", mend)
        for one in corpus.items
        if one.document not in SECTIONS
    ]
    if faults:
        raise Invalid("Nothing was written.", faults)
    for item in corpus.items:
        sections = by_file.setdefault(item.place.file, {one: [] for one in SECTIONS})
        sections[item.document].append(_entry(item))
    return {
        name: (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
        for name, value in by_file.items()
    }


def _entry(item: Item) -> dict[str, Any]:
    title = _free(_TITLE.get(item.document, TITLES[0]), TITLES, item)
    text = _free(_TEXT.get(item.document, TEXTS[0]), TEXTS, item)
    links = [{"TargetID": one.target, "LinkType": _number(one.role)} for one in item.references]
    said: dict[str, Any] = {"ItemID": item.uid}
    if item.kind != item.document:
        said["ItemType"] = item.kind
    if item.revision is not None:
        said["ItemRevision"] = item.revision
    return {
        **said,
        **({title: item.title} if item.title else {}),
        text: item.text,
        "LinkedItems": links,
        **item.fields,
    }


def _free(usual: str, names: tuple[str, ...], item: Item) -> str:
    """Return the usual name, or where another value has it the first one that is read instead."""
    return next((one for one in (usual, *names) if one not in item.fields), usual)


def _number(role: str) -> int | str:
    if role in _NUMBERS:
        return _NUMBERS[role]
    number = role.removeprefix("LinkType ")
    return int(number) if number.isdecimal() and len(number) <= LONGEST_NUMBER else role
