"""A field's value as text in a cell or an attribute, and back: nothing is lost on the way."""

import math
from collections.abc import Mapping
from typing import Any

from core.canonical import LARGEST_INTEGER, NotCanonical, canonical_json, read_json
from core.records.type_shape import FieldSpec

TEXTS = frozenset({"string", "text", "markdown", "date", "choice"})
"""Kinds of fields whose value is text, and stands as it is."""


_KINDS: Mapping[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "boolean": (bool,), "mapping": (dict,),
}  # fmt: skip
_ITEMS: Mapping[str, type] = {"list": str, "table": dict}


def as_json(value: Any) -> str:
    """Return a value as JSON in its one canonical spelling."""
    return canonical_json(value).decode()


def as_text(value: Any) -> str:
    """Return a value as text: texts as they are, all else as JSON."""
    return value if isinstance(value, str) else as_json(value)


def fits(spec: FieldSpec | None, value: Any) -> bool:
    """Whether a value is of the kind that its type states today, so that `value_of` gives it back.

    A type may have changed since the value was kept. What does not fit is written apart, as JSON.
    """
    if spec is None or value in ("", [], {}):
        return False
    if spec.kind == "choice":
        return value in spec.choices
    if spec.kind in _ITEMS:
        item = _ITEMS[spec.kind]
        return isinstance(value, list) and all(isinstance(one, item) for one in value)
    return type(value) in _KINDS.get(spec.kind, (str,))


def value_of(spec: FieldSpec, text: str) -> Any:
    r"""Return the value that a text stands for; whether it is allowed its type says later.

    Raises
    ------
    ValueError
        If the kind of the field is no text and this is no JSON.

    Examples
    --------
    >>> value_of(FieldSpec(label="Count", kind="integer"), "12")
    12
    >>> value_of(FieldSpec(label="Names", kind="list"), "one\ntwo")
    ['one', 'two']
    """
    if spec.kind in TEXTS:
        return text
    if spec.kind == "list" and not text.startswith("["):
        return text.split("\n")
    return from_json_text(text)


def from_json_text(text: str) -> Any:
    """Return what a JSON text says.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return read_json(text.encode())
    except (NotCanonical, UnicodeEncodeError) as error:
        raise ValueError(f"'{text[:40]}' is not JSON") from error


def number_of(text: str) -> int | float:
    """Return a number in the spelling of XML or of people.

    Raises
    ------
    ValueError
        If it is none, or none that is finite.
    """
    try:
        whole = int(text) if len(text) <= len(str(-LARGEST_INTEGER)) else None
    except ValueError:
        whole = None
    if whole is not None and abs(whole) <= LARGEST_INTEGER:
        return whole
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"'{text[:40]}' is no finite number")
    return value
