"""What differs between two revisions, word by word."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from core.records.content import Content, LinkDraft
from core.records.type_shape import FieldSpec, RecordType

MOST_WORDS = 6_000
"""Above it, finding the words costs seconds: the whole texts are shown instead."""

_WORDS = re.compile(r"\s+|\d+(?:\.\d+)+|\w+|[^\w\s]")
"""A number with its decimals is one word: 0.4 became 0.5, not 4 became 5."""

Kind = Literal["same", "added", "removed"]


@dataclass(frozen=True)
class Part:
    """A run of text that stayed, came or went."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Difference:
    """One value that differs."""

    label: str
    parts: tuple[Part, ...]


def lost_links(record_type: RecordType, before: Content, after: Content) -> list[LinkDraft]:
    """Return the links whose loss concerns their target: stated no more, or saying something else.

    A requirement that controlled a risk by protection and now does by information is one of them.
    """
    kept = [(one.role, one.project, one.target, dict(one.attributes)) for one in after.links]
    return [
        one
        for one in before.links
        if (spec := record_type.links.get(one.role)) is not None
        and spec.suspect != "none"
        and (one.role, one.project, one.target, dict(one.attributes)) not in kept
    ]


def word_difference(before: str, after: str) -> tuple[Part, ...]:
    """Return the runs of words that stayed, went and came.

    Examples
    --------
    >>> [(part.kind, part.text) for part in word_difference("at most 0.5 %", "at most 0.4 %")]
    [('same', 'at most '), ('removed', '0.5'), ('added', '0.4'), ('same', ' %')]
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        whole = (Part("removed", before), Part("added", after))
        return tuple(part for part in whole if part.text)
    parts = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(Part("same", "".join(old[i1:i2])))
            continue
        if i2 > i1:
            parts.append(Part("removed", "".join(old[i1:i2])))
        if j2 > j1:
            parts.append(Part("added", "".join(new[j1:j2])))
    return tuple(parts)


def compare(record_type: RecordType, before: Content, after: Content) -> list[Difference]:
    """Return every value that differs between two contents, in the order of the page."""
    old, new = _texts(record_type, before), _texts(record_type, after)
    labels = dict.fromkeys([*old, *new])
    return [
        Difference(label, word_difference(old.get(label, ""), new.get(label, "")))
        for label in labels
        if old.get(label, "") != new.get(label, "")
    ]


def _texts(record_type: RecordType, content: Content) -> dict[str, str]:
    texts = {"Title": content.title, record_type.body.label: content.body}
    for name, value in content.fields.items():
        spec = record_type.fields.get(name)
        texts[spec.label if spec else name] = plain(spec, value)
    for link in content.links:
        link_spec = record_type.links.get(link.role)
        label = f"Links: {link_spec.label if link_spec else link.role}"
        line = link.target if link.project is None else f"{link.target} of {link.project}"
        if link.attributes:
            line += f" ({', '.join(f'{k}: {v}' for k, v in link.attributes.items())})"
        texts[label] = f"{texts[label]}\n{line}" if label in texts else line
    return texts


def plain(spec: FieldSpec | None, value: Any) -> str:
    """Write a field's value as plain text, one entry or row per line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "\n".join(_row(spec, one) for one in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, indent=1)
    return str(value)


def _row(spec: FieldSpec | None, row: Any) -> str:
    if not isinstance(row, Mapping):
        return str(row)
    columns = spec.columns if spec else {}
    return "; ".join(
        f"{columns[name].label if name in columns else name}: {plain(columns.get(name), value)}"
        for name, value in row.items()
    )
