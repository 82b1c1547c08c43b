"""Tries to give a password: each is counted before the password is looked at.

Counted afterwards, a flood of tries would each cost a hash before the first of them counted. The
window slides: with windows that begin at fixed times, twice the tries would fit around the moment
at which one ends and the next begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select, text, update
from sqlmodel import Session, col

from core.clock import now
from core.db import Database, insert_into
from core.errors import TooManyAttempts
from core.people.models import FailedSignIn
from core.settings import Settings

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Seconds are counted from here: a column of 32 bits then holds them until 2094."""

ADDRESS_FACTOR = 4
"""A department may share one address, so it may fail more often than one name."""


@dataclass(frozen=True)
class Attempt:
    """One try, counted against a name and an address until its password proves to be right."""

    subjects: tuple[str, ...]
    second: int


def begin_attempt(
    database: Database, username: str, address: str, settings: Settings, *, signed_in: bool = False
) -> Attempt:
    """Count a try, in a transaction of its own.

    Parameters
    ----------
    signed_in : bool
        Whether the person is known by their session: what others do at the same address then
        keeps nobody from signing.

    Raises
    ------
    TooManyAttempts
        Where the name or the address failed too often; such a try is not counted.
    """
    name, place = f"name:{username[:60]}", f"from:{address}"
    limits = {name: settings.sign_in_tries}
    if not signed_in:
        limits[place] = settings.sign_in_tries * ADDRESS_FACTOR
    with database.reading() as session:
        # A flood is turned away here, where it holds no writer up.
        _refuse_when_too_many(session, limits, settings)
    attempt = Attempt((name, place), _second())
    with database.writing() as session:
        _one_at_a_time(session, attempt.subjects)
        _refuse_when_too_many(session, limits, settings)
        _forget_the_old(session, settings)
        for subject in attempt.subjects:
            _count(session, subject, attempt.second)
    return attempt


def forgive(session: Session, attempt: Attempt) -> None:
    """Take a try back whose password was right."""
    session.execute(
        update(FailedSignIn)
        .where(
            col(FailedSignIn.subject).in_(attempt.subjects),
            col(FailedSignIn.second) == attempt.second,
            col(FailedSignIn.count) > 0,
        )
        .values(count=col(FailedSignIn.count) - 1)
        .execution_options(synchronize_session=False)
    )


def first_turned_away(database: Database, address: str, settings: Settings) -> bool:
    """Whether this is the first try of a window that is turned away from an address.

    The first is worth an entry of the audit trail; a flood would fill it.
    """
    subject = f"away:{address}"
    since = _second() - settings.sign_in_window_s
    known = select(col(FailedSignIn.id)).where(
        col(FailedSignIn.subject) == subject, col(FailedSignIn.second) > since
    )
    with database.reading() as session:
        if session.execute(known).first() is not None:
            return False
    with database.writing() as session:
        _one_at_a_time(session, (subject,))
        if session.execute(known).first() is not None:
            return False
        _forget_the_old(session, settings)
        _count(session, subject, _second())
    return True


def _refuse_when_too_many(session: Session, limits: Mapping[str, int], settings: Settings) -> None:
    at, counted = _second(), col(FailedSignIn.count)
    rows = session.execute(
        select(col(FailedSignIn.subject), func.sum(counted), func.min(col(FailedSignIn.second)))
        .where(
            col(FailedSignIn.subject).in_(limits),
            col(FailedSignIn.second).between(at - settings.sign_in_window_s + 1, at),
            counted > 0,
        )
        .group_by(col(FailedSignIn.subject))
    ).all()
    waits = [
        first + settings.sign_in_window_s - at
        for subject, count, first in rows
        if count >= limits[subject]
    ]
    if waits:
        wait = max(1, *waits)
        raise TooManyAttempts(
            f"There were too many wrong passwords. Wait {max(1, wait // 60)} min and try "
            "again, or ask an administrator.",
            retry_after_s=wait,
        )


def _one_at_a_time(session: Session, subjects: tuple[str, ...]) -> None:
    # On SQLite one writer follows the other. On PostgreSQL two tries would both read the count
    # that stood before either; the order keeps two of them from waiting for each other.
    if session.get_bind().dialect.name == "postgresql":
        for subject in sorted(subjects):
            session.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"),
                {"subject": f"sign-in {subject}"},
            )


def _count(session: Session, subject: str, second: int) -> None:
    session.execute(
        insert_into(session, FailedSignIn)
        .values(subject=subject, second=second, count=1)
        .on_conflict_do_update(
            index_elements=["subject", "window"], set_={"count": col(FailedSignIn.count) + 1}
        )
    )


def _forget_the_old(session: Session, settings: Settings) -> None:
    session.execute(
        delete(FailedSignIn)
        .where(col(FailedSignIn.second) <= _second() - settings.sign_in_window_s)
        .execution_options(synchronize_session=False)
    )


def _second() -> int:
    return int((now() - EPOCH).total_seconds())
