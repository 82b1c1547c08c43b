"""What needs attention in a project, night by night: kept in the audit trail, read as a series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.jobs.context import JsonDict
from core.ledger import append
from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from core.records.service import find_project
from qms.attention.kinds import KINDS
from qms.attention.standing import attention

ACTION = "check:project:count"
MOST_NIGHTS = 90


@dataclass(frozen=True)
class Night:
    """What was counted in one night.

    Attributes
    ----------
    release : str
        The release that was judged; empty for the record alone.
    failing : int
        Rules that fail.
    counts : mapping
        How many, by the name of each kind; what was not counted then is absent.
    """

    at: datetime
    release: str
    failing: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Findings that block."""
        return self.counts["errors"]

    @property
    def re_review(self) -> int:
        """Records that need re-review."""
        return self.counts["re_review"]


def count_findings(db: Database, key: str) -> JsonDict:
    """Count what needs attention in a project, as its page does."""
    with db.reading() as session:
        found = attention(session, find_project(session, key))
    return {"release": found.release, "failing": found.failing, **found.counts}


def record_count(session: Session, counted: JsonDict, key: str) -> JsonDict:
    """Write into the audit trail what was counted."""
    project = find_project(session, key)
    append(session, ACTION, None, project.id, key, counted)
    return counted


def nights(session: Session, project: Project, most: int = MOST_NIGHTS) -> Sequence[Night]:
    """Return the counts of the last nights, the oldest first."""
    query = (
        select(LedgerEntry)
        .where(col(LedgerEntry.project_id) == project.id, acts(ACTION))
        .order_by(col(LedgerEntry.seq).desc())
        .limit(most)
    )
    names = [kind.name for kind in KINDS]
    found = [
        Night(
            entry.at,
            entry.details["release"],
            entry.details["failing"],
            {name: entry.details[name] for name in names if name in entry.details},
        )
        for entry in map(told, session.scalars(query))
    ]
    return found[::-1]
