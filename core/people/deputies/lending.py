"""Which roles are lent to whom today: asked whenever somebody's roles are looked up."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from core.clock import now
from core.people.actor import Lent
from core.people.deputies.models import Deputyship, DeputyshipEnd
from core.people.models import Person, RoleGrant


def today() -> date:
    """Return the day that it is for deputies: that of the service's calendar, UTC."""
    return now().astimezone(UTC).date()


def roles_lent(
    session: Session, person_id: int, own: Mapping[int | None, Collection[str]]
) -> dict[tuple[int, str], Lent]:
    """Return the roles that a person holds today in place of others, by project and role.

    A role is lent while whoever it belongs to holds it, and to somebody who may read the project
    by a role of their own. What one holds oneself is not borrowed.

    Parameters
    ----------
    own : mapping
        The roles that the person was granted, by project; None for everywhere.
    """
    rows = _current(session, col(Deputyship.deputy_id) == person_id)
    if not rows:
        return {}
    wanted = {one.principal_id for one in rows}
    principals, theirs = _people(session, wanted), _roles_of(session, wanted)
    found: dict[tuple[int, str], Lent] = {}
    for one in rows:
        held = {*own.get(None, ()), *own.get(one.project_id, ())}
        whose = principals.get(one.principal_id)
        if whose is None or not held or one.role in held:
            continue
        if one.role in _held_in(theirs, one.principal_id, one.project_id):
            lent = Lent(whose.uid, whose.name, one.last_day)
            found.setdefault((one.project_id, one.role), lent)
    return found


def deputies_in(session: Session, role: str, project_id: int) -> list[Person]:
    """Return the active people who hold a role in a project today in place of somebody else."""
    rows = _current(session, col(Deputyship.role) == role, col(Deputyship.project_id) == project_id)
    wanted = {number for one in rows for number in (one.principal_id, one.deputy_id)}
    people, theirs = _people(session, wanted), _roles_of(session, wanted)
    return [
        people[one.deputy_id]
        for one in rows
        if one.deputy_id in people
        and one.principal_id in people
        and _held_in(theirs, one.deputy_id, project_id)
        and role in _held_in(theirs, one.principal_id, project_id)
    ]


def _current(session: Session, *which: ColumnElement[bool]) -> Sequence[Deputyship]:
    """Return the deputyships of today that nobody ended, the first named first."""
    day = today()
    query = (
        select(Deputyship)
        .outerjoin(DeputyshipEnd, col(DeputyshipEnd.deputyship_id) == col(Deputyship.id))
        .where(
            col(Deputyship.first_day) <= day,
            col(Deputyship.last_day) >= day,
            col(DeputyshipEnd.id).is_(None),
            *which,
        )
        .order_by(col(Deputyship.id))
    )
    return session.execute(query).scalars().all()


def _people(session: Session, wanted: Iterable[int]) -> dict[int, Person]:
    query = select(Person).where(col(Person.id).in_(list(wanted)), col(Person.active).is_(True))
    return {one.id or 0: one for one in session.execute(query).scalars()}


def _roles_of(session: Session, wanted: Iterable[int]) -> Sequence[RoleGrant]:
    query = select(RoleGrant).where(
        col(RoleGrant.person_id).in_(list(wanted)), col(RoleGrant.revoked_at).is_(None)
    )
    return session.execute(query).scalars().all()


def _held_in(grants: Iterable[RoleGrant], person_id: int, project_id: int) -> frozenset[str]:
    """Return the roles granted to a person in a project or everywhere."""
    return frozenset(
        one.role
        for one in grants
        if one.person_id == person_id and one.project_id in (None, project_id)
    )
