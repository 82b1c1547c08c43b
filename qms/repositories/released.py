"""The marked lines of a record as the latest release holds them, whatever came after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.records.models import Project, Record
from core.settings import Settings
from qms.repositories.following import Spot
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository, RepositoryCommit, SourceBlob, SourceMarker
from qms.repositories.service import mirror_beside
from qms.repositories.sources import Content, files_at, records_named, release_commits

Files = Sequence[tuple[str, Content]]
"""Path and content of the source files of a commit."""

Marks = Mapping[Content, Sequence[Spot]]
"""The marked lines of each content, which may have several paths or none."""


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
    for release, commit in reversed(release_commits(session, project.id or 0).items()):
        repository = _repository_with(session, project, commit)
        if repository is None:
            continue
        marks = marks_read(session, repository, record.uid)
        files = files_released(session, repository.id or 0, commit, settings) if marks else ()
        return [
            LinesReleased(release, repository.name, commit, one.path, one.first, one.last, one.role)
            for one in placed(files or (), marks)
            if one.record_id == record.id
        ]
    return []


def files_released(
    session: Session, repository_id: int, commit: str, settings: Settings | None = None
) -> Files | None:
    """Return the source files of a commit; None where the mirror does not hold it."""
    mirror = mirror_beside(session, session.get_one(Repository, repository_id), settings)
    return _source_files(str(mirror.path), commit) if mirror.holds(commit) else None


def marks_read(session: Session, repository: Repository, uid: str = "") -> Marks:
    """Return what each content that was read marks with records of the project.

    Parameters
    ----------
    uid : str
        Only markers that may mean this record.
    """
    query = (
        select(
            col(SourceBlob.sha), col(SourceBlob.dialect), col(SourceMarker.form),
            col(SourceMarker.role), col(SourceMarker.named), col(SourceMarker.line),
            col(SourceMarker.first), col(SourceMarker.last), col(SourceMarker.digest),
        )
        .join(SourceBlob, col(SourceBlob.id) == col(SourceMarker.blob_id))
        .where(col(SourceBlob.repository_id) == repository.id)
        .order_by(col(SourceMarker.line), col(SourceMarker.id))
    )  # fmt: skip
    if uid:
        named = col(SourceMarker.named)
        query = query.where(
            or_(
                named == uid,
                named.startswith(f"{uid}~", autoescape=True),
                named.contains(f"~{uid}~", autoescape=True),
            )
        )
    rows = session.execute(query).all()
    records = records_named(session, repository.project_id, {row.named for row in rows})
    found: dict[Content, list[Spot]] = {}
    for sha, dialect, form, role, name, line, first, last, digest in rows:
        if name in records:
            spot = Spot(records[name], form, role, name, "", sha, line, first, last, digest)
            found.setdefault((sha, dialect), []).append(spot)
    return found


def placed(files: Files, marks: Marks) -> list[Spot]:
    """Return the marked lines of some files."""
    return [replace(one, path=path) for path, content in files for one in marks.get(content, ())]


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
def _source_files(mirror: str, commit: str) -> Files:
    # The tree of a commit never changes, and every record's page asks for that of the release.
    return tuple(files_at(Mirror(Path(mirror)), commit))
