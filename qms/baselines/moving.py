"""Whether the baselines of a project that was brought from elsewhere hold here."""

from sqlmodel import Session

from core.blobs import BlobStore
from core.errors import Fault
from core.records.models import Project
from qms.baselines.service import baselines_of, verify_baseline


def baseline_faults(session: Session, project: Project, _files: BlobStore) -> list[Fault]:
    """Return every baseline whose root or lines are not what was frozen."""
    return [
        Fault("baseline", project.key, str(found))
        for found in (verify_baseline(session, one) for one in baselines_of(session, project))
        if not found.intact
    ]
