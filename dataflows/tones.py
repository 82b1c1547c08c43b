"""What the lines of a picture are coloured by: each meaning a word, a colour and a stroke."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dataflows.graph import Route
from dataflows.inventory import Category, Department
from dataflows.qatrack.standing import INEFFECTIVE, WORSE, State


class ColourBy(StrEnum):
    """What the colour of a line says."""

    CATEGORY = "category"
    QA = "qa"
    STATUS = "status"
    RISK = "risk"


COLOURS_IN_WORDS: Mapping[ColourBy, str] = {
    ColourBy.CATEGORY: "protocol",
    ColourBy.QA: "QA coverage",
    ColourBy.STATUS: "QA status",
    ColourBy.RISK: "risk",
}


class Stroke(StrEnum):
    """How a line is drawn; it says the same as the colour, for print and for every eye."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


@dataclass(frozen=True, slots=True)
class Tone:
    """One meaning of a line: the word, the colour and the stroke that confirm it."""

    word: str
    colour: str
    stroke: Stroke
    width: float = 1.4


CATEGORY_TONES = {
    Category.DICOM: Tone("DICOM", "#005eb8", Stroke.SOLID),
    Category.FILE: Tone("file", "#7c2855", Stroke.DASHED),
    Category.OTHER: Tone("other", "#3f525f", Stroke.DOTTED, 1.8),
}
QA_ALL = Tone("QA on every connection", "#00703c", Stroke.SOLID)
QA_SOME = Tone("QA on some connections", "#8a5200", Stroke.DASHED, 2.0)
QA_NONE = Tone("no QA", "#b10e1e", Stroke.DOTTED, 2.4)
QA_TONES = (QA_ALL, QA_SOME, QA_NONE)

NOT_HERE = "status not known here"
"""Of a QA procedure kept outside QATrack+, or while no server of it is read."""
UNTESTED = "no QA"

_IN_ORDER = Tone("QA ok", "#00703c", Stroke.SOLID, 1.8)
_NOT_DONE = Tone("QA not performed yet, or no due date", "#3f525f", Stroke.DASHED, 1.4)
_ELSEWHERE = Tone("QA whose status is not known here", "#005eb8", Stroke.SOLID, 1.0)
_DUE = Tone("QA due or incomplete", "#8a5200", Stroke.DASHED, 2.0)
_UNKNOWN = Tone("QA unknown", "#6a2c91", Stroke.DOTTED, 1.8)
_NO_QA = Tone("no QA", "#4c6272", Stroke.DOTTED, 1.4)
_FAILING = Tone("QA overdue or failing", "#b10e1e", Stroke.DASHED, 3.2)

STATUS_TONES = (_IN_ORDER, _ELSEWHERE, _NOT_DONE, _DUE, _UNKNOWN, _NO_QA, _FAILING)
"""Best first: a line of several connections has the worst of them."""

_OF_STATE: Mapping[State, Tone] = {
    State.OK: _IN_ORDER,
    State.NOT_PERFORMED: _NOT_DONE,
    State.NO_DUE_DATE: _NOT_DONE,
    State.DUE: _DUE,
    State.INCOMPLETE: _DUE,
    State.UNKNOWN: _UNKNOWN,
    State.OVERDUE: _FAILING,
    State.FAILING: _FAILING,
}

UNRATED = "no failure mode"
_RISK: Mapping[str, Tone] = {
    "low": Tone("low action priority", "#00703c", Stroke.SOLID, 1.4),
    "": Tone("no failure mode recorded", "#4c6272", Stroke.DOTTED, 1.4),
    "medium": Tone("medium action priority", "#8a5200", Stroke.DASHED, 2.0),
    "high": Tone("high action priority", "#b10e1e", Stroke.SOLID, 3.2),
}
RISK_TONES = tuple(_RISK.values())
"""Best first; that nobody looked for what can go wrong is worse than a low priority."""

_TONES: Mapping[ColourBy, tuple[Tone, ...]] = {
    ColourBy.CATEGORY: tuple(CATEGORY_TONES.values()),
    ColourBy.QA: QA_TONES,
    ColourBy.STATUS: STATUS_TONES,
    ColourBy.RISK: RISK_TONES,
}


@dataclass(frozen=True, slots=True)
class Paint:
    """What a picture is coloured by, and how the QA procedures stand where that is known.

    Attributes
    ----------
    states : mapping of str to State
        By the uid of the QA procedure; one that is absent has no status here.
    """

    by: ColourBy = ColourBy.CATEGORY
    states: Mapping[str, State] = field(default_factory=dict)

    @property
    def tones(self) -> tuple[Tone, ...]:
        """Every meaning that a line may have, in the order of the legend."""
        return _TONES[self.by]

    def tone(self, department: Department, route: Route) -> Tone:
        """Return the colour of a route: of several connections that of the worst."""
        if self.by is ColourBy.CATEGORY:
            return CATEGORY_TONES[route.category]
        if self.by is ColourBy.QA:
            return _covered(department, route)
        if self.by is ColourBy.RISK:
            return _RISK[_worst_priority(department, route.connections)]
        return max(
            (self._status(department, uid) for uid in route.connections), key=self.tones.index
        )

    def _status(self, department: Department, uid: str) -> Tone:
        procedures = department.qa_of_connection.get(uid)
        if not procedures:
            return _NO_QA
        found = (_OF_STATE[s] if (s := self.states.get(p)) else _ELSEWHERE for p in procedures)
        return max(found, key=STATUS_TONES.index)

    def status_word(self, department: Department, connections: tuple[str, ...]) -> str:
        """Return in one word how the QA of some connections stands: the worst of them."""
        covered = [department.qa_of_connection.get(uid, ()) for uid in connections]
        procedures = {uid for found in covered for uid in found}
        known = [self.states[uid] for uid in procedures if uid in self.states]
        worst = max(known, key=WORSE.__getitem__, default=None)
        if worst in INEFFECTIVE:
            return str(worst)
        if not all(covered):
            return "no QA on some" if any(covered) else UNTESTED
        if worst is None or (worst is State.OK and len(known) < len(procedures)):
            return NOT_HERE
        return worst.value


def _covered(department: Department, route: Route) -> Tone:
    covered = sum(uid in department.qa_of_connection for uid in route.connections)
    if covered == len(route.connections):
        return QA_ALL
    return QA_SOME if covered else QA_NONE


def _worst_priority(department: Department, connections: Iterable[str]) -> str:
    """Return the worst of some connections; that nobody looked is worse than a low priority."""
    order = tuple(_RISK)
    found = (department.connections[uid].priority for uid in connections)
    return max(found, key=order.index, default="")


def priority_word(department: Department, connections: tuple[str, ...]) -> str:
    """Return in one word what the colour by risk says of some connections: the worst of them."""
    worst = _worst_priority(department, connections)
    rated = any(department.connections[uid].priority for uid in connections)
    return worst or (f"{UNRATED} on some" if rated else UNRATED)
