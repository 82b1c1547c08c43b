"""Which records need re-review, because of which change, how far away. Computed, never stored.

A link role says whose end suffers when the other end changes. An end is suspect when the other
end's fingerprint in force is not the one that was last reviewed. What lies beyond a suspect
record, along the same directions, *may* be touched once that record changes; it is told with its
distance, but only what is one link away has to be reviewed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from core.records.snapshot import Key, LinkView, Snapshot

FARTHEST = 4
"""Links away: need, requirement, test and one to spare; beyond, everything touches everything."""


@dataclass(frozen=True)
class Reviewed:
    """The fingerprints of both ends of a link when it was last reviewed."""

    source_fingerprint: str
    target_fingerprint: str


@dataclass(frozen=True)
class FieldChange:
    """One value that changed since the review, by the name a person reads."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Suspicion:
    """One record that a change elsewhere throws doubt on.

    Attributes
    ----------
    record, cause : Key
        Who is in doubt, and whose change is the reason.
    role : str
        The role of the link through which the doubt arrives.
    distance : int
        1 where the two are linked: these need re-review. Above: these may be touched next.
    link : LinkView
        The last link on the way.
    reviewed : str
        The cause's fingerprint that was last reviewed (distance 1 only).
    diff : tuple of FieldChange
        What changed at the cause since then.
    """

    record: Key
    cause: Key
    role: str
    distance: int
    link: LinkView
    reviewed: str = ""
    diff: tuple[FieldChange, ...] = ()


SuspectEnd = Callable[[str, str], str]
"""``(type of the link's source, role) -> source | target | both | none``"""


def direct_suspicions(
    snapshot: Snapshot, reviews: Mapping[tuple[Key, str, Key], Reviewed], end_of: SuspectEnd
) -> list[Suspicion]:
    """Return every record that needs re-review, once per link that makes it so.

    A link without a review is new and in doubt of nothing; a withdrawn or never approved end
    neither doubts nor is doubted.
    """
    found = []
    for link in snapshot.links:
        source, target = snapshot.records.get(link.source), snapshot.records.get(link.target)
        seen = reviews.get((link.source, link.role, link.target))
        if source is None or target is None or seen is None:
            continue
        if not (source.in_force and target.in_force):
            continue
        end = end_of(source.type, link.role)
        if end in ("source", "both") and target.fingerprint != seen.target_fingerprint:
            found.append(
                Suspicion(source.key, target.key, link.role, 1, link, seen.target_fingerprint)
            )
        if end in ("target", "both") and source.fingerprint != seen.source_fingerprint:
            found.append(
                Suspicion(target.key, source.key, link.role, 1, link, seen.source_fingerprint)
            )
    return found


def touched_by(
    snapshot: Snapshot, changed: Key, end_of: SuspectEnd, farthest: int = FARTHEST
) -> list[Suspicion]:
    """Return what a change of one record would throw doubt on, nearest first.

    Each record is named once, at its shortest distance. This is the preview before saving, and
    the list of what may follow behind a record that needs re-review.
    """
    seen = {changed}
    found: list[Suspicion] = []
    waiting = deque([(changed, 0)])
    while waiting:
        here, distance = waiting.popleft()
        if distance == farthest:
            continue
        for link, neighbour in _doubting(snapshot, here, end_of):
            record = snapshot.records.get(neighbour)
            if neighbour in seen or record is None or not record.in_force:
                continue
            seen.add(neighbour)
            found.append(Suspicion(neighbour, changed, link.role, distance + 1, link))
            waiting.append((neighbour, distance + 1))
    return found


def _doubting(snapshot: Snapshot, key: Key, end_of: SuspectEnd) -> Iterable[tuple[LinkView, Key]]:
    """Yield the links through which a change at `key` throws doubt, with their other end."""
    record = snapshot.records.get(key)
    if record is None:
        return
    for link in snapshot.incoming(key):
        source = snapshot.records.get(link.source)
        if source is not None and end_of(source.type, link.role) in ("source", "both"):
            yield link, link.source
    for link in snapshot.outgoing(key):
        if end_of(record.type, link.role) in ("target", "both"):
            yield link, link.target
