"""Which QATrack+ servers a map rests on, for when its project moves to another installation."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.models import Record, Revision
from dataflows.qatrack.models import QatrackServer

TYPE = "qa_procedure"


def servers_used(session: Session, projects: Sequence[int]) -> list[int]:
    """Return the servers that a revision of a QA procedure names; every one where it names none.

    A procedure names its server only where there are several.
    """
    fields = session.execute(
        select(col(Revision.fields))
        .join(Record, col(Record.id) == col(Revision.record_id))
        .where(col(Record.project_id).in_(projects), col(Record.type) == TYPE)
    ).scalars()
    named = {
        str(one.get("instance") or "")
        for one in fields
        if str(one.get("source") or "").startswith("qatrack-")
    }
    query = select(col(QatrackServer.id)).order_by(col(QatrackServer.id))
    if not named:
        return []
    if "" not in named:
        query = query.where(col(QatrackServer.name).in_(named))
    return [one or 0 for one in session.execute(query).scalars()]
