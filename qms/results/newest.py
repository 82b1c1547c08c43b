"""Which commit is the newest that results were imported for, whatever came in last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from git.exc import GitError
from sqlalchemy import select
from sqlmodel import Session, col

from core.db import chunks
from core.errors import Conflict
from core.records.models import Project
from qms.repositories.mirror import Mirror, object_name
from qms.repositories.models import Repository, RepositoryCommit
from qms.repositories.service import mirror_beside

MOST_COMPARED = 200
"""Commits of one repository that Git is asked about, those that came in last."""


@dataclass(frozen=True)
class Line:
    """Commits that follow one another: those of one repository, or those that none holds.

    Attributes
    ----------
    newest : str
        The commit that results count at.
    repository : str
        Empty where no repository holds the commits; then the order of the imports decides.
    """

    newest: str
    commits: frozenset[str]
    repository: str = ""


@dataclass(frozen=True)
class _Known:
    sha: str
    at: datetime
    lost: bool


def lines_of(session: Session, project: str, first: Mapping[str, int]) -> list[Line]:
    """Return the lines of commits of a project, each with its newest.

    What no repository holds is a line of its own: nobody can say whether it is newer, so a failure
    on either side counts.

    Parameters
    ----------
    first : mapping of str to int
        The number of the first import of each commit.
    """
    held = _held(session, project, first)
    found = [
        Line(
            _tip(session, repository, known, first),
            frozenset(one.sha for one in known),
            repository.name,
        )
        for repository, known in held
    ]
    rest = set(first).difference(*(one.commits for one in found))
    if rest:
        found.append(Line(max(rest, key=lambda sha: first[sha]), frozenset(rest)))
    return found


def _held(
    session: Session, project: str, first: Mapping[str, int]
) -> list[tuple[Repository, list[_Known]]]:
    query = (
        select(Repository, RepositoryCommit)
        .join(RepositoryCommit, col(RepositoryCommit.repository_id) == col(Repository.id))
        .join(Project, col(Project.id) == col(Repository.project_id))
        .where(col(Project.key) == project, col(Repository.retired_at).is_(None))
        .order_by(col(Repository.id))
    )
    found: dict[int, tuple[Repository, list[_Known]]] = {}
    seen: set[str] = set()
    for chunk in chunks(first):
        for repository, commit in session.execute(
            query.where(col(RepositoryCommit.sha).in_(chunk))
        ):
            if commit.sha not in seen:
                seen.add(commit.sha)
                _, known = found.setdefault(repository.id or 0, (repository, []))
                known.append(_Known(commit.sha, commit.at, commit.lost_at is not None))
    return list(found.values())


def _tip(
    session: Session, repository: Repository, known: Sequence[_Known], first: Mapping[str, int]
) -> str:
    """Return the newest of the commits that no other one stands on."""
    last = sorted((one.sha for one in known), key=lambda sha: first[sha])[-MOST_COMPARED:]
    try:
        ends = _ends(str(mirror_beside(session, repository).path), tuple(sorted(last)))
    except (GitError, Conflict):
        # Without its mirror, what a scan once read of the commits is all that is known.
        ends = frozenset(last)
    among = [one for one in known if one.sha in ends]
    return max(among, key=lambda one: (not one.lost, one.at, first[one.sha])).sha


@lru_cache(maxsize=64)
def _ends(path: str, commits: tuple[str, ...]) -> frozenset[str]:
    """Return the commits that none of the others stands on."""
    # What a commit stands on never changes, and every page of a record asks.
    if len(commits) < 2:
        return frozenset(commits)
    names = [object_name(one) for one in commits]
    with Mirror(Path(path)).opened() as repo:
        told: str = repo.git.merge_base("--independent", *names)
    return frozenset(told.split())
