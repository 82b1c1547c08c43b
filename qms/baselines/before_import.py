"""What is in force, frozen before an import changes anything."""

from sqlmodel import Session

from core.people.actor import Actor
from core.records.models import Project
from qms.baselines.comparison import root_hash
from qms.baselines.current import lines_now, project_snapshot
from qms.baselines.service import baselines_of, create_baseline


def frozen(session: Session, project: Project, reason: str, by: Actor) -> int | None:
    """Return the baseline of what is in force; one that holds exactly that serves again."""
    lines = lines_now(project_snapshot(session, project), project.key)
    if not lines:
        return None
    root = root_hash(lines)
    for one in baselines_of(session, project):
        if one.root == root:
            return one.number
    told = {"reason": reason, "gate": ""}
    return create_baseline(session, project, lines, "Before an import", by, told).number
