"""Hold the baselines of a project against the records and against the audit trail."""

from sqlmodel import Session, col, func, select

from core.errors import Fault
from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from qms.baselines.models import Baseline, BaselineEntry
from qms.baselines.service import CREATED, baselines_of, kept_revisions, verify_baseline

LINES_PER_ENTRY = 5
"""How many lines of baselines are read, hashed and looked up while one audit entry is verified."""


def baselines_worth(session: Session) -> int:
    """Return how many entries of the audit trail take as long to verify as all baselines."""
    lines = session.scalar(select(func.count()).select_from(BaselineEntry))
    return int(lines or 0) // LINES_PER_ENTRY


def baseline_faults(session: Session, project: Project) -> list[Fault]:
    """Return every baseline that is not what was frozen, not there, or was frozen by nobody."""
    there = baselines_of(session, project)
    # Read once: every baseline of a project names much the same records.
    revisions = kept_revisions(session, _projects_named(session, project))
    found = [
        Fault("baseline", project.key, str(one))
        for one in (verify_baseline(session, baseline, revisions) for baseline in there)
        if not one.intact
    ]
    acts_of = select(LedgerEntry).where(col(LedgerEntry.project_id) == project.id, acts(CREATED))
    recorded = {
        (one.subject, str(one.details.get("root"))) for one in map(told, session.scalars(acts_of))
    }
    kept = {(f"baseline {one.number}", one.root) for one in there}
    what = "is not both among the baselines and, with the same root, in the audit trail."
    found += [
        Fault("baseline", f"{project.key} {subject[:40]}", what)
        for subject in sorted({subject for subject, _ in recorded ^ kept})
    ]
    return found


def _projects_named(session: Session, project: Project) -> set[str]:
    query = (
        select(col(BaselineEntry.project))
        .join(Baseline, col(Baseline.id) == col(BaselineEntry.baseline_id))
        .where(col(Baseline.project_id) == project.id)
        .distinct()
    )
    return set(session.scalars(query))
