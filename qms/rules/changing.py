"""Lay a department's changes over the pack that ships, and tell what became other. Pure.

Only what differs stands in a department's file, so that a new version's rules are asked there too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Fault
from core.located_yaml import LocatedYaml
from qms.frameworks.folders import PackFile, unknown_keys

_KEYS = frozenset({"changes", "limits", "rules", "questions"})
_PARTS = ("limits", "rules", "questions")

Places = Mapping[tuple[str | int, ...], LocatedYaml]


def changed(
    ours: Mapping[str, Any], theirs: Sequence[PackFile], name: str, faults: list[Fault]
) -> tuple[dict[str, Any], Places, tuple[str, ...]]:
    """Return the pack with the changes in it, where each change stands, and each in words.

    Parameters
    ----------
    theirs : sequence of PackFile
        Each says in `changes` which pack it changes; what it leaves out stays.
    """
    data: dict[str, Any] = {**ours, **{part: dict(ours.get(part) or {}) for part in _PARTS}}
    places: dict[tuple[str | int, ...], LocatedYaml] = {}
    told: list[str] = []
    for pack in theirs:
        faults += unknown_keys(pack, "FP09", pack.value, _KEYS)
        if pack.value.get("changes") != name:
            what = f"says that it changes {pack.value.get('changes')!r}."
            faults.append(pack.fault("FP10", ("changes",), what, f"Write `changes: {name}`."))
        for part in _PARTS:
            given = pack.value.get(part)
            if given is not None and not isinstance(given, Mapping):
                what = "is no list of names and values."
                faults.append(pack.fault("FP10", (part,), what, "Write `name: value`."))
                continue
            for key, value in (given or {}).items():
                place = (part, key)
                if place in places:
                    what = f"is changed in {places[place].name} too."
                    faults.append(pack.fault("FP11", place, what, "Keep one of the two."))
                    continue
                places[place] = pack.document
                told += _lay(data[part], part, key, value, pack.name)
    return data, places, tuple(told)


def _lay(into: dict[str, Any], part: str, key: str, value: Any, where: str) -> list[str]:
    before = into.get(key)
    if part != "rules" or not isinstance(before, Mapping) or not isinstance(value, Mapping):
        into[key] = value
        name = key if part != "limits" else f"limit {key}"
        return [] if value == before else [_told(name, "", value, before, where)]
    into[key] = {**before, **value}
    return [
        _told(key, name, one, before.get(name), where)
        for name, one in value.items()
        if one != before.get(name)
    ]


def _told(key: str, name: str, value: Any, before: Any, where: str) -> str:
    of = f"{key}, {name}" if name else key
    return f"{of}: {_said(value)} instead of {_said(before)} ({where})"


def _said(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
