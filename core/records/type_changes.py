"""Lay a department's changes over a record type that ships, and tell what became other. Pure.

Only what differs stands in a department's file, so that what a new version asks is asked there too.
Nothing that records already hold can be taken away: no field, no choice, no link, no prefix.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from core.errors import Fault
from core.located_yaml import LocatedYaml, Path

_FIXED = ("type", "prefix", "lifecycle", "about")
_NAMED = ("fields", "links", "sign", "sign_when", "clauses_when")
Where = Mapping[Path, LocatedYaml]
"""The file in which each changed part stands."""


def changed(
    ours: LocatedYaml, theirs: Sequence[LocatedYaml], faults: list[Fault]
) -> tuple[Any, Where, tuple[str, ...]]:
    """Return a type with the changes in it, where each change stands, and each in words.

    Parameters
    ----------
    ours : LocatedYaml
        The whole type.
    theirs : sequence of LocatedYaml
        What changes it; what they leave out stays.
    """
    laying = _Laying(ours, faults)
    for one in theirs:
        laying.lay(one)
    return laying.data, laying.places, tuple(laying.told)


class _Laying:
    """One type while changes are laid over it."""

    def __init__(self, ours: LocatedYaml, faults: list[Fault]) -> None:
        self.data: Any = deepcopy(ours.value)
        self.places: dict[Path, LocatedYaml] = {}
        self.told: list[str] = []
        self.faults = faults
        self._file: LocatedYaml = ours
        self._name = str(ours.value.get("type"))

    def lay(self, file: LocatedYaml) -> None:
        """Lay one file of changes over the type."""
        self._file = file
        for key, value in file.value.items():
            path: Path = (key,)
            if key in _FIXED:
                what = f"stays what it is: the records of '{self._name}' are kept under it."
                self._fault("type-fixed", path, what, "Take it out.")
            elif key == "body":
                self._parts(path, value)
            elif key == "clauses":
                self._add(path, value)
            elif key in _NAMED:
                self._each(path, value)
            elif key != "changes":
                # What no type has is found when the whole is read.
                self._put(path, value)

    def _each(self, path: Path, given: Any) -> None:
        if not self._is_mapping(path, given):
            return
        for name, value in given.items():
            inner = (*path, name)
            if path == ("fields",):
                self._field(inner, value)
            elif path == ("links",):
                self._link(inner, value)
            elif path == ("sign",) and not value:
                what = "is left to nobody; a signature that the type asks for is not dropped."
                self._fault("type-sign", inner, what, "Name the roles that give it.")
            else:
                self._put(inner, value)

    def _field(self, path: Path, given: Any) -> None:
        before = self._at(path)
        if not self._is_mapping(path, given):
            return
        if before is None:
            self._put(path, given)
            return
        self._parts(path, given, ("kind", "choices", "columns"))
        if given.get("kind", before.get("kind", "string")) != before.get("kind", "string"):
            what = f"is of the kind {before.get('kind', 'string')}, and records hold such values."
            self._fault("type-kind", (*path, "kind"), what, "Add a field of your own instead.")
        if "choices" in given:
            self._add((*path, "choices"), given["choices"])
        if "columns" in given and self._is_mapping((*path, "columns"), given["columns"]):
            if not before.get("columns"):
                what = "holds rows of any shape; columns would turn those away."
                self._fault("type-kind", (*path, "columns"), what, "Add a field of your own.")
                return
            for name, one in given["columns"].items():
                self._field((*path, "columns", name), one)

    def _link(self, path: Path, given: Any) -> None:
        before = self._at(path)
        if not self._is_mapping(path, given):
            return
        if before is None:
            self._put(path, given)
            return
        self._parts(path, given, ("to", "many", "attributes"))
        if "to" in given:
            self._add((*path, "to"), given["to"])
        if "many" in given and given["many"] != before.get("many", True):
            if given["many"] is False:
                what = "led to many records before, and records say so."
                self._fault("type-kind", (*path, "many"), what, "Take it out.")
            else:
                self._put((*path, "many"), given["many"])
        if "attributes" in given and self._is_mapping((*path, "attributes"), given["attributes"]):
            for name, one in given["attributes"].items():
                self._field((*path, "attributes", name), one)

    def _parts(self, path: Path, given: Any, apart: Sequence[str] = ()) -> None:
        """Put what a mapping says in the place of ours, but for what is looked at apart."""
        if not self._is_mapping(path, given):
            return
        for key, value in given.items():
            if key not in apart:
                self._put((*path, key), value)

    def _add(self, path: Path, given: Any) -> None:
        """Put further entries of a list behind those that are there; none of those goes."""
        if not isinstance(given, list):
            self._fault("type-shape", path, "is no list.", "Write the further ones as a list.")
            return
        before = list(self._at(path) or ())
        further = [one for one in given if one not in before]
        if further and self._take(path):
            self._set(path, [*before, *further])
            self._tell(path, f"also {_said(further)}")

    def _put(self, path: Path, value: Any) -> None:
        before = self._at(path)
        if value == before or not self._take(path):
            return
        self._set(path, value)
        if before is None and isinstance(value, Mapping) and "label" in value:
            self._tell(path, f"new, called {value['label']!r}")
        else:
            self._tell(path, f"{_said(value)} instead of {_said(before)}")

    def _take(self, path: Path) -> bool:
        """Note where a part stands; two files never change the same one."""
        other = self.places.get(path)
        if other is not None:
            what = f"is changed in {other.name} too."
            self._fault("changed-twice", path, what, "Keep one of the two.")
            return False
        self.places[path] = self._file
        return True

    def _at(self, path: Path) -> Any:
        found = self.data
        for part in path:
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def _set(self, path: Path, value: Any) -> None:
        into = self.data
        for part in path[:-1]:
            into = into.setdefault(part, {})
        into[path[-1]] = value

    def _is_mapping(self, path: Path, given: Any) -> bool:
        if isinstance(given, Mapping):
            return True
        if given is None and self._at(path) is not None and len(path) > 1:
            what = "is not taken away: records hold it."
            self._fault("type-fixed", path, what, "Ask for it no longer with `required: null`.")
        else:
            self._fault("type-shape", path, "is no mapping.", "Write `name: value`.")
        return False

    def _tell(self, path: Path, what: str) -> None:
        self.told.append(f"{self._name}, {'.'.join(map(str, path))}: {what} ({self._file.name})")

    def _fault(self, code: str, path: Path, what: str, mend: str) -> None:
        part = ".".join(map(str, path))
        self.faults.append(Fault(code, f"{self._file.where(path)} {part}", what, mend))


def _said(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
