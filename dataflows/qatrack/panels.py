"""How a QA procedure stands in QATrack+, on its own page."""

from sqlmodel import Session

from core.records.models import Project, Record, Revision
from core.records.panels import Panel
from dataflows.qatrack import queries
from dataflows.qatrack.linking import places_of
from dataflows.qatrack.queries import PROCEDURE, reference_of
from dataflows.qatrack.servers import servers
from dataflows.qatrack.standing import WORDS


def procedure_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return where a QA procedure is kept and how it stands there.

    None where nothing of QATrack+ is concerned: the procedure is kept elsewhere and no server is
    named, or the record is none.
    """
    if record.type != PROCEDURE:
        return None
    told = session.get_one(Revision, record.effective_id or record.latest_id or 0).fields
    newest = session.get_one(Revision, record.latest_id or 0).fields
    reference, proposed = reference_of(told), reference_of(newest)
    named = servers(session)
    if not named and reference is None:
        return None
    standing = queries.standings(session, {record.uid: told}).get(record.uid)
    return Panel(
        "In QATrack+",
        "dataflows/qatrack/_panel.html",
        {
            "project_key": project.key,
            "record_uid": record.uid,
            "servers": [one.name for one in named],
            "reference": reference,
            "proposed": proposed if proposed != reference else None,
            "standing": standing,
            "places": places_of(standing) if standing else {},
            "kinds": WORDS,
        },
    )
