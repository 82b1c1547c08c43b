"""How each association stands: what its last probe found, or that there was none. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dataflows.probing.associations import Asked
from dataflows.probing.models import ProbeResult

NEVER = "never probed"
CHANGED = "changed since its probe"
NOT_PROBED = "not-probed"
"""The outcome where the probe itself failed; what it says is in the sentence."""
STALE = "ok-but-old"
"""How an association stands whose last probe was "ok" longer ago than `TRUSTED_FOR`."""

TRUSTED_FOR = timedelta(days=30)
"""How long "ok" is taken at its word: listeners are moved and renamed without a notice."""

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
    NOT_PROBED: ("could not be probed", "warn"),
    STALE: (f"ok, but over {TRUSTED_FOR.days} days ago", "warn"),
    NEVER: (NEVER, "warn"),
    CHANGED: (CHANGED, "warn"),
}
"""Outcome to the word on a page and its tone. A word that is not here is shown as it is."""


@dataclass(frozen=True)
class Standing:
    """An association with its last probe.

    Attributes
    ----------
    at : datetime
        The moment this is told.
    last : ProbeResult or None
        The last probe, if it was of exactly what is modelled now.
    before : ProbeResult or None
        The last probe, if the association was modelled otherwise then.
    """

    asked: Asked
    at: datetime
    last: ProbeResult | None = None
    before: ProbeResult | None = None
    obstacles: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """The stable word of how it stands."""
        if self.last is not None:
            return STALE if self._is_stale(self.last) else self.last.outcome
        return CHANGED if self.before is not None else NEVER

    @property
    def word(self) -> str:
        """The same in the words of a page; one that is too old says how old."""
        if self.last is not None and self._is_stale(self.last):
            return f"ok, but {(self.at - self.last.probed_at).days} days ago"
        return word_of(self.outcome)[0]

    def _is_stale(self, result: ProbeResult) -> bool:
        return result.outcome == "ok" and self.at - result.probed_at > TRUSTED_FOR

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
            return f"It is modelled otherwise than when it was probed last ({told} then)."
        return "Nobody has probed it yet."


def word_of(outcome: str) -> tuple[str, str]:
    """Return word and tone of an outcome."""
    return WORDS.get(outcome, (outcome, "warn"))


def standings(
    asked: Sequence[Asked],
    results: Sequence[ProbeResult],
    obstacles: Mapping[tuple[str, int], tuple[str, ...]],
    at: datetime,
) -> list[Standing]:
    """Join associations with their results, which come the oldest first.

    Only the newest result of an association counts. One that is modelled again as it was before
    does not get its old word back over what was found in between.
    """
    by_place = {(one.connection, one.number): one for one in results}
    found = []
    for one in asked:
        place = (one.connection.uid, one.number)
        newest = by_place.get(place)
        same = newest is not None and newest.key == one.key
        last, before = (newest, None) if same else (None, newest)
        found.append(Standing(one, at, last, before, obstacles.get(place, ())))
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
