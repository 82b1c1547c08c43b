"""What approvals and readings of QATrack+ leave behind, for tests of what is made of them."""

from datetime import datetime, timedelta

from sqlmodel import Session

from core.clock import now
from core.records.models import Record, Revision
from dataflows.qatrack.models import QatrackItem, QatrackReading, QatrackServer

SLUG = "rpm-end-to-end-monthly"
"""What QA-022 of the demo department is kept as."""


def approve(session: Session, record: Record) -> None:
    """Put the latest revision of a record in force, as its last signature does."""
    revision = session.get_one(Revision, record.latest_id or 0)
    revision.state, revision.approved_at = "approved", now()
    record.effective_id = revision.id
    session.add_all((revision, record))
    session.flush()


def leave_reading(
    session: Session, due: datetime | None, result: str | None, problem: str = ""
) -> None:
    """Leave what a reading of a server leaves: the list, and the unit that it is done on."""
    server = QatrackServer(
        name="main",
        address="https://qa.example",
        time_zone="UTC",
        named_at=now() - timedelta(days=1),
    )
    session.add(server)
    session.flush()
    moment = now() - timedelta(hours=2)
    for at, trouble in ((moment, ""), *(((now(), problem),) if problem else ())):
        reading = QatrackReading(
            server_id=server.id or 0, begun_at=at, ended_at=at, problem=trouble, items=2
        )
        session.add(reading)
        session.flush()
        if trouble:
            continue
        last = result and {"result": result, "completed": moment.isoformat(), "reviewed": True}
        told = {
            "active": True,
            "tests": ["testlist", SLUG],
            "due": due.isoformat() if due else None,
            "window_end": 7,
            "last": last,
            "unit": 902,
            "unit_name": "Plan quality",
        }
        for kind, slug, what in (("testlist", SLUG, {}), ("utc", f"902/{SLUG}", told)):
            item = QatrackItem(
                reading_id=reading.id or 0,
                server_id=server.id or 0,
                kind=kind,
                slug=slug,
                number=1,
                name=slug,
                told=what,
            )
            session.add(item)
    session.flush()
