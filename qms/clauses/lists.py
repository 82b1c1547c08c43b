"""Lists of clauses, and what a pointer such as "ISO 13485 7.3.7" leads to in them. Pure.

A list holds numbers with our own short titles, never the text of a standard.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

_PART = re.compile(r"(?<=\d)[a-z]$")
_YEAR = re.compile(r":(?:19|20)\d\d(?:\+[a-z0-9]+(?::\d{4})?)*", re.IGNORECASE)
_BRACKETED = re.compile(r"\((\w+)\)")
_BETWEEN = re.compile(r"[\s/_,-]+")
_CAUTION = re.compile(r"^[^:]*[^:\d]:\s*(?=\S)")
"""A remark before the pointer, as "EU/NI only: MDR-5.5"."""


@dataclass(frozen=True)
class ClauseList:
    """The clauses of one framework that records and documents can be asked for.

    Attributes
    ----------
    key : str
        How markers, addresses and commands name it, as "13485".
    name : str
    titles : mapping
        Number -> our own short title, in the framework's order.
    parts : frozenset of str
        Numbers below a listed clause, which is asked for as a whole.
    names : tuple of str
        Spellings that a pointer into it may begin with; without any, its numbers are pointers.
    classes : mapping
        Number -> the software safety classes that it is asked of; of all, where it has none.
    also : mapping
        Number -> other whole pointers that mean it.
    """

    key: str
    name: str
    titles: Mapping[str, str]
    parts: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_standard(self) -> bool:
        """Whether it lists a framework, and not pointers that each stand for themselves."""
        return bool(self.names)

    def pointer(self, number: str) -> str:
        """Return a number as a record writes it: "ISO13485-7.3.7"."""
        if not self.names:
            return number
        if number in self.also:
            return self.also[number][0].replace(" ", "-")
        return f"{self.names[0].replace(' ', '')}-{number}"

    def asked_by(self, clause: str) -> str:
        """Return the listed clause that a number speaks of: itself, or the one it is part of.

        Empty where the framework has none. A letter names a part: 7.3.2a is of 7.3.2. A further
        number would be a clause of its own, so 7.3.2.9 is none unless `parts` names it.
        """
        if clause in self.titles:
            return clause
        number = _PART.sub("", clause)
        if number in self.parts:
            number = number.rpartition(".")[0]
        return number if number in self.titles else ""

    def marked(self, clause: str) -> list[str]:
        """Return the listed clauses that a document's marker covers.

        As `under`, but a whole chapter is no answer to each of its clauses.
        """
        return [] if clause.isdigit() and clause not in self.titles else self.under(clause)

    def under(self, clause: str) -> list[str]:
        """Return the listed clauses that a number covers: all below it where it is a heading.

        A heading has no lettered parts, so 7a covers nothing.
        """
        asked = self.asked_by(clause)
        return [asked, *self.below(clause)] if asked else self.below(clause)

    def below(self, heading: str) -> list[str]:
        """Return the listed clauses below a heading, whether numbered or lettered."""
        return [one for one in self.titles if _is_below(one, heading)]

    @cached_property
    def numbers(self) -> Mapping[str, str]:
        """Every listed number, and every part, by its spelling without case."""
        listed = {one.casefold(): one for one in self.parts}
        return listed | {one.casefold(): one for one in self.titles}


def _is_below(number: str, heading: str) -> bool:
    rest = number.removeprefix(heading)
    if rest == number or not rest:
        return False
    return rest.startswith(".") or (len(rest) == 1 and rest.islower() and heading[-1:].isdigit())


@dataclass(frozen=True)
class Pointed:
    """What a pointer leads to.

    Attributes
    ----------
    number : str
        What the pointer names within the list: a clause, a part, a heading; empty where it names
        the list as a whole.
    clauses : tuple of str
        The listed clauses it speaks of.
    """

    framework: str
    number: str
    clauses: tuple[str, ...]

    @property
    def is_part(self) -> bool:
        """Whether it names only a part of its clause."""
        first = self.clauses[0]
        return self.number != first and self.number.startswith(first)


class ClauseBook:
    """Every list of an installation, by key, with what pointers lead to.

    Parameters
    ----------
    lists : mapping of str to ClauseList
        In the order in which they are shown.
    """

    def __init__(self, lists: Mapping[str, ClauseList]) -> None:
        self.lists = dict(lists)
        self._whole = {
            compact(spelling): (key, number)
            for key, one in self.lists.items()
            for number in one.titles
            for spelling in (*one.also.get(number, ()), *(() if one.names else (number,)))
        }
        names = ((compact(name), key) for key, one in self.lists.items() for name in one.names)
        # The longest name first: "IEC 82304-1" before a name that it begins with.
        self._names = sorted(names, key=lambda pair: (-len(pair[0]), pair[0]))
        self._known: dict[str, Pointed | None] = {}

    def resolve(self, pointer: str) -> Pointed | None:
        """Return what a pointer leads to; None where no list knows it.

        Examples
        --------
        >>> listed = ClauseList("13485", "ISO 13485", {"7.3.7": ""}, names=("ISO 13485",))
        >>> book = ClauseBook({"13485": listed})
        >>> book.resolve("ISO13485-7.3.7").clauses
        ('7.3.7',)
        """
        if pointer not in self._known:
            found = self._find(pointer)
            caution = _CAUTION.match(pointer)
            if found is None and caution is not None:
                found = self._find(pointer[caution.end() :])
            self._known[pointer] = found
        return self._known[pointer]

    def _find(self, pointer: str) -> Pointed | None:
        spelt = compact(pointer)
        for whole in (spelt, _PART.sub("", spelt)):
            if whole in self._whole:
                key, number = self._whole[whole]
                part = spelt[len(whole) :]
                return Pointed(key, number + part, (number,))
        for name, key in self._names:
            if spelt.startswith(name):
                found = self._within(self.lists[key], spelt.removeprefix(name))
                if found is not None:
                    return found
        return None

    @staticmethod
    def _within(listed: ClauseList, rest: str) -> Pointed | None:
        if not rest:
            return Pointed(listed.key, "", tuple(listed.titles))
        number = listed.numbers.get(rest, rest)
        clauses = tuple(listed.under(number))
        return Pointed(listed.key, number, clauses) if clauses else None

    def search(self, text: str) -> list[Pointed]:
        """Return what somebody who typed a clause may mean: one, or the same number in several."""
        asked = text.strip()
        found = self.resolve(asked)
        if found is not None:
            return [found]
        spelt = compact(asked)
        inside = ((key, self._within(one, spelt)) for key, one in self.lists.items())
        return [one for _, one in inside if one is not None and one.number]

    def unknown(self, pointers: Iterable[str]) -> list[str]:
        """Return the pointers that no list knows, each once."""
        return [one for one in dict.fromkeys(pointers) if self.resolve(one) is None]


def compact(text: str) -> str:
    """Return a pointer in the one spelling that is compared.

    Examples
    --------
    >>> compact("ISO/IEC 42001 A.6.2"), compact("MDR Art 5(5)(c)"), compact("13485:7.3.2a")
    ('isoiec42001a.6.2', 'mdrart5.5c', '134857.3.2a')
    """
    bare = _YEAR.sub("", text.strip())
    opened = _BRACKETED.sub(lambda one: f".{one[1]}" if one[1].isdigit() else one[1], bare)
    return _BETWEEN.sub("", opened).replace(":", "").casefold()
