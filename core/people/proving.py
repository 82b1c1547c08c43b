"""Prove who somebody is: sign in, and give the password again to sign.

The password is looked at between two short transactions, never inside one: a hash takes so long
that every other writer would wait for it. What was read before is therefore looked at once more
in the transaction that relies on it.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import Database
from core.errors import Conflict, Refused, Unauthenticated
from core.ledger import append
from core.people.actor import Actor
from core.people.attempts import begin_attempt, forgive
from core.people.models import Person
from core.people.passwords import matches
from core.people.service import Reauthentication, actor_of, open_session
from core.settings import Settings

WRONG = "The name or the password is wrong."
NOT_YOURS = "That is not your password; nothing was signed. Type it again to sign."


@dataclass(frozen=True)
class CheckedPassword:
    """A password that was right a moment ago, and the stored hash it was compared with."""

    person_id: int
    stored: str


def sign_in(
    database: Database, username: str, password: str, address: str, settings: Settings
) -> tuple[str, Actor]:
    """Check a password and open a session; return the cookie's value and the person.

    Raises
    ------
    Unauthenticated
        With one sentence for an unknown name, a closed account and a wrong password alike.
    TooManyAttempts
        After too many failures of that name or from that address.
    """
    attempt = begin_attempt(database, username, address, settings)
    with database.reading() as session:
        found = session.execute(
            select(col(Person.id), col(Person.password_hash)).where(
                col(Person.username) == username, col(Person.active).is_(True)
            )
        ).first()
    person_id, stored = found or (None, None)
    good = matches(password, stored)
    with database.writing() as session:
        person = _unchanged(session, person_id, stored) if good else None
        if person is not None:
            forgive(session, attempt)
            return open_session(session, person, settings)
        _keep_refusal(session, username)
    raise Unauthenticated(WRONG)


def check_password(
    database: Database, actor: Actor, password: str, address: str, settings: Settings
) -> CheckedPassword:
    """Check the password of the signed-in person who is about to sign.

    Call it while no transaction is open, and `reauthenticate` in the one that signs.

    Raises
    ------
    Unauthenticated
        If it is wrong; this counts like a wrong one while signing in.
    TooManyAttempts
    """
    with database.reading() as session:
        person = session.get_one(Person, actor.person_id)
        username, stored = person.username, person.password_hash if person.active else None
    attempt = begin_attempt(database, username, address, settings, signed_in=True)
    good = matches(password, stored)
    with database.writing() as session:
        if stored is not None and good:
            forgive(session, attempt)
            return CheckedPassword(actor.person_id, stored)
        _keep_refusal(session, username)
    raise Unauthenticated(NOT_YOURS)


def reauthenticate(session: Session, actor: Actor, checked: CheckedPassword) -> Reauthentication:
    """Return the proof of one act of signing, in the transaction that signs.

    Raises
    ------
    Unauthenticated
        If the password was changed since it was checked.
    Conflict
        If the person's roles were changed since.
    Refused
        If it is a password that somebody else chose.
    """
    if checked_person(session, actor, checked).password_given_at is not None:
        raise Refused(
            "This password was given to you, so somebody else knows it; nothing was signed. Choose "
            "one of your own on the page of your account, then sign."
        )
    return Reauthentication(actor.person_id)


def checked_person(session: Session, actor: Actor, checked: CheckedPassword) -> Person:
    """Return the person of a checked password, if nothing that matters changed meanwhile."""
    same = checked.person_id == actor.person_id
    person = _unchanged(session, actor.person_id, checked.stored) if same else None
    if person is None:
        raise Unauthenticated(NOT_YOURS)
    held = actor_of(session, person)
    if (dict(held.roles), dict(held.lent)) != (dict(actor.roles), dict(actor.lent)):
        raise Conflict(
            f"The roles of {actor.name} were changed a moment ago; nothing was signed. Open the "
            "page again."
        )
    return person


def _unchanged(session: Session, person_id: int | None, stored: str | None) -> Person | None:
    """Return an open account whose password is the one that was checked, locked."""
    query = (
        select(Person)
        .where(
            col(Person.id) == person_id,
            col(Person.password_hash) == stored,
            col(Person.active).is_(True),
        )
        # Without the key: whoever names this person in a row of their own need not wait.
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    found: Person | None = session.execute(query).scalar_one_or_none()
    return found


def _keep_refusal(session: Session, username: str) -> None:
    append(
        session,
        "session:person:refuse",
        None,
        subject=username[:60],
        data={"reason": "wrong name or password"},
    )
