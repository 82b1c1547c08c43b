"""What the page of findings is asked to show, as an address says it, and what that leaves. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from core.records.snapshot import Key
from qms.rules.check import RELEASE
from qms.rules.findings import Finding, Level

NO_RELEASE = "none"
"""Judges the record alone; an empty choice asks for the newest candidate."""

GATE_WORDS: Mapping[str, str] = {
    "release": "release: every rule",
    "save": "save of a draft",
    "submit": "submission for review",
    "approve": "approval of a record",
    "plan": "plan baseline",
    "design": "design freeze",
    "runs": "start of formal runs",
    "always": "always, every night",
}
"""The gates as the page names them, the one that asks everything first."""


class Show(StrEnum):
    """Which findings are shown, by what they do."""

    ALL = "all"
    ERRORS = "errors"
    WARNINGS = "warnings"
    CONCEDED = "let through"

    def takes(self, finding: Finding) -> bool:
        """Whether a finding is of this kind; the counts are those of the check."""
        match self:
            case Show.ERRORS:
                return finding.blocks
            case Show.WARNINGS:
                return finding.level is Level.WARN and not finding.waiver
            case Show.CONCEDED:
                return bool(finding.waiver)
            case _:
                return True


class View(BaseModel):
    """A gate, a release or none, and which of the findings."""

    gate: str = Field(default=RELEASE, max_length=40)
    release: str = Field(default="", max_length=200)
    show: Show = Show.ALL
    rule: str = Field(default="", max_length=10)
    type: str = Field(default="", max_length=100)
    q: str = Field(default="", max_length=200)
    page: int = Field(default=1, ge=1, le=1_000_000)

    def query(self, **changes: Any) -> str:
        """Return this view as a query string, with some of it changed."""
        asked = self.model_dump(exclude_defaults=True, exclude={"page"}) | changes
        return urlencode({name: str(value) for name, value in asked.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether some findings may be left out."""
        return bool(self.show is not Show.ALL or self.rule or self.type or self.q.strip())

    @property
    def words(self) -> str:
        """Which findings are shown, for an export."""
        told = [self.show.value]
        told += [f"rule {self.rule}"] if self.rule else []
        told += [self.type.replace("_", " ")] if self.type else []
        told += [f"“{self.q.strip()}”"] if self.q.strip() else []
        return ", ".join(told)


def within(
    findings: Iterable[Finding], view: View, types: Mapping[Key, str]
) -> tuple[Finding, ...]:
    """Return the findings of the chosen rule, record type and words, whatever they do."""
    words = view.q.casefold().split()
    return tuple(
        one
        for one in findings
        if view.rule in ("", one.code)
        and view.type in ("", types.get(one.record, ""))
        and all(word in f"{one.code} {one.sentence} {one.mend}".casefold() for word in words)
    )
