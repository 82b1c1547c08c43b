"""Scan a repository: fetch its mirror, then store what is new in small transactions.

The same steps serve the job, where each counts once however often it is interrupted, and the
command line. A lock on the database is never held while Git waits for a remote.
"""

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice

from sqlalchemy import update
from sqlmodel import Session, col

from core.clock import now
from core.db import Database
from core.errors import Conflict, FiducialError, NotFound
from core.jobs.context import JobContext
from core.ledger import append
from core.people.actor import Actor
from core.people.models import Person
from core.people.service import actor_of
from core.records.models import Project
from core.settings import Settings
from qms.repositories.bringing import forget_mentions, spread_requests
from qms.repositories.marking import follow_markers
from qms.repositories.mirror import CommitSeen, Mirror
from qms.repositories.models import PullRequest, Repository
from qms.repositories.observing import (
    Seen,
    commit_ids,
    mark_lost,
    resolve_mentions,
    store_commits,
    store_tags,
    store_traces,
)
from qms.repositories.service import address_of, mirror_of
from qms.repositories.steps import AtOnce, JsonDict, Steps
from qms.repositories.trailer_keys import digest_of, trailer_keys

BATCH = 1000
"""Commits per transaction: short enough to let other writers in, long enough to be quick."""

TURN_S = 1800.0
"""How long a scan waits for another one of the same repository: as long as that may take."""

LOOK_S = 0.2


@dataclass(frozen=True)
class ScanReport:
    """What a scan brought.

    Attributes
    ----------
    commits, lost : int
        New commits, and commits that a rewritten history lost.
    linked, unknown : int
        Record ids in trailers that were linked, and that no record has.
    tags, moved : int
        New tags, and tags that now name another commit.
    read, marked, suspect : int
        Source files that were read for the first time, links between records and marked lines of
        the default branch, and those of them that need re-review.
    """

    repository: str
    commits: int
    lost: int
    linked: int
    unknown: int
    tags: int
    moved: int
    read: int = 0
    marked: int = 0
    suspect: int = 0

    def __str__(self) -> str:
        return (
            f"{self.repository}: {self.commits} new commits, {self.lost} lost to a rewritten "
            f"history; {self.linked} record ids linked, {self.unknown} that no record has; "
            f"{self.tags} new tags, {self.moved} moved; {self.read} source files read, "
            f"{self.marked} links to marked lines, {self.suspect} of them need re-review."
        )


def scan_repository(
    db: Database,
    settings: Settings,
    repository_id: int,
    by: Actor | None = None,
    progress: Callable[[int, int, str], None] = lambda _done, _total, _text: None,
) -> ScanReport:
    """Scan one repository now.

    Raises
    ------
    Invalid
        If its address is no longer among the allowed sources.
    Conflict
        If it is retired or Git cannot fetch it.
    """
    return _scan(db, settings, repository_id, by, AtOnce(db, progress))


def run(ctx: JobContext) -> JsonDict:
    """Scan the repository that a job's payload names, for the person who asked."""
    repository_id = int(ctx.payload["repository"])
    with ctx.db.reading() as session:
        person = session.get(Person, ctx.created_by) if ctx.created_by else None
        by = actor_of(session, person) if person else None
        repository = session.get(Repository, repository_id)
        project = session.get(Project, repository.project_id) if repository else None
        address = f"/p/{project.key}/repositories" if project else "/"
    report = _scan(ctx.db, ctx.settings, repository_id, by, ctx)
    ctx.progress(
        1,
        1,
        f"{report.repository}: {report.commits} new commits, {report.unknown} "
        "ids that no record has",
    )
    return asdict(report) | {"address": address}


def _scan(
    db: Database, settings: Settings, repository_id: int, by: Actor | None, steps: Steps
) -> ScanReport:
    name, _, _ = _to_scan(db, repository_id)

    def waiting() -> None:
        steps.progress(0, 0, f"Waiting for another scan of {name}")

    try:
        with turn_to_scan(settings, repository_id, waiting):
            return _scan_alone(db, settings, repository_id, by, steps)
    except TimeoutError as error:
        raise Conflict(
            f"{name} is being scanned since more than {TURN_S / 60:.0f} minutes; look at that "
            "scan, and ask again when it has ended."
        ) from error


@contextmanager
def turn_to_scan(
    settings: Settings, repository_id: int, waiting: Callable[[], None]
) -> Iterator[None]:
    """Hold the one turn to fetch into a mirror and store what it brought.

    A lock of the file system, so that it ends with the process that held it, however that ends.

    Raises
    ------
    TimeoutError
        If another scan has it for longer than :data:`TURN_S`.
    """
    mirror = mirror_of(settings, repository_id).path
    mirror.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + TURN_S
    with mirror.with_suffix(".lock").open("w") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                if not told:
                    waiting()
                    told = True
                time.sleep(LOOK_S)
        yield


def _to_scan(db: Database, repository_id: int) -> tuple[str, str, set[str]]:
    """Return name, address and the tips of the last scan of a repository in use."""
    with db.reading() as session:
        repository = session.get(Repository, repository_id)
        if repository is None:
            raise NotFound(f"There is no repository {repository_id}.")
        if repository.retired_at is not None:
            raise Conflict(f"Repository {repository.name} is retired; register it again to scan.")
        # An earlier version took the rest of a name with U+2028 in it for a branch.
        tips = {sha for name, sha in repository.tips.items() if name.startswith("refs/")}
        return repository.name, repository.address, tips


def _scan_alone(
    db: Database, settings: Settings, repository_id: int, by: Actor | None, steps: Steps
) -> ScanReport:
    # Read only now: the scan that had the turn before may have moved the tips.
    name, address_text, known = _to_scan(db, repository_id)
    mirror = mirror_of(settings, repository_id)
    mirror.sweep()
    steps.progress(0, 0, f"Fetching {name}")
    try:
        mirror.fetch(address_of(address_text, settings))
    except FiducialError as error:
        with db.writing() as session:
            session.get_one(Repository, repository_id).problem = error.message
        raise
    keys = trailer_keys()
    _read_anew(db, mirror, repository_id, keys, by, steps)
    seen = Seen()
    for batch in _batches(mirror.commits(known)):
        found = steps.step(f"commits {batch[0].sha}", _storing(repository_id, batch, keys))
        seen = seen + Seen(**found)
        steps.progress(seen.commits, 0, f"Reading {name}: {seen.commits} commits")
    spread_requests(db, mirror, repository_id, steps)
    end = steps.step("end", _ending(repository_id, mirror, known, seen, by))
    marks = follow_markers(db, mirror, repository_id, steps)
    return ScanReport(repository=name, **end, **marks)


def _batches(commits: Iterable[CommitSeen]) -> Iterator[list[CommitSeen]]:
    stream = iter(commits)
    while batch := list(islice(stream, BATCH)):
        yield batch


def _storing(
    repository_id: int, batch: list[CommitSeen], keys: Mapping[str, str]
) -> Callable[[Session], JsonDict]:
    def store(session: Session) -> JsonDict:
        repository = session.get_one(Repository, repository_id)
        repository.trailer_keys = digest_of(keys)
        session.add(repository)
        return asdict(store_commits(session, repository, batch, keys))

    return store


def _read_anew(
    db: Database,
    mirror: Mirror,
    repository_id: int,
    keys: Mapping[str, str],
    by: Actor | None,
    steps: Steps,
) -> None:
    """Read what is stored again where the department's trailer keys are other ones by now."""
    with db.reading() as session:
        repository = session.get_one(Repository, repository_id)
        if repository.trailer_keys == digest_of(keys) or not repository.tips:
            return
    name = f"anew {digest_of(keys)}"
    for batch in _batches(mirror.commits()):
        steps.step(f"{name} {batch[0].sha}", _again(repository_id, batch, keys))
    steps.step(name, _settling(repository_id, keys, by))


def _settling(
    repository_id: int, keys: Mapping[str, str], by: Actor | None
) -> Callable[[Session], JsonDict]:
    """Remember the keys that its commits are read with, in the audit trail too."""

    def settle(session: Session) -> JsonDict:
        repository = session.get_one(Repository, repository_id)
        repository.trailer_keys = digest_of(keys)
        session.add(repository)
        append(
            session,
            "repository:trailers:read",
            by,
            project_id=repository.project_id,
            subject=repository.name,
            data={"keys": dict(keys)},
        )
        return {}

    return settle


def _again(
    repository_id: int, batch: list[CommitSeen], keys: Mapping[str, str]
) -> Callable[[Session], JsonDict]:
    def read(session: Session) -> JsonDict:
        repository = session.get_one(Repository, repository_id)
        ids = commit_ids(session, repository, [commit.sha for commit in batch])
        forget_mentions(session, repository, list(ids.values()))
        stored = [commit for commit in batch if commit.sha in ids]
        told = store_traces(session, repository, stored, ids, keys)
        session.execute(
            update(PullRequest)
            .where(col(PullRequest.repository_id) == repository_id)
            .values(spread=False)
        )
        return asdict(told)

    return read


def _ending(
    repository_id: int, mirror: Mirror, known: set[str], seen: Seen, by: Actor | None
) -> Callable[[Session], JsonDict]:
    """Set where the next scan begins, in the transaction that makes this one complete."""
    tips, tags, lost = mirror.tips(), mirror.tags(), mirror.lost(known)

    def end(session: Session) -> JsonDict:
        repository = session.get_one(Repository, repository_id)
        linked_later = resolve_mentions(session, repository)
        new_tags, moved = store_tags(session, repository, tags, by)
        repository.tips = tips
        repository.default_branch = mirror.default_branch()
        repository.scanned_at, repository.problem = now(), ""
        session.add(repository)
        counts: JsonDict = {
            "commits": seen.commits,
            "lost": mark_lost(session, repository, lost),
            "linked": seen.linked + linked_later,
            "unknown": seen.unknown - min(linked_later, seen.unknown),
            "tags": new_tags,
            "moved": moved,
        }
        if any(counts.values()):
            append(
                session,
                "repository:commits:observe",
                by,
                project_id=repository.project_id,
                subject=repository.name,
                data=counts | {"head": tips.get(f"refs/heads/{repository.default_branch}", "")},
            )
        return counts

    return end
