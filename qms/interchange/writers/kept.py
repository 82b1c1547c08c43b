"""The records of a project as they are kept: the one set that every form of export writes."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.records.models import Project, Record, Revision
from core.records.snapshot import natural_order
from core.records.writing import contents_of
from qms.interchange.markdown.record_file import RecordFile


def kept_records(
    session: Session, project: Project, *, drafts: bool = False, withdrawn: bool = False
) -> list[RecordFile]:
    """Return a project's records that are not withdrawn, by type and uid.

    Parameters
    ----------
    drafts : bool
        The latest revision of each; otherwise the one in force, or the latest where none is.
    withdrawn : bool
        The withdrawn ones instead.
    """
    shown = (
        col(Record.latest_id)
        if drafts
        else func.coalesce(col(Record.effective_id), col(Record.latest_id))
    )
    never = col(Record.withdrawn_at).is_(None)
    rows = session.execute(
        select(Record, Revision)
        .join(Revision, col(Revision.id) == shown)
        .where(col(Record.project_id) == project.id, ~never if withdrawn else never)
    ).all()
    contents = contents_of(session, [(revision, project) for _, revision in rows])
    found = [
        RecordFile(
            project.key,
            record.type,
            record.uid,
            contents[revision.id or 0],
            revision.number,
            revision.state,
            revision.content_digest,
        )
        for record, revision in rows
    ]
    return sorted(found, key=lambda one: (one.type, natural_order(one.uid)))
