"""Views of the matrix that people keep under a name: a question, never its answer."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from core.clock import now
from core.db import JsonColumn, Table, UtcDateTime


class SavedView(Table, table=True):
    """What the matrix was asked to show, kept by one person, for themselves or for the project."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("project_id", "person_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    person_id: int = Field(foreign_key="person.id")
    name: str
    shared: bool = False
    query: dict[str, Any] = Field(default_factory=dict, sa_type=JsonColumn)
    """Rows, columns, release, filter and order, as `Choice` has them."""
    changed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class DefaultView(Table, table=True):
    """The view with which the matrix of a project opens for one person."""

    __tablename__ = "default_view"

    project_id: int = Field(foreign_key="project.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    view_id: int = Field(foreign_key="saved_view.id", index=True)
