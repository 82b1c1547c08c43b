"""A row as one line of JSON, and back: nothing in it is numbered as a database numbers rows.

Keys are sorted and texts are as they are. Fractions keep the form that Python gives them: 1.0 is
not 1 to somebody who reads it on a page.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Float, Integer
from sqlalchemy import Table as Sheet

from core.canonical import rfc3339
from core.db import JsonColumn, UtcDateTime

Row = dict[str, Any]


class OddRow(ValueError):
    """A line that is no row of its table; the message says why."""


def encoded(value: Any) -> Any:
    """Return a value of a column as JSON holds it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return value.isoformat() if isinstance(value, date) else value


def line_of(row: Row) -> bytes:
    """Write a row as one line."""
    text = json.dumps(
        row, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode() + b"\n"


def row_of(line: bytes) -> Row:
    """Read a line back.

    Raises
    ------
    OddRow
        If it is no JSON object.
    """
    if not line.endswith(b"\n"):
        raise OddRow("is cut off or far too long.")
    try:
        found = json.loads(line.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise OddRow(f"is no JSON ({error}).") from error
    if not isinstance(found, dict):
        raise OddRow("is no JSON object.")
    return found


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def decoded(column: Column[Any], value: Any) -> Any:
    """Return what a column holds, from JSON.

    Raises
    ------
    OddRow
        If that column cannot hold it.
    """
    if value is None:
        if not column.nullable and not isinstance(column.type, JsonColumn):
            raise OddRow(f"{column.name} is empty.")
        return None
    if isinstance(column.type, JsonColumn):
        return value
    if isinstance(column.type, UtcDateTime | Date):
        return _moment(column, value)
    kinds: tuple[type, ...] = (str,)
    if isinstance(column.type, Boolean):
        kinds = (bool,)
    elif isinstance(column.type, Integer):
        kinds = (int,)
    elif isinstance(column.type, Float):
        kinds = (int, float)
    if type(value) not in kinds or not _fits(column, value):
        raise OddRow(f"{column.name} holds {type(value).__name__} {str(value)[:40]!r}.")
    return value


def _fits(column: Column[Any], value: Any) -> bool:
    """Whether every database can hold a value of the right kind."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(column.type, Float):
        return bool(abs(value) <= sys.float_info.max)
    bits = 63 if isinstance(column.type, BigInteger) else 31
    return bool(-(2**bits) <= value < 2**bits)


def _moment(column: Column[Any], value: Any) -> date:
    try:
        if isinstance(column.type, Date):
            return date.fromisoformat(value)
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise OddRow(f"{column.name} holds no time: {str(value)[:40]!r}.") from error
    if found.tzinfo is None:
        raise OddRow(f"{column.name} holds a time without a zone.")
    return found


def columns_of(sheet: Sheet, left: tuple[str, ...] = ()) -> list[Column[Any]]:
    """Return the columns that a line holds: all but the row's number."""
    return [one for one in sheet.columns if one.name != "id" and one.name not in left]


def refuse_other_columns(columns: Sequence[Column[Any]], row: Row) -> None:
    """Refuse a row of another version of its table.

    Raises
    ------
    OddRow
        With what it has too much, or lacks.
    """
    odd = set(row) ^ {one.name for one in columns}
    if odd:
        told = ", ".join(sorted(odd))[:200]
        raise OddRow(f"has other columns than this version: {told}.")


def flat(parts: Any) -> Any:
    """Return the parts of a reference in one list, or the only one by itself."""
    if not isinstance(parts, list):
        return parts
    found: list[Any] = []
    for one in parts:
        found += one if isinstance(one, list) else [one]
    return found[0] if len(found) == 1 else found


def key_of(reference: Any) -> str:
    """Return a reference as one text, to look it up."""
    return json.dumps(reference, ensure_ascii=False, separators=(",", ":"))


def digests_in(value: Any) -> Iterator[str]:
    """Yield what looks like a SHA-256 anywhere in a value."""
    if isinstance(value, str):
        if len(value) == 64 and set(value) <= set("0123456789abcdef"):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from digests_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from digests_in(one)
