"""When a deputyship counts, and what its days and words must be; no table is asked here."""

from dataclasses import dataclass
from datetime import date

from core.errors import Fault

LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Term:
    """From one day to another, both whole."""

    first: date
    last: date

    def covers(self, day: date) -> bool:
        """Whether a day is one of them.

        Examples
        --------
        >>> term = Term(date(2026, 12, 1), date(2026, 12, 5))
        >>> [term.covers(date(2026, 12, day)) for day in (1, 5, 6)]
        [True, True, False]
        """
        return self.first <= day <= self.last

    def overlaps(self, other: "Term") -> bool:
        """Whether some day is in both."""
        return self.first <= other.last and other.first <= self.last

    def standing(self, day: date, *, ended: bool = False) -> str:
        """Return "current", "coming" or "past" as it is on a day; what was ended is past."""
        if ended or self.last < day:
            return "past"
        return "current" if self.first <= day else "coming"

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def read_term(first: str, last: str, today: date) -> tuple[Term | None, list[Fault]]:
    """Return the days that were typed, or everything that is wrong with them.

    Parameters
    ----------
    first, last : str
        As 2026-12-31.
    today : date
        Nobody is made a deputy for days that are over.
    """
    days, faults = [], []
    for where, written in (("first_day", first), ("last_day", last)):
        try:
            days.append(date.fromisoformat(written.strip()))
        except ValueError:
            faults.append(Fault("day", where, "is no day.", f"Write it as {today}."))
    if faults:
        return None, faults
    term = Term(*days)
    if term.first < today:
        faults.append(Fault("past", "first_day", "is over.", f"Begin on {today} or later."))
    if term.last < term.first:
        faults.append(Fault("order", "last_day", "is before the first.", "Give a later one."))
    if term.first >= a_year_after(today):
        mend = "Name a deputy nearer the time."
        faults.append(Fault("far", "first_day", "is more than a year ahead.", mend))
    elif term.last >= a_year_after(term.first):
        mend = "Choose an earlier one, and name a deputy again then."
        faults.append(Fault("long", "last_day", "makes it longer than a year.", mend))
    return (None if faults else term), faults


def a_year_after(day: date) -> date:
    """Return the same day of the next year; of 29 February the day after it would be.

    Examples
    --------
    >>> str(a_year_after(date(2028, 2, 29)))
    '2029-03-01'
    """
    leap = (day.month, day.day) == (2, 29)
    return date(day.year + 1, 3, 1) if leap else day.replace(year=day.year + 1)


def read_reason(written: str) -> tuple[str, list[Fault]]:
    """Return a reason without its edges, or what is wrong with it."""
    reason = written.strip()
    if not reason:
        return "", [Fault("reason", "reason", "is empty.", "Say why, for later readers.")]
    if len(reason) > LONGEST_REASON:
        mend = f"Say it in at most {LONGEST_REASON} letters."
        return "", [Fault("reason", "reason", "is too long.", mend)]
    return reason, []
