"""A group of the staff confirms that a connection is as its record says.

A confirmation is an entry of the audit trail about one revision; it makes no revision of its own.
It holds while the record says what was confirmed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from core.clock import now
from core.errors import Fault, Invalid
from core.ledger.brought import acts, told
from core.ledger.models import LedgerEntry
from core.people.actor import ADMINISTRATOR, ROLES, Actor
from core.records.models import Project, Record, Revision
from core.records.service import (
    edit_token,
    lock_record,
    record_event,
    refuse_stale,
    refuse_withdrawn,
)
from dataflows.editing.defaults import staff_group_of

ACT = "confirm"
ACTION = f"record:connection:{ACT}"

CONFIRMERS = tuple(role for role in ROLES if role not in (ADMINISTRATOR, "viewer", "auditor"))
"""Whoever works in the project may say what is so; who only reads it may not."""

HOLDS_DAYS = 365

SOURCES = ("qms-document", "configuration", "interview")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one person confirmed of a connection.

    Attributes
    ----------
    content : str
        Digest of what the record said.
    """

    uid: str
    at: datetime
    name: str
    group: str
    source: str
    revision: int
    content: str

    @property
    def recent(self) -> bool:
        """Whether it is not a year old."""
        return now() - self.at <= timedelta(days=HOLDS_DAYS)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection stands: confirmed, long ago, as it was before a change, or never."""

    confirmation: Confirmation | None
    content: str

    @property
    def word(self) -> str:
        """The answer in words."""
        if self.confirmation is None:
            return "never confirmed"
        if self.confirmation.content != self.content:
            return "changed since it was confirmed"
        return "confirmed" if self.confirmation.recent else "not confirmed for a year"

    @property
    def holds(self) -> bool:
        """Whether what the record says now was confirmed within a year."""
        return self.word == "confirmed"


def confirm(
    session: Session,
    project: Project,
    record: Record,
    by: Actor,
    *,
    expected: str,
    group: str = "",
    source: str = "",
) -> Confirmation:
    """Keep that a person, for a group of the staff, found a connection as it is described.

    Parameters
    ----------
    expected : str
        The `edit_token` of the revision that was read.

    Raises
    ------
    Invalid
        If nobody knows for which group.
    Conflict, Refused
        If the record is withdrawn, or says something else by now.
    """
    record = lock_record(session, record)
    refuse_withdrawn(record)
    shown = shown_revision_of(session, record)
    refuse_stale(record, expected, edit_token(shown), f"it is now revision {shown.number}")
    said = group.strip()[:200] or staff_group_of(session, by)
    faults = []
    if not said:
        faults.append(Fault("missing", "group", "is empty.", "Say for which group you confirm."))
    if source and source not in SOURCES:
        what, mend = f"'{source[:40]}' is no source.", f"Use {', '.join(SOURCES)}."
        faults.append(Fault("wrong-value", "source", what, mend))
    if faults:
        raise Invalid("Nothing was confirmed.", faults)
    more = {"group": said, "source": source}
    record_event(session, ACT, record, shown, project, by, more)
    return Confirmation(
        record.uid, now(), by.name, said, source, shown.number, shown.content_digest
    )


def shown_revision_of(session: Session, record: Record) -> Revision:
    """Return the revision that a page of the map shows: in force, or else the latest."""
    return session.get_one(Revision, record.effective_id or record.latest_id)


def confirmations(
    session: Session, project: Project, uid: str | None = None
) -> Mapping[str, Confirmation]:
    """Return the latest confirmation of each connection of a map, or of one."""
    query = (
        select(LedgerEntry)
        .where(acts(ACTION), col(LedgerEntry.project_id) == project.id)
        .order_by(col(LedgerEntry.seq))
    )
    if uid is not None:
        query = query.where(col(LedgerEntry.subject) == uid)
    found = {}
    for entry in map(told, session.exec(query)):
        said = entry.details
        found[entry.subject] = Confirmation(
            entry.subject,
            entry.at,
            entry.person_name,
            str(said.get("group") or ""),
            str(said.get("source") or ""),
            int(said["revision"]),
            str(said["content"]),
        )
    return found


def standings(
    session: Session, project: Project, *, drafts: bool = False
) -> Mapping[str, Standing]:
    """Return how every connection of a map stands."""
    query = select(Record.uid, Record.latest_id, Record.effective_id).where(
        col(Record.project_id) == project.id,
        col(Record.type) == "connection",
        col(Record.withdrawn_at).is_(None),
    )
    said = {}
    for uid, latest, effective in session.exec(query):
        said[uid] = latest if drafts else effective or latest
    digests = dict(
        session.exec(
            select(Revision.id, Revision.content_digest)
            .join(Record, col(Record.id) == col(Revision.record_id))
            .where(col(Record.project_id) == project.id, col(Record.type) == "connection")
        ).all()
    )
    known = confirmations(session, project)
    return {
        uid: Standing(known.get(uid), str(digests.get(revision, "")))
        for uid, revision in said.items()
    }


def unconfirmed(
    session: Session, project: Project, uids: Collection[str], *, drafts: bool = False
) -> frozenset[str]:
    """Return those of some connections that nobody confirmed, as they are, within a year."""
    # Most of a map was never confirmed, and nothing need be read of that.
    known = {uid for uid, one in confirmations(session, project).items() if one.recent}
    found = standings(session, project, drafts=drafts) if known else {}
    return frozenset(
        uid for uid in uids if uid not in known or uid not in found or not found[uid].holds
    )
