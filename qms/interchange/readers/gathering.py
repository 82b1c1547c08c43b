"""Collect the items and the faults of one reading, so that a fault never ends it."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qms.interchange.corpus import Attached, Corpus, Finding, Item, Place
from qms.interchange.readers.codes import SHAPE, TOO_MUCH

MOST_ITEMS = 200_000
"""Twenty times the largest set of records we know of."""

LONGEST_TEXT = 1_000_000
"""Characters of one text; a longer one was not written by people."""


@dataclass
class Gathering:
    """What was read so far."""

    format: str
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    above: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def fault(
        self, code: str, place: Place, what: str, mend: str = "", uid: str | None = None
    ) -> None:
        """Note something that could not be taken."""
        self.findings.append(Finding(code, what, place, uid, mend))

    def add(self, item: Item) -> None:
        """Take an item, up to the limit; the first one too many is told once."""
        if len(self.items) == MOST_ITEMS:
            if not self.left_out["items over the limit"]:
                self.fault(TOO_MUCH, item.place, f"There are more than {MOST_ITEMS:,} items here.")
            self.left_out["items over the limit"] += 1
        elif len(item.text) > LONGEST_TEXT:
            what = f"Its text has {len(item.text):,} characters; {LONGEST_TEXT:,} are read."
            self.fault(TOO_MUCH, item.place, what, "Split it.", item.uid)
        else:
            self.items.append(item)

    def text(self, value: Any, place: Place, name: str, uid: str | None = None) -> str:
        """Return a value that should be one line or many of text; numbers are written out."""
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool | int | float):
            return str(value).lower() if isinstance(value, bool) else str(value)
        what = f"'{name}' holds {shape_of(value)} where a text is expected."
        self.fault(SHAPE, place, what, "Write it as text.", uid)
        return ""

    def corpus(self) -> Corpus:
        """Return everything, in the order in which it was read."""
        left_out = {name: count for name, count in self.left_out.items() if count}
        return Corpus(
            self.format, tuple(self.items), tuple(self.findings), left_out, dict(self.above)
        )


def attached(name: str, data: bytes) -> Attached:
    """Return a file as an item carries it."""
    return Attached(name, hashlib.sha256(data).hexdigest(), data)


def shape_of(value: Any) -> str:
    """Say in a word what a value is."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Sequence):
        return "a list"
    return "nothing" if value is None else f"{value!r}"[:40]
