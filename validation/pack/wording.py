"""How values are worded in print: times, numbers, expectations, digests."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from validation.pack.evidence import Measurement

SIGNIFICANT_DIGITS = 6
"""Enough to show every tolerance in use; the JSON of the pack keeps each value whole."""

DIGEST_SHOWN = 12
"""Hex digits of a digest on paper: 48 bits, enough to compare by eye. The rest is in the JSON."""


def when(moment: datetime | None) -> str:
    """Word a time to the minute, in UTC.

    Examples
    --------
    >>> when(datetime(2026, 11, 20, 14, 2, 11, tzinfo=UTC))
    '20 Nov 2026 14:02 UTC'
    """
    if moment is None:
        return "not ended"
    utc = moment.astimezone(UTC)
    # Month names come from us, not from the locale of the machine that prints.
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year} {utc:%H:%M} UTC"


def clock(moment: datetime | None) -> str:
    """Word the time of a step to the second, in UTC; its date stands above the table."""
    return "" if moment is None else f"{moment.astimezone(UTC):%H:%M:%S}"


def number(value: Any) -> str:
    """Word a value; numbers with six significant digits.

    Examples
    --------
    >>> number(39.11312345), number(0.1), number(1e-9), number(True), number([1, 2.50])
    ('39.1131', '0.1', '1e-09', 'yes', '1, 2.5')
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.{SIGNIFICANT_DIGITS}g}"
        case Mapping():
            return "; ".join(f"{key}: {number(inner)}" for key, inner in value.items())
        case list() | tuple():
            return ", ".join(number(inner) for inner in value)
    return str(value)


def expectation(measurement: Measurement) -> str:
    """Word what was expected of a measurement.

    Examples
    --------
    >>> expectation(Measurement(name="Dmean", expected=39.113, actual=39.1, tolerance=0.15,
    ...                         unit="Gy", comparison="within", passed=True))
    '39.113 ± 0.15'
    """
    expected = number(measurement.expected)
    match measurement.comparison:
        case "within":
            return f"{expected} ± {number(measurement.tolerance)}"
        case "at_most":
            return f"at most {expected}"
        case "at_least":
            return f"at least {expected}"
        case "equal":
            return f"exactly {expected}"


def size(octets: int) -> str:
    """Word a file's size.

    Examples
    --------
    >>> size(532), size(48_200), size(3_400_000)
    ('532 B', '48 kB', '3.4 MB')
    """
    if octets < 1000:
        return f"{octets} B"
    if octets < 1_000_000:
        return f"{octets / 1000:.0f} kB"
    return f"{octets / 1_000_000:.1f} MB"


def counted(count: int, thing: str) -> str:
    """Word how many there are.

    Examples
    --------
    >>> counted(0, "deviation"), counted(1, "deviation"), counted(2, "deviation")
    ('no deviation', '1 deviation', '2 deviations')
    """
    return f"{count or 'no'} {thing}{'s' if count > 1 else ''}"


def short(digest: str) -> str:
    """Return the first digits of a digest, as they are printed."""
    return digest[:DIGEST_SHOWN]


def is_digest(value: Any) -> bool:
    """Tell whether a value is a SHA-256 or a commit, which are printed letter by letter.

    Examples
    --------
    >>> is_digest("ab" * 32), is_digest("sha256"), is_digest(12)
    (True, False, False)
    """
    return isinstance(value, str) and bool(_HEX.fullmatch(value))


def label(name: str) -> str:
    """Word the name of a field: ``risk_control_kind`` becomes "Risk control kind"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


_HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
