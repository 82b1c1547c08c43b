"""Whether an entry of another installation's audit trail says what its readers here rely on."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.canonical import LARGEST_INTEGER, read_json
from core.ledger.brought import IMPORTED
from core.ledger.placing import ACTION as VERIFIED

_NUMBER, _TEXT = "a number", "a text"
_NEEDED: tuple[tuple[str, Mapping[str, str]], ...] = (
    (VERIFIED, {"entries": _NUMBER, "findings": _NUMBER}),
    (IMPORTED, {"archive": _TEXT}),
    ("record:[^:]*:approve", {"revision": _NUMBER, "envelope": _TEXT}),
    ("record:[^:]*:move", {"revision": _NUMBER, "from": _TEXT}),
)
_OF_A_REVISION = {"revision": _NUMBER, "content": _TEXT, "envelope": _TEXT, "state": _TEXT}
_TEXTS = ("at", "person_name", "action", "subject", "data", "previous", "hash")
_NUMBERS = ("seq", "person_id", "project_id")


def odd_entry(kept: Mapping[str, Any]) -> str:
    """Return what is wrong with the form of an entry that was kept word for word; empty if fine.

    Examples
    --------
    >>> odd_entry({"seq": "5"})
    'is no entry of an audit trail.'
    """
    if set(kept) != {*_TEXTS, *_NUMBERS} or not all(isinstance(kept[one], str) for one in _TEXTS):
        return "is no entry of an audit trail."
    numbers = [kept["seq"], *(kept[one] for one in _NUMBERS[1:] if kept[one] is not None)]
    if not all(type(one) is int and 0 < one <= LARGEST_INTEGER for one in numbers):
        return "is no entry of an audit trail."
    try:
        aware = datetime.fromisoformat(kept["at"]).tzinfo is not None
        details = read_json(kept["data"].encode())
    except (ValueError, RecursionError):
        return f"entry {kept['seq']} cannot be read."
    if not aware or not isinstance(details, dict):
        return f"entry {kept['seq']} cannot be read."
    return _lacking(kept, details)


def _lacking(kept: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    action = kept["action"]
    needed = next((one for like, one in _NEEDED if re.fullmatch(like, action)), {})
    if action.startswith("record:") and "revision" in details:
        needed = {**needed, **_OF_A_REVISION}
    if "signature" in details:
        needed = {**needed, "signature": _TEXT}
    for name, kind in needed.items():
        value = details.get(name)
        fine = isinstance(value, str) if kind == _TEXT else type(value) is int and value >= 0
        if not fine:
            return f"entry {kept['seq']} ({action[:60]}) does not say {name} as {kind}."
    return ""
