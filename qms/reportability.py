"""Until when an authority can be told of a complaint, and where that clock stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from core.clock import now
from core.records.models import Project, Record
from core.records.panels import Panel
from core.records.service import latest_revision
from qms.due_days import as_day, report_day
from qms.rules.packs import framework_pack

TYPE = "complaint"


@dataclass(frozen=True)
class ReportClock:
    """Where the clock of one complaint stands.

    Attributes
    ----------
    due : date or None
        The last day on which an authority can be told in time; None before it says when it was
        received.
    running : bool
        Whether it still has to be decided on, or told.
    left : int
        Days from today to that day; below 0 once it has gone by.
    told : str
        Where it stands, as a sentence.
    """

    due: date | None
    running: bool
    left: int
    told: str

    @property
    def overdue(self) -> bool:
        """Whether its day has gone by while nobody decided or told."""
        return self.running and self.due is not None and self.left < 0


def report_clock(fields: Mapping[str, Any], today: date) -> ReportClock:
    """Return where the clock of a complaint stands, by what its fields say."""
    due = report_day(framework_pack().limits, fields)
    left = (due - today).days if due is not None else 0
    decided, reported = str(fields.get("reportable") or ""), as_day(fields.get("reported_on"))
    if decided == "no":
        return ReportClock(due, False, left, "It was decided that no authority must be told.")
    if decided == "yes" and reported is not None:
        late = f", {(reported - due).days} days late" if due and reported > due else ""
        return ReportClock(due, False, left, f"An authority was told on {reported}{late}.")
    waits = "An authority must be told" if decided == "yes" else "Nobody has decided yet"
    if due is None:
        return ReportClock(None, True, 0, f"{waits}; it does not say when it was received.")
    gone = f"{-left} {'day' if left == -1 else 'days'} ago" if left < 0 else _in_days(left)
    return ReportClock(due, True, left, f"{waits}; a report is due by {due}, {gone}.")


def _in_days(left: int) -> str:
    return "today" if left == 0 else f"in {left} {'day' if left == 1 else 'days'}"


def complaint_panel(session: Session, _: Project, record: Record) -> Panel | None:
    """Return the clock of a complaint for its page."""
    if record.type != TYPE or record.withdrawn_at is not None:
        return None
    latest = latest_revision(session, record)
    clock = report_clock(latest.fields, now().date())
    context = {"clock": clock, "fields": latest.fields}
    return Panel("Telling an authority", "qms/report_clock.html", context)
