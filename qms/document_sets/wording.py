"""Records, values and tables in Markdown that says the same wherever it is rendered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.canonical import canonical_json
from core.records.type_shape import FieldSpec
from qms.document_sets.placing import demoted

_MARKS = re.compile(r"[\\`*{}\[\]|]|(?<!\w)_|_(?!\w)")
_STARTS = re.compile(r"^(\s*)([#>+=~-]|\d+(?=[.)]\s))", re.MULTILINE)


def plain(text: str) -> str:
    r"""Return a text with nothing in it that Markdown takes for more than text.

    Examples
    --------
    >>> plain("dose_gy < 5 *Gy* | [x]")
    'dose_gy &lt; 5 \\*Gy\\* \\| \\[x\\]'
    """
    written = _MARKS.sub(lambda found: f"\\{found[0]}", text)
    written = written.replace("&", "&amp;").replace("<", "&lt;")
    return _STARTS.sub(_not_a_start, written)


def _not_a_start(found: re.Match[str]) -> str:
    mark = found[2]
    return f"{found[1]}{mark}\\" if mark[0].isdigit() else f"{found[1]}\\{mark}"


def cell(text: str) -> str:
    """Return a text on one line, as a table takes it."""
    return " / ".join(plain(line.strip()) for line in text.splitlines() if line.strip())


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts."""
    lines = [headings, ["---"] * len(headings)]
    lines += [[cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def as_words(value: Any) -> str:
    """Return a value as a reader says it, on one line or several."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    if isinstance(value, list | Mapping):
        return canonical_json(value).decode()
    return str(value)


def field(spec: FieldSpec, value: Any) -> str:
    """Return a field of a record: its label, and the value beside it or below."""
    if spec.kind == "markdown":
        return f"**{plain(spec.label)}**\n\n{demoted(str(value))}"
    rows = spec.kind == "table" and all(isinstance(one, Mapping) for one in value)
    if rows and spec.columns:
        names = [name for name in spec.columns if any(name in row for row in value)]
        shown = [[as_words(row.get(name, "")) for name in names] for row in value]
        headings = [spec.columns[name].label for name in names]
        return f"**{plain(spec.label)}**\n\n{table(headings, shown)}"
    if spec.kind == "list" or (isinstance(value, str) and "\n" in value.strip()):
        lines = [line for line in as_words(value).splitlines() if line.strip()]
        return f"**{plain(spec.label)}**\n\n" + "\n".join(f"- {plain(line)}" for line in lines)
    return f"**{plain(spec.label)}:** {plain(as_words(value).strip())}"
