"""Tokens: what a program of a person gives instead of a session. None of them signs anything."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select, update
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound, Refused
from core.ledger import append
from core.people.actor import Actor
from core.people.models import ApiToken, Person
from core.people.service import actor_of

PREFIX = "fid_"
"""So that a token that was committed by mistake is known for what it is."""

LONGEST_DAYS = 365
MOST_LIVE = 20
LONGEST_NAME = 80
USED_EVERY = timedelta(minutes=1)

WRITE, START, ACT = "write", "start", "act"

RIGHTS: Mapping[str, str] = {
    WRITE: "write drafts",
    START: "start jobs",
    ACT: "act on records",
}
"""What a token may be made for besides reading; each is given on its own."""

_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True)
class Wish:
    """The token that somebody wants.

    Attributes
    ----------
    expires : str
        The last day on which it is accepted, as 2026-12-31.
    """

    name: str
    writes: bool
    project_id: int | None
    expires: str
    starts: bool = False
    acts: bool = False


@dataclass(frozen=True)
class Bearer:
    """Whose program it is, with the roles that the token reaches, and what it was made for."""

    token_id: int
    actor: Actor
    rights: frozenset[str]
    touch_due: bool


def make_token(session: Session, wish: Wish, by: Actor) -> str:
    """Make a token of one's own and return it, the only time that anybody sees it.

    Raises
    ------
    Invalid
        With every fault of the name and the day.
    Refused
        For a project that the person may not read.
    Conflict
        If the person has too many already.
    """
    name = wish.name.strip()
    expires_at, faults = _end_of(wish.expires)
    if not name or len(name) > LONGEST_NAME:
        mend = f"Name the program that uses it, in at most {LONGEST_NAME} letters."
        faults.insert(0, Fault("name", "token_name", "is empty or too long.", mend))
    if faults or expires_at is None:
        raise Invalid("No token was made.", faults)
    if wish.project_id is not None and not by.belongs_to(wish.project_id):
        raise Refused("You may not read that project, so a token of yours cannot either.")
    live = [one for one in tokens_of(session, by.person_id) if is_live(one)]
    if len(live) >= MOST_LIVE:
        raise Conflict(f"You have {MOST_LIVE} tokens; revoke one that is no longer used first.")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        person_id=by.person_id,
        name=name,
        digest=_digest(token),
        writes=wish.writes,
        starts=wish.starts,
        acts=wish.acts,
        project_id=wish.project_id,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    told = {"name": name, "scope": scope_of(row), "expires": wish.expires}
    append(session, "person:token:create", by, wish.project_id, by.uid, told)
    return token


def _end_of(written: str) -> tuple[datetime | None, list[Fault]]:
    today = now().date()
    latest = today + timedelta(days=LONGEST_DAYS)
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        day = today - timedelta(days=1)
    if not today <= day <= latest:
        mend = f"Choose one from {today} to {latest}."
        return None, [Fault("expires", "expires", "is no day that a token may last to.", mend)]
    return datetime.combine(day, time.max, now().tzinfo), []


def find_bearer(session: Session, token: str) -> Bearer | None:
    """Return whose token it is, or None where it ended, was revoked, or never was one."""
    if not _TOKEN.fullmatch(token):
        return None
    at = now()
    found: ApiToken | None = session.execute(
        select(ApiToken).where(col(ApiToken.digest) == _digest(token))
    ).scalar_one_or_none()
    if found is None or not is_live(found):
        return None
    person = session.get(Person, found.person_id)
    if person is None or not person.active:
        return None
    due = found.used_at is None or at - found.used_at > USED_EVERY
    actor = _within(actor_of(session, person), found.project_id)
    return Bearer(found.id or 0, actor, rights_of(found), due)


def _within(actor: Actor, project_id: int | None) -> Actor:
    """Return a person with only what they hold in one project, and nothing everywhere."""
    if project_id is None:
        return actor
    held = actor.roles_in(project_id)
    lent = {key: whose for key, whose in actor.lent.items() if key[0] == project_id}
    return Actor(actor.person_id, actor.name, actor.uid, {project_id: held} if held else {}, lent)


def touch_token(session: Session, token_id: int) -> None:
    """Remember that a token is in use."""
    session.execute(
        update(ApiToken)
        .where(col(ApiToken.id) == token_id)
        .values(used_at=now())
        .execution_options(synchronize_session=False)
    )


def tokens_of(session: Session, person_id: int) -> Sequence[ApiToken]:
    """Return every token that a person ever made, the newest first."""
    query = (
        select(ApiToken)
        .where(col(ApiToken.person_id) == person_id)
        .order_by(col(ApiToken.id).desc())
    )
    return session.execute(query).scalars().all()


def revoke_token(session: Session, person: Person, token_id: int, by: Actor) -> ApiToken:
    """End a token of a person.

    Raises
    ------
    NotFound
        If the person has no such token.
    Conflict
        If it has ended already.
    """
    found = session.get(ApiToken, token_id)
    if found is None or found.person_id != person.id:
        raise NotFound(f"{person.name} has no token {token_id}.")
    if not is_live(found):
        raise Conflict(f"The token {found.name} has ended already.")
    _end(session, person, found, by)
    return found


def revoke_all(session: Session, person: Person, by: Actor) -> None:
    """End every token of a person."""
    for one in tokens_of(session, person.id or 0):
        if is_live(one):
            _end(session, person, one, by)


def _end(session: Session, person: Person, token: ApiToken, by: Actor) -> None:
    token.revoked_at = now()
    told = {"name": token.name, "scope": scope_of(token)}
    append(session, "person:token:revoke", by, token.project_id, person.uid, told)


def is_live(token: ApiToken) -> bool:
    """Whether a token is accepted now."""
    return token.revoked_at is None and token.expires_at > now()


def rights_of(token: ApiToken) -> frozenset[str]:
    """Return which of `RIGHTS` a token was made for."""
    given = {WRITE: token.writes, START: token.starts, ACT: token.acts}
    return frozenset(right for right, held in given.items() if held)


def scope_of(token: ApiToken) -> str:
    """Return what a token may do, as it is written everywhere.

    Examples
    --------
    >>> scope_of(ApiToken(writes=True)), scope_of(ApiToken(writes=True, starts=True))
    ('read and write drafts', 'read, write drafts and start jobs')
    """
    held = rights_of(token)
    *words, last = ["read", *(told for right, told in RIGHTS.items() if right in held)]
    return f"{', '.join(words)} and {last}" if words else last


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
