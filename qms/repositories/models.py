"""What is remembered of a project's Git repositories: machine-made rows, not controlled records.

A commit that a rewritten history has lost keeps its row and its mirror's objects, so what was once
evidence can always be looked at.
"""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime
from core.ledger.guards import append_only
from core.ledger.witness import witnessed
from qms.repositories.markers import READING


class Repository(Table, table=True):
    """A Git repository registered for a project."""

    __tablename__ = "repository"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    name: str
    address: str = Field(sa_type=Text)
    default_branch: str = ""
    tips: dict[str, str] = Field(default_factory=dict, sa_type=JsonColumn)
    """Every ref and its object at the last scan; the next scan begins there."""
    registered_by: str
    registered_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    trailer_keys: str = ""
    """Which trailer keys its commits were read with; under others they are read anew."""
    marked_commit: str = ""
    """The commit of the default branch whose source markers were read last."""
    marked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When they were: what the mirror did not hold then was not seen before."""
    marked_reading: int = READING
    """By which reading; what another one kept is read anew."""
    scanned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    problem: str = Field(default="", sa_type=Text)
    """Why the last scan failed; empty when it did not."""
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RepositoryCommit(Table, table=True):
    """One commit of a repository."""

    __tablename__ = "repository_commit"
    __table_args__ = (
        UniqueConstraint("repository_id", "sha"),
        Index("ix_repository_commit_at", "repository_id", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id")
    sha: str
    parents: int
    author: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    subject: str = Field(sa_type=Text)
    trailers: list[list[str]] = Field(default_factory=list, sa_type=JsonColumn)
    lost_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When a scan found that no branch or tag leads here any more."""


class CommitMention(Table, table=True):
    """One record id that one trailer of one commit names."""

    __tablename__ = "repository_mention"
    __table_args__ = (UniqueConstraint("commit_id", "role", "named"),)

    id: int | None = Field(default=None, primary_key=True)
    commit_id: int = Field(foreign_key="repository_commit.id")
    role: str
    named: str
    record_id: int | None = Field(default=None, foreign_key="record.id", index=True)
    """None while the project has no record of that id: a finding."""
    via: str = ""
    """The pull request whose merge names it for a commit that names nothing; else empty."""


class PullRequest(Table, table=True):
    """A pull request of a hosting service, known by the commit that merged it."""

    __tablename__ = "repository_request"

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id", index=True)
    merge_id: int = Field(foreign_key="repository_commit.id", unique=True)
    label: str
    title: str = Field(sa_type=Text)
    spread: bool = False
    """Whether the commits that it brought were looked up."""


class BroughtCommit(Table, table=True):
    """A commit and the first pull request that brought it in."""

    __tablename__ = "repository_brought"

    commit_id: int = Field(primary_key=True, foreign_key="repository_commit.id")
    request_id: int = Field(foreign_key="repository_request.id", index=True)


class RepositoryTag(Table, table=True):
    """One tag and the commit it names now; where it pointed before, it says so."""

    __tablename__ = "repository_tag"
    __table_args__ = (UniqueConstraint("repository_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id")
    name: str
    sha: str
    annotated: bool
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved_from: str = ""
    """The commit it named before it was last moved; a release tag should never have one."""
    moved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lost_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SourceBlob(Table, table=True):
    """A file's content that was read for markers; the same content is never read again."""

    __tablename__ = "repository_blob"
    __table_args__ = (UniqueConstraint("repository_id", "sha", "dialect"),)

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id")
    sha: str
    dialect: str
    problem: str = ""
    """Why it was not read, or not to its end; empty where it was."""
    reading: int = READING


class SourceMarker(Table, table=True):
    """One id that one line of a content names; lines are counted from 1."""

    __tablename__ = "repository_marker"

    id: int | None = Field(default=None, primary_key=True)
    blob_id: int = Field(foreign_key="repository_blob.id", index=True)
    form: str
    role: str
    named: str
    line: int
    first: int
    last: int
    digest: str


class SourcePlace(Table, table=True):
    """A path at which the last read commit holds a content with markers or with a problem."""

    __tablename__ = "repository_place"
    __table_args__ = (UniqueConstraint("repository_id", "path"),)

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id")
    path: str = Field(sa_type=Text)
    blob_id: int | None = Field(default=None, foreign_key="repository_blob.id")
    problem: str = ""
    """Why the file was not looked at at all; empty where it was."""


class MarkedLines(Table, table=True):
    """The link of a record to lines that a marker gives it, followed from commit to commit.

    What the lines were when the record was last approved, or when somebody last said that they
    still hold, is the base; lines that say something else need re-review.
    """

    __tablename__ = "repository_marked"

    id: int | None = Field(default=None, primary_key=True)
    repository_id: int = Field(foreign_key="repository.id", index=True)
    record_id: int = Field(foreign_key="record.id", index=True)
    form: str
    role: str
    named: str
    commit: str
    path: str = Field(sa_type=Text)
    blob: str
    line: int
    first: int
    last: int
    digest: str
    committed_at: datetime = Field(sa_type=UtcDateTime)
    """When the commit was made at which the lines are as they are told here."""
    base_of: str
    """What the base was taken from: ``revision 7``, ``acceptance 3``, ``seen after revision 7``."""
    base_commit: str
    base_path: str = Field(sa_type=Text)
    base_first: int
    base_last: int
    base_digest: str
    base_reading: int = READING
    """By which reading base and lines were told; those of another one are not compared."""
    diff: str = Field(default="", sa_type=Text)
    """From the base to the lines as they are; empty while they say the same."""
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When a scan no longer found the marker."""


@append_only
@witnessed(
    "marked_id", "commit", "path", "blob", "first", "last", "digest", "gone", "person_id",
    "person_name", "reason", "at",
    named="path",
)  # fmt: skip
class LinesAcceptance(Table, table=True):
    """Somebody read marked lines as they are and said that they still serve the record."""

    __tablename__ = "repository_acceptance"

    id: int | None = Field(default=None, primary_key=True)
    marked_id: int = Field(foreign_key="repository_marked.id", index=True)
    commit: str
    path: str = Field(sa_type=Text)
    blob: str
    first: int
    last: int
    digest: str
    gone: bool = False
    """The marker was seen to be gone, and rightly so."""
    person_id: int = Field(foreign_key="person.id")
    person_name: str
    reason: str = Field(sa_type=Text)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
