"""Spell plain values as YAML in exactly one way, so that the same record has the same bytes.

What is written is a small part of YAML: block mappings and lists, one item per line, texts plain
where they can be, and one sentence per line where folding gives the same text back.
`qms.interchange.markdown.plain_yaml` reads exactly this part, and quickly.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.canonical import LARGEST_INTEGER

NO_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
"""Words that some YAML, old or new, takes for something else than text."""

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_ENDS_OF_LINES = "\u2028\u2029\ufeff\ufffe\uffff"
_UNPRINTABLE = re.compile(f"[{_CONTROLS}{_ENDS_OF_LINES}\ud800-\udfff]")
"""What YAML does not allow as it is, or takes for the end of a line; tab and line feed aside."""

_ONE_LINE = re.compile(r"[^\W\d_](?:.*\S)?", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-ZÀ-Þ])")


def is_plain(text: str) -> bool:
    """Whether a text on one line can stand without quotes, and every YAML reads it as text.

    Examples
    --------
    >>> [is_plain(one) for one in ("REQ-001", "2026-11-20", "no", "1.0", "a: b", "- a")]
    [True, True, False, False, False, False]
    """
    if DAY.fullmatch(text):
        return True
    if not _ONE_LINE.fullmatch(text) or text.lower() in NO_TEXT:
        return False
    if ": " in text or " #" in text or text.endswith(":"):
        return False
    return not ("\n" in text or "\t" in text) and is_printable(text)


def quoted(text: str) -> str:
    r"""Return a text in double quotes, which JSON and YAML read alike.

    Examples
    --------
    >>> quoted('say "yes"\r\n')
    '"say \\"yes\\"\\r\\n"'
    """
    written = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def is_printable(text: str) -> bool:
    """Whether a text holds nothing that Git, an editor or YAML takes for something else."""
    return not _UNPRINTABLE.search(text)


def _is_verbatim(text: str) -> bool:
    """Whether a text of several lines can stand in YAML as it is: no line ends in a space."""
    return is_printable(text) and all(line == line.rstrip() for line in text.split("\n"))


def mapping_lines(value: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    r"""Spell a mapping, its keys in the order in which they are given.

    Examples
    --------
    >>> print("\n".join(mapping_lines({"a": [1, {"b": "One. Two.", "c": []}], "d": "x"})))
    a:
      - 1
      - b: >-
          One.
          Two.
        c: []
    d: x
    """
    for key, inner in value.items():
        yield from _entry(f"{' ' * indent}{_key(key)}:", inner, indent)


def _key(key: str) -> str:
    plain = PLAIN_KEY.fullmatch(key) and key.lower() not in NO_TEXT
    return key if plain else quoted(key)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    """Spell what follows a key or a dash, which stands at `indent`."""
    if isinstance(value, str):
        yield from _text(head, value, indent + 2)
    elif isinstance(value, Mapping) and value:
        yield head
        yield from mapping_lines(value, indent + 2)
    elif isinstance(value, list | tuple) and value:
        yield head
        yield from _list_lines(value, indent + 2)
    else:
        yield f"{head} {_scalar(value)}"


def _list_lines(values: Sequence[Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *more = mapping_lines(value, indent + 2)
            yield f"{margin}- {first[indent + 2 :]}"
            yield from more
        elif isinstance(value, list | tuple):
            yield f"{margin}- {_flow(value)}"
        else:
            yield from _entry(f"{margin}-", value, indent)


def _text(head: str, text: str, indent: int) -> Iterator[str]:
    margin = " " * indent
    if "\n" in text:
        style = "|" if text.endswith("\n") else "|-"
        said = text.removesuffix("\n")
        inside = said and not said[0].isspace() and not said.endswith("\n") and _is_verbatim(said)
        if inside:
            yield f"{head} {style}"
            yield from (f"{margin}{line}" if line else "" for line in said.split("\n"))
            return
    sentences = _SENTENCE_END.split(text)
    if len(sentences) > 1 and _folds(text, sentences):
        yield f"{head} >-"
        yield from (f"{margin}{one}" for one in sentences)
        return
    yield f"{head} {text if is_plain(text) else quoted(text)}"


def _folds(text: str, sentences: Sequence[str]) -> bool:
    """Whether lines with one sentence each are the same text again when YAML folds them."""
    if "\n" in text or not is_printable(text):
        return False
    return all(one and not one[0].isspace() and not one[-1].isspace() for one in sentences)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        # 1.0 and 1 are the same number in a digest, and so are spelt alike.
        whole = value.is_integer() and abs(value) <= LARGEST_INTEGER
        return str(int(value)) if whole else repr(value)
    if isinstance(value, Mapping | list | tuple):
        return _flow(value)
    return str(value)


def _flow(value: Any) -> str:
    """Spell a value on one line; a row of a risk matrix is one."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{quoted(key)}: {_flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flow(one) for one in value)}]"
    return _scalar(value)
