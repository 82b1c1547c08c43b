"""What people said about a revision: rows of their own, never part of it and never changed."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import Table, UtcDateTime
from core.ledger.guards import append_only
from core.ledger.witness import witnessed


@append_only
@witnessed(
    "record_id", "revision_id", "revision_number", "content_digest", "about", "person_id",
    "person_name", "person_uid", "at",
)  # fmt: skip
class Thread(Table, table=True):
    """A talk about one revision of a record; what is said in it are its comments.

    Attributes
    ----------
    content_digest : str
        What the revision said when it was begun; a draft may say something else since.
    about : str
        The part that it is about: empty for the whole, "body", or "field." and a field's name.
    """

    __tablename__ = "record_thread"

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id", index=True)
    revision_id: int = Field(foreign_key="revision.id")
    revision_number: int
    content_digest: str
    about: str = ""
    person_id: int = Field(foreign_key="person.id")
    person_name: str
    person_uid: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@append_only
@witnessed("thread_id", "ordinal", "text", "settles", "person_id", "person_name", "person_uid",
           "at")  # fmt: skip
class Comment(Table, table=True):
    """One thing that somebody said in a thread.

    Attributes
    ----------
    settles : bool
        Whether it ends the talk; nothing follows it.
    """

    __tablename__ = "thread_comment"
    __table_args__ = (UniqueConstraint("thread_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    thread_id: int = Field(foreign_key="record_thread.id", index=True)
    ordinal: int
    text: str = Field(sa_type=Text)
    settles: bool = False
    person_id: int = Field(foreign_key="person.id")
    person_name: str
    person_uid: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
