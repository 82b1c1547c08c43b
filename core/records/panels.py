"""Panels: what a feature adds to the page of a record, listed once by `app`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from core.records.models import Project, Record


@dataclass(frozen=True)
class Panel:
    """One part of a record's page: its heading, the template that draws it, and its context."""

    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)


PanelProvider = Callable[[Session, Project, Record], Panel | None]
"""``(session, project, record) -> Panel``, or None where it has nothing to say."""

PROVIDERS: list[PanelProvider] = []
"""In the order in which they stand on the page; filled by `app` at start-up."""


def use_panels(providers: Sequence[PanelProvider]) -> None:
    """Name the panels of the record's page; naming them again changes nothing."""
    PROVIDERS[:] = providers


def panels_of(session: Session, project: Project, record: Record) -> list[Panel]:
    """Return the panels that have something to say about a record."""
    found = (provider(session, project, record) for provider in PROVIDERS)
    return [panel for panel in found if panel is not None]
