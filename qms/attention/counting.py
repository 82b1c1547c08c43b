"""How many findings a project has, night by night: kept in the audit trail, read as a series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.jobs.context import JsonDict
from core.ledger import append
from core.ledger.models import LedgerEntry
from core.records.models import Project
from core.records.service import find_project
from qms.baselines.current import project_snapshot
from qms.releases.gathering import gather
from qms.releases.keeping import checked
from qms.rules.packs import framework_pack
from qms.traceability.scope import NEWEST, choose_release, releases_of

ACTION = "check:project:count"
MOST_NIGHTS = 90


@dataclass(frozen=True)
class Night:
    """What the rules came to on one night.

    Attributes
    ----------
    release : str
        The release that was judged; empty for the record alone.
    failing, errors, warnings : int
        Rules that fail, findings that block, findings that warn.
    re_review : int
        Records that need re-review.
    """

    at: datetime
    release: str
    failing: int
    errors: int
    warnings: int
    re_review: int


def count_findings(db: Database, key: str) -> JsonDict:
    """Ask every rule about a project's newest release, or its record alone, and count."""
    with db.reading() as session:
        project = find_project(session, key)
        snapshot = project_snapshot(session, project)
        scope = choose_release(releases_of(snapshot, key), NEWEST)
        release = snapshot.get(scope.uid, key) if scope else None
        given = gather(session, project, release, snapshot)
        result = checked(given, framework_pack())
        doubtful = {one.record for one in given.suspects if one.record.project == key}
    return {
        "release": scope.uid if scope else "",
        "failing": len(result.failing),
        "errors": result.errors,
        "warnings": result.warnings,
        "re_review": len(doubtful),
    }


def record_count(session: Session, counted: JsonDict, key: str) -> JsonDict:
    """Write into the audit trail what was counted."""
    project = find_project(session, key)
    append(session, ACTION, None, project.id, key, counted)
    return counted


def nights(session: Session, project: Project, most: int = MOST_NIGHTS) -> Sequence[Night]:
    """Return the counts of the last nights, the oldest first."""
    query = (
        select(LedgerEntry)
        .where(col(LedgerEntry.project_id) == project.id, col(LedgerEntry.action) == ACTION)
        .order_by(col(LedgerEntry.seq).desc())
        .limit(most)
    )
    found = [
        Night(at=entry.at, **{name: entry.details[name] for name in _COUNTED})
        for entry in session.scalars(query)
    ]
    return found[::-1]


_COUNTED = ("release", "failing", "errors", "warnings", "re_review")
