"""What the lines of a link are compared with: as they were approved, accepted, or first seen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.db import Database
from qms.repositories.dialects import dialect_of
from qms.repositories.following import Approved, Spot, follow
from qms.repositories.markers import READING, markers_in, region_text
from qms.repositories.mirror import Mirror
from qms.repositories.models import LinesAcceptance, MarkedLines, Repository
from qms.repositories.sources import LARGEST_FILE, candidates, read_contents, spots_in
from qms.repositories.steps import Steps
from qms.repositories.trees import Came, came_from, held_at


@dataclass(frozen=True)
class Base:
    """What the lines of a link are compared with, and what that was taken from."""

    of: str
    commit: str
    path: str
    first: int
    last: int
    digest: str
    blob: str = ""


@dataclass(frozen=True)
class Known:
    """What the database holds when a scan begins to follow markers."""

    repository: Repository
    head: str
    head_at: datetime
    spots: Sequence[Spot]
    links: Sequence[MarkedLines]
    approved: Mapping[int, Approved]
    accepted: Mapping[int, LinesAcceptance]


def bases_of(
    db: Database, mirror: Mirror, known: Known, continued: Mapping[int, int], steps: Steps
) -> dict[int, Base]:
    """Return the base of every place in `known.spots`."""
    found: dict[int, Base] = {}
    open_ones: dict[datetime, list[int]] = defaultdict(list)
    for place, spot in enumerate(known.spots):
        link = known.links[continued[place]] if place in continued else None
        approved = known.approved.get(spot.record_id)
        if approved is None:
            found[place] = _as_it_is("not approved", known.head, spot)
            continue
        base = _fixed(known, link, approved) if link else None
        if base is None:
            open_ones[approved.at].append(place)
            continue
        same = link is not None and link.base_reading == READING
        found[place] = base if same else _read_anew(mirror, base, spot)
    commits = held_at(mirror, known.head, open_ones)
    for moment, places in open_ones.items():
        commit = commits[moment]
        earlier = _as_approved(db, mirror, known, commit, places, steps) if commit else {}
        for place in places:
            spot = known.spots[place]
            of = _revision(known.approved[spot.record_id])
            then = earlier.get(place)
            found[place] = (
                Base(of, commit or "", then.path, then.first, then.last, then.digest, then.blob)
                if then
                else _as_it_is(f"seen after {of}", known.head, spot)
            )
    return found


def _fixed(known: Known, link: MarkedLines, approved: Approved) -> Base | None:
    """Return the base that a link has already, by what was accepted or seen; None without one."""
    accepted = known.accepted.get(link.id or 0)
    if accepted and not accepted.gone and accepted.at > approved.at:
        of = f"acceptance {accepted.id}"
        if link.base_of != of:
            return Base(
                of, accepted.commit, accepted.path, accepted.first, accepted.last,
                accepted.digest, accepted.blob,
            )  # fmt: skip
    elif link.base_of not in (_revision(approved), f"seen after {_revision(approved)}"):
        before = known.repository.marked_at
        if link.gone_at is not None or before is None or before > approved.at:
            return None
        # Nobody saw here what came later, whatever date it bears, when the record was approved.
        return Base(
            _revision(approved), link.commit, link.path, link.first, link.last, link.digest,
            link.blob,
        )  # fmt: skip
    return Base(
        link.base_of, link.base_commit, link.base_path, link.base_first, link.base_last,
        link.base_digest,
    )  # fmt: skip


def _read_anew(mirror: Mirror, base: Base, spot: Spot) -> Base:
    """Return a base that another reading kept as the present one reads it in its own commit."""
    content = content_at(mirror, base.commit, base.path)
    markers = markers_in(content or b"", dialect_of(base.path)).markers if content else []
    meant = set(candidates(spot.named))
    same = [one for one in markers if one.role == spot.role and meant & {*candidates(one.named)}]
    if not same:
        return base
    near = min(same, key=lambda one: (abs(one.first - base.first), abs(one.last - base.last)))
    return replace(base, first=near.first, last=near.last, digest=near.digest)


def _as_it_is(of: str, commit: str, spot: Spot) -> Base:
    return Base(of, commit, spot.path, spot.first, spot.last, spot.digest, spot.blob)


def _revision(approved: Approved) -> str:
    return f"revision {approved.revision}"


def _as_approved(
    db: Database,
    mirror: Mirror,
    known: Known,
    commit: str,
    places: Sequence[int],
    steps: Steps,
) -> dict[int, Spot]:
    """Return what the lines of these places were in an earlier commit, where they were marked."""
    moved = came_from(mirror, commit, known.head)
    now = [known.spots[place] for place in places]
    before: dict[str, str] = {}
    for spot in now:
        came = moved.get(spot.path, Came(spot.path, spot.blob))
        if came is not None:
            before[came.path] = came.blob
    contents = [(blob, dialect_of(path)) for path, blob in before.items() if dialect_of(path)]
    read_contents(db, mirror, known.repository.id or 0, contents, steps)
    with db.reading() as session:
        earlier = spots_in(session, known.repository, list(before.items()))
    came_paths = {path: one.path for path, one in moved.items() if one is not None}
    matched = follow(earlier, now, came_paths)
    return {places[at]: earlier[old] for at, old in matched.items()}


def text_at(mirror: Mirror, commit: str, path: str, first: int, last: int) -> list[str]:
    """Return marked lines as a commit held them, as they are compared."""
    content = content_at(mirror, commit, path)
    return region_text(content, dialect_of(path), first, last) if content is not None else []


def content_at(mirror: Mirror, commit: str, path: str) -> bytes | None:
    """Return what a source file held in a commit; None where that is not known."""
    held = commit and dialect_of(path) and mirror.holds(commit)
    return mirror.read(commit, path, LARGEST_FILE) if held else None
