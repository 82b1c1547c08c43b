"""What becomes of an account: its password changed or given, the account closed and opened."""

from sqlalchemy import select
from sqlmodel import Session, col

from core.clock import now
from core.errors import Conflict, Fault, Invalid, Refused
from core.ledger import append
from core.people.actor import Actor
from core.people.models import Person, WebSession
from core.people.passwords import ChosenPassword
from core.people.proving import CheckedPassword, checked_person
from core.people.tokens import revoke_all


def change_password(
    session: Session,
    actor: Actor,
    checked: CheckedPassword,
    chosen: ChosenPassword,
    *,
    repeated: bool,
) -> None:
    """Change one's own password and end every session of the account.

    Parameters
    ----------
    repeated : bool
        Whether the password chosen is the current one.
    """
    person = checked_person(session, actor, checked)
    faults = list(chosen.faults)
    if person.password_given_at is not None and repeated:
        told = Fault("password", "password", "is the one you were given.", "Choose another.")
        faults.append(told)
    if faults:
        raise Invalid("This password cannot be used.", faults)
    person.password_hash, person.password_given_at = chosen.hash, None
    _end_sessions(session, person)
    append(session, "person:password:change", actor, subject=person.uid)


def give_password(session: Session, person: Person, chosen: ChosenPassword, by: Actor) -> None:
    """Give somebody who forgot theirs a password to sign in with; their sessions end.

    They sign nothing until they chose one of their own, which whoever gave it does not know.
    """
    if chosen.faults:
        raise Invalid(f"{person.name} was given no password.", chosen.faults)
    person.password_hash, person.password_given_at = chosen.hash, now()
    _end_sessions(session, person)
    revoke_all(session, person, by)
    append(session, "person:password:give", by, subject=person.uid)


def close_account(session: Session, person: Person, by: Actor) -> None:
    """End an account: nobody signs in with it, and what it signed stays as it is."""
    if person.id == by.person_id:
        raise Refused("You cannot close your own account; ask another administrator.")
    if not person.active:
        raise Conflict(f"The account of {person.name} is closed already.")
    person.active = False
    _end_sessions(session, person)
    revoke_all(session, person, by)
    append(session, "person:account:close", by, subject=person.uid)


def open_account(session: Session, person: Person, by: Actor) -> None:
    """Let somebody whose account was closed sign in again, with the roles they still hold."""
    if person.active:
        raise Conflict(f"The account of {person.name} is open already.")
    person.active = True
    append(session, "person:account:open", by, subject=person.uid)


def _end_sessions(session: Session, person: Person) -> None:
    for one in session.execute(
        select(WebSession).where(col(WebSession.person_id) == person.id)
    ).scalars():
        session.delete(one)
