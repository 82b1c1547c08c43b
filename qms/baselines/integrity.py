"""Hold the baselines of a project against the records and against the audit trail."""

from sqlmodel import Session, col, select

from core.errors import Fault
from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from qms.baselines.service import CREATED, baselines_of, verify_baseline


def baseline_faults(session: Session, project: Project) -> list[Fault]:
    """Return every baseline that is not what was frozen, not there, or was frozen by nobody."""
    there = baselines_of(session, project)
    found = [
        Fault("baseline", project.key, str(one))
        for one in (verify_baseline(session, baseline) for baseline in there)
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
