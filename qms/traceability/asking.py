"""What the matrix can be asked to show, as an address says it."""

from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from qms.releases.scope import NEWEST
from qms.traceability.coverage import Flag

ALL = "all"
DELIVERED = "in the release"
NO_RELEASE = "none"
"""Asks for the latest runs; an empty choice asks for the newest candidate."""

SORTS = (("worst", "Findings first"), ("id", "By id"))
FILTERS = (ALL, DELIVERED, *(flag.value for flag in Flag))


class Choice(BaseModel):
    """The question alone: what is kept of a view under a name."""

    rows: str = Field(default="requirement", max_length=100)
    columns: list[str] = Field(default_factory=list, max_length=50)
    release: str = Field(default="", max_length=200)
    show: str = Field(default=ALL, max_length=50)
    sort: str = Field(default=SORTS[0][0], max_length=20)
    clause: str = Field(default="", max_length=80)
    along: list[str] = Field(default_factory=list, max_length=50)

    @property
    def wanted_release(self) -> str | None:
        """The release to load: one by name, the newest candidate, or none."""
        return None if self.release == NO_RELEASE else self.release or NEWEST

    def query(self, **changes: Any) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump() | changes
        return urlencode({key: value for key, value in asked.items() if value}, doseq=True)


class View(Choice):
    """A question and where in its answer one is; every link on the page keeps the rest of it.

    `saved` is the view under a name that this one began as.
    """

    page: int = Field(default=1, ge=1, le=1_000_000)
    saved: int = Field(default=0, ge=0, le=2_000_000_000)

    @property
    def choice(self) -> Choice:
        """The question alone."""
        return Choice(**self.model_dump(include=set(Choice.model_fields)))
