"""The one transaction of a request: reading for GET, writing for everything that changes."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session

from core.db import Database
from core.settings import Settings, get_settings
from core.web.receiving import ArrivedForm, is_safe


def database_of(request: Request) -> Database:
    """Return the database that the application was made with."""
    database: Database = request.app.state.database
    return database


def settings_of(request: Request) -> Settings:
    """Return the settings that the application was made with."""
    found: Settings | None = getattr(request.app.state, "settings", None)
    return found or get_settings()


def _open(request: Request, _arrived: ArrivedForm) -> Iterator[Session]:
    database = database_of(request)
    with database.reading() if is_safe(request) else database.writing() as session:
        yield session


# In the default scope FastAPI would commit after the answer: a failed commit would read as success.
RequestSession = Annotated[Session, Depends(_open, scope="function")]
