"""Which records a test may name: in properties and markers, in tags, or inside its own name. Pure.

What a report alone can tell; which of it names a record of the project is seen when it is imported.
"""

import re
from collections.abc import Iterable
from itertools import islice

from qms.interchange.corpus import Place
from qms.results.cases import MOST_NAMINGS, Naming

STATING = frozenset(
    {
        "mark", "marker", "markers", "marks", "record", "records", "req", "requirement",
        "requirement_id", "requirement_ids", "requirements", "reqs", "satisfies", "tag", "tags",
        "test_case", "test_cases", "test_id", "test_ids", "test_record", "test_records", "traces",
        "validates", "verifies",
    }
)  # fmt: skip
"""Names of properties whose values are ids of records, after a prefix such as ``polarion:``."""

_FREE = frozenset({"mark", "marker", "markers", "marks", "tag", "tags"})
"""Those that may say anything: there, a word counts where it is or looks like an id."""

_CALL = re.compile(r"^\w+\((.*)\)$", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_ID = re.compile(r"(?<![A-Za-z0-9])([A-Z][A-Z0-9]{1,9})[-_](\d{1,9})(?![A-Za-z0-9]|[-.]\d)")
"""Not where another number follows: TST-1.2 and TST-1-2 are ids of their own."""

_BEFORE = re.compile(r"(?:[A-Z][A-Z0-9]*-)+$")
_LONGEST_BEFORE = 40

MOST_NAMED = 200
"""Records one case may name; more are no trace but a list."""


def stated_by(name: str, value: str, place: Place) -> tuple[Naming, ...]:
    """Return the records that a property states; none where it is about something else.

    Examples
    --------
    >>> [one.uid for one in stated_by("verifies", "REQ-1, RPM/REQ-2", Place("a.xml"))]
    ['REQ-1', 'RPM/REQ-2']
    >>> [(one.uid, one.stated) for one in stated_by("marker", "tests('REQ-1', UN)", Place("a.xml"))]
    [('REQ-1', True), ('UN', False)]
    """
    plain = re.split(r"[:.]", name.strip())[-1].lower().replace("-", "_")
    if plain not in STATING:
        return ()
    called = _CALL.match(value.strip())
    inside = called[1] if called else value
    if plain in _FREE:
        return _free(inside, place)
    return tuple(Naming(word.rstrip(".:/-"), True, place) for word in _found(_TOKEN, inside))


def tagged(tags: Iterable[str], place: Place) -> tuple[Naming, ...]:
    """Return what tags name; whether ``@slow`` names a record only its project knows."""
    return tuple(one for tag in tags for one in _free(tag.strip().lstrip("@"), place))


def _free(text: str, place: Place) -> tuple[Naming, ...]:
    words = dict.fromkeys(word.rstrip("./-") for word in _found(_WORD, text))
    return tuple(
        Naming(_dashed(word), _ID.fullmatch(word.rpartition("/")[2]) is not None, place)
        for word in words
    )


def _dashed(word: str) -> str:
    over, slash, last = word.rpartition("/")
    found = _ID.fullmatch(last)
    return f"{over}{slash}{found[1]}-{found[2]}" if found else word


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    # One more than is allowed is enough to get a report refused.
    return [one[0] for one in islice(pattern.finditer(text), MOST_NAMINGS + 1)]


def seen_in(names: Iterable[str], place: Place) -> tuple[Naming, ...]:
    """Return what looks like an id inside names; ``test_REQ_0012_dose`` names REQ-0012.

    Examples
    --------
    >>> [one.uid for one in seen_in(["test_REQ_0012_dose[TST-3] UN-1.2"], Place("a.xml"))]
    ['REQ-0012', 'TST-3']
    """
    found = (uid for name in names for _, _, uid in looks_like_ids(name))
    return tuple(Naming(uid, False, place) for uid in dict.fromkeys(found))


def begun_before(text: str, start: int) -> str:
    """Return how an id begins that only ends in what looks like one of its own.

    Examples
    --------
    >>> begun_before("test SYS-REQ-001", 9), begun_before("TST-1-REQ-001", 6)
    ('SYS-', '')
    """
    found = _BEFORE.search(text[max(0, start - _LONGEST_BEFORE) : start])
    return found[0] if found else ""


def looks_like_ids(text: str) -> Iterable[tuple[int, int, str]]:
    """Yield what looks like an id inside a name, with where it begins and ends."""
    for one in islice(_ID.finditer(text), MOST_NAMINGS + 1):
        if not begun_before(text, one.start()):
            yield one.start(), one.end(), f"{one[1]}-{one[2]}"


def once(namings: Iterable[Naming]) -> tuple[Naming, ...]:
    """Return each record once; one that is stated as well as seen counts as stated."""
    kept: dict[str, Naming] = {}
    for one in namings:
        if one.uid not in kept or (one.stated and not kept[one.uid].stated):
            kept[one.uid] = one
    return tuple(kept.values())


def apart(namings: Iterable[Naming]) -> tuple[tuple[Naming, ...], tuple[Naming, ...]]:
    """Return what is stated, and the words that are ids only where the project says so."""
    every = once(namings)
    return tuple(one for one in every if one.stated), tuple(one for one in every if not one.stated)
