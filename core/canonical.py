"""One way to write a value as bytes, so that the same content has the same digest everywhere.

The bytes are JSON in the canonical form of RFC 8785. The database, the Git export, the pack and
the offline verifier all digest these bytes; nothing else in the product serialises for a digest.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import rfc8785

DEEPEST_NESTING = 64
"""Deeper content is a fault or an attack: no record type nests more than a table in a mapping."""

LARGEST_INTEGER = 2**53 - 1
"""Integers beyond this change their value in readers that hold JSON numbers as doubles."""


class NotCanonical(ValueError):
    """A value has no canonical form; the message says where it stands and what to do."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.steps: list[str] = []

    def __str__(self) -> str:
        where = "".join(reversed(self.steps)) or "the value"
        return f"{where.removeprefix('.')}: {self.what}"


def rfc3339(moment: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC, always with six decimals and ``Z``.

    Examples
    --------
    >>> rfc3339(datetime(2026, 11, 20, 14, 10, tzinfo=UTC))
    '2026-11-20T14:10:00.000000Z'
    """
    if moment.utcoffset() is None:
        raise NotCanonical(f"the time {moment.isoformat()} has no time zone; give it one (UTC).")
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON (RFC 8785) of plain content.

    Parameters
    ----------
    value : None, bool, int, float, str, date, datetime, or mappings, lists and tuples of these
        Times become RFC 3339 in UTC, dates ISO 8601, tuples lists. ``1.0`` and ``1`` are the same
        number in JSON and so have the same bytes.

    Raises
    ------
    NotCanonical
        If the value holds NaN or an infinity, a key that is not text, a time without a zone, an
        integer beyond 2**53 - 1, text that is not Unicode, or anything JSON cannot say.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": (True, None)})
    b'{"a":[true,null],"b":1}'
    """
    if _is_usual(value):
        try:
            return _USUAL.encode(value).encode()
        except UnicodeEncodeError:
            pass  # Half of a surrogate pair: the long way says where it stands.
    return rfc8785.dumps(plain(value))


_USUAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
"""Python's own encoder writes the canonical form of usual content, ten times as fast."""


def _is_usual(value: Any, depth: int = 0) -> bool:
    """Whether a value is text, small integers and the like, in mappings whose keys are ASCII.

    Only fractions and keys beyond the basic plane are written or sorted differently by RFC 8785.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-LARGEST_INTEGER <= value <= LARGEST_INTEGER)
    if depth >= DEEPEST_NESTING:
        return False
    if kind is dict:
        return all(
            type(key) is str and key.isascii() and _is_usual(inner, depth + 1)
            for key, inner in value.items()
        )
    return (kind is list or kind is tuple) and all(_is_usual(inner, depth + 1) for inner in value)


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in lower-case hex.

    Examples
    --------
    >>> digest({})
    '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def read_json(data: bytes) -> Any:
    """Read JSON strictly, so that what is read has the digest of what was written.

    Raises
    ------
    NotCanonical
        If the bytes are not UTF-8 JSON, repeat a key in one object, or say what JSON cannot: NaN,
        a number without end, half of a surrogate pair.

    Examples
    --------
    >>> read_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_int=_number,
            parse_float=_fraction,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotCanonical(f"this is not JSON: {error}.") from error
    except RecursionError:
        raise NotCanonical("this JSON is nested too deeply to read; it is not ours.") from None
    if _HALF.search(data):
        plain(found)
    return found


_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape of half a surrogate pair; whether the other half stands beside it is then asked."""


def _number(text: str) -> int | float:
    """Integers that no double holds exactly were written from a float, and are one again."""
    if len(text) > len("-9007199254740991"):
        return _fraction(text)
    value = int(text)
    return value if abs(value) <= LARGEST_INTEGER else float(text)


def _fraction(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_constant(text[:40])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotCanonical(f"the key {twice!r} stands twice in one object.")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise NotCanonical(f"{name} is not a JSON number.")


def plain(value: Any, depth: int = 0) -> Any:
    """Return `value` as plain JSON content, or say where it has no canonical form.

    Examples
    --------
    >>> plain({"done": date(2026, 11, 20)})
    {'done': '2026-11-20'}
    """
    if isinstance(value, Mapping | list | tuple):
        if depth >= DEEPEST_NESTING:
            raise NotCanonical(f"nested deeper than {DEEPEST_NESTING} levels; make it flatter.")
        return _mapping(value, depth) if isinstance(value, Mapping) else _list(value, depth)
    return _scalar(value)


def _mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    result = {}
    for key, inner in value.items():
        if not isinstance(key, str):
            raise NotCanonical(f"the key {key!r} is not text; keys of JSON objects are text.")
        _refuse_broken_text(key)
        try:
            result[key] = plain(inner, depth + 1)
        except NotCanonical as refusal:
            refusal.steps.append(f".{key}")
            raise
    return result


def _list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    result = []
    for number, inner in enumerate(value):
        try:
            result.append(plain(inner, depth + 1))
        except NotCanonical as refusal:
            refusal.steps.append(f"[{number}]")
            raise
    return result


def _scalar(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            _refuse_broken_text(value)
            return value
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise NotCanonical(f"the integer {value} is beyond 2**53 - 1; write it as text.")
            return value
        case float():
            if not math.isfinite(value):
                raise NotCanonical(f"{value} is not a JSON number; leave the field empty instead.")
            return value
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
    raise NotCanonical(f"a {type(value).__name__} has no JSON form; turn it into plain values.")


def _refuse_broken_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("the text holds half of a surrogate pair; it is not Unicode.") from None
