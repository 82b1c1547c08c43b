"""Load what the level of one risk rests on, and nothing else: a page must not read a whole project.

The result is a small snapshot: the risks concerned, their controls, the tests of those, the policy,
the project record and the releases.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from core.db import chunks
from core.records.models import Link, Project, Record, Revision
from core.records.snapshot import Key, LinkView, RecordView, Snapshot

STANDING_TYPES = ("risk_policy", "project", "release")
"""Types whose few records decide how every risk of a project is judged."""

CONTROLLING_ROLE = "mitigates"
PROVING_ROLES = ("verifies", "validates")
ARISING_ROLE = "arises_on"
"""Leads to connections, of which the uid alone is needed: QA procedures are found by it."""


def load_surroundings(session: Session, record: Record, also: Collection[Key] = ()) -> Snapshot:
    """Return the records that decide the level of a risk, or of the risks a record controls.

    Parameters
    ----------
    also : collection of Key
        Further records that are looked at, such as those that a draft links to.
    """
    own = record.id or 0
    risks = {own} if record.type == "risk" else _targets(session, {own}, CONTROLLING_ROLE)
    controls = _sources(session, risks, (CONTROLLING_ROLE,))
    tests = _sources(session, risks | controls, PROVING_ROLES)
    standing = set(
        session.execute(
            select(col(Record.id)).where(
                col(Record.project_id) == record.project_id, col(Record.type).in_(STANDING_TYPES)
            )
        ).scalars()
    )
    wanted = {own} | risks | controls | tests | standing | _ids(session, also)
    connections = _targets(session, risks, ARISING_ROLE)
    return Snapshot(_records(session, wanted), _links(session, wanted, connections))


def _ids(session: Session, keys: Collection[Key]) -> set[int]:
    found: set[int] = set()
    for project in {key.project for key in keys}:
        named = [key.uid for key in keys if key.project == project]
        for chunk in chunks(named):
            query = (
                select(col(Record.id))
                .join(Project, col(Project.id) == col(Record.project_id))
                .where(col(Project.key) == project, col(Record.uid).in_(chunk))
            )
            found.update(session.execute(query).scalars())
    return found


def _chosen() -> Select[int, int]:
    """Select record and revision ids: the revision in force, or the latest draft."""
    return select(col(Record.id), func.coalesce(col(Record.effective_id), col(Record.latest_id)))


def _targets(session: Session, sources: Collection[int], role: str) -> set[int]:
    found: set[int] = set()
    for chunk in chunks(sources):
        chosen = _chosen().where(col(Record.id).in_(chunk)).subquery()
        query = (
            select(col(Link.target_id))
            .join(chosen, chosen.c[1] == col(Link.revision_id))
            .where(col(Link.role) == role)
        )
        found.update(session.execute(query).scalars())
    return found


def _sources(session: Session, targets: Collection[int], roles: Iterable[str]) -> set[int]:
    """Return the records whose chosen revision links to any of `targets`."""
    found: set[int] = set()
    for chunk in chunks(targets):
        query = (
            select(col(Record.id))
            .join(Revision, col(Revision.record_id) == col(Record.id))
            .join(Link, col(Link.revision_id) == col(Revision.id))
            .where(
                col(Link.target_id).in_(chunk),
                col(Link.role).in_(tuple(roles)),
                col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
            )
        )
        found.update(session.execute(query).scalars())
    return found


def _records(session: Session, wanted: Collection[int]) -> list[RecordView]:
    query = (
        select(Record, Revision, col(Project.key))
        .join(Project, col(Project.id) == col(Record.project_id))
        .join(
            Revision,
            col(Revision.id) == func.coalesce(col(Record.effective_id), col(Record.latest_id)),
        )
    )
    return [
        RecordView(
            key=Key(project, record.uid),
            type=record.type,
            title=revision.title,
            fields=revision.fields or {},
            state="withdrawn" if record.withdrawn_at else revision.state,
            revision=revision.number,
            withdrawn=record.withdrawn_at is not None,
            in_force=record.effective_id == revision.id and record.withdrawn_at is None,
        )
        for chunk in chunks(wanted)
        for record, revision, project in session.execute(
            query.where(col(Record.id).in_(chunk))
        ).all()
    ]


def _links(session: Session, wanted: Collection[int], beyond: Collection[int]) -> list[LinkView]:
    """Return the links between some records, and from them to what lies beyond."""
    ends = {
        identity: Key(project, uid)
        for chunk in chunks({*wanted, *beyond})
        for identity, project, uid in session.execute(
            select(col(Record.id), col(Project.key), col(Record.uid))
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(col(Record.id).in_(chunk))
        ).all()
    }
    rows: list[tuple[int, int, int, str, int, dict[str, Any]]] = []
    for chunk in chunks(wanted):
        chosen = _chosen().where(col(Record.id).in_(chunk)).subquery()
        query = select(
            col(Link.revision_id),
            col(Link.position),
            chosen.c[0],
            col(Link.role),
            col(Link.target_id),
            col(Link.attributes),
        ).join(chosen, chosen.c[1] == col(Link.revision_id))
        rows += [tuple(row) for row in session.execute(query)]
    rows.sort(key=lambda row: row[:2])
    return [
        LinkView(role, ends[source], ends[target], attributes or {})
        for _, _, source, role, target, attributes in rows
        if target in ends
    ]
