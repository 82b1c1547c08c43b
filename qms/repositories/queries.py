"""Questions to the scanned repositories: commits, findings, the trace from code to record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Project, Record
from core.records.snapshot import natural_order
from qms.repositories.answers import RequestTold
from qms.repositories.models import (
    BroughtCommit,
    CommitMention,
    PullRequest,
    Repository,
    RepositoryCommit,
)


class CommitFilter(StrEnum):
    """The filters above the list of commits."""

    ALL = "all"
    TRACED = "with trace"
    UNTRACED = "without trace"
    UNKNOWN = "naming unknown records"
    LOST = "no longer in any branch"


@dataclass(frozen=True)
class Mentioned:
    """One record id that a commit names; `known` when such a record exists.

    `via` is the pull request whose merge names it for a commit that names nothing itself.
    """

    role: str
    named: str
    known: bool
    via: str = ""


@dataclass(frozen=True)
class CommitLine:
    """One commit with what it names, as a line of the list."""

    repository: str
    sha: str
    author: str
    at: datetime
    subject: str
    merge: bool
    lost: bool
    mentioned: tuple[Mentioned, ...]
    request: RequestTold | None = None


@dataclass(frozen=True)
class CommitOfRecord:
    """One commit that names a record."""

    repository: str
    sha: str
    author: str
    at: datetime
    subject: str
    role: str
    lost: bool


def commit_counts(session: Session, project_id: int) -> dict[CommitFilter, int]:
    """Count the commits of a project that each filter shows."""
    return {
        chosen: session.execute(
            _filtered(select(func.count()).select_from(RepositoryCommit), project_id, chosen)
        ).scalar_one()
        for chosen in CommitFilter
    }


def commits_page(
    session: Session, project_id: int, chosen: CommitFilter, page: int, size: int
) -> list[CommitLine]:
    """Return one page of a project's commits, newest first."""
    query = (
        _filtered(select(RepositoryCommit, col(Repository.name)), project_id, chosen)
        .order_by(col(RepositoryCommit.at).desc(), col(RepositoryCommit.id))
        .offset((page - 1) * size)
        .limit(size)
    )
    rows = session.execute(query).all()
    return _lines(session, [(commit, name) for commit, name in rows])


def find_commit(
    session: Session, repository: Repository, sha: str
) -> tuple[CommitLine, list[list[str]]] | None:
    """Return one commit and its trailers as written, or None."""
    query = select(RepositoryCommit).where(
        col(RepositoryCommit.repository_id) == repository.id, col(RepositoryCommit.sha) == sha
    )
    commit = session.execute(query).scalar_one_or_none()
    if commit is None:
        return None
    [line] = _lines(session, [(commit, repository.name)])
    return line, commit.trailers


def commits_by_sha(session: Session, project: str, shas: Sequence[str]) -> list[CommitLine]:
    """Return the commits of a project with these names, in the order of the names.

    A commit that no scan has seen yet is left out.
    """
    found: dict[str, CommitLine] = {}
    for chunk in chunks(shas):
        query = (
            select(RepositoryCommit, col(Repository.name))
            .join(Repository, col(Repository.id) == col(RepositoryCommit.repository_id))
            .join(Project, col(Project.id) == col(Repository.project_id))
            .where(
                col(Project.key) == project,
                col(RepositoryCommit.sha).in_(chunk),
            )
        )
        rows = [(commit, name) for commit, name in session.execute(query).all()]
        found.update((line.sha, line) for line in _lines(session, rows))
    return [found[sha] for sha in shas if sha in found]


def _lines(session: Session, commits: Sequence[tuple[RepositoryCommit, str]]) -> list[CommitLine]:
    ids = [commit.id or 0 for commit, _ in commits]
    named, requests = _mentions_of(session, ids), _requests_of(session, ids)
    return [
        _line(commit, name, named.get(commit.id or 0, ()), requests.get(commit.id or 0))
        for commit, name in commits
    ]


def _requests_of(session: Session, commit_ids: Sequence[int]) -> dict[int, RequestTold]:
    """Return the pull request that each commit merges or, failing that, was brought in by."""
    merge = aliased(RepositoryCommit)
    told = (col(PullRequest.label), col(PullRequest.title), col(merge.sha))
    found: dict[int, RequestTold] = {}
    for chunk in chunks(commit_ids):
        brought = (
            select(col(BroughtCommit.commit_id), *told)
            .join(PullRequest, col(PullRequest.id) == col(BroughtCommit.request_id))
            .join(merge, col(merge.id) == col(PullRequest.merge_id))
            .where(col(BroughtCommit.commit_id).in_(chunk))
        )
        merging = (
            select(col(PullRequest.merge_id), *told)
            .join(merge, col(merge.id) == col(PullRequest.merge_id))
            .where(col(PullRequest.merge_id).in_(chunk))
        )
        for query in (brought, merging):
            for number, label, title, sha in session.execute(query).all():
                found[number] = RequestTold(label, title, sha)
    return found


def _line(
    commit: RepositoryCommit,
    repository: str,
    mentioned: tuple[Mentioned, ...],
    request: RequestTold | None,
) -> CommitLine:
    return CommitLine(
        repository=repository,
        sha=commit.sha,
        author=commit.author,
        at=commit.at,
        subject=commit.subject,
        merge=commit.parents > 1,
        lost=commit.lost_at is not None,
        mentioned=mentioned,
        request=request,
    )


def commits_of_uid(session: Session, project: str, uid: str) -> list[CommitOfRecord]:
    """Return the commits whose trailers name a record of a project, newest first."""
    return _commits_naming(session, col(Project.key) == project, col(Record.uid) == uid)


def commits_of_record(session: Session, record_id: int) -> list[CommitOfRecord]:
    """Return the commits whose trailers name a record, newest first."""
    return _commits_naming(session, col(Record.id) == record_id)


def _commits_naming(session: Session, *conditions: ColumnElement[bool]) -> list[CommitOfRecord]:
    query = (
        select(RepositoryCommit, col(Repository.name), col(CommitMention.role))
        .join(CommitMention, col(CommitMention.commit_id) == col(RepositoryCommit.id))
        .join(Repository, col(Repository.id) == col(RepositoryCommit.repository_id))
        .join(Record, col(Record.id) == col(CommitMention.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(*conditions)
        .order_by(col(RepositoryCommit.at).desc(), col(RepositoryCommit.id))
    )
    return [
        CommitOfRecord(
            repository=name,
            sha=commit.sha,
            author=commit.author,
            at=commit.at,
            subject=commit.subject,
            role=role,
            lost=commit.lost_at is not None,
        )
        for commit, name, role in session.execute(query).all()
    ]


def commit_count_per_record(session: Session, project: str) -> Mapping[str, int]:
    """Return how many commits that are still in a branch name each record, by uid."""
    query = (
        select(col(Record.uid), func.count(func.distinct(CommitMention.commit_id)))
        .join(CommitMention, col(CommitMention.record_id) == col(Record.id))
        .join(RepositoryCommit, col(RepositoryCommit.id) == col(CommitMention.commit_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key) == project, col(RepositoryCommit.lost_at).is_(None))
        .group_by(col(Record.uid))
    )
    return {row[0]: row[1] for row in session.execute(query).all()}


def records_without_commit(session: Session, project_id: int, type_name: str) -> list[str]:
    """Return the uids of a project's records of one type that no commit names."""
    named = exists().where(
        col(CommitMention.record_id) == col(Record.id),
        col(CommitMention.commit_id) == col(RepositoryCommit.id),
        col(RepositoryCommit.lost_at).is_(None),
    )
    query = select(col(Record.uid)).where(
        col(Record.project_id) == project_id,
        col(Record.type) == type_name,
        col(Record.withdrawn_at).is_(None),
        ~named,
    )
    return sorted(session.execute(query).scalars(), key=natural_order)


def unknown_mentions(session: Session, project_id: int) -> list[tuple[str, int]]:
    """Return every id that trailers name and no record has, with how often, most often first."""
    query = (
        select(col(CommitMention.named), func.count())
        .join(RepositoryCommit, col(RepositoryCommit.id) == col(CommitMention.commit_id))
        .join(Repository, col(Repository.id) == col(RepositoryCommit.repository_id))
        .where(
            col(Repository.project_id) == project_id,
            col(CommitMention.record_id).is_(None),
            col(RepositoryCommit.lost_at).is_(None),
        )
        .group_by(col(CommitMention.named))
        .order_by(func.count().desc(), col(CommitMention.named))
    )
    return [(named, count) for named, count in session.execute(query).all()]


def _filtered(
    query: Select[*tuple[Any, ...]], project_id: int, chosen: CommitFilter
) -> Select[*tuple[Any, ...]]:
    named = exists().where(col(CommitMention.commit_id) == col(RepositoryCommit.id))
    unknown = named.where(col(CommitMention.record_id).is_(None))
    present = col(RepositoryCommit.lost_at).is_(None)
    conditions: dict[CommitFilter, tuple[ColumnElement[bool], ...]] = {
        CommitFilter.ALL: (present,),
        CommitFilter.TRACED: (present, named),
        # What a merge brings is traced by the commits that it joins.
        CommitFilter.UNTRACED: (present, ~named, col(RepositoryCommit.parents) < 2),
        CommitFilter.UNKNOWN: (present, unknown),
        CommitFilter.LOST: (~present,),
    }
    return query.join(Repository, col(Repository.id) == col(RepositoryCommit.repository_id)).where(
        col(Repository.project_id) == project_id, *conditions[chosen]
    )


def _mentions_of(session: Session, commit_ids: Sequence[int]) -> dict[int, tuple[Mentioned, ...]]:
    found: dict[int, tuple[Mentioned, ...]] = {}
    for chunk in chunks(commit_ids):
        query = (
            select(CommitMention)
            .where(col(CommitMention.commit_id).in_(chunk))
            .order_by(col(CommitMention.id))
        )
        for one in session.execute(query).scalars():
            mentioned = Mentioned(one.role, one.named, one.record_id is not None, one.via)
            found[one.commit_id] = (*found.get(one.commit_id, ()), mentioned)
    return found
