"""Read the audit trail: by subject, action and person, in pages, or all of it for an export."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, cast, func, or_, select, type_coerce
from sqlmodel import Session, col

from core.canonical import rfc3339
from core.clock import now
from core.exports import Sheet
from core.ledger.brought import PREFIX
from core.ledger.models import LedgerEntry
from core.ledger.witness import ACTION as WITNESS

PAGE_SIZE = 50

MOST_EXPORTED = 100_000
"""Rows of one export; the whole trail leaves the house in a backup."""


@dataclass(frozen=True)
class TrailFilter:
    """Which entries are wanted; empty means any."""

    subject: str = ""
    action: str = ""
    person: str = ""


def read_trail(
    session: Session,
    project_id: int | None,
    wanted: TrailFilter,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> tuple[list[LedgerEntry], int]:
    """Return one page of entries, the newest first, and how many there are.

    Parameters
    ----------
    project_id : int, optional
        None reads the entries of every project and those of none, as sign-ins.
    """
    # What the trail witnessed of rows is read by `fiducial audit verify`; people read the acts.
    asked = wanted.action.startswith("rows:")
    conditions: list[ColumnElement[bool]] = [] if asked else [col(LedgerEntry.action) != WITNESS]
    if project_id is not None:
        conditions.append(col(LedgerEntry.project_id) == project_id)
    if wanted.subject:
        conditions.append(col(LedgerEntry.subject) == wanted.subject)
    if wanted.action:
        conditions.append(col(LedgerEntry.action).contains(wanted.action, autoescape=True))
    if wanted.person:
        conditions.append(_by(session, wanted.person))
    total = session.execute(select(func.count()).select_from(LedgerEntry).where(*conditions))
    rows = session.execute(
        select(LedgerEntry)
        .where(*conditions)
        .order_by(col(LedgerEntry.seq).desc())
        .offset((page - 1) * size)
        .limit(size)
    )
    return list(rows.scalars()), total.scalar_one()


def _by(session: Session, person: str) -> ColumnElement[bool]:
    """Return the condition that somebody made an entry, or the one that it brought."""
    data = col(LedgerEntry.data)
    # PostgreSQL reads JSON only from JSON; SQLite makes a number of what is cast to it.
    postgresql = session.get_bind().dialect.name == "postgresql"
    said: ColumnElement[Any] = cast(data, JSON) if postgresql else type_coerce(data, JSON)
    brought = said["entry", "person_name"].as_string()
    return or_(
        col(LedgerEntry.person_name).icontains(person, autoescape=True),
        and_(
            col(LedgerEntry.action).startswith(PREFIX, autoescape=True),
            brought.icontains(person, autoescape=True),
        ),
    )


def trail_sheet(title: str, entries: Sequence[LedgerEntry], wanted: TrailFilter) -> Sheet:
    """Return entries as a table that leaves the house."""
    return Sheet(
        title=title,
        headings=("Entry", "Time (UTC)", "Who", "What", "Subject", "Data", "Follows", "Hash"),
        rows=[
            (
                one.seq,
                rfc3339(one.at),
                one.person_name,
                one.action,
                one.subject,
                one.data,
                one.previous,
                one.hash,
            )
            for one in entries
        ],
        about={
            "Subject": wanted.subject or "any",
            "What": wanted.action or "anything",
            "Who": wanted.person or "anybody",
            "Made (UTC)": f"{now():%Y-%m-%d %H:%M:%S}",
        },
    )
