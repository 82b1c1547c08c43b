"""Accounts, roles and sessions."""

import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ledger import append
from core.people.actor import Actor
from core.people.deputies.lending import deputies_in, roles_lent
from core.people.models import Person, RoleGrant, WebSession
from core.people.passwords import ChosenPassword
from core.people.roles import known_roles
from core.settings import Settings

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,59}")
_UID = re.compile(r"[A-Z][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Reauthentication:
    """Proof that a person gave their password a moment ago, for one act of signing."""

    person_id: int


def create_person(
    session: Session,
    username: str,
    uid: str,
    name: str,
    password: ChosenPassword,
    by: Actor | None,
    *,
    given: bool = False,
) -> Person:
    """Create an account.

    Parameters
    ----------
    given : bool
        Whether somebody else chose the password, so that the person has yet to choose their own.

    Raises
    ------
    Invalid
        With every fault of the name, uid and password.
    Conflict
        If the username or uid is taken.
    """
    faults = [*_account_faults(username, uid, name), *password.faults]
    if faults:
        raise Invalid("This account cannot be created.", faults)
    taken = (
        session.execute(
            select(Person).where((col(Person.username) == username) | (col(Person.uid) == uid))
        )
        .scalars()
        .first()
    )
    if taken is not None:
        raise Conflict(f"There is already an account {taken.username} with the uid {taken.uid}.")
    person = Person(
        username=username,
        uid=uid,
        name=name.strip(),
        password_hash=password.hash,
        password_given_at=now() if given else None,
    )
    session.add(person)
    session.flush()
    append(session, "person:account:create", by, subject=uid, data={"username": username})
    return person


def _account_faults(username: str, uid: str, name: str) -> list[Fault]:
    faults = []
    if not _USERNAME.fullmatch(username):
        faults.append(
            Fault(
                "username",
                "username",
                f"'{username[:60]}' is no name to sign in with.",
                "Use 2 to 60 of a-z, 0-9, dot, dash, underscore, @.",
            )
        )
    if not _UID.fullmatch(uid):
        faults.append(Fault("uid", "uid", f"'{uid[:80]}' is no uid.", "Write it as PPL-AK."))
    if not name.strip():
        faults.append(Fault("name", "name", "is empty.", "Give the name that signatures print."))
    return faults


def grant(
    session: Session,
    person: Person,
    roles: Iterable[str],
    by: Actor | None,
    project_id: int | None = None,
) -> None:
    """Grant roles in a project, or everywhere; a role held already is left as it is."""
    wanted = list(roles)
    unknown = sorted(set(wanted) - set(known_roles()))
    if unknown:
        raise Invalid(
            "Some roles do not exist.",
            [
                Fault(
                    "unknown-role",
                    role,
                    "is not a role.",
                    f"Choose from {', '.join(known_roles())}.",
                )
                for role in unknown
            ],
        )
    held = {
        one.role
        for one in session.execute(
            select(RoleGrant).where(
                col(RoleGrant.person_id) == person.id, col(RoleGrant.revoked_at).is_(None)
            )
        ).scalars()
        if one.project_id == project_id
    }
    for role in wanted:
        if role in held:
            continue
        session.add(RoleGrant(person_id=person.id or 0, project_id=project_id, role=role))
        append(session, "person:role:grant", by, project_id, person.uid, {"role": role})
    session.flush()


def revoke(
    session: Session, person: Person, role: str, by: Actor, project_id: int | None = None
) -> None:
    """End a role; what was signed in it stays signed."""
    grants = session.execute(
        select(RoleGrant).where(
            col(RoleGrant.person_id) == person.id,
            col(RoleGrant.role) == role,
            col(RoleGrant.revoked_at).is_(None),
        )
    ).scalars()
    found = [one for one in grants if one.project_id == project_id]
    if not found:
        raise NotFound(f"{person.name} does not hold the role {role} there.")
    for one in found:
        one.revoked_at = now()
    append(session, "person:role:revoke", by, project_id, person.uid, {"role": role})


def actor_of(session: Session, person: Person) -> Actor:
    """Return a person with the roles they hold now."""
    roles: dict[int | None, set[str]] = defaultdict(set)
    for one in session.execute(
        select(RoleGrant).where(
            col(RoleGrant.person_id) == person.id, col(RoleGrant.revoked_at).is_(None)
        )
    ).scalars():
        roles[one.project_id].add(one.role)
    lent = roles_lent(session, person.id or 0, roles)
    for project_id, role in lent:
        roles[project_id].add(role)
    return Actor(
        person_id=person.id or 0,
        name=person.name,
        uid=person.uid,
        roles={project: frozenset(held) for project, held in roles.items()},
        lent=lent,
    )


def find_actor(session: Session, uid_or_username: str) -> Actor:
    """Return the person of a uid or a username.

    Raises
    ------
    NotFound
        If there is no such active account.
    """
    person = session.execute(
        select(Person).where(
            (col(Person.uid) == uid_or_username) | (col(Person.username) == uid_or_username)
        )
    ).scalar_one_or_none()
    if person is None or not person.active:
        raise NotFound(f"There is no account {uid_or_username}.")
    return actor_of(session, person)


@dataclass(frozen=True)
class SignedIn:
    """Who a session belongs to, and the token that its forms carry; a program has no forms.

    Attributes
    ----------
    rights : frozenset of str
        What a program's token was made for besides reading; see `core.people.tokens.RIGHTS`.
    """

    actor: Actor
    csrf: str
    touch_due: bool = False
    program: bool = False
    rights: frozenset[str] = frozenset()


def open_session(session: Session, person: Person, settings: Settings) -> tuple[str, Actor]:
    """Open a session for somebody whose password was right; return the cookie's value."""
    token, at = secrets.token_urlsafe(32), now()
    session.add(
        WebSession(
            token_digest=_token_digest(token),
            person_id=person.id or 0,
            csrf=secrets.token_urlsafe(24),
            created_at=at,
            seen_at=at,
            expires_at=at + timedelta(hours=settings.session_hours),
        )
    )
    actor = actor_of(session, person)
    append(session, "session:person:open", actor, subject=person.uid)
    return token, actor


def find_session(session: Session, token: str, settings: Settings) -> SignedIn | None:
    """Return who a cookie belongs to, or None when it has ended."""
    found = session.get(WebSession, _token_digest(token))
    at = now()
    idle = timedelta(minutes=settings.session_idle_minutes)
    if found is None or found.expires_at <= at or found.seen_at + idle <= at:
        return None
    person = session.get(Person, found.person_id)
    if person is None or not person.active:
        return None
    return SignedIn(actor_of(session, person), found.csrf, at - found.seen_at > idle / 20)


def touch_session(session: Session, token: str) -> None:
    """Remember that a session is in use."""
    found = session.get(WebSession, _token_digest(token))
    if found is not None:
        found.seen_at = now()


def sign_out(session: Session, token: str, actor: Actor) -> None:
    """End a session."""
    found = session.get(WebSession, _token_digest(token))
    if found is not None:
        session.delete(found)
    append(session, "session:person:close", actor, subject=actor.uid)


def people(session: Session) -> list[Person]:
    """Return every account by name."""
    return list(session.execute(select(Person).order_by(col(Person.name))).scalars())


def holders(session: Session, role: str, project_id: int) -> list[Person]:
    """Return the active people who hold a role in a project, deputies included, by name."""
    query = (
        select(Person)
        .join(RoleGrant, col(RoleGrant.person_id) == col(Person.id))
        .where(
            col(RoleGrant.role) == role,
            or_(col(RoleGrant.project_id) == project_id, col(RoleGrant.project_id).is_(None)),
            col(RoleGrant.revoked_at).is_(None),
            col(Person.active).is_(True),
        )
        .distinct()
    )
    own = list(session.execute(query).scalars())
    found = {one.id: one for one in (*own, *deputies_in(session, role, project_id))}
    return sorted(found.values(), key=lambda one: (one.name, one.uid))


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
