"""The ids of controls in a cell that people wrote: whole ids, and what cannot be told. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_DASHES = "\u2010-\u2015\u2212"
_TOKEN = re.compile(rf"[\w.{_DASHES}-]+")
_BETWEEN = r"to|bis|through|thru|until|up to|and|or|und|oder"
_RANGE = re.compile(
    rf"\s*(?:[-{_DASHES}\u2026~]|\.{{2,3}}|to|bis|through|thru|until|up to)\s*", re.IGNORECASE
)
_NUMBER_AFTER = re.compile(
    rf"[ \t]*(?:[,;/&+\u2026~{_DASHES}-]|\.{{2,3}}|\b(?:{_BETWEEN})\b)[ \t]*\d+\w?(?!\w)"
    r"|[ \t]+\d+\w?(?![\w.)])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Named:
    """An id in a cell, the kind of control that follows it, and where both stand."""

    uid: str
    kind: str
    start: int
    end: int


class ControlCells:
    """Finds the ids of what controls risks in cells.

    Parameters
    ----------
    held : collection of str
        The ids that there are.
    heads : collection of str
        How such ids begin.
    kinds : sequence of str
        The kinds of control, which may follow an id.
    """

    def __init__(
        self, held: Collection[str], heads: Collection[str], kinds: Sequence[str] = ()
    ) -> None:
        self._held = frozenset(held)
        words = "|".join(map(re.escape, kinds)) or r"(?!)"
        kind = rf"(?:\s*\(?\b({words})\b\)?)?"
        head = "|".join(map(re.escape, sorted(heads, key=len, reverse=True))) or r"(?!)"
        self._kind = re.compile(kind, re.IGNORECASE)
        self._alike = re.compile(rf"(?<![^\W_])(?:{head})(?=[\d_.{_DASHES}-]).*\d", re.IGNORECASE)
        self._apart = re.compile(rf"(?<![\w.-])(?:{head})[ \t]+\d\w*")
        self._alone = re.compile(rf"\s*([A-Za-z]+[-_][\w.-]*\d[\w.-]*){kind}\s*", re.IGNORECASE)

    def named(self, cell: str) -> list[Named]:
        """Return what in a cell can only be meant as an id, held or not, in their order.

        Examples
        --------
        >>> cells = ControlCells(["REQ-1", "REQ-1.2"], ["REQ"], ["protective"])
        >>> [(one.uid, one.kind) for one in cells.named("REQ-1.2 (protective), see REQ-1.")]
        [('REQ-1.2', 'protective'), ('REQ-1', '')]
        >>> [one.uid for one in cells.named("REQ-1-A of the REQ-based design")]
        ['REQ-1-A']
        """
        if cell.strip() in self._held:
            return [Named(cell.strip(), "", 0, len(cell))]
        found = []
        for token in _TOKEN.finditer(cell):
            uid = token[0] if token[0] in self._held else token[0].rstrip(".")
            # A word of a language is one, even where a record bears it as its id.
            there = uid in self._held and re.search(r"[\d_.-]", uid)
            if there or self._alike.search(uid):
                found.append(self._with_kind(cell, uid, token.start()))
        found += [Named(one[0], "", one.start(), one.end()) for one in self._apart.finditer(cell)]
        if not found and (alone := self._alone.fullmatch(cell)):
            found = [Named(alone[1].rstrip("."), (alone[2] or "").lower(), 0, len(cell))]
        return sorted(found, key=lambda one: one.start)

    def _with_kind(self, cell: str, uid: str, start: int) -> Named:
        end = start + len(uid)
        kind = self._kind.match(cell, end)
        if kind is None or not kind[1]:
            return Named(uid, "", start, end)
        return Named(uid, kind[1].lower(), start, kind.end())

    def unclear(self, cell: str, named: Sequence[Named]) -> list[str]:
        """Return the ranges of ids, and ids with bare numbers after them: nobody guesses these.

        Examples
        --------
        >>> cells = ControlCells(["REQ-001", "REQ-004"], ["REQ"])
        >>> [cells.unclear(one, cells.named(one)) for one in ("REQ-001 to REQ-004", "REQ-001/4")]
        [['REQ-001 to REQ-004'], ['REQ-001/4']]
        """
        found = []
        for place, one in enumerate(named):
            following = named[place + 1] if place + 1 < len(named) else None
            if following and _RANGE.fullmatch(cell, one.end, following.start):
                found.append(cell[one.start : following.end])
            elif number := _NUMBER_AFTER.match(cell, one.end):
                found.append(cell[one.start : number.end()])
        return found
