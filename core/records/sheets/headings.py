"""Which column of a table means what: by the name of a field, its label, or a word people use."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.records.type_shape import FieldSpec, LinkSpec, RecordType

Part = Literal["id", "title", "text", "field", "link", "own"]
"""What a column holds; `own` is what the feature that reads the table makes of it."""

Words = Mapping[str, Sequence[str]]
"""Further words for columns; labels and names of fields need not be said again."""


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a table holds of a record."""

    part: Part
    name: str
    label: str
    spec: FieldSpec | LinkSpec | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A heading that means nothing here, and the one that it may be a slip for."""

    place: int
    heading: str
    near: str


@dataclass(frozen=True, slots=True)
class Headings:
    """What each column means; None where it is passed over."""

    columns: tuple[Column | None, ...]
    unknown: tuple[Unknown, ...] = ()
    twice: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """How many columns mean something."""
        return sum(one is not None for one in self.columns)


def plain(heading: str) -> str:
    """Return a heading without capitals, brackets and marks between its words.

    Examples
    --------
    >>> plain(" Surveyed by (group) "), plain("data_types")
    ('surveyed by', 'data types')
    """
    text = re.sub(r"\(.*?\)", " ", heading.lower())
    return " ".join(re.sub(r"[^\w]+|_", " ", text).split())


def worded(heading: str) -> str:
    """Return a heading as `plain` does, with the words of its brackets.

    Examples
    --------
    >>> worded("Likelihood (residual)")
    'likelihood residual'
    """
    return plain(re.sub(r"[()]", " ", heading))


_HARMLESS = re.compile(
    r"\s*(?:"
    r"\d+(?:\s*(?:[-\u2010-\u2015/,;]|\.{2,3}|\u2026|to)\s*\d+)*"
    r"|s|es|%|\u00b0c?|[munk\u00b5]?m|ms|min|h|hours|minutes|days|weeks|years|[mc]?gy|[km]?g|[kmg]b"
    r"|k?v|m?l|[dmy]{2,4}(?:[-./ ][dmy]{2,4}){1,2}|optional|required"
    r")\s*",
    re.IGNORECASE,
)
"""What may stand in brackets without another meaning of the column: ranges, units, a plural."""


def meant(heading: str, known: Collection[str]) -> str:
    """Return the plain heading that is looked up.

    Brackets are left out where they hold units or ranges only: `Likelihood (residual)` is
    another column than `Likelihood`.

    Examples
    --------
    >>> meant("Severity (1-5)", {"severity"}), meant("Severity (after)", {"severity"})
    ('severity', 'severity after')
    """
    full = worded(heading)
    inside = re.findall(r"\((.*?)\)", heading)
    if full in known or not all(map(_HARMLESS.fullmatch, inside)):
        return full
    return plain(heading)


def columns_of(
    record_type: RecordType, spoken: Words, own: Iterable[Column] = ()
) -> dict[str, Column]:
    """Return every column that a table of a type may have, by its plain heading.

    Parameters
    ----------
    own : iterable of Column
        Columns that hold something else than a part of the record.
    """
    found: dict[str, Column] = {}

    def name(column: Column, *words: str) -> None:
        for word in (column.name, *words, *spoken.get(column.name, ())):
            found.setdefault(worded(word), column)
            found.setdefault(plain(word), column)

    name(Column("id", "id", "Id"), "uid", "number")
    name(Column("title", "title", "Title"), "name")
    name(Column("text", "text", record_type.body.label), record_type.body.label, "note", "notes")
    for role, link in record_type.links.items():
        if not link.attributes:
            name(Column("link", role, link.label.capitalize(), link), link.label)
    for field, spec in record_type.fields.items():
        if spec.kind != "table":
            name(Column("field", field, spec.label, spec), spec.label)
    for column in own:
        name(column, column.label)
    return found


def recognised(
    known: Mapping[str, Column], headings: Sequence[str], passed: Collection[str] = ()
) -> Headings:
    """Say what each heading of a table means, and what it may be a slip for where it does not.

    Parameters
    ----------
    passed : collection of str
        Plain headings of columns that are passed over.
    """
    names = {column.name for column in known.values()}
    columns: list[Column | None] = []
    unknown, twice = [], []
    taken: set[str] = set()
    for place, heading in enumerate(headings):
        word = meant(heading, known)
        # "from_system" is our own name of the column; "From system" only repeats a title.
        own = heading.strip() in names
        column = known.get(word) if own or word not in passed else None
        if column is not None and column.name in taken:
            twice.append(heading)
            column = None
        elif column is None and word and word not in passed:
            near = difflib.get_close_matches(word, known, 1, 0.7)
            unknown.append(Unknown(place, heading, known[near[0]].label if near else ""))
        if column is not None:
            taken.add(column.name)
        columns.append(column)
    return Headings(tuple(columns), tuple(unknown), tuple(twice))
