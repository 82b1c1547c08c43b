"""The records of a project as rows of a table are compared with them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlmodel import Session, col

from core.people.actor import Actor
from core.records import lifecycle
from core.records.content import Content
from core.records.models import Project, Record, Revision
from core.records.writing import content_of


@dataclass(frozen=True)
class Held:
    """A record, its latest revision, and why somebody may not write it now."""

    record: Record
    latest: Revision
    obstacle: str
    reader: Callable[[Revision], Content]

    @property
    def type(self) -> str:
        """Its record type."""
        return self.record.type

    @property
    def title(self) -> str:
        """What it is called."""
        return self.latest.title

    @property
    def gone(self) -> bool:
        """Whether it is withdrawn."""
        return self.record.withdrawn_at is not None

    @cached_property
    def content(self) -> Content:
        """What it says, read when it is asked for."""
        return self.reader(self.latest)


def held_records(session: Session, project: Project, by: Actor) -> dict[str, Held]:
    """Return every record of a project, withdrawn ones too, by its id."""
    rows = session.execute(
        select(Record, Revision)
        .join(Revision, col(Revision.id) == col(Record.latest_id))
        .where(col(Record.project_id) == project.id)
        .order_by(col(Record.uid))
    ).all()

    def reader(revision: Revision) -> Content:
        return content_of(session, revision, project)

    return {
        record.uid: Held(record, latest, _obstacle(latest, by), reader) for record, latest in rows
    }


def _obstacle(latest: Revision, by: Actor) -> str:
    """Say why a record may not be written by somebody now; empty where it may."""
    if latest.state == lifecycle.IN_REVIEW:
        return "is in review"
    if latest.state == lifecycle.DRAFT and latest.authors - {by.uid}:
        return f"has an open draft of {latest.author_name}"
    return ""
