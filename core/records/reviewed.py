"""What was said when a record was re-reviewed, on the record's own page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project, Record
from core.records.panels import Panel

MOST_SHOWN = 20
"""The audit trail holds them all."""


@dataclass(frozen=True)
class Answer:
    """One re-review: who said why the record still holds, against what."""

    at: datetime
    by: str
    reason: str
    against: tuple[tuple[str, str], ...]


def answers(session: Session, project: Project, record: Record) -> list[Answer]:
    """Return the last re-reviews of a record, newest first, as the audit trail tells them."""
    rows = session.execute(
        select(LedgerEntry)
        .where(
            col(LedgerEntry.subject) == record.uid,
            col(LedgerEntry.project_id) == project.id,
            acts(f"record:{record.type}:review"),
        )
        .order_by(col(LedgerEntry.seq).desc())
        .limit(MOST_SHOWN)
    ).scalars()
    return [
        Answer(
            row.at,
            row.person_name,
            str(row.details.get("reason", "")),
            tuple((str(key), str(uid)) for key, uid in row.details.get("against", ())),
        )
        for row in map(told, rows)
    ]


def review_panel(session: Session, project: Project, record: Record) -> Panel | None:
    """Return the panel of re-reviews, or None where there was none."""
    found = answers(session, project, record)
    context = {"answers": found, "project_key": project.key}
    return Panel("Re-reviews", "records/_reviewed.html", context) if found else None
