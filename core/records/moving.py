"""Whether the records of a project that was brought from elsewhere lead to their own revisions."""

from collections import defaultdict

from sqlmodel import Session, col, select

from core.blobs import BlobStore
from core.errors import Fault
from core.records import lifecycle
from core.records.models import Project, Record, Revision

_NOT_IN_FORCE = (lifecycle.DRAFT, lifecycle.IN_REVIEW, lifecycle.DISCARDED)


def record_faults(session: Session, project: Project, _files: BlobStore) -> list[Fault]:
    """Return every record whose latest revision, or the one in force, is another than it says.

    What counts is the state of each revision, which the audit trail recorded: the latest is the
    last one that was not discarded, and in force is the last one that came into force.
    """
    latest: dict[int, int] = {}
    effective: dict[int, int] = defaultdict(int)
    rows = session.execute(
        select(col(Revision.record_id), col(Revision.id), col(Revision.state))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .where(col(Record.project_id) == project.id)
        .order_by(col(Revision.number))
    )
    for record, revision, state in rows:
        if state != lifecycle.DISCARDED:
            latest[record] = revision
        if state not in _NOT_IN_FORCE:
            effective[record] = revision
    found = []
    for one in session.scalars(select(Record).where(col(Record.project_id) == project.id)):
        where = f"{project.key} {one.uid}"
        if one.latest_id != latest.get(one.id or 0):
            found.append(Fault("latest", where, "names a revision that is not its latest."))
        if (one.effective_id or 0) != effective[one.id or 0]:
            found.append(Fault("effective", where, "names a revision that is not in force."))
    return found
