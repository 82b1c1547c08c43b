"""YAML of other tools, changed in place: comments, order and what is not ours stay as they are."""

import io
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import LiteralScalarString

from core.errors import Fault, Invalid
from qms.interchange.mapping.origin import plain
from qms.interchange.readers.gathering import shape_of

There = Callable[[str], bytes | None]
"""Gives the bytes of a file that stands there already, by its name in the corpus."""

WIDEST = 10_000
"""Lines are never broken: a text stays as its author broke it."""


def load(data: bytes | None, name: str) -> Any:
    """Return what a file holds, with its comments; None where there is none.

    Raises
    ------
    Invalid
        If it is no YAML that can be read.
    """
    if data is None or not data.strip():
        return None
    try:
        return _yaml().load(data.decode("utf-8-sig"))
    except (YAMLError, ValueError, RecursionError) as error:
        raise _unchangeable(name, " ".join(str(error).split())[:160]) from error


def entries(value: Any, name: str, what: str) -> Any:
    """Return a mapping of a file that there is, or a new one where nothing is said.

    Raises
    ------
    Invalid
        If it is anything else: nothing can be put there without taking that away.
    """
    if value is None or isinstance(value, dict):
        return CommentedMap() if value is None else value
    raise _unchangeable(name, f"{what} holds {shape_of(value)} where a mapping is expected.")


def rows(value: Any, name: str, what: str) -> Any:
    """Return a list of a file that there is, or a new one where nothing is said.

    Raises
    ------
    Invalid
        As `entries`.
    """
    if value is None or isinstance(value, list):
        return CommentedSeq() if value is None else value
    raise _unchangeable(name, f"{what} holds {shape_of(value)} where a list is expected.")


def _unchangeable(name: str, why: str) -> Invalid:
    mend = "Mend it, or write into an empty folder."
    return Invalid(
        "Nothing was written.", [Fault("TR342", name, f"cannot be changed: {why}", mend)]
    )


def dump(value: Any, before: bytes | None = None, offset: int = 2) -> bytes:
    """Return a value as YAML.

    Parameters
    ----------
    before : bytes, optional
        The file as it was; where nothing in it changed, it is returned as it stands.
    offset : int
        How far the entries of a list are drawn in, where the file does not show it.
    """
    text = before.decode("utf-8-sig") if before else ""
    if before and plain(_yaml().load(text)) == plain(value):
        return before
    yaml = _yaml()
    if not text or ": null" in text or "- null" in text:
        yaml.Representer = _WithNull
    found = _DRAWN_IN.search(text)
    offset = len(found[2]) - len(found[1]) if found else offset
    yaml.indent(mapping=2, sequence=2 + offset, offset=offset)
    out = io.StringIO()
    yaml.dump(value, out)
    return out.getvalue().encode()


class _WithNull(RoundTripRepresenter):
    """Writes the word where nothing is said; otherwise the place stays empty."""


_WithNull.add_representer(
    type(None), lambda one, _: one.represent_scalar("tag:yaml.org,2002:null", "null")
)

_DRAWN_IN = re.compile(r"^( *)[^\s#-][^\n]*:[ ]*\n(?: *#[^\n]*\n)*( *)- ", re.MULTILINE)
"""A key and the first entry of the list below it."""


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = WIDEST
    yaml.preserve_quotes = True
    return yaml


def put(entry: Any, fields: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Say in an entry what a record says; what it says already stays as it is written.

    Parameters
    ----------
    texts : mapping
        Texts that need no key where they are empty.
    """
    for key, value in texts.items():
        if (value or key in entry) and not (key in entry and _same(entry[key], value)):
            entry[key] = _as_before(entry.get(key), value)
    for key, value in fields.items():
        if key not in entry or not _same(entry[key], value):
            entry[key] = written(value)


def _as_before(there: Any, value: str) -> Any:
    """Return a text in the form that the one before it had: a block stays a block."""
    if isinstance(there, str) and there.endswith("\n") and value:
        return LiteralScalarString(f"{value.strip()}\n")
    return written(value)


def _same(there: Any, value: Any) -> bool:
    if isinstance(there, str) and isinstance(value, str):
        # Readers take the text without the line ends around it.
        return there.strip() == value.strip()
    if there in (None, "") and value in (None, "", []):
        return True
    if isinstance(there, date) and isinstance(value, str):
        return there.isoformat() == value
    return bool(there == value)


def written(value: Any) -> Any:
    """Return a value as it is best read: a text of several lines as a block."""
    if isinstance(value, str) and "\n" in value and value == value.strip():
        return LiteralScalarString(f"{value}\n")
    if isinstance(value, Mapping):
        return CommentedMap({key: written(one) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return [written(one) for one in value]
    return value
