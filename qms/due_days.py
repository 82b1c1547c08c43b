"""By which day something must be done, by the limits of the framework pack. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any


def latest_capa_day(limits: Mapping[str, Any], risk: object, opened: date) -> date | None:
    """Return the last day on which a corrective or preventive action may be due.

    Examples
    --------
    >>> latest_capa_day({"capa_due_days": {"high": 30}}, "high", date(2026, 1, 1))
    datetime.date(2026, 1, 31)
    >>> latest_capa_day({"capa_due_days": {"high": 30}}, "low", date(2026, 1, 1)) is None
    True
    """
    days = limits["capa_due_days"].get(risk)
    return days_after(opened, int(days)) if days is not None else None


def report_day(limits: Mapping[str, Any], fields: Mapping[str, Any]) -> date | None:
    """Return the last day on which an authority can be told in time of what a complaint tells."""
    received = as_day(fields.get("received_on"))
    days = limits["reportability_days"]
    wanted = days.get(str(fields.get("patient_effect") or ""), days["other"])
    return days_after(received, int(wanted)) if received else None


def days_after(start: date, days: int) -> date | None:
    """Return the day so many days later; None where no calendar has it.

    Examples
    --------
    >>> days_after(date(2026, 11, 20), 30)
    datetime.date(2026, 12, 20)
    >>> days_after(date(9999, 12, 31), 1) is None
    True
    """
    try:
        return start + timedelta(days=days)
    except OverflowError:
        return None


def as_day(value: object) -> date | None:
    """Return a kept date as a date; None for what is none."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
