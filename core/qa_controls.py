"""QA procedures as controls: whether what they watch can still be relied on, in one word and why.

The department's map knows the procedures and how they stand; the risk file and the traceability
matrix ask :func:`core.ports.qa_controls` and never the map itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.records.snapshot import Key


class ControlWord(StrEnum):
    """Whether a QA procedure controls what it is to control."""

    EFFECTIVE = "control effective"
    NOT_EFFECTIVE = "control not effective"
    """Its test is overdue, failing or unknown."""
    NOT_ASKED = "not asked"
    """Nobody keeps a live status of it: no server is named, or it is kept on paper."""


@dataclass(frozen=True, slots=True)
class QaControl:
    """One QA procedure, what it watches, and whether it can be relied on now.

    Its title is left out: who reads the watched record need not read the project of the procedure.

    Attributes
    ----------
    watches : frozenset of Key
        The connections that it controls and the requirements that it monitors.
    why : str
        The reason for the word, as a clause: "overdue, due 2026-11-01".
    """

    procedure: Key
    watches: frozenset[Key]
    word: ControlWord
    why: str

    @property
    def effective(self) -> bool:
        """Whether it is known to work."""
        return self.word is ControlWord.EFFECTIVE

    @property
    def failed(self) -> bool:
        """Whether nothing may rest on it."""
        return self.word is ControlWord.NOT_EFFECTIVE

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        uid, project = self.procedure.uid, self.procedure.project
        return f"{uid} of {project}: {self.word}, {self.why.rstrip('.')}."


QaControls = Mapping[Key, tuple[QaControl, ...]]
"""The QA procedures that watch each connection or requirement."""


def by_watched(controls: Iterable[QaControl]) -> QaControls:
    """Return the QA procedures by what they watch, each list in the order given."""
    found: dict[Key, list[QaControl]] = {}
    for control in controls:
        for key in sorted(control.watches):
            found.setdefault(key, []).append(control)
    return {key: tuple(many) for key, many in found.items()}


def watching(controls: QaControls, watched: Iterable[Key]) -> tuple[QaControl, ...]:
    """Return the procedures that watch any of some records, each once."""
    found = {one.procedure: one for key in watched for one in controls.get(key, ())}
    return tuple(found[key] for key in sorted(found))
