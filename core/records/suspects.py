"""Which records need re-review, because of which change, how far away. Computed, never stored.

A link role says whose end suffers when the other end changes. An end is suspect when the other
end's fingerprint in force is not the one that was last reviewed. A link that is lost concerns both
its ends, whatever its direction: one that its source no longer states, or of which it now says
something else, makes the target suspect, and a withdrawn record makes the other end suspect.

What lies beyond a suspect record, along the same directions, *may* be touched once that record
changes; it is told with its distance, but only what is one link away has to be reviewed.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.records.snapshot import Key, LinkView, RecordView, Snapshot

FARTHEST = 4
"""Links away: need, requirement, test and one to spare; beyond, everything touches everything."""


@dataclass(frozen=True)
class Reviewed:
    """A link and the fingerprints of both its ends when it was last reviewed.

    Attributes
    ----------
    attributes : mapping or None
        What the link said; None where it was not kept.
    gone : bool
        It was seen to be stated no more, or to lead to or from a withdrawn record.
    """

    source_fingerprint: str
    target_fingerprint: str
    attributes: Mapping[str, Any] | None = None
    gone: bool = False


@dataclass(frozen=True)
class FieldChange:
    """One value that changed since the review, by the name a person reads."""

    label: str
    before: str
    after: str


class Happened(StrEnum):
    """What became of the cause of a doubt, as a phrase after its uid."""

    CHANGED = "changed"
    LINK_CHANGED = "changed what the link says"
    LINK_GONE = "no longer states the link"
    WITHDRAWN = "was withdrawn"


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
        The last link on the way, as it is or, if it is gone, as it was last reviewed.
    reviewed : str
        The cause's fingerprint that was last reviewed (distance 1 only).
    diff : tuple of FieldChange
        What changed at the cause, or in what the link says, since then.
    happened : Happened
        What became of the cause, or of the link.
    now : str
        The cause's fingerprint as it is (distance 1 only).
    said : mapping
        What the link said when it was last reviewed.
    """

    record: Key
    cause: Key
    role: str
    distance: int
    link: LinkView
    reviewed: str = ""
    diff: tuple[FieldChange, ...] = ()
    happened: Happened = Happened.CHANGED
    now: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """What happened to which link, as a sentence that begins with the cause's uid."""
        link = f"the link “{self.role.replace('_', ' ')}”"
        values = "; ".join(f"{name} {value}" for name, value in self.said.items())
        said = f" ({values})" if values else ""
        if self.happened is Happened.LINK_GONE:
            return f"no longer states {link}{said} that was last reviewed"
        if self.happened is Happened.LINK_CHANGED:
            return f"changed what {link} says since it was last reviewed"
        return f"{self.happened} since {link} was last reviewed"


SuspectEnd = Callable[[str, str], str]
"""``(type of the link's source, role) -> source | target | both | none``"""


def direct_suspicions(
    snapshot: Snapshot, reviews: Mapping[tuple[Key, str, Key], Reviewed], end_of: SuspectEnd
) -> list[Suspicion]:
    """Return every record that needs re-review, once per link that makes it so.

    A link without a review is new and in doubt of nothing; an end that is withdrawn or never was
    approved doubts nothing.
    """
    found: list[Suspicion] = []
    for (source_key, role, target_key), seen in reviews.items():
        source, target = snapshot.records.get(source_key), snapshot.records.get(target_key)
        if source is None or target is None or seen.gone:
            continue
        end = end_of(source.type, role)
        if end != "none":
            stated = snapshot.outgoing(source_key, role)
            link = next((one for one in stated if one.target == target_key), None)
            found += _doubts(source, target, role, link, seen, end)
    # In an order of their own: reviews come as the database has them.
    return sorted(found, key=lambda one: (one.record, one.cause, one.role))


def _doubts(
    source: RecordView,
    target: RecordView,
    role: str,
    link: LinkView | None,
    seen: Reviewed,
    end: str,
) -> Iterable[Suspicion]:
    """Yield the doubts that one reviewed link throws on either of its ends."""
    # What was not kept is taken to have been what is said now.
    before = seen.attributes if seen.attributes is not None else link.attributes if link else {}
    shown = link or LinkView(role, source.key, target.key, before)

    def doubt(record: RecordView, cause: RecordView, happened: Happened) -> Suspicion:
        reviewed = seen.source_fingerprint if cause is source else seen.target_fingerprint
        return Suspicion(
            record.key,
            cause.key,
            role,
            1,
            shown,
            reviewed,
            happened=happened,
            now=cause.fingerprint,
            said=before,
        )

    if target.withdrawn:
        if source.in_force and link is not None:
            yield doubt(source, target, Happened.WITHDRAWN)
    elif source.withdrawn:
        if target.in_force:
            yield doubt(target, source, Happened.WITHDRAWN)
    elif not (source.in_force and target.in_force):
        return
    elif link is None:
        yield doubt(target, source, Happened.LINK_GONE)
    else:
        if end in ("source", "both") and target.fingerprint != seen.target_fingerprint:
            yield doubt(source, target, Happened.CHANGED)
        if end in ("target", "both") and source.fingerprint != seen.source_fingerprint:
            yield doubt(target, source, Happened.CHANGED)
        elif dict(link.attributes) != dict(before):
            yield doubt(target, source, Happened.LINK_CHANGED)


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
