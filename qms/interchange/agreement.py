"""Hold the statements of one file against each other: ends that exist, facts stated twice."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from qms.interchange.draft_building import Reading, Stated

_SECOND_NAMES = {
    "mitigates": ("controls of the risk", "risk_control of the requirement"),
    "uses": ("used_by of the component", "uses of the software item"),
    "designs": ("design of the software item", "implements of the design"),
}


def mend_and_compare(reading: Reading, numbers: Mapping[str, int]) -> dict[str, list[Stated]]:
    """Return the links to store, by the record that holds them; disagreements become faults.

    Parameters
    ----------
    reading : Reading
        What the file says; faults are added to it.
    numbers : mapping
        Uid of every record of the file, with its revision.
    """
    _ends_exist(reading, numbers)
    first = _without_doubles(reading)
    _second_statements_agree(reading, first, numbers)
    kinds = {(s.source, s.target): s.attributes for s in reading.second if s.role == "mitigates"}
    grouped: dict[str, list[Stated]] = defaultdict(list)
    for stated in first.values():
        if stated.role == "mitigates":
            kind = dict(kinds.get((stated.source, stated.target), {}))
            _own_kind_agrees(reading, stated, kind)
            stated = replace(stated, attributes=kind)
        grouped[stated.source].append(_against_current(reading, stated, numbers))
    return grouped


def _ends_exist(reading: Reading, numbers: Mapping[str, int]) -> None:
    for stated in (*reading.first, *reading.second):
        for uid in (stated.source, stated.target):
            foreign = stated.department and uid == stated.target
            if uid not in numbers and not foreign:
                _missing(reading, uid, stated.where)
    for uid, where in reading.mentions:
        if uid not in numbers:
            _missing(reading, uid, where)


def _missing(reading: Reading, uid: str, where: str) -> None:
    fault = ("DR13", where, f"names {uid}, which is not in the file.", "Add it or mend the name.")
    if not any((f.where, f.what) == fault[1:3] for f in reading.faults):
        reading.fault(*fault)


def _without_doubles(reading: Reading) -> dict[tuple[str, str, str], Stated]:
    """Return the first statements by what they say; the same one twice is a fault."""
    kept: dict[tuple[str, str, str], Stated] = {}
    for stated in reading.first:
        key = (stated.source, stated.role, stated.target)
        if key in kept:
            what = f"says twice that {stated.source} {stated.role} {stated.target}."
            reading.fault("DR14", stated.where, what, "Say it once.")
        kept.setdefault(key, stated)
    return kept


def _second_statements_agree(
    reading: Reading,
    first: Mapping[tuple[str, str, str], Stated],
    numbers: Mapping[str, int],
) -> None:
    repeated = {(s.source, s.role, s.target): s for s in reading.second}
    for key, stated in repeated.items():
        if key not in first and stated.source in numbers and stated.target in numbers:
            here, there = _SECOND_NAMES[stated.role]
            what = f"{here} {stated.target} names {stated.source}, but the {there} does not agree."
            reading.fault("DR14", stated.where, what, "Make both say the same.")
    for key, stated in first.items():
        if stated.role in _SECOND_NAMES and key not in repeated and stated.target in numbers:
            here, there = _SECOND_NAMES[stated.role]
            what = f"{there} {stated.source} names {stated.target}, but the {here} does not agree."
            reading.fault("DR14", stated.where, what, "Make both say the same.")


def _own_kind_agrees(reading: Reading, stated: Stated, kind: Mapping[str, object]) -> None:
    claimed = reading.control_kinds.get(stated.source)
    if claimed and kind and claimed[0] != kind.get("kind"):
        what = (
            f"risk_control_kind is {claimed[0]}, but {stated.target} lists {stated.source} "
            f"as {kind.get('kind')}."
        )
        reading.fault("DR14", claimed[1], what, "Make both say the same.")


def _against_current(reading: Reading, stated: Stated, numbers: Mapping[str, int]) -> Stated:
    """Check ``X@n`` against the revision of X in the file; training keeps the number it covers.

    A file holds one revision of each record, so a link reviewed against another one cannot be
    shown to be in order: it is named instead of being taken as reviewed.
    """
    if stated.revision is None:
        return stated
    if stated.role == "covers":
        return replace(stated, attributes={**stated.attributes, "revision": stated.revision})
    current = numbers.get(stated.target, stated.revision)
    if stated.revision != current:
        what = f"was reviewed against {stated.target}@{stated.revision}; the file holds {current}."
        reading.fault("DR17", stated.where, what, f"Review it and write {stated.target}@{current}.")
    return stated
