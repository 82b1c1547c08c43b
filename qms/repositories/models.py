"""What is remembered of a project's Git repositories: machine-made rows, not controlled records.

A commit that a rewritten history has lost keeps its row and its mirror's objects, so what was once
evidence can always be looked at.
"""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime


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
