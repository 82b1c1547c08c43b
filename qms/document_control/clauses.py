"""Lists of clauses as data: numbers with our own short titles, never the text of a standard."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from core.errors import Fault, Invalid

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NUMBER = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True)
class ClauseList:
    """The clauses of one standard that documents can be asked for.

    Attributes
    ----------
    key : str
        How markers name it, as "13485".
    name : str
    titles : mapping
        Number -> our own short title, in the standard's order.
    parts : frozenset of str
        Numbers below a listed clause, which is asked for as a whole.
    """

    key: str
    name: str
    titles: Mapping[str, str]
    parts: frozenset[str] = frozenset()

    def asked_by(self, clause: str) -> str:
        """Return the listed clause that a marker speaks of: itself, or the one it is part of.

        Empty where the standard has none. A letter names a part: 7.3.2a is of 7.3.2. A further
        number would be a clause of its own, so 7.3.2.9 is none unless `parts` names it.
        """
        number = clause.rstrip(_LETTERS)
        if number in self.parts:
            number = number.rpartition(".")[0]
        return number if number in self.titles else ""

    def has(self, clause: str) -> bool:
        """Whether a marker names a listed clause, a part of one, or a heading above some."""
        return bool(self.under(clause))

    def under(self, clause: str) -> list[str]:
        """Return the listed clauses that a marker covers: all below it where it is a heading.

        A heading has no lettered parts, so 7a covers nothing.
        """
        asked = self.asked_by(clause)
        below = [one for one in self.titles if one.startswith(f"{clause}.")]
        return [asked, *below] if asked else below


@cache
def clause_lists() -> Mapping[str, ClauseList]:
    """Return every list that ships with the product, by the key that markers use.

    Raises
    ------
    Invalid
        With every fault of every list; an empty list is one.
    """
    faults: list[Fault] = []
    found: dict[str, ClauseList] = {}
    folder = files("qms") / "frameworks" / "clauses"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml"):
            data = YAML(typ="base", pure=True).load(file.read_text(encoding="utf-8"))
            one = clause_list_from(data, file.name, faults)
            if one is not None:
                found[one.key] = one
    if faults:
        raise Invalid("The lists of clauses cannot be used.", faults)
    return found


def clause_list_from(data: Any, where: str, faults: list[Fault]) -> ClauseList | None:
    """Build a list from plain data, adding everything that is wrong with it to `faults`."""
    given = data if isinstance(data, dict) else {}
    clauses = given.get("clauses")
    if not given.get("key") or not given.get("name"):
        faults.append(Fault("CL01", where, "has no key or no name.", "Give both."))
        return None
    if not isinstance(clauses, dict) or not clauses:
        what = "lists no clause; a check against nothing would always pass."
        faults.append(Fault("CL02", where, what, "List the clauses."))
        return None
    faults.extend(
        Fault("CL03", where, f"lists {number!r}, which is no clause number.", "Correct it.")
        for number in clauses
        if not _NUMBER.fullmatch(str(number))
    )
    parts = [str(one) for one in given.get("parts") or ()]
    faults.extend(
        Fault("CL04", where, f"lists the part {part!r} of no clause.", "List its clause too.")
        for part in parts
        if part.rpartition(".")[0] not in clauses
    )
    titles = {str(number): str(title) for number, title in clauses.items()}
    return ClauseList(str(given["key"]), str(given["name"]), titles, frozenset(parts))
