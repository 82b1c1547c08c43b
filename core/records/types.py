"""Record types as data: what a type is called, what it holds, what it may link to, who signs it.

A type is one YAML file (docs/record-types.md); a folder of them is a pack. Everything that is
wrong with a pack is said at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
from core.settings import get_settings

Kind = Literal[
    "string",
    "text",
    "markdown",
    "integer",
    "number",
    "boolean",
    "date",
    "choice",
    "list",
    "table",
    "mapping",
]
Lifecycle = Literal["controlled", "issue", "event"]
Required = Literal["submit", "assess", "work", "verify", "defer", "close"]
"""When a part must be filled in: to be submitted, which for an issue is to be opened; or only
later, before an issue is assessed, worked on, verified, deferred or closed."""
Suspect = Literal["source", "target", "both", "none"]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]

Meaning = Literal["authored", "attended", "reviewed", "accepted", "approved", "released"]

MEANINGS: tuple[Meaning, ...] = (
    "authored",
    "attended",
    "reviewed",
    "accepted",
    "approved",
    "released",
)
"""In the order in which they are given. Only an author signs as authored; only the person whom a
record is about signs as attended, and as nothing else but its author."""

DEFAULT_AUTHORS = ("author", "developer")

TRAINEE = "trainee"
"""Who signs as attended: the person whom the record is about, whatever role they hold."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldSpec(_Strict):
    """One field of a type."""

    label: str = Field(min_length=1)
    kind: Kind = "string"
    choices: tuple[str, ...] = ()
    columns: dict[Word, "FieldSpec"] = {}
    required: Required | None = None
    required_when: dict[Word, tuple[str, ...]] = {}
    must_be: bool | None = None
    not_before: Word | None = None
    each: Word | None = None
    trigger: bool = False
    made: bool = False
    """Filled in by an act of a feature: nobody types it, every form keeps it as it is, and a table
    is drawn by the feature's own panel and annex."""
    help: str = ""


class BodySpec(_Strict):
    """The Markdown text of a record."""

    label: str = "Text"
    required: Required | None = None
    trigger: bool = False
    help: str = ""


class LinkSpec(_Strict):
    """One role of a link: what it may lead to and whose end its change makes need re-review."""

    to: tuple[Word, ...] = Field(min_length=1)
    label: str
    reverse: str
    suspect: Suspect = "none"
    many: bool = True
    offered: bool = False
    required: Required | None = None
    required_when: dict[Word, tuple[str, ...]] = {}
    attributes: dict[Word, FieldSpec] = {}


class RecordType(_Strict):
    """One record type."""

    name: Word = Field(alias="type")
    prefix: str = Field(pattern=r"^[A-Z][A-Z0-9]*$", max_length=8)
    label: str = Field(min_length=1)
    plural: str = Field(min_length=1)
    group: str = "Other"
    help: str = ""
    lifecycle: Lifecycle = "controlled"
    body: BodySpec = BodySpec()
    fields: dict[Word, FieldSpec] = {}
    links: dict[Word, LinkSpec] = {}
    sign: dict[Meaning, tuple[str, ...]] = {}
    sign_when: dict[Word, str] = {}
    sign_where: dict[Meaning, dict[Word, tuple[Word, ...]]] = {}
    sign_by: dict[Meaning, Word] = {}
    accept_before: Literal["work", "close"] = "work"
    raised_by: tuple[str, ...] = ()
    about: Word | None = None
    listed: tuple[Word, ...] = ()
    training: bool = False
    clauses: tuple[str, ...] = ()
    clauses_when: dict[str, dict[Word, tuple[str, ...]]] = {}

    @model_validator(mode="after")
    def _signatures_fit_the_lifecycle(self) -> Self:
        others = [one for one in self.sign if one != "authored" and one not in self.accepting]
        if self.lifecycle == "issue" and len(others) > 1:
            raise ValueError("sign: an issue is decided on by one signature, not by several")
        if "accepted" in self.sign and not self.accepting:
            raise ValueError("sign: accepted is of issues that are approved in the end")
        if self.raised_by and self.lifecycle != "issue":
            raise ValueError("raised_by: only an issue is raised; others are written by authors")
        if self.about is not None and self.about not in self.links:
            raise ValueError(f"about: there is no link '{self.about}'")
        if "attended" in self.sign and (self.about is None or self.lifecycle != "event"):
            raise ValueError("sign: attended needs an event and its link 'about' a person")
        parts: tuple[BodySpec | FieldSpec | LinkSpec, ...] = (
            self.body,
            *self.fields.values(),
            *self.links.values(),
        )
        late = [one.required for one in parts if one.required not in (None, "submit")]
        if self.lifecycle != "issue" and late:
            raise ValueError(f"required: {late[0]} is only of issues; others are submitted")
        if self.sign_when and self.lifecycle != "event":
            raise ValueError("sign_when: only of events; others are signed when submitted")
        unknown = sorted(set(self.sign_when) - set(self.fields))
        if unknown:
            raise ValueError(f"sign_when: there is no field {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _fields_can_be_told_apart(self) -> Self:
        labels = [spec.label for spec in self.fields.values()]
        twice = sorted({one for one in labels if labels.count(one) > 1})
        if twice:
            raise ValueError(f"fields: two are called {', '.join(twice)}")
        bare = [
            name
            for name, spec in self.fields.items()
            if (spec.kind == "choice") != bool(spec.choices)
        ]
        if bare:
            raise ValueError(f"fields: a choice has choices, and nothing else: {', '.join(bare)}")
        return self

    @model_validator(mode="after")
    def _demands_are_of_its_fields_and_links(self) -> Self:
        demanding: dict[str, FieldSpec | LinkSpec] = {**self.fields, **self.links}
        for name, spec in demanding.items():
            unknown = sorted(set(spec.required_when) - set(self.fields))
            if unknown:
                raise ValueError(f"{name}: required_when: there is no field {', '.join(unknown)}")
        for name, field in self.fields.items():
            if field.must_be is not None and field.kind != "boolean":
                raise ValueError(f"{name}: must_be: only of a boolean")
            if field.not_before is not None and not (
                field.kind == "date"
                and field.not_before in self.fields
                and self.fields[field.not_before].kind == "date"
            ):
                raise ValueError(f"{name}: not_before: only of a date, and names another")
            column = field.columns.get(field.each) if field.each else None
            if field.each and (column is None or column.kind != "choice"):
                raise ValueError(f"{name}: each: names a column of choices")
        strange = sorted(set(self.listed) - set(self.fields) - set(self.links))
        if strange:
            raise ValueError(f"listed: there is no field or link {', '.join(strange)}")
        for meaning, where in self.sign_where.items():
            if meaning not in self.accepting or set(where) - set(self.links):
                raise ValueError("sign_where: names an acceptance and links that there are")
        return self

    @model_validator(mode="after")
    def _signers_are_named_by_links(self) -> Self:
        for meaning, role in self.sign_by.items():
            if meaning in ("authored", "attended") or meaning not in self.sign:
                raise ValueError(f"sign_by: {meaning} is no signature that somebody is named for")
            if role not in self.links or self.links[role].to != ("person",):
                raise ValueError(f"sign_by: there is no link '{role}' to a person")
        return self

    @model_validator(mode="after")
    def _conditions_are_of_its_clauses_and_fields(self) -> Self:
        for clause, condition in self.clauses_when.items():
            if clause not in self.clauses:
                raise ValueError(f"clauses_when: {clause} is not among the clauses")
            for name, wanted in condition.items():
                spec = self.fields.get(name)
                if spec is None:
                    raise ValueError(f"clauses_when: {clause}: there is no field {name}")
                strange = sorted(set(wanted) - set(spec.choices))
                if spec.kind != "choice" or strange:
                    told = ", ".join(strange) or f"{name} is no choice"
                    raise ValueError(f"clauses_when: {clause}: no choice of {name}: {told}")
        return self

    @property
    def authors(self) -> tuple[str, ...]:
        """The roles that may write a record of this type."""
        return self.sign.get("authored", DEFAULT_AUTHORS)

    @property
    def raisers(self) -> tuple[str, ...]:
        """The roles that may begin a record of this type: whoever meets an issue, not authors only.

        What somebody raised they may still put right while it is open; work on it is its authors'.
        """
        return tuple(dict.fromkeys((*self.authors, *self.raised_by)))

    @property
    def accepting(self) -> tuple[Meaning, ...]:
        """The signatures that an issue needs before work on it, or its end, in their order."""
        if self.lifecycle != "issue" or "approved" not in self.sign:
            return ()
        earlier: tuple[Meaning, ...] = ("reviewed", "accepted")
        return tuple(one for one in earlier if one in self.sign)

    @property
    def meanings(self) -> tuple[str, ...]:
        """The signatures that bring a revision into force, in their order.

        Only what is submitted is signed as authored; elsewhere the word says who may write.
        """
        return tuple(
            meaning
            for meaning in MEANINGS
            if meaning in self.sign and (meaning != "authored" or self.lifecycle == "controlled")
        )

    @property
    def deciding(self) -> str:
        """The signature that decides: the last one, given by nobody who wrote the revision.

        Empty where the type asks for none.
        """
        return next(
            (one for one in reversed(self.meanings) if one not in ("authored", "attended")), ""
        )

    @property
    def deciders(self) -> tuple[str, ...]:
        """The roles that decide: those of the last signature, or else those that write."""
        return self.sign[self.deciding] if self.deciding else self.authors  # type: ignore[index]

    def clauses_of(self, fields: Mapping[str, object]) -> tuple[str, ...]:
        """Return the clauses that a record of this type speaks to, by what it says."""
        return tuple(
            clause
            for clause in self.clauses
            if all(
                fields.get(name) in wanted
                for name, wanted in self.clauses_when.get(clause, {}).items()
            )
        )

    def triggers(self) -> tuple[str, ...]:
        """Return the fields whose change matters to others."""
        return tuple(name for name, spec in self.fields.items() if spec.trigger)


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
