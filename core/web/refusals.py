"""Keep a refusal in the audit trail, in a transaction of its own: the request's is undone."""

import re

from fastapi import Request
from sqlmodel import Session

from core.db import Database
from core.errors import (
    Conflict,
    FiducialError,
    Hidden,
    Invalid,
    NotFound,
    Refused,
    TooManyAttempts,
    Unauthenticated,
)
from core.ledger import append
from core.people.actor import Actor
from core.records.checking import UID
from core.web.transaction import database_of

AUDITED = (Refused, Conflict, Unauthenticated, TooManyAttempts, Hidden)
"""What is kept. A mistyped address or an incomplete form is no refusal."""

STATUSES: tuple[tuple[type[FiducialError], int], ...] = (
    (NotFound, 404),
    (Unauthenticated, 401),
    (TooManyAttempts, 429),
    (Refused, 403),
    (Conflict, 409),
    (Invalid, 422),
)
"""The only map from refusals to HTTP: for error pages, and for pages that keep what was typed."""

LONGEST_SUBJECT = 200
LONGEST_SENTENCE = 500

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def status_of(error: FiducialError) -> int:
    """Return the HTTP status of a refusal."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def record_refusal(
    database: Database,
    actor: Actor | None,
    project_id: int | None,
    subject: str,
    error: FiducialError,
) -> None:
    """Append one refusal.

    Parameters
    ----------
    subject : str
        The uid of the record concerned, or the address that was asked for.
    """
    with database.writing() as session:
        append_refusal(session, actor, project_id, subject, error)


def append_refusal(
    session: Session,
    actor: Actor | None,
    project_id: int | None,
    subject: str,
    error: FiducialError,
) -> None:
    """Append one refusal to a transaction that holds nothing else."""
    kind = "page" if subject.startswith("/") else "record" if UID.fullmatch(subject) else "person"
    name = _CAPITAL.sub("_", type(error).__name__).lower()
    append(
        session,
        f"refusal:{kind}:{name}",
        actor,
        project_id,
        subject[:LONGEST_SUBJECT],
        {"reason": error.message[:LONGEST_SENTENCE]},
    )


def note_refusal(request: Request, error: FiducialError) -> bool:
    """Append the refusal of a request, if it is of a kind that is kept.

    A page that nobody is signed in for is not kept: there is nobody to name, and anybody could
    fill the trail with it.
    """
    actor: Actor | None = getattr(request.state, "actor", None)
    if not isinstance(error, AUDITED) or actor is None:
        return False
    subject = request.path_params.get("uid") or request.url.path
    with database_of(request).writing() as session:
        _keep(request, session, subject, error)
    return True


def refuse_within(request: Request, session: Session, subject: str, error: FiducialError) -> None:
    """Undo what a request did and keep its refusal, for a page that shows what was typed."""
    session.rollback()
    if isinstance(error, AUDITED):
        _keep(request, session, subject, error)


def _keep(request: Request, session: Session, subject: str, error: FiducialError) -> None:
    actor: Actor | None = getattr(request.state, "actor", None)
    project_id: int | None = getattr(request.state, "project_id", None)
    append_refusal(session, actor, project_id, subject, error)


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "unknown"
