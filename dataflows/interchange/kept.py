"""The records of a map as they are kept: what an export writes and an import compares with."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.records.content import Content, RecordDraft
from core.records.models import Project, Record, Revision
from core.records.snapshot import natural_order
from core.records.writing import contents_of
from dataflows.survey import MAP_TYPES


@dataclass(frozen=True, slots=True)
class Kept:
    """One record of the map with one of its revisions.

    Attributes
    ----------
    in_force : Content or None
        What is in force of it, where that is another revision.
    """

    record: Record
    revision: Revision
    content: Content
    in_force: Content | None = None

    @property
    def draft(self) -> RecordDraft:
        """The same as an importer reads it; its project is the record's own."""
        return RecordDraft("", self.record.type, self.record.uid, self.content)


def kept_records(
    session: Session,
    project: Project,
    *,
    drafts: bool = True,
    types: Sequence[str] = MAP_TYPES,
) -> list[Kept]:
    """Return the map's records that are not withdrawn, by type and uid.

    Parameters
    ----------
    types : sequence of str
        Only records of these types.
    drafts : bool
        The latest revision of each; otherwise the one in force, or the latest where none is.
    """
    shown = (
        col(Record.latest_id)
        if drafts
        else func.coalesce(col(Record.effective_id), col(Record.latest_id))
    )
    rows: Sequence[tuple[Record, Revision]] = session.exec(
        select(Record, Revision)
        .join(Revision, col(Revision.id) == shown)
        .where(
            col(Record.project_id) == project.id,
            col(Record.type).in_(types),
            col(Record.withdrawn_at).is_(None),
        )
    ).all()
    contents = contents_of(session, [(revision, project) for _, revision in rows])
    in_force = _in_force(session, project, rows)
    found = [
        Kept(one, said, contents[said.id or 0], in_force.get(one.id or 0)) for one, said in rows
    ]
    order = {name: place for place, name in enumerate(MAP_TYPES)}
    return sorted(found, key=lambda one: (order[one.record.type], natural_order(one.record.uid)))


def _in_force(
    session: Session, project: Project, rows: Sequence[tuple[Record, Revision]]
) -> dict[int, Content]:
    """Return what is in force of each record that is shown with another revision."""
    others = {
        one.effective_id
        for one, shown in rows
        if one.effective_id is not None and one.effective_id != shown.id
    }
    if not others:
        return {}
    query = (
        select(Revision)
        .join(Record, col(Record.effective_id) == col(Revision.id))
        .where(col(Record.project_id) == project.id)
    )
    found = [one for one in session.exec(query) if one.id in others]
    contents = contents_of(session, [(one, project) for one in found])
    return {one.record_id: contents[one.id or 0] for one in found}
