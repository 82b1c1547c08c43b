"""Tables of records, revisions and links. What may be kept is decided in `service`, not here."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only, controlled
from core.ledger.witness import witnessed


class Project(Table, table=True):
    """The container that records, roles and repositories belong to."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=20)
    title: str
    demonstration: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@controlled
@witnessed(
    "project_id", "type", "uid", "latest_id", "effective_id", "withdrawn_at", "withdrawn_reason",
    "created_at",
    named="uid",
)  # fmt: skip
class Record(Table, table=True):
    """One controlled thing; its words are in its revisions."""

    __table_args__ = (
        UniqueConstraint("project_id", "uid"),
        Index("ix_record_project_id_type", "project_id", "type"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    type: str
    uid: str = Field(max_length=80)
    latest_id: int | None = Field(default=None)
    effective_id: int | None = Field(default=None)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_reason: str = ""
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@controlled
@witnessed(
    "record_id", "number", "state", "author_id", "author_name", "author_uid", "co_authors",
    "created_at", "approved_at", "reason", "content_digest", "envelope_digest", "fingerprint",
)  # fmt: skip
class Revision(Table, table=True):
    """One revision: a draft may be edited, from submission on its content is immutable."""

    __table_args__ = (UniqueConstraint("record_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id", index=True)
    number: int
    state: str
    title: str
    body: str = Field(default="", sa_type=Text)
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    author_id: int = Field(foreign_key="person.id")
    author_name: str
    author_uid: str
    co_authors: list[str] = Field(default_factory=list, sa_type=JsonColumn)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text)
    content_digest: str
    envelope_digest: str
    previous_digest: str = ""
    fingerprint: str

    @property
    def authors(self) -> frozenset[str]:
        """The uids of everyone who wrote on this revision."""
        return frozenset({self.author_uid, *self.co_authors})


@controlled
class Link(Table, table=True):
    """One authored link; part of the revision that states it, in the order it states it."""

    __tablename__ = "record_link"
    __table_args__ = (UniqueConstraint("revision_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    position: int
    role: str
    target_id: int = Field(foreign_key="record.id", index=True)
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)


class ObservedLink(Table, table=True):
    """A link that a machine saw: a commit that names a record, a run that executed a test."""

    __tablename__ = "observed_link"
    __table_args__ = (UniqueConstraint("record_id", "kind", "source_ref", "role"),)

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id", index=True)
    kind: str
    source_ref: str
    role: str
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    observed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


@append_only
@witnessed(
    "source_id", "role", "target_id", "source_fingerprint", "target_fingerprint", "attributes",
    "gone", "person_id",
    "person_name", "reason", "at",
)  # fmt: skip
class LinkReview(Table, table=True):
    """Somebody, or the first approval, saw both ends of a link as they were then.

    `attributes` is what the link said; None where it was not kept. `gone` is a link that was seen
    to be stated no more, or to lead to or from a withdrawn record.
    """

    __tablename__ = "link_review"
    __table_args__ = (Index("ix_link_review_link", "source_id", "role", "target_id"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="record.id")
    role: str
    target_id: int = Field(foreign_key="record.id")
    source_fingerprint: str
    target_fingerprint: str
    attributes: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn)
    gone: bool = False
    person_id: int = Field(foreign_key="person.id")
    person_name: str
    reason: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class UidCounter(Table, table=True):
    """The last number given out per project and prefix; numbers are never given twice."""

    __tablename__ = "uid_counter"

    project_id: int = Field(foreign_key="project.id", primary_key=True)
    prefix: str = Field(primary_key=True)
    last: int = 0


@append_only
@witnessed("record_id", "sha256", "name", "media_type", "size", "person_name", "at", named="name")
class Attachment(Table, table=True):
    """A file of a record; the bytes are kept by their SHA-256."""

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id", index=True)
    sha256: str
    name: str
    media_type: str
    size: int
    person_name: str
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
