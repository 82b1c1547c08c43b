"""Record types as data: what a type is called, what it holds, what it may link to, who signs it.

A type is one YAML file (docs/record-types.md); a folder of them is a pack. Everything that is
wrong with a pack is said at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from core.errors import Fault, Invalid, NotFound
from core.people.roles import ROLES_FILE, known_roles
from core.records.type_changes import changed
from core.records.type_files import (
    Place,
    changes_of_nothing,
    folder_faults,
    place_in,
    read_type_file,
)
from core.records.type_shape import TRAINEE, RecordType
from core.settings import get_settings


class TypeRegistry:
    """Every record type that this installation knows.

    Attributes
    ----------
    changes : tuple of str
        What a department changed of the types that ship, each in words with its file.
    """

    def __init__(
        self,
        types: Mapping[str, RecordType],
        changes: Sequence[str] = (),
        places: Mapping[str, Place] | None = None,
    ) -> None:
        self._types = dict(types)
        self._places = dict(places or {})
        self.changes = tuple(changes)

    def where(self, name: str, path: tuple[str | int, ...]) -> str:
        """Return the file, the line and the key of a part of a type, as faults name it."""
        part = ".".join(map(str, path))
        return self._places[name](path) if name in self._places else f"{name} {part}"

    def of(self, name: str) -> RecordType:
        """Return one type.

        Raises
        ------
        NotFound
            If no pack defines it.
        """
        found = self._types.get(name)
        if found is None:
            raise NotFound(
                f"There is no record type '{name}'; there are {', '.join(sorted(self._types))}."
            )
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def names(self) -> list[str]:
        """Return the names of all types, in the order their packs were read."""
        return list(self._types)

    def all(self) -> list[RecordType]:
        """Return all types, in the order their packs were read."""
        return list(self._types.values())

    def of_prefix(self, uid: str) -> RecordType | None:
        """Return the type whose prefix a uid carries, if any."""
        prefix = uid.split("-", 1)[0]
        return next((one for one in self._types.values() if one.prefix == prefix), None)

    @classmethod
    def load(cls, folders: Iterable[Path]) -> "TypeRegistry":
        """Read every ``*.yaml`` of some folders: types, and changes of types.

        Raises
        ------
        Invalid
            With every fault of every file.
        """
        faults: list[Fault] = []
        files = [
            read
            for folder in folders
            for path in sorted(folder.glob("*.yaml"))
            if path.name != ROLES_FILE and (read := read_type_file(path, faults)) is not None
        ]
        whole = [one for one in files if "changes" not in one.value]
        types: dict[str, RecordType] = {}
        places: dict[str, Place] = {}
        told: list[str] = []
        for file in whole:
            name = file.value.get("type")
            theirs = [one for one in files if name is not None and one.value.get("changes") == name]
            data, where, words = changed(file, theirs, faults)
            place = place_in(file, where)
            found = _validated(data, place, faults)
            if found is None:
                continue
            faults += _twice(found, types, place)
            faults += _unknown_roles(found, place)
            types.setdefault(found.name, found)
            places.setdefault(found.name, place)
            told += words
        faults += changes_of_nothing(files, whole)
        faults += _unknown_targets(types, places, {str(one.value.get("type")) for one in whole})
        if faults:
            raise Invalid("The record types cannot be used.", dict.fromkeys(faults))
        return cls(types, told, places)


def _validated(data: object, place: Place, faults: list[Fault]) -> RecordType | None:
    try:
        return RecordType.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            path = tuple(part for part in one["loc"] if isinstance(part, str | int))
            said = one["msg"].removeprefix("Value error, ")
            faults.append(Fault("type-fault", place(path), f"{said}."))
        return None


def _twice(one: RecordType, types: Mapping[str, RecordType], place: Place) -> list[Fault]:
    if one.name in types:
        what = f"the type '{one.name}' is defined before."
        mend = f"To change it, write `changes: {one.name}` and only what differs."
        return [Fault("type-twice", place(("type",)), what, mend)]
    other = next((each for each in types.values() if each.prefix == one.prefix), None)
    if other is None:
        return []
    what = f"the prefix {one.prefix} belongs to '{other.name}'."
    return [Fault("prefix-twice", place(("prefix",)), what, "Choose another.")]


def _unknown_roles(one: RecordType, place: Place) -> list[Fault]:
    known = known_roles()
    named: list[tuple[tuple[str, ...], str]] = [
        (("sign", meaning), role)
        for meaning, roles in one.sign.items()
        for role in roles
        if not (meaning == "attended" and role == TRAINEE)
    ]
    named += [(("raised_by",), role) for role in one.raised_by]
    return [
        Fault(
            "unknown-role",
            place(key),
            f"names the role '{role}', which nobody can be granted.",
            f"Use {', '.join(known)}; or name your own in {ROLES_FILE}.",
        )
        for key, role in named
        if role not in known
    ]


def _unknown_targets(
    types: Mapping[str, RecordType], places: Mapping[str, Place], meant: set[str]
) -> list[Fault]:
    # A type whose own file is faulty is named there, and not once more for each link to it.
    return [
        Fault(
            "unknown-type",
            places[name](("links", role, "to")),
            f"leads to the unknown type '{target}'.",
        )
        for name, one in types.items()
        for role, link in one.links.items()
        for target in link.to
        if target not in types and target not in meant
    ]


PACKS: list[Path] = []
"""The folders that `app` names at start-up: the packs of our own features."""


def use_packs(folders: Sequence[Path]) -> None:
    """Name the folders that types are read from, before any type is asked for."""
    if list(folders) != PACKS:
        PACKS[:] = folders
        get_registry.cache_clear()


@lru_cache
def get_registry() -> TypeRegistry:
    """Return the types of this installation: our own packs, then the department's folder.

    Raises
    ------
    Invalid
        With every fault of every file, and where the department's folder is not there.
    """
    own = get_settings().types_dir
    if own is None:
        return TypeRegistry.load(PACKS)
    faults = folder_faults(own)
    try:
        registry = TypeRegistry.load([*PACKS, own] if own.is_dir() else PACKS)
    except Invalid as refusal:
        faults += refusal.faults
    if faults:
        raise Invalid("The record types cannot be used.", faults)
    return registry
