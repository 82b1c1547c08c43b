"""Accounts, the roles granted to them, their sessions and their tries to sign in."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import Table, UtcDateTime
from core.ledger.witness import witnessed


@witnessed(
    "username", "uid", "name", "password_hash", "password_given_at", "active", "created_at",
    named="username",
)  # fmt: skip
class Person(Table, table=True):
    """One account, never shared and never given to somebody else.

    Attributes
    ----------
    password_given_at : datetime or None
        When an administrator chose the password. Nobody signs until they chose one themselves.
    """

    id: int | None = Field(default=None, primary_key=True)
    username: str = Field(unique=True, max_length=60)
    uid: str = Field(unique=True, max_length=80)
    name: str
    password_hash: str
    password_given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active: bool = True
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@witnessed("person_id", "project_id", "role", "granted_at", "revoked_at")
class RoleGrant(Table, table=True):
    """One role, in one project or (without one) everywhere, until it is revoked."""

    __tablename__ = "role_grant"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    project_id: int | None = Field(default=None, foreign_key="project.id")
    role: str
    granted_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebSession(Table, table=True):
    """One browser that is signed in; the cookie's value itself is not kept, only its digest."""

    __tablename__ = "web_session"

    token_digest: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    csrf: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


@witnessed(
    "person_id", "name", "digest", "writes", "project_id", "created_at", "expires_at", "revoked_at",
    named="name", later=("starts", "acts"),
)  # fmt: skip
class ApiToken(Table, table=True):
    """What a program of a person gives instead of a session; only its digest is kept.

    Attributes
    ----------
    writes : bool
        Whether it may change drafts. No token signs: that needs the password.
    starts : bool
        Whether it may start work: runs, scans, packs.
    acts : bool
        Whether it may do with records what asks for no password: re-review, send back, move.
    project_id : int or None
        The one project that it reaches; None reaches what the person may read.
    used_at : datetime or None
        When it was used last, to the minute.
    """

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    name: str
    digest: str = Field(unique=True, max_length=64)
    writes: bool = False
    starts: bool = False
    acts: bool = False
    project_id: int | None = Field(default=None, foreign_key="project.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class FailedSignIn(Table, table=True):
    """Tries to give a password in one second, per account name and per address.

    Attributes
    ----------
    second : int
        Counted from `attempts.EPOCH`.
    """

    __tablename__ = "failed_sign_in"
    __table_args__ = (UniqueConstraint("subject", "window"),)

    id: int | None = Field(default=None, primary_key=True)
    subject: str
    second: int = Field(sa_column_kwargs={"name": "window"})
    count: int = 0
