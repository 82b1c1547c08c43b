"""Which commit a release is judged at: what its tag names, or the commit that it states."""

from sqlalchemy import select
from sqlmodel import Session, col

from core.records.models import Project, Record, Revision
from qms.repositories.service import commit_of_tag


def commit_of_release(session: Session, project_key: str, release: str) -> str:
    """Return the commit of a release by its uid; empty while nobody knows one."""
    # One row: a snapshot of the latest drafts is nothing that a page would need beside this.
    fields = session.execute(
        select(col(Revision.fields))
        .join(Record, col(Record.latest_id) == col(Revision.id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Project.key) == project_key, col(Record.uid) == release)
    ).scalar_one_or_none()
    if not fields:
        return ""
    tag = fields.get("git_tag") or ""
    named = commit_of_tag(session, project_key, tag) if tag else None
    return named or fields.get("commit") or ""
