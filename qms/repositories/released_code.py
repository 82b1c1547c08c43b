"""The code of a record as the latest release holds it: its marked lines, to be read in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import FiducialError
from core.records.models import Project
from core.settings import Settings
from qms.repositories.markers import lines_of
from qms.repositories.mirror import Mirror
from qms.repositories.models import Repository
from qms.repositories.released import LinesReleased
from qms.repositories.service import mirror_beside
from qms.repositories.sources import LARGEST_FILE

MOST_PLACES = 10
"""Places of which the lines are shown; a record with more has its list of places."""

MOST_LINES = 80
"""Lines of one place that are shown; the file's own page has the rest."""


@dataclass(frozen=True)
class CodeReleased:
    """One place, with its lines; empty where they cannot be read or there are too many places."""

    place: LinesReleased
    lines: tuple[tuple[int, str], ...]

    @property
    def left_out(self) -> int:
        """How many of its lines are not among those shown."""
        all_of = self.place.last - self.place.first + 1
        return all_of - len(self.lines) if self.lines else 0


def code_released(
    session: Session,
    project: Project,
    released: Sequence[LinesReleased],
    settings: Settings | None = None,
) -> list[CodeReleased]:
    """Return the lines of each place of a release, in the order of the places."""
    found = []
    for number, one in enumerate(released):
        text = _text(session, project, one, settings) if number < MOST_PLACES else []
        said = text[one.first - 1 : one.last][:MOST_LINES]
        found.append(CodeReleased(one, tuple(enumerate(said, start=one.first))))
    return found


def _text(
    session: Session, project: Project, one: LinesReleased, settings: Settings | None
) -> Sequence[str]:
    repository = session.scalars(
        select(Repository).where(
            col(Repository.project_id) == project.id, col(Repository.name) == one.repository
        )
    ).one()
    try:
        mirror = mirror_beside(session, repository, settings)
        return _lines(str(mirror.path), one.commit, one.path)
    except FiducialError:
        return []


@lru_cache(maxsize=64)
def _lines(mirror: str, commit: str, path: str) -> tuple[str, ...]:
    # A file of a commit never changes, and a record's page is opened again and again.
    return tuple(lines_of(Mirror(Path(mirror)).read(commit, path, LARGEST_FILE) or b""))
