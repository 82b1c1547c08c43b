"""How each association stands: what its last probe found, or that there was none. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataflows.probing.associations import Asked
from dataflows.probing.models import ProbeResult

NEVER = "never probed"
CHANGED = "changed since its probe"

WORDS: Mapping[str, tuple[str, str]] = {
    "ok": ("ok", "good"),
    "wrong-called-ae": ("wrong called AE", "bad"),
    "wrong-calling-ae": ("wrong calling AE", "bad"),
    "unreachable": ("unreachable", "bad"),
    "object-class-refused": ("object class refused", "bad"),
    "rejected": ("rejected", "bad"),
    "aborted": ("aborted", "bad"),
    "no-dicom-answer": ("no DICOM answer", "bad"),
    "not-dicom": ("not a DICOM listener", "bad"),
    "echo-failed": ("C-ECHO failed", "bad"),
    "tls-failed": ("TLS failed", "bad"),
    "not-allowed": ("not allowed here", "warn"),
    "no-object-class": ("object class not known", "warn"),
    NEVER: (NEVER, "warn"),
    CHANGED: (CHANGED, "warn"),
}
"""Outcome to the word on a page and its tone. A word that is not here is shown as it is."""


@dataclass(frozen=True)
class Standing:
    """An association with its last probe.

    Attributes
    ----------
    last : ProbeResult or None
        The last probe of exactly what is modelled now.
    before : ProbeResult or None
        The last probe of this association when it was modelled otherwise.
    """

    asked: Asked
    last: ProbeResult | None = None
    before: ProbeResult | None = None
    obstacles: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """The stable word of how it stands."""
        if self.last is not None:
            return self.last.outcome
        return CHANGED if self.before is not None else NEVER

    @property
    def word(self) -> str:
        """The same in the words of a page."""
        return word_of(self.outcome)[0]

    @property
    def tone(self) -> str:
        """good, warn or bad."""
        return word_of(self.outcome)[1]

    @property
    def why(self) -> str:
        """What the word rests on."""
        if self.last is not None:
            return self.last.sentence
        if self.before is not None:
            told = word_of(self.before.outcome)[0]
            return f"It is modelled otherwise than when it was probed ({told} then)."
        return "Nobody has probed it yet."


def word_of(outcome: str) -> tuple[str, str]:
    """Return word and tone of an outcome."""
    return WORDS.get(outcome, (outcome, "warn"))


def standings(
    asked: Sequence[Asked],
    results: Sequence[ProbeResult],
    obstacles: Mapping[tuple[str, int], tuple[str, ...]],
) -> list[Standing]:
    """Join associations with their results, which come the oldest first."""
    exact = {(one.connection, one.number, one.key): one for one in results}
    by_place = {(one.connection, one.number): one for one in results}
    found = []
    for one in asked:
        place = (one.connection.uid, one.number)
        last = exact.get((*place, one.key))
        before = None if last else by_place.get(place)
        found.append(Standing(one, last, before, obstacles.get(place, ())))
    return found


def counts(found: Sequence[Standing]) -> list[tuple[str, int]]:
    """Return how many associations stand how, in the order of the words."""
    numbers: dict[str, int] = {}
    for one in found:
        numbers[one.outcome] = numbers.get(one.outcome, 0) + 1
    order = list(WORDS)
    return sorted(
        numbers.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else 99
    )
