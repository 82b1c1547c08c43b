"""Say for each clause of a standard which documents cover it, or why none has to. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from qms.clauses.lists import ClauseList
from qms.document_control.documents import Document


class Standing(StrEnum):
    """What the documents say of one clause."""

    COVERED = "covered"
    NOT_APPLICABLE = "not applicable"
    GAP = "gap"
    CONTRADICTED = "covered and declared not applicable"


@dataclass(frozen=True)
class ClauseCoverage:
    """One clause, and where the documents speak of it.

    Attributes
    ----------
    marked : tuple of str
        "file:line" of every marker.
    declared : str
        "file:line" of the declaration that it does not apply.
    reason : str
        The reason given there.
    """

    clause: str
    title: str
    marked: tuple[str, ...]
    declared: str = ""
    reason: str = ""

    @property
    def standing(self) -> Standing:
        """Covered, not applicable for a stated reason, both, or neither."""
        excused = bool(self.declared and self.reason)
        if self.marked:
            return Standing.CONTRADICTED if excused else Standing.COVERED
        return Standing.NOT_APPLICABLE if excused else Standing.GAP


def coverage(documents: Sequence[Document], listed: ClauseList) -> tuple[ClauseCoverage, ...]:
    """Return every clause of the list, in its order.

    A marker that names a part covers the clause it is part of; one that names a heading covers
    the clauses below it. A declaration counts with a reason only.
    """
    marked: dict[str, list[str]] = defaultdict(list)
    declared: dict[str, tuple[str, str]] = {}
    for document in documents:
        for marker in document.markers:
            if marker.standard == listed.key and not marker.fault:
                for clause in listed.marked(marker.clause):
                    marked[clause].append(f"{document.path}:{marker.line}")
        for number, said in document.not_applicable.items():
            # A part that does not apply excuses nobody from the rest of its clause.
            whole = number in listed.titles
            for clause in listed.under(number) if whole else ():
                declared.setdefault(clause, (f"{document.path}:{said.line}", said.value))
    return tuple(
        ClauseCoverage(
            clause, title, tuple(dict.fromkeys(marked[clause])), *declared.get(clause, ("", ""))
        )
        for clause, title in listed.titles.items()
    )
