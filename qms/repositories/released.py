"""The marked lines of a record as the latest release holds them, whatever came after."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.errors import FiducialError
from core.records.models import Project, Record
from core.settings import Settings
from qms.repositories.dialects import dialect_of
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository, RepositoryCommit, SourceBlob, SourceMarker
from qms.repositories.service import mirror_beside
from qms.repositories.sources import candidates, release_commits
from qms.repositories.trees import files_of


@dataclass(frozen=True)
class LinesReleased:
    """Marked lines of a record at the commit of a release."""

    release: str
    repository: str
    commit: str
    path: str
    first: int
    last: int
    role: str


def lines_released(
    session: Session, project: Project, record: Record, settings: Settings | None = None
) -> list[LinesReleased]:
    """Return where the latest release with a commit that was scanned marks lines of a record."""
    markers = _markers_of(session, project, record.uid)
    if not markers:
        return []
    for release, commit in reversed(release_commits(session, project.id or 0).items()):
        repository = _repository_with(session, project, commit)
        if repository is None:
            continue
        try:
            files = _source_files(str(mirror_beside(session, repository, settings).path), commit)
        except FiducialError:
            return []
        return [
            LinesReleased(release, repository.name, commit, path, one.first, one.last, one.role)
            for path, blob in files
            for one in markers.get((repository.id or 0, blob, dialect_of(path)), ())
        ]
    return []


def files_released(
    session: Session, repository_id: int, commit: str
) -> tuple[tuple[str, str], ...]:
    """Return path and blob of a commit's source files; empty where the mirror does not hold it.

    Raises
    ------
    Invalid
        If `commit` is not a full commit name.
    """
    mirror = mirror_beside(session, session.get_one(Repository, repository_id))
    if not commit or not mirror.holds(commit):
        return ()
    return _source_files(str(mirror.path), commit)


def spots_marked(
    session: Session,
    project: Project,
    uid: str,
    repository_id: int,
    files: Sequence[tuple[str, str]],
) -> list[tuple[str, SourceMarker]]:
    """Return the markers of a record in some files, each with its path."""
    markers = _markers_of(session, project, uid)
    return [
        (path, one)
        for path, blob in files
        for one in markers.get((repository_id, blob, dialect_of(path)), ())
    ]


def _markers_of(
    session: Session, project: Project, uid: str
) -> dict[tuple[int, str, str], list[SourceMarker]]:
    """Return every marker that means a record, by the content that holds it."""
    named = col(SourceMarker.named)
    query = (
        select(SourceMarker, SourceBlob)
        .join(SourceBlob, col(SourceBlob.id) == col(SourceMarker.blob_id))
        .join(Repository, col(Repository.id) == col(SourceBlob.repository_id))
        .where(
            col(Repository.project_id) == project.id,
            or_(
                named == uid,
                named.startswith(f"{uid}~", autoescape=True),
                named.contains(f"~{uid}~", autoescape=True),
            ),
        )
        .order_by(col(SourceMarker.line), col(SourceMarker.id))
    )
    found: dict[tuple[int, str, str], list[SourceMarker]] = {}
    for marker, blob in session.execute(query).all():
        if uid in candidates(marker.named):
            key = (blob.repository_id, blob.sha, blob.dialect)
            found.setdefault(key, []).append(marker)
    return found


def _repository_with(session: Session, project: Project, commit: str) -> Repository | None:
    query = (
        select(Repository)
        .join(RepositoryCommit, col(RepositoryCommit.repository_id) == col(Repository.id))
        .where(
            col(Repository.project_id) == project.id,
            col(Repository.retired_at).is_(None),
            col(RepositoryCommit.sha) == commit,
        )
    )
    return session.execute(query).scalars().first()


@lru_cache(maxsize=8)
def _source_files(mirror: str, commit: str) -> tuple[tuple[str, str], ...]:
    # The tree of a commit never changes, and every record's page asks for that of the release.
    files = files_of(Mirror(Path(mirror)), commit)
    return tuple((one.path, one.blob) for one in files if dialect_of(one.path))
