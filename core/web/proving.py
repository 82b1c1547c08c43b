"""Ask for the password within a request, and let nobody wait while it is looked at."""

from fastapi import Request
from sqlmodel import Session

from core.people.actor import Actor
from core.people.proving import CheckedPassword, check_password, reauthenticate
from core.people.service import Reauthentication
from core.web.refusals import address_of
from core.web.transaction import database_of, settings_of


def let_go(session: Session) -> None:
    """End the transaction of a request before something slow.

    What was done in it is undone, so call this before anything is changed; the next statement
    begins another transaction and reads everything anew.
    """
    session.rollback()


def check(request: Request, session: Session, person: Actor, password: str) -> CheckedPassword:
    """Check the password of the signed-in person while no transaction is open."""
    let_go(session)
    settings = settings_of(request)
    return check_password(database_of(request), person, password, address_of(request), settings)


def prove(request: Request, session: Session, person: Actor, password: str) -> Reauthentication:
    """Return the proof that a signature needs, in a transaction that begins here."""
    return reauthenticate(session, person, check(request, session, person, password))
