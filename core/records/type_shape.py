"""The shape of one record type: its fields, its links, its signatures, and what they must fit.

Everything here reads one file; what holds between files is said by `core.records.types`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
