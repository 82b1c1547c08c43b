"""What a pull request brought in: its commits, and the records that its merge names for them.

A team that writes the trailers into the pull request has commits without any; those count as if
they carried them, and each says by which pull request.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from git import Repo
from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db import Database, chunks
from core.records.models import ObservedLink
from qms.repositories.mirror import Mirror, object_name
from qms.repositories.models import (
    BroughtCommit,
    CommitMention,
    PullRequest,
    Repository,
    RepositoryCommit,
)
from qms.repositories.observing import LINK_KIND, commit_ids, resolve_mentions
from qms.repositories.steps import JsonDict, Steps

REQUESTS_AT_ONCE = 200


@dataclass(frozen=True)
class Waiting:
    """A pull request whose commits were not looked up yet."""

    number: int
    merge: str


def spread_requests(db: Database, mirror: Mirror, repository_id: int, steps: Steps) -> None:
    """Find the commits of each new pull request, and let them name what its merge names."""
    waiting = _waiting(db, repository_id)
    for start in range(0, len(waiting), REQUESTS_AT_ONCE):
        some = waiting[start : start + REQUESTS_AT_ONCE]
        with mirror.opened() as repo:
            brought = {one.number: _brought_by(repo, one.merge) for one in some}
        steps.step(f"requests {some[0].merge}", _spreading(repository_id, brought))


def _brought_by(repo: Repo, merge: str) -> list[str]:
    """Return the commits that a merge of two parents added to the first of them."""
    name = object_name(merge)
    told: str = repo.git.rev_list(f"{name}^2", f"^{name}^1")
    return told.split()


def _waiting(db: Database, repository_id: int) -> list[Waiting]:
    """Return the pull requests that wait, the oldest first: it brought what two have in common."""
    query = (
        select(col(PullRequest.id), col(RepositoryCommit.sha))
        .join(RepositoryCommit, col(RepositoryCommit.id) == col(PullRequest.merge_id))
        .where(col(PullRequest.repository_id) == repository_id, col(PullRequest.spread).is_(False))
        .order_by(col(RepositoryCommit.at), col(RepositoryCommit.id).desc())
    )
    with db.reading() as session:
        return [Waiting(number, sha) for number, sha in session.execute(query).all()]


def _spreading(
    repository_id: int, brought: Mapping[int, Sequence[str]]
) -> Callable[[Session], JsonDict]:
    def spread(session: Session) -> JsonDict:
        repository = session.get_one(Repository, repository_id)
        _bring(session, repository, brought)
        session.execute(
            update(PullRequest).where(col(PullRequest.id).in_(list(brought))).values(spread=True)
        )
        _inherit(session, repository, list(brought))
        return {"requests": len(brought)}

    return spread


def _bring(session: Session, repository: Repository, brought: Mapping[int, Sequence[str]]) -> None:
    """Give each commit to the first request that brought it, the oldest being looked at first."""
    ids = commit_ids(session, repository, [sha for shas in brought.values() for sha in shas])
    known = set()
    for chunk in chunks(ids.values()):
        known |= set(
            session.scalars(
                select(col(BroughtCommit.commit_id)).where(col(BroughtCommit.commit_id).in_(chunk))
            )
        )
    first: dict[int, int] = {}
    for number, shas in brought.items():
        for sha in shas:
            if sha in ids and ids[sha] not in known:
                first.setdefault(ids[sha], number)
    if first:
        rows = [{"commit_id": one, "request_id": number} for one, number in first.items()]
        session.execute(insert(BroughtCommit), rows)


def _inherit(session: Session, repository: Repository, numbers: Sequence[int]) -> None:
    """Let the commits of some requests that name nothing name what the merges name."""
    own = aliased(CommitMention)
    named = exists().where(col(own.commit_id) == col(BroughtCommit.commit_id))
    query = (
        select(
            col(BroughtCommit.commit_id),
            col(CommitMention.role),
            col(CommitMention.named),
            col(PullRequest.label),
        )
        .join(PullRequest, col(PullRequest.id) == col(BroughtCommit.request_id))
        .join(CommitMention, col(CommitMention.commit_id) == col(PullRequest.merge_id))
        .where(col(PullRequest.id).in_(numbers), col(CommitMention.via) == "", ~named)
        .order_by(col(CommitMention.id))
    )
    rows = [
        {"commit_id": commit, "role": role, "named": uid, "via": label}
        for commit, role, uid, label in session.execute(query).all()
    ]
    if rows:
        session.execute(insert(CommitMention), rows)
        resolve_mentions(session, repository, within=sorted({row["commit_id"] for row in rows}))


def forget_mentions(session: Session, repository: Repository, ids: Sequence[int]) -> None:
    """Take away what some commits name, with the links: they are read anew under other keys."""
    for chunk in chunks(ids):
        shas = session.scalars(
            select(col(RepositoryCommit.sha)).where(col(RepositoryCommit.id).in_(chunk))
        )
        session.execute(
            delete(ObservedLink).where(
                col(ObservedLink.kind) == LINK_KIND,
                col(ObservedLink.source_ref).in_([f"{repository.name}@{sha}" for sha in shas]),
                col(ObservedLink.record_id).in_(
                    select(col(CommitMention.record_id)).where(
                        col(CommitMention.commit_id).in_(chunk)
                    )
                ),
            )
        )
        session.execute(delete(CommitMention).where(col(CommitMention.commit_id).in_(chunk)))
