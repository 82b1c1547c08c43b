"""Which records a test names: in properties and markers, in tags, or inside its own name. Pure."""

import re
from collections.abc import Iterable
from itertools import islice

from qms.interchange.corpus import Place
from qms.results.cases import MOST_NAMINGS, Naming

STATING = frozenset(
    {
        "mark", "marker", "markers", "marks", "record", "records", "req", "requirement",
        "requirement_id", "requirements", "reqs", "satisfies", "tag", "tags", "test_case",
        "test_id", "test_record", "traces", "validates", "verifies",
    }
)  # fmt: skip
"""Names of properties whose values are ids of records, after a prefix such as ``polarion:``."""

_CALL = re.compile(r"^\w+\((.*)\)$", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,79}")
_ID = re.compile(r"(?<![A-Za-z0-9])([A-Z][A-Z0-9]{1,9})[-_](\d{1,9})(?![A-Za-z0-9])")
MOST_NAMED = 200
"""Records one case may name; more are no trace but a list."""


def stated_by(name: str, value: str, place: Place) -> tuple[Naming, ...]:
    """Return the records that a property states; none where it is about something else.

    Examples
    --------
    >>> [one.uid for one in stated_by("verifies", "REQ-1, REQ-2", Place("a.xml"))]
    ['REQ-1', 'REQ-2']
    >>> [one.uid for one in stated_by("marker", "verifies('REQ-1')", Place("a.xml"))]
    ['REQ-1']
    """
    plain = re.split(r"[:.]", name.strip())[-1].lower().replace("-", "_")
    if plain not in STATING:
        return ()
    called = _CALL.match(value.strip())
    words = _found(_TOKEN, called[1] if called else value)
    if plain in ("mark", "marker", "markers", "marks", "tag", "tags"):
        # A marker may say anything, so only what is spelt as an id is one.
        words = [word for word in words if _ID.fullmatch(word)]
    return tuple(Naming(word.rstrip(".:"), True, place) for word in words)


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    # One more than is allowed is enough to get a report refused.
    return [one[0] for one in islice(pattern.finditer(text), MOST_NAMINGS + 1)]


def tagged(tags: Iterable[str], place: Place) -> tuple[Naming, ...]:
    """Return the records that tags name; ``@slow`` names none."""
    found = (_ID.fullmatch(tag.strip().lstrip("@")) for tag in tags)
    return tuple(Naming(f"{one[1]}-{one[2]}", True, place) for one in found if one)


def seen_in(names: Iterable[str], place: Place) -> tuple[Naming, ...]:
    """Return what looks like an id inside names; ``test_REQ_0012_dose`` names REQ-0012.

    Examples
    --------
    >>> [one.uid for one in seen_in(["test_REQ_0012_dose[TST-3]"], Place("a.xml"))]
    ['REQ-0012', 'TST-3']
    """
    found = (
        f"{one[1]}-{one[2]}"
        for name in names
        for one in islice(_ID.finditer(name), MOST_NAMINGS + 1)
    )
    return tuple(Naming(uid, False, place) for uid in dict.fromkeys(found))


def once(namings: Iterable[Naming]) -> tuple[Naming, ...]:
    """Return each record once; one that is stated as well as seen counts as stated."""
    kept: dict[str, Naming] = {}
    for one in namings:
        if one.uid not in kept or (one.stated and not kept[one.uid].stated):
            kept[one.uid] = one
    return tuple(kept.values())
