"""Name a deputy for one role of one person, end it early, and tell who deputises for whom."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger import append, hold_still
from core.people.actor import ADMINISTRATOR, Actor
from core.people.deputies.lending import today
from core.people.deputies.models import Deputyship, DeputyshipEnd
from core.people.deputies.rules import Term, read_reason, read_term
from core.people.models import Person, RoleGrant
from core.people.roles import known_roles
from core.records.models import Project

NAMERS = ("quality_manager", ADMINISTRATOR)
"""Who names deputies and ends that."""

NEVER_LENT = (ADMINISTRATOR,)
"""Looking after the installation is granted, not lent."""


@dataclass(frozen=True)
class Wish:
    """Who is to hold which role of whom, from which day to which, as it was typed."""

    role: str
    principal: str
    deputy: str
    first_day: str
    last_day: str
    reason: str


@dataclass(frozen=True)
class Line:
    """One deputyship as the page and the command tell it.

    Attributes
    ----------
    standing : str
        "current", "coming" or "past".
    idle : str
        Why it has no effect although its days are not over; empty where it has or will have.
    ended_at, ended_by, ended_why :
        Where it was ended early.
    """

    id: int
    role: str
    principal: str
    principal_uid: str
    deputy: str
    deputy_uid: str
    term: Term
    reason: str
    named_by: str
    standing: str
    idle: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""


def may_name(project: Project, actor: Actor) -> bool:
    """Whether a person names the deputies of a project."""
    number = project.id or 0
    return any(actor.has(number, role) and not actor.deputy_for(number, role) for role in NAMERS)


def name_deputy(session: Session, project: Project, wish: Wish, by: Actor) -> Deputyship:
    """Let somebody hold one role of somebody else on some days.

    Raises
    ------
    Invalid
        With everything that is wrong with the people, the days and the reason.
    Refused
        For whoever may not name deputies, who names themselves, or where the role is not held by
        the person it would be borrowed of.
    Conflict
        If there is a deputy on some of these days, or the deputy needs none of it.
    """
    _require_namer(project, by)
    hold_still(session)
    held = own_roles(session, project)
    known = {person.uid: person for person, _ in held.values()}
    term, faults = read_term(wish.first_day, wish.last_day, today())
    reason, more = read_reason(wish.reason)
    faults += more
    if wish.role not in known_roles():
        faults.insert(0, Fault("role", "held", "is no role of anybody.", "Choose one."))
    for where, uid in (("held", wish.principal), ("deputy", wish.deputy)):
        if uid not in known:
            mend = f"Choose somebody who holds a role in {project.key}."
            faults.append(Fault("person", where, "is nobody of this project.", mend))
    if faults or term is None:
        raise Invalid("No deputy was named.", faults)
    principal, deputy = known[wish.principal], known[wish.deputy]
    _refuse_unfit(wish.role, principal, deputy, held, by)
    _refuse_second(session, project, wish.role, (principal, deputy), term)
    row = Deputyship(
        project_id=project.id or 0,
        role=wish.role,
        principal_id=principal.id or 0,
        deputy_id=deputy.id or 0,
        first_day=term.first,
        last_day=term.last,
        reason=reason,
        named_by=by.name,
    )
    session.add(row)
    session.flush()
    told = {"role": wish.role, "for": principal.uid, "first_day": str(term.first)}
    told |= {"last_day": str(term.last), "reason": reason}
    append(session, "person:deputy:name", by, project.id, deputy.uid, told)
    return row


def end_deputy(
    session: Session, project: Project, number: int, by: Actor, reason: str
) -> Deputyship:
    """End a deputyship now, with the reason; what was signed under it stays signed.

    Raises
    ------
    NotFound, Refused, Invalid
    Conflict
        If it is over already.
    """
    _require_namer(project, by)
    hold_still(session)
    row = session.get(Deputyship, number)
    if row is None or row.project_id != project.id:
        raise NotFound(f"{project.key} has no deputy {number}.")
    why, faults = read_reason(reason)
    if faults:
        raise Invalid("The deputy was not ended.", faults)
    ends = select(DeputyshipEnd).where(col(DeputyshipEnd.deputyship_id) == row.id)
    ended = session.execute(ends).first() is not None
    if _term(row).standing(today(), ended=ended) == "past":
        raise Conflict("This deputy's days are over already; what is past is not changed.")
    end = DeputyshipEnd(deputyship_id=row.id or 0, reason=why, ended_by=by.name)
    session.add(end)
    session.flush()
    people = _people(session, [row])
    deputy, principal = people[row.deputy_id], people[row.principal_id]
    told = {"role": row.role, "for": principal.uid, "last_day": str(row.last_day), "reason": why}
    append(session, "person:deputy:end", by, project.id, deputy.uid, told)
    return row


def own_roles(session: Session, project: Project) -> dict[int, tuple[Person, frozenset[str]]]:
    """Return the active people of a project with the roles granted to them, by their number."""
    roles: dict[int, set[str]] = defaultdict(set)
    people: dict[int, Person] = {}
    query = (
        select(Person, col(RoleGrant.role))
        .join(RoleGrant, col(RoleGrant.person_id) == col(Person.id))
        .where(
            or_(col(RoleGrant.project_id) == project.id, col(RoleGrant.project_id).is_(None)),
            col(RoleGrant.revoked_at).is_(None),
            col(Person.active).is_(True),
        )
        .order_by(col(Person.name), col(Person.id))
    )
    for person, role in session.execute(query):
        people[person.id] = person
        roles[person.id].add(role)
    return {number: (one, frozenset(roles[number])) for number, one in people.items()}


def deputies_of(session: Session, project: Project) -> list[Line]:
    """Return every deputyship of a project, the latest days first."""
    query = (
        select(Deputyship, DeputyshipEnd)
        .outerjoin(DeputyshipEnd, col(DeputyshipEnd.deputyship_id) == col(Deputyship.id))
        .where(col(Deputyship.project_id) == project.id)
        .order_by(col(Deputyship.first_day).desc(), col(Deputyship.id).desc())
    )
    rows = [(one, end) for one, end in session.execute(query)]
    people = _people(session, [one for one, _ in rows])
    held = own_roles(session, project)
    return [_line(one, end, people, held) for one, end in rows]


def _line(
    row: Deputyship,
    end: DeputyshipEnd | None,
    people: Mapping[int, Person],
    held: Mapping[int, tuple[Person, frozenset[str]]],
) -> Line:
    principal, deputy = people[row.principal_id], people[row.deputy_id]
    standing = _term(row).standing(today(), ended=end is not None)
    return Line(
        id=row.id or 0,
        role=row.role,
        principal=principal.name,
        principal_uid=principal.uid,
        deputy=deputy.name,
        deputy_uid=deputy.uid,
        term=_term(row),
        reason=row.reason,
        named_by=row.named_by,
        standing=standing,
        idle="" if standing == "past" else _why_idle(row, principal, deputy, held),
        ended_at=end.ended_at if end else None,
        ended_by=end.ended_by if end else "",
        ended_why=end.reason if end else "",
    )


def _why_idle(
    row: Deputyship,
    principal: Person,
    deputy: Person,
    held: Mapping[int, tuple[Person, frozenset[str]]],
) -> str:
    roles = {number: own for number, (_, own) in held.items()}
    if row.role not in roles.get(row.principal_id, frozenset()):
        return f"{principal.name} does not hold the role now."
    theirs = roles.get(row.deputy_id, frozenset())
    if not theirs:
        return f"{deputy.name} holds no role of their own in the project now."
    return f"{deputy.name} holds the role themselves now." if row.role in theirs else ""


def _require_namer(project: Project, by: Actor) -> None:
    if not may_name(project, by):
        raise Refused(
            f"{by.name} may not name deputies in {project.key}; that needs a quality manager or "
            "an administrator."
        )


def _refuse_unfit(
    role: str,
    principal: Person,
    deputy: Person,
    held: Mapping[int, tuple[Person, frozenset[str]]],
    by: Actor,
) -> None:
    words = role.replace("_", " ")
    if role in NEVER_LENT:
        raise Refused(f"Nobody deputises for an {words}; grant the role to somebody else.")
    if role not in held[principal.id or 0][1]:
        raise Refused(
            f"{principal.name} does not hold the role {words} themselves, so nobody deputises for "
            "them in it."
        )
    if principal.id == deputy.id:
        raise Refused(f"{deputy.name} cannot deputise for themselves.")
    if deputy.id == by.person_id:
        raise Refused("Nobody names themselves; ask another quality manager or an administrator.")
    if role in held[deputy.id or 0][1]:
        raise Conflict(f"{deputy.name} holds the role {words} already and needs to borrow it of "
                       "nobody.")  # fmt: skip


def _refuse_second(
    session: Session, project: Project, role: str, pair: tuple[Person, Person], term: Term
) -> None:
    """Refuse a second deputy on a day, and a second person to deputise for in the same role."""
    principal, deputy = pair
    query = (
        select(Deputyship)
        .outerjoin(DeputyshipEnd, col(DeputyshipEnd.deputyship_id) == col(Deputyship.id))
        .where(
            col(Deputyship.project_id) == project.id,
            col(Deputyship.role) == role,
            col(DeputyshipEnd.id).is_(None),
            or_(
                col(Deputyship.principal_id) == principal.id,
                col(Deputyship.deputy_id) == deputy.id,
            ),
        )
        .order_by(col(Deputyship.id))
    )
    for other in session.execute(query).scalars():
        if not _term(other).overlaps(term):
            continue
        if other.principal_id == principal.id:
            raise Conflict(
                f"{principal.name} has a deputy for {role.replace('_', ' ')} from {_term(other)}; "
                "end that first, or choose other days."
            )
        raise Conflict(
            f"{deputy.name} deputises for somebody else as {role.replace('_', ' ')} from "
            f"{_term(other)}; a signature says for whom, so it is one at a time."
        )


def _term(row: Deputyship) -> Term:
    return Term(row.first_day, row.last_day)


def _people(session: Session, rows: Sequence[Deputyship]) -> dict[int, Person]:
    wanted = {number for one in rows for number in (one.principal_id, one.deputy_id)}
    query = select(Person).where(col(Person.id).in_(wanted))
    return {one.id or 0: one for one in session.execute(query).scalars()}
