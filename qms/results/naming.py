"""Which records of one project the cases of reports name. Pure.

An id may hold dashes and dots, so what stands inside a name is held against the project's own ids,
the longest first: a case called TST-1-2 says nothing of TST-1, and SYS-TST-1 neither.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from qms.interchange.corpus import Finding, Place
from qms.results.cases import Case, Naming
from qms.results.ids import begun_before, looks_like_ids, once

LONGEST_UID = 80
LONGEST_NAME = 20_000
_PIECE = re.compile(r"[A-Za-z0-9]+")
_PROJECT = re.compile(r"([A-Z][A-Z0-9_-]*)/$")
_NUMBER_FOLLOWS = re.compile(r"[-.]\d")
_SHOWN = 200


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    uid: str


@dataclass
class Names:
    """The ids of a project, and what was odd about those that cases name.

    Attributes
    ----------
    others : collection of str
        Keys of other projects: ``DEPT/TST-001`` is a record of theirs.
    """

    project: str
    uids: Collection[str]
    others: Collection[str] = ()
    findings: dict[str, Finding] = field(default_factory=dict)
    _by_first: dict[str, dict[int, dict[str, list[str]]]] = field(init=False)
    _of_many: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)
    """What names of suites and classes hold: each is that of many cases, and is read once."""

    def __post_init__(self) -> None:
        self.uids = frozenset(self.uids)
        self._by_first = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        for uid in sorted(self.uids):
            pieces = _PIECE.findall(uid)
            # A word without a number is a word: a record called MAIN is not named by chance.
            if any(letter.isdigit() for letter in uid) and pieces:
                self._by_first[pieces[0]][len(pieces)]["-".join(pieces)].append(uid)

    def of(self, case: Case) -> tuple[Naming, ...]:
        """Return the records that a case names, and stated ids of which the project has none."""
        named = [one for one in case.named if one.stated]
        found = [one for each in (self._stated(one) for one in named) for one in each]
        found += [
            Naming(uid, True, one.place)
            for one in case.words
            if (uid := self._own(one)) in self.uids
        ]
        for text in dict.fromkeys((case.suite, case.classname)):
            if text not in self._of_many:
                self._of_many[text] = tuple(self._inside(text, case.place))
            found += [Naming(uid, False, case.place) for uid in self._of_many[text]]
        found += [Naming(uid, False, case.place) for uid in self._inside(case.name, case.place)]
        return once(found)

    def _own(self, one: Naming) -> str:
        """Return an id without the project's own key before it."""
        return one.uid.removeprefix(f"{self.project}/")

    def _stated(self, one: Naming) -> Iterator[Naming]:
        uid = self._own(one)
        if "/" in uid:
            what = f"{uid[:_SHOWN]} is no record of {self.project}; it counts for none here."
            self._tell("TR618", what, one.place)
        elif not uid or len(uid) > LONGEST_UID:
            self._tell("TR610", f"{uid[:_SHOWN]} is too long for an id.", one.place)
        else:
            yield Naming(uid, True, one.place)

    def _tell(self, code: str, what: str, place: Place, mend: str = "") -> None:
        self.findings.setdefault(what, Finding(code, what, place, mend=mend))

    def _inside(self, text: str, place: Place) -> list[str]:
        """Return the ids inside a name: the project's own, and what else looks like one."""
        if len(text) > LONGEST_NAME:
            what = f"A name is longer than {LONGEST_NAME} characters; ids behind them are not seen."
            self._tell("TR610", what, place, "Name the records in a property.")
            text = text[:LONGEST_NAME]
        own = list(self._matches(text, place))
        taken = iter(own)
        ahead = next(taken, None)
        uids = [(one.start, one.uid) for one in own]
        for start, end, uid in looks_like_ids(text):
            while ahead is not None and ahead.end <= start:
                ahead = next(taken, None)
            if (ahead is None or end <= ahead.start) and uid not in self.uids:
                uids.append((start, uid))
        ours = (uid for start, uid in sorted(uids) if not self._theirs(text, start, uid, place))
        return list(dict.fromkeys(ours))

    def _matches(self, text: str, place: Place) -> Iterator[_Found]:
        """Yield the project's own ids inside a name, the longest at each place."""
        pieces = [(one.start(), one.end(), one[0]) for one in _PIECE.finditer(text)]
        at = last = 0
        while at < len(pieces):
            lengths = self._by_first.get(pieces[at][2])
            found = self._longest(text, pieces, at, lengths) if lengths else None
            if found is None:
                at += 1
                continue
            size, uid = found
            start, end = pieces[at][0], pieces[at + size - 1][1]
            at += size
            # An id may follow another of ours with a dash between; SYS-TST-1 is one of others.
            begun = "" if last and start == last + 1 else begun_before(text, start)
            if begun:
                what = f"{begun}{uid} ends in {uid}"
            elif _NUMBER_FOLLOWS.match(text, end):
                what = f"{text[start : pieces[at][1]][:_SHOWN]} begins with {uid}"
            else:
                last = end
                yield _Found(start, end, uid)
                continue
            what += f", and {self.project} has no such record."
            self._tell("TR610", what, place, "It counts for none.")

    @staticmethod
    def _longest(
        text: str,
        pieces: list[tuple[int, int, str]],
        at: int,
        lengths: dict[int, dict[str, list[str]]],
    ) -> tuple[int, str] | None:
        for size in sorted(lengths, reverse=True):
            some = pieces[at : at + size]
            said = text[some[0][0] : some[-1][1]]
            for uid in lengths[size].get("-".join(word for *_, word in some), ()):
                # In the names of programs an underscore stands for what they cannot hold.
                if len(said) == len(uid) and all(
                    one in (other, "_") for one, other in zip(said, uid, strict=True)
                ):
                    return size, uid
        return None

    def _theirs(self, text: str, start: int, uid: str, place: Place) -> bool:
        """Whether the key of another project stands before an id; that is told."""
        before = _PROJECT.search(text[max(0, start - 40) : start])
        if before is None or before[1] == self.project or before[1] not in self.others:
            return False
        what = f"{before[0]}{uid} is no record of {self.project}; it counts for none here."
        self._tell("TR618", what, place)
        return True
