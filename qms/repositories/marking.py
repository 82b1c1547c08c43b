"""Link records to the lines that markers give them, and follow both through the commits.

A link's base is what its lines said when its record was approved, or when somebody accepted them
later. Both are looked up in what a scan had seen by then, or else in the history.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from core.clock import now
from core.db import Database, chunks
from core.records.models import Record, Revision
from qms.repositories.bases import Base, Known, bases_of, text_at
from qms.repositories.dialects import dialect_of
from qms.repositories.following import Approved, Held, Spot, difference, doubt_of, follow
from qms.repositories.markers import READING, region_text
from qms.repositories.mirror import Mirror
from qms.repositories.models import (
    LinesAcceptance,
    MarkedLines,
    Repository,
    RepositoryCommit,
)
from qms.repositories.sources import (
    LARGEST_FILE,
    files_at,
    keep_places,
    read_contents,
    release_commits,
    source_files,
    spots_of,
    stale_contents,
)
from qms.repositories.steps import JsonDict, Steps
from qms.repositories.trees import Came, blobs, came_from, files_of


def follow_markers(
    db: Database, mirror: Mirror, repository_id: int, steps: Steps
) -> dict[str, int]:
    """Read the default branch for markers, and bring every link up to it."""
    with db.reading() as session:
        repository = session.get_one(Repository, repository_id)
        head = repository.tips.get(f"refs/heads/{repository.default_branch}", "")
        releases = release_commits(session, repository.project_id)
        # What is read here is still looked at while Git works, when the session has ended.
        session.expunge_all()
    if not head:
        return {"read": 0, "marked": 0, "suspect": 0}
    read = _read_trees(db, mirror, repository, head, releases, steps)
    with db.reading() as session:
        known = _known(session, repository_id, head)
        session.expunge_all()
    previous = repository.marked_commit
    # A link that was stored at an earlier commit is where the file was then.
    moved = _moves(mirror, previous, head) if previous not in ("", head) else {}
    came = {path: one.path for path, one in moved.items() if one is not None}
    continued = follow(known.links, known.spots, came)
    bases = bases_of(db, mirror, known, continued, steps)
    diffs = _differences(mirror, known, continued, bases)
    found = steps.step(f"links {head}", _linking(repository_id, known, continued, bases, diffs))
    return {"read": read, **found}


def _read_trees(
    db: Database,
    mirror: Mirror,
    repository: Repository,
    head: str,
    releases: Mapping[str, str],
    steps: Steps,
) -> int:
    """Read what the default branch and the commits of releases hold and no scan has read yet."""
    number, read = repository.id or 0, 0
    as_now = repository.marked_reading == READING
    if not as_now:
        with db.reading() as session:
            stale = stale_contents(session, number)
        read += read_contents(db, mirror, number, stale, steps)
    # Any release may name another commit since the last scan, also where the branch is as it was.
    named = [one for one in dict.fromkeys(releases.values()) if one != head and mirror.holds(one)]
    released = {content: None for one in named for _, content in files_at(mirror, one)}
    read += read_contents(db, mirror, number, released, steps)
    if head == repository.marked_commit and as_now:
        return read
    files = list(source_files(files_of(mirror, head)))
    wanted = [(file.blob, dialect_of(file.path)) for file, problem in files if not problem]
    read += read_contents(db, mirror, number, wanted, steps)
    steps.step(f"places {head}", lambda session: keep_places(session, number, files))
    return read


def _moves(mirror: Mirror, earlier: str, later: str) -> Mapping[str, Came | None]:
    return came_from(mirror, earlier, later) if mirror.holds(earlier) else {}


def _known(session: Session, repository_id: int, head: str) -> Known:
    repository = session.get_one(Repository, repository_id)
    spots = spots_of(session, repository)
    links = list(
        session.execute(
            select(MarkedLines)
            .where(col(MarkedLines.repository_id) == repository_id)
            .order_by(col(MarkedLines.id))
        ).scalars()
    )
    at = session.execute(
        select(col(RepositoryCommit.at)).where(
            col(RepositoryCommit.repository_id) == repository_id,
            col(RepositoryCommit.sha) == head,
        )
    ).scalar_one()
    records = {spot.record_id for spot in spots} | {link.record_id for link in links}
    return Known(
        repository,
        head,
        at,
        spots,
        links,
        approved_revisions(session, records),
        acceptances(session, [link.id or 0 for link in links]),
    )


def approved_revisions(session: Session, record_ids: set[int]) -> dict[int, Approved]:
    """Return the revision in force of each record that has one and is not withdrawn."""
    found = {}
    for chunk in chunks(record_ids):
        query = (
            select(col(Record.id), col(Revision.number), col(Revision.approved_at))
            .join(Revision, col(Revision.id) == col(Record.effective_id))
            .where(
                col(Record.id).in_(chunk),
                col(Record.withdrawn_at).is_(None),
                col(Revision.approved_at).is_not(None),
            )
        )
        for record, number, at in session.execute(query).all():
            found[record] = Approved(number, at)
    return found


def acceptances(session: Session, link_ids: Sequence[int]) -> dict[int, LinesAcceptance]:
    """Return what was accepted last of each link."""
    found = {}
    for chunk in chunks(link_ids):
        query = (
            select(LinesAcceptance)
            .where(col(LinesAcceptance.marked_id).in_(chunk))
            .order_by(col(LinesAcceptance.id))
        )
        for one in session.execute(query).scalars():
            found[one.marked_id] = one
    return found


def held(accepted: LinesAcceptance | None) -> Held | None:
    """Return an acceptance as the rule sees it."""
    return Held(accepted.at, accepted.digest, accepted.gone) if accepted else None


def _differences(
    mirror: Mirror, known: Known, continued: Mapping[int, int], bases: Mapping[int, Base]
) -> dict[int, str]:
    """Return what changed since the base of each place that says something else."""
    found: dict[int, str] = {}
    for place, base in bases.items():
        spot = known.spots[place]
        if base.digest == spot.digest:
            found[place] = ""
            continue
        link = known.links[continued[place]] if place in continued else None
        same = link and (link.digest, link.base_digest) == (spot.digest, base.digest)
        if link and same and link.diff:
            found[place] = link.diff
            continue
        before = text_at(mirror, base.commit, base.path, base.first, base.last)
        ((_, content),) = blobs(mirror, [spot.blob], LARGEST_FILE)
        after = region_text(content or b"", dialect_of(spot.path), spot.first, spot.last)
        found[place] = difference(before, after)
    return found


def _linking(
    repository_id: int,
    known: Known,
    continued: Mapping[int, int],
    bases: Mapping[int, Base],
    diffs: Mapping[int, str],
) -> Callable[[Session], JsonDict]:
    """Write the links as they are, in one transaction with the commit that they were read at."""

    def link(session: Session) -> JsonDict:
        fresh: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for place, spot in enumerate(known.spots):
            old = known.links[continued[place]] if place in continued else None
            row = _row(known, spot, bases[place], diffs[place], old)
            if old is None:
                fresh.append({"repository_id": repository_id, **row})
            elif any(getattr(old, name) != value for name, value in row.items()):
                changed.append({"id": old.id, **row})
        kept = set(continued.values())
        gone: list[dict[str, Any]] = [
            {"id": one.id, "gone_at": known.head_at}
            for at, one in enumerate(known.links)
            if at not in kept and one.gone_at is None
        ]
        if fresh:
            session.execute(insert(MarkedLines), fresh)
        for rows in (changed, gone):
            if rows:
                session.execute(update(MarkedLines), rows)
        repository = session.get_one(Repository, repository_id)
        repository.marked_commit = known.head
        repository.marked_reading, repository.marked_at = READING, now()
        session.add(repository)
        session.flush()
        return _counts(session, repository_id)

    return link


def _row(
    known: Known, spot: Spot, base: Base, diff: str, old: MarkedLines | None
) -> dict[str, Any]:
    unchanged = old is not None and (
        old.digest == spot.digest if old.base_reading == READING else old.blob == spot.blob
    )
    return {
        **asdict(spot),
        "commit": known.head,
        "committed_at": old.committed_at if old and unchanged else known.head_at,
        "base_of": base.of,
        "base_commit": base.commit,
        "base_path": base.path,
        "base_first": base.first,
        "base_last": base.last,
        "base_digest": base.digest,
        "base_reading": READING,
        "diff": diff,
        "gone_at": None,
    }


def _counts(session: Session, repository_id: int) -> JsonDict:
    query = select(MarkedLines).where(col(MarkedLines.repository_id) == repository_id)
    links = list(session.execute(query).scalars())
    approved = approved_revisions(session, {one.record_id for one in links})
    accepted = acceptances(session, [one.id or 0 for one in links])
    doubts = [
        doubt_of(one, approved.get(one.record_id), held(accepted.get(one.id or 0))) for one in links
    ]
    return {
        "marked": sum(one.gone_at is None for one in links),
        "suspect": sum(doubt is not None for doubt in doubts),
    }
