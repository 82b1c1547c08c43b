"""Seals of the installation that a project came from, as the audit trail that came along tells.

Such a seal names the key and an entry of the audit trail of that installation, so neither is held
against those here: what vouches for it is the entry that was written when it was made there.
"""

from sqlalchemy import select
from sqlmodel import Session, col

from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.records.models import Project
from qms.releases.seals import Seal

SEALED = "repository:release:seal"
"""The audit trail's word for a seal that was written."""


def sealed_elsewhere(session: Session, project: Project, seal: Seal) -> bool:
    """Whether the trail of the installation that wrote a seal came along and tells of it."""
    entries = session.scalars(
        select(LedgerEntry).where(
            acts(SEALED),
            col(LedgerEntry.project_id) == project.id,
            col(LedgerEntry.subject) == seal.release,
        )
    )
    said = {"commit": seal.commit, "root": seal.root, "seq": seal.seq, "head": seal.head}
    # The key at the export, where the entry does not name its own: it may have been renewed since.
    return any(
        one.origin != ""
        and one.details.get("key", one.origin) == seal.key
        and all(one.details.get(name) == said[name] for name in said)
        for one in map(told, entries)
    )
