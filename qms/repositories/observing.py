"""Write what a scan saw: commits, the records their trailers name, tags that came, moved or went.

Every function may be called again with the same facts and then changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from core.clock import now
from core.db import chunks, insert_into
from core.ledger import append
from core.people.actor import Actor
from core.records.models import Record
from core.records.observing import Observation, observe_links
from qms.repositories.mirror import CommitSeen, TagSeen
from qms.repositories.models import (
    CommitMention,
    PullRequest,
    Repository,
    RepositoryCommit,
    RepositoryTag,
)
from qms.repositories.trailers import TRACE_KEYS, mentions

LINK_KIND = "commit"
"""The kind of an observed link that a trailer makes."""


@dataclass(frozen=True)
class Seen:
    """What one batch of commits brought."""

    commits: int = 0
    linked: int = 0
    unknown: int = 0

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(
            self.commits + other.commits,
            self.linked + other.linked,
            self.unknown + other.unknown,
        )


def store_commits(
    session: Session,
    repository: Repository,
    commits: Sequence[CommitSeen],
    keys: Mapping[str, str] = TRACE_KEYS,
) -> Seen:
    """Store commits that are new, and link the records that their trailers name."""
    shas = [commit.sha for commit in commits]
    known = commit_ids(session, repository, shas)
    _set_lost(session, repository, list(known), None)
    fresh = [commit for commit in commits if commit.sha not in known]
    if not fresh:
        return Seen()
    session.execute(
        insert(RepositoryCommit),
        [
            {
                "repository_id": repository.id,
                "sha": commit.sha,
                "parents": commit.parents,
                "author": commit.author,
                "at": commit.at,
                "subject": commit.subject,
                "trailers": [list(pair) for pair in commit.trailers],
            }
            for commit in fresh
        ],
    )
    ids = commit_ids(session, repository, [commit.sha for commit in fresh])
    return store_traces(session, repository, fresh, ids, keys)


def store_traces(
    session: Session,
    repository: Repository,
    commits: Sequence[CommitSeen],
    ids: Mapping[str, int],
    keys: Mapping[str, str],
) -> Seen:
    """Store what commits that have no trace yet name, and the pull requests that they merge."""
    found = [
        {"commit_id": ids[commit.sha], "role": mention.role, "named": mention.named, "via": ""}
        for commit in commits
        for mention in mentions(commit.trailers, keys)
    ]
    if found:
        session.execute(insert(CommitMention), found)
    requests = [
        {
            "repository_id": repository.id,
            "merge_id": ids[commit.sha],
            "label": commit.request.label,
            "title": commit.request.title,
            "spread": False,
        }
        for commit in commits
        if commit.request
    ]
    if requests:
        session.execute(insert_into(session, PullRequest).on_conflict_do_nothing(), requests)
    linked = resolve_mentions(session, repository, within=list(ids.values()))
    return Seen(len(commits), linked, len(found) - linked)


def resolve_mentions(
    session: Session, repository: Repository, within: Sequence[int] | None = None
) -> int:
    """Link mentions to records that exist by now, and return how many were linked.

    Parameters
    ----------
    within : sequence of int, optional
        Ids of the commits to look at; all of the repository otherwise.
    """
    linked = 0
    asked: Iterable[Sequence[int] | None] = [None] if within is None else chunks(within)
    for chunk in asked:
        found = _linkable(session, repository, chunk)
        if not found:
            continue
        session.execute(
            update(CommitMention), [{"id": one[0], "record_id": one[1].record_id} for one in found]
        )
        observe_links(session, [observation for _, observation in found])
        linked += len(found)
    return linked


def _linkable(
    session: Session, repository: Repository, within: Sequence[int] | None
) -> list[tuple[int, Observation]]:
    """Return the mentions that name a record and are not linked yet."""
    query = (
        select(
            col(CommitMention.id),
            col(Record.id),
            col(CommitMention.role),
            col(RepositoryCommit.sha),
            col(RepositoryCommit.subject),
            col(RepositoryCommit.at),
        )
        .join(RepositoryCommit, col(CommitMention.commit_id) == col(RepositoryCommit.id))
        .join(Record, col(Record.uid) == col(CommitMention.named))
        .where(
            col(CommitMention.record_id).is_(None),
            col(RepositoryCommit.repository_id) == repository.id,
            col(Record.project_id) == repository.project_id,
        )
    )
    if within is not None:
        query = query.where(col(RepositoryCommit.id).in_(within))
    return [
        (
            mention,
            Observation(
                record_id=record,
                kind=LINK_KIND,
                source_ref=f"{repository.name}@{sha}",
                role=role,
                attributes={"subject": subject, "at": at.isoformat()},
            ),
        )
        for mention, record, role, sha, subject, at in session.execute(query).all()
    ]


def mark_lost(session: Session, repository: Repository, shas: Sequence[str]) -> int:
    """Mark commits that no branch or tag leads to any more, and return how many."""
    _set_lost(session, repository, shas, now())
    return len(shas)


def _set_lost(
    session: Session, repository: Repository, shas: Sequence[str], moment: datetime | None
) -> None:
    for chunk in chunks(shas):
        session.execute(
            update(RepositoryCommit)
            .where(
                col(RepositoryCommit.repository_id) == repository.id,
                col(RepositoryCommit.sha).in_(chunk),
            )
            .values(lost_at=moment)
        )


def store_tags(
    session: Session, repository: Repository, tags: Iterable[TagSeen], by: Actor | None
) -> tuple[int, int]:
    """Store tags as they are now; return how many are new and how many moved.

    A tag that moved is an entry of its own in the audit trail: a release may be bound to it.
    """
    known = {tag.name: tag for tag in tags_of(session, repository)}
    new = moved = 0
    seen = set()
    for tag in tags:
        seen.add(tag.name)
        row = known.get(tag.name)
        if row is None:
            new += 1
            row = RepositoryTag(
                repository_id=repository.id or 0,
                name=tag.name,
                sha=tag.sha,
                annotated=tag.annotated,
            )
        elif row.sha != tag.sha:
            moved += 1
            row.moved_from, row.moved_at = row.sha, now()
            append(
                session,
                "repository:tag:move",
                by,
                project_id=repository.project_id,
                subject=f"{repository.name} {tag.name}",
                data={"from": row.sha, "to": tag.sha},
            )
        row.sha, row.annotated, row.at, row.lost_at = tag.sha, tag.annotated, tag.at, None
        session.add(row)
    for name, row in known.items():
        if name not in seen and row.lost_at is None:
            row.lost_at = now()
            session.add(row)
    session.flush()
    return new, moved


def tags_of(session: Session, repository: Repository) -> list[RepositoryTag]:
    """Return every tag of a repository, newest first."""
    query = (
        select(RepositoryTag)
        .where(col(RepositoryTag.repository_id) == repository.id)
        .order_by(col(RepositoryTag.at).desc(), col(RepositoryTag.name))
    )
    return list(session.execute(query).scalars())


def commit_ids(session: Session, repository: Repository, shas: Sequence[str]) -> dict[str, int]:
    """Return the row of each commit that is stored."""
    found: dict[str, int] = {}
    for chunk in chunks(shas):
        query = select(col(RepositoryCommit.sha), col(RepositoryCommit.id)).where(
            col(RepositoryCommit.repository_id) == repository.id,
            col(RepositoryCommit.sha).in_(chunk),
        )
        found.update((sha, identity) for sha, identity in session.execute(query).all())
    return found
