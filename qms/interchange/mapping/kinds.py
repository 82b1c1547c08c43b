"""What the items and links of other tools become here unless somebody says otherwise. Pure.

A table per format names the kinds that its tool has; any other kind goes by the words in its name,
and what no word tells is a plain `item`, which holds everything and asks for nothing.
"""

import re
from collections.abc import Mapping

from core.records.type_shape import RecordType
from qms.interchange.corpus import Item

ORIGIN = "origin"
"""The field of a type that takes in what its tool said and the type has no field for."""

ANY_ITEM = "item"
ANY_TRACE = "traces_to"
"""The role of a link that says no more than its tool did: this leads to that."""

_BY_FORMAT: Mapping[str, Mapping[str, str]] = {
    "doorstop": {"normative": "requirement"},
    "strictdoc": {"REQUIREMENT": "requirement", "COMPOSITE_REQUIREMENT": "requirement"},
    "openfasttrace": {
        "feat": "user_need", "req": "requirement", "arch": "design", "dsn": "design",
        "utest": "test", "itest": "test", "stest": "test",
    },
    "roboclerk": {
        "SystemRequirement": "requirement", "SoftwareRequirement": "requirement",
        "DocumentationRequirement": "requirement", "Risk": "risk", "SOUP": "soup",
        "SoftwareSystemTest": "test", "UnitTest": "test", "DocContent": ANY_ITEM,
        "Anomaly": ANY_ITEM,
    },
    "rdm": {
        "requirement": "requirement", "specification": "design", "risk": "risk", "hazard": "risk",
        "soup": "soup", "unit_test": "test", "integration_test": "test", "manual_test": "test",
    },
    "sphinx-needs": {"spec": "design", "story": "user_need"},
}  # fmt: skip

_BY_WORD: Mapping[str, str] = {
    "heading": ANY_ITEM, "section": ANY_ITEM, "requirement": "requirement",
    "requirements": "requirement", "req": "requirement", "need": "user_need", "test": "test",
    "risk": "risk", "hazard": "risk", "soup": "soup", "design": "design",
}  # fmt: skip
"""By a word of the kind's name, the first one that is here: `System Requirement`."""

_PREFERRED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("requirement", "user_need"): ("derives_from",),
    ("requirement", "risk"): ("derives_from",),
    ("requirement", "document"): ("derives_from",),
    ("requirement", "software_item"): ("allocated_to",),
    ("design", "requirement"): ("satisfies",),
    ("design", "software_item"): ("designs",),
    ("test", "requirement"): ("verifies",),
    ("test", "user_need"): ("verifies",),
    ("test", "risk"): ("verifies",),
    ("software_item", "soup"): ("uses",),
    ("software_item", "software_item"): ("part_of",),
}
"""What a link upwards is between two types; between others it is a plain trace."""

_BY_ROLE: Mapping[str, str] = {
    "validates": "validates", "mitigates": "mitigates", "controls": "mitigates",
    "satisfies": "satisfies", "verifies": "verifies", "allocated to": "allocated_to",
}  # fmt: skip
"""Roles that mean one thing whatever stands at the ends, as long as the type has them."""

_UPWARDS = frozenset({
    "parent", "covers", "req id", "req ids", "links", "derives from", "refines", "implements",
    "tests", "satisfies", "verifies", "relation", "linktype 10",
})  # fmt: skip
"""Roles that lead from an item to what it stands under. Any other is a plain trace."""


def type_of(item: Item, format_name: str, stated: Mapping[str, str]) -> str:
    """Return the record type of an item.

    Parameters
    ----------
    stated : mapping
        Record types by `DOCUMENT:KIND`, `DOCUMENT` or `KIND`; the most exact one counts.

    Examples
    --------
    >>> from qms.interchange.corpus import Place
    >>> type_of(Item("A", "System Requirement", "", "", Place("a")), "reqif", {})
    'requirement'
    """
    for name in (f"{item.document}:{item.kind}", item.document, item.kind):
        if name in stated:
            return stated[name]
    known = _BY_FORMAT.get(format_name, {})
    if item.kind in known:
        return known[item.kind]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", item.kind)
    if format_name == "sphinx-needs" and item.kind == "need":
        # Its plain word for an object of any kind, not for what a user needs.
        return ANY_ITEM
    return next((_BY_WORD[one] for word in words if (one := word.lower()) in _BY_WORD), ANY_ITEM)


def role_of(role: str, source: RecordType, target: str, stated: Mapping[str, str]) -> str | None:
    """Return the role that a link becomes; None where the type allows it no link there.

    Parameters
    ----------
    stated : mapping
        Our roles by those of the tool.
    """
    if role in stated:
        candidates: tuple[str, ...] = (stated[role],)
    else:
        plain = re.sub(r"[\W_]+", " ", role.lower()).strip()
        named = (_BY_ROLE[plain],) if plain in _BY_ROLE else ()
        upwards = _PREFERRED.get((source.name, target), ()) if plain in _UPWARDS else ()
        candidates = (*named, *upwards, ANY_TRACE)
    return next(
        (
            one
            for one in candidates
            if one in source.links and target in source.links[one].to and source.links[one].many
        ),
        None,
    )
