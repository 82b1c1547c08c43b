"""Records, values and tables in Markdown that says the same wherever it is rendered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.canonical import canonical_json
from core.records.type_shape import FieldSpec

_MARKS = re.compile(r"[\\`*{}\[\]|]|(?<!\w)_|_(?!\w)")
_STARTS = re.compile(r"^(\s*)([#>+=~-]|\d+(?=[.)]\s))", re.MULTILINE)
_FENCED = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_NO_TEXT = re.compile(r"^ {0,3}(#{1,6}(\s|$)|>|[-+*]\s|\d{1,9}[.)]\s)| {4}|\t")
_CODE = re.compile(r"(?<!`)((?:``[^`]+``|`[^`]+`)(?!`))")
_HEADING = re.compile(r"^ {0,3}(#{1,6})(?=\s|$)")
LOWEST = 6


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


def demoted(text: str, below: int = 3) -> str:
    r"""Return a text that stays in its place in the document around it.

    Its headings stand below those of the document, a fence that it opens is closed, and outside
    code nothing begins a tag or a comment.

    Examples
    --------
    >>> demoted("# Limits")
    '#### Limits'
    >>> demoted("Limits\n---\na < b")
    '##### Limits\n\na &lt; b'
    """
    lines: list[str] = []
    fence, since = "", 0
    for line in text.strip("\n").split("\n"):
        if fence:
            lines.append(line)
            if _ends(line, fence):
                fence, since = "", len(lines)
            continue
        if marked := _FENCED.match(line):
            fence = marked[1]
            lines.append(line)
            continue
        if (under := _UNDERLINE.match(line)) and _paragraph(lines, since):
            first = _paragraph(lines, since)
            title = " ".join(one.strip() for one in lines[first - 1 :])
            level = 1 if under[1][0] == "=" else 2
            lines[first - 1 :] = [f"{'#' * min(LOWEST, level + below)} {title}", ""]
            continue
        line = _HEADING.sub(lambda found: "#" * min(LOWEST, len(found[1]) + below), line)
        lines.append(_without_tags(line))
    return "\n".join([*lines, fence] if fence else lines)


def _ends(line: str, fence: str) -> bool:
    """Whether a line closes a fence: its mark, at least as often, and nothing else."""
    said = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return indent <= 3 and len(said) >= len(fence) and set(said) == {fence[0]}


def _paragraph(lines: Sequence[str], since: int) -> int:
    """Return from which line, counted from 1, the last paragraph goes; 0 where there is none."""
    at = len(lines)
    while at > since and lines[at - 1].strip() and not _NO_TEXT.match(lines[at - 1]):
        at -= 1
    return at + 1 if at < len(lines) else 0


def _without_tags(line: str) -> str:
    """Return a line in which `<` is a character, but for code, which says it as it is."""
    if line.startswith(("    ", "\t")):
        return line.replace("<!--", "&lt;!--")
    parts = _CODE.split(line)
    return "".join(part if at % 2 else part.replace("<", "&lt;") for at, part in enumerate(parts))
