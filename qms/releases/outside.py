"""What other tools say of a release: imported results at its commit, and marked lines of source."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from core.errors import FiducialError
from core.records.models import Project
from core.records.snapshot import Key, RecordView
from qms.repositories.following import Doubt
from qms.repositories.lines import LinesShown, lines_of_project
from qms.repositories.released import digests_marked, files_released
from qms.results.judging import Imported
from qms.results.queries import imported_results
from qms.rules.facts import LinesFact

Files = Sequence[tuple[str, str]]
"""Path and blob of each source file of a commit."""


def imported_for(
    session: Session, project: str, release: RecordView | None, until: datetime | None = None
) -> dict[str, Imported]:
    """Return what imported results say at the commit of a release, by some moment."""
    if release is None:
        return {}
    return imported_results(session, project, release.key.uid, until=until)


def marked_lines(
    session: Session,
    project: Project,
    release: RecordView | None,
    until: datetime | None = None,
) -> tuple[LinesFact, ...]:
    """Return the marked lines of a project, and which of them need re-review for a release.

    Lines that changed later, while the commit of the release holds them as they were approved,
    are no doubt about that release.
    """
    found = []
    commit = str(release.fields.get("commit") or "") if release is not None else ""
    files: dict[int, Files] = {}
    for one in lines_of_project(session, project.id or 0):
        number = one.link.repository_id
        if one.doubt and number not in files:
            files[number] = _files(session, number, commit)
        doubt = one.doubt and _counts(session, project, one, files[number], until)
        link = one.link
        lines = str(link.first) if link.first == link.last else f"{link.first}-{link.last}"
        found.append(
            LinesFact(
                record=Key(project.key, one.uid),
                repository=one.repository,
                span=f"{link.path}:{lines}",
                commit=link.commit,
                doubt=one.why if doubt else "",
                address=f"/p/{project.key}/repositories/lines/{link.id}",
            )
        )
    return tuple(found)


def _files(session: Session, repository_id: int, commit: str) -> Files:
    """Return the source files at a release's commit; none where it is not known here."""
    try:
        return files_released(session, repository_id, commit)
    except FiducialError:
        return ()


def _counts(
    session: Session, project: Project, one: LinesShown, files: Files, until: datetime | None
) -> bool:
    """Whether a doubt concerns the release, as far as it is known by a moment."""
    link = one.link
    began = link.gone_at if one.doubt is Doubt.GONE and link.gone_at else link.committed_at
    if until is not None and began > until:
        return False
    if not files:
        return True
    held = digests_marked(session, project, one.uid, link.repository_id, files)
    return (link.role, link.base_digest) not in held
