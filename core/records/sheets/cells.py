"""One value of a record as one cell of a spreadsheet, and back without loss."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from core.exports import FORMULA_STARTS
from core.records.type_shape import FieldSpec

_GUARDED = re.compile("'+[" + re.escape("".join(FORMULA_STARTS)) + "]")
_AT_RISK = re.compile("'*[" + re.escape("".join(FORMULA_STARTS)) + "]")

_WHOLE = re.compile(r"[+-]?\d{1,18}")

YES, NO = frozenset({"true", "yes", "y", "x", "1"}), frozenset({"false", "no", "n", "0"})


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `bare` takes the mark away.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1"), guarded("it's")
    ("'=1+1", "''=1", "it's")
    """
    return f"'{text}" if _AT_RISK.match(text) else text


def bare(text: str) -> str:
    """Return a text without the mark that `guarded` put before it.

    Examples
    --------
    >>> bare("'=1+1"), bare("''=1"), bare("'quoted'")
    ('=1+1', "'=1", "'quoted'")
    """
    return text[1:] if _GUARDED.match(text) else text


def joined(values: list[str]) -> str:
    r"""Write several texts as one; a semicolon or backslash inside is marked by a backslash.

    Examples
    --------
    >>> print(joined(["CT Image", "RT Plan; dose"]))
    CT Image; RT Plan\; dose
    """
    return "; ".join(one.replace("\\", "\\\\").replace(";", "\\;") for one in values)


def separated(text: str) -> list[str]:
    r"""Return the texts that `joined` wrote as one.

    Examples
    --------
    >>> separated("CT Image; RT Plan\\; dose")
    ['CT Image', 'RT Plan; dose']
    """
    found, here, escaped = [], [], False
    for char in text:
        if escaped:
            here.append(char)
        elif char == "\\":
            escaped = True
            continue
        elif char == ";":
            found.append("".join(here))
            here = []
        else:
            here.append(char)
        escaped = False
    found.append("".join(here))
    return [one for place, part in enumerate(found) if (one := part[_blank(part, place) :])]


def _blank(part: str, place: int) -> int:
    # One blank follows each semicolon; any further ones belong to the text.
    return 1 if place and part.startswith(" ") else 0


def written(spec: FieldSpec, value: Any) -> str:
    """Write one value of a field as a cell."""
    if value is None or value in ([], {}):
        return ""
    if spec.kind == "boolean":
        return "true" if value else "false"
    if spec.kind == "list":
        return guarded(joined([str(one) for one in value]))
    if spec.kind in ("mapping", "table"):
        return guarded(json.dumps(value, ensure_ascii=False))
    return guarded(str(value)) if isinstance(value, str) else str(value)


def read(spec: FieldSpec, text: str) -> Any:
    """Read one cell; what cannot be read stays text, for the check of the type to name."""
    text = bare(text)
    stripped = text.strip()
    if not stripped:
        return None
    if spec.kind == "choice":
        return _choice(spec, stripped)
    if spec.kind in _READERS:
        return _READERS[spec.kind](text if spec.kind == "list" else stripped)
    return text


def _choice(spec: FieldSpec, text: str) -> str:
    """Return the choice that a text means, whatever its capitals and hyphens."""
    meant = {re.sub(r"[\s_-]+", " ", one.lower()): one for one in spec.choices}
    return meant.get(re.sub(r"[\s_-]+", " ", text.lower()), text)


def _boolean(text: str) -> Any:
    word = text.lower()
    return True if word in YES else False if word in NO else text


def _whole(text: str) -> Any:
    return int(text) if _WHOLE.fullmatch(text) else text


def _number(text: str) -> Any:
    try:
        return int(text) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _whole,
    "number": _number,
    "list": separated,
    "mapping": _json,
    "table": _json,
    "date": str,
}
