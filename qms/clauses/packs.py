"""Read the lists of clauses: those that ship, and those that a department puts in their place."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.errors import Fault, Invalid
from core.records.snapshot import natural_order
from qms.clauses.lists import ClauseBook, ClauseList, compact
from qms.frameworks.folders import PackFile, department_folder, pack_files, unknown_keys

_KEYS = frozenset({"key", "name", "names", "parts", "clauses"})
_CLAUSE_KEYS = frozenset({"title", "classes", "also"})
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_NUMBER = re.compile(r"\d+(?:\.\d+)*[a-z]?|[A-Z]{2,4}")
_WHOLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_CLASSES = ("A", "B", "C")

RESERVED = frozenset({"export"})
"""Words of addresses; a list with such a key could not be opened."""

ORDER = (
    "13485", "62304", "14971", "62366-1", "82304-1", "dcb0129", "dcb0160", "part11", "hie", "gmlp",
)  # fmt: skip
"""The order in which the frameworks that ship are shown; others follow by key."""


@cache
def clause_book() -> ClauseBook:
    """Return every list of this installation.

    Raises
    ------
    Invalid
        With every fault of every list; an empty list is one.
    """
    folder = files("qms") / "frameworks" / "clauses"
    return read_clause_lists(folder, department_folder("clauses"))


def clause_lists() -> Mapping[str, ClauseList]:
    """Return every list of this installation by the key that markers use."""
    return clause_book().lists


def read_clause_lists(folder: Traversable, own: Path | None = None) -> ClauseBook:
    """Read our lists and a department's; a list of theirs replaces ours of the same key.

    Raises
    ------
    Invalid
        With every fault of every file, each with its line.
    """
    faults: list[Fault] = []
    found: dict[str, tuple[ClauseList, PackFile]] = {}
    for pack in pack_files(folder, "clauses", faults, own):
        one = _list(pack, faults)
        if one is None:
            continue
        before = found.get(one.key)
        if before is not None and before[1].own == pack.own:
            what = f"is the key of {before[1].name} too."
            faults.append(pack.fault("CL05", ("key",), what, "Choose another."))
        found[one.key] = (one, pack)
    faults += _names_twice(found)
    if faults:
        raise Invalid("The lists of clauses cannot be used.", faults)
    rank = {key: place for place, key in enumerate(ORDER)}
    # What lists no standard stands last.
    keys = sorted(found, key=lambda key: (not found[key][0].names, rank.get(key, 99), key))
    return ClauseBook({key: found[key][0] for key in keys})


def _list(pack: PackFile, faults: list[Fault]) -> ClauseList | None:
    given = pack.value
    faults += unknown_keys(pack, "CL06", given, _KEYS)
    key, name, clauses = given.get("key"), given.get("name"), given.get("clauses")
    if not name or not _KEY.fullmatch(str(key or "")) or str(key) in RESERVED:
        what = f"has the key {key!r} and the name {name!r}."
        mend = "Give both; a key is lower-case letters, digits and hyphens, and not a word of ours."
        faults.append(pack.fault("CL01", ("key",), what, mend))
        return None
    if not isinstance(clauses, Mapping) or not clauses:
        what = "lists no clause; a check against nothing would always pass."
        faults.append(pack.fault("CL02", ("clauses",), what, "List the clauses."))
        return None
    names = tuple(_texts(pack, given.get("names"), ("names",), faults))
    parts = tuple(_texts(pack, given.get("parts"), ("parts",), faults))
    faults += _number_faults(pack, clauses, whole=not names)
    faults += [
        pack.fault("CL04", ("parts", place), f"is the part {part!r} of no clause.", "List both.")
        for place, part in enumerate(parts)
        if part.rpartition(".")[0] not in clauses
    ]
    said = {number: _said(pack, number, one, faults) for number, one in clauses.items()}
    return ClauseList(
        key=str(key),
        name=str(name),
        titles={number: title for number, (title, _, _) in said.items()},
        parts=frozenset(parts),
        names=names,
        classes={number: classes for number, (_, classes, _) in said.items() if classes},
        also={number: also for number, (_, _, also) in said.items() if also},
    )


def _number_faults(pack: PackFile, clauses: Mapping[str, Any], whole: bool) -> Iterator[Fault]:
    spelling = _WHOLE if whole else _NUMBER
    for number in clauses:
        if not spelling.fullmatch(number):
            what = f"{number!r} is no clause number."
            yield pack.fault("CL03", ("clauses", number), what, "Correct it.")
    for before, number in pairwise(clauses):
        if natural_order(number) < natural_order(before):
            what = f"{number} stands behind {before}."
            yield pack.fault("CL07", ("clauses", number), what, "Put the numbers in order.")


def _said(
    pack: PackFile, number: str, given: Any, faults: list[Fault]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return title, classes and other pointers of one clause."""
    path: tuple[str | int, ...] = ("clauses", number)
    said = given if isinstance(given, Mapping) else {"title": given}
    faults += unknown_keys(pack, "CL06", said, _CLAUSE_KEYS, path)
    title = said.get("title")
    if not isinstance(title, str) or not title.strip():
        faults.append(pack.fault("CL08", path, "has no title.", "Say in few words what it is of."))
    classes = tuple(_texts(pack, said.get("classes"), (*path, "classes"), faults))
    if set(classes) - set(_CLASSES):
        what = f"is asked of the classes {', '.join(classes)}."
        faults.append(pack.fault("CL09", (*path, "classes"), what, f"Use {', '.join(_CLASSES)}."))
    return str(title), classes, tuple(_texts(pack, said.get("also"), (*path, "also"), faults))


def _texts(
    pack: PackFile, given: Any, path: tuple[str | int, ...], faults: list[Fault]
) -> Iterator[str]:
    if given is None:
        return
    if not isinstance(given, list):
        faults.append(pack.fault("CL10", path, f"is {given!r}, not a list.", "Write a list."))
        return
    for place, one in enumerate(given):
        if isinstance(one, str) and one.strip():
            yield one
        else:
            what = f"is {one!r}, not text."
            faults.append(pack.fault("CL10", (*path, place), what, "Put it in quotes."))


def _names_twice(found: Mapping[str, tuple[ClauseList, PackFile]]) -> Iterator[Fault]:
    """Name what would lead two ways: a spelling of two frameworks, or of two clauses."""
    owners: dict[str, str] = {}
    for key, (one, pack) in found.items():
        spellings = [("names", place, name) for place, name in enumerate(one.names)]
        spellings += [
            (f"clauses.{number}", place, spelling)
            for number, others in one.also.items()
            for place, spelling in enumerate(others)
        ]
        for part, _, spelling in spellings:
            spelt = compact(spelling)
            if spelt in owners:
                what = f"{spelling!r} belongs to {owners[spelt]} too."
                yield pack.fault("CL11", tuple(part.split(".", 1)), what, "Keep one of the two.")
            owners.setdefault(spelt, key)
