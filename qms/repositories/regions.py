"""Find which lines of a file a marker speaks for, and what they say.

Pure. Indentation, blank lines and brackets tell where a block ends; what stands in a string or a
comment does not. Where that leaves a doubt, a block is rather too long than too short: a link that
asks once too often is safe, one that stays silent is not.
"""

import re
from collections.abc import Collection, Sequence
from hashlib import sha256

from qms.repositories.layout import TAB, Layout, indent_of

Lines = Sequence[str]
Span = tuple[int, int]
"""First and last line, counted from 0, both included."""

MOST_TAGS = 50
"""Lines of tags and remarks above what they belong to."""

MOST_DECORATING = 200
"""Lines of decorators above what they belong to."""

_CONTINUES = re.compile(
    r"\s*(?:[)\]}{]|</|\{%-?\s*(?:end|el)|\.(?=\w)"
    r"|(?:else|elif|elsif|elseif|except|exception|finally|catch|case|when|default|otherwise"
    r"|begin|then|do|is|end\w*|done|fi|esac|rescue|ensure|until|where)\b)",
    re.IGNORECASE,
)
_CONTINUES_PYTHON = re.compile(r"\s*(?:[)\]}]|(?:else|elif|except|finally|case)\b)")
_CLOSER = re.compile(r"\s*[)\]}]")
_PATTERN = re.compile(r"[^\s()]*\)")
"""A branch of a shell's case."""
_TABLE = re.compile(r"\s*\[.*\]\s*$")
_STEP = re.compile(r"\s*(?:\||#|\*\s|\"\"\"|```|(?:Given|When|Then|And|But)\b)")
_KEYWORD = re.compile(r"\s*(?P<word>[^\W\d_][\w' ]*):")
_WHOLE = ("feature", "rule")
_TABLES = ("examples", "scenarios")


def block_from(
    page: Layout, start: int, stops: Collection[int] = (), *, alone: bool = False
) -> Span:
    """Return the block that begins at a line: the paragraph, and what is within it or below it.

    Parameters
    ----------
    stops : collection of int
        Lines of the same indentation at which something else begins.
    alone : bool
        Whether what follows beside the line is no part of it.

    Examples
    --------
    >>> from qms.repositories.layout import layout_of
    >>> block_from(layout_of(["def f():", "    a()", "", "    b()", "", "def g():"], "python"), 0)
    (0, 3)
    """
    lines, base, indent = page.lines, page.low[start], indent_of(page.lines[start])
    last, deeper, blank, stopped, taken = start, alone, False, False, True
    decorates = lines[start].lstrip().startswith("@")
    for at in range(start + 1, len(lines)):
        line = lines[at]
        depth = indent_of(line)
        if at in page.inside:
            last = at if taken else last
        elif not line.strip():
            blank = True
        elif page.depth[at] > base:
            last, taken, blank, stopped = at, True, False, False
            deeper = deeper or page.braced
        elif at in page.aside:
            stopped = stopped or at in stops
            near = depth == indent and not (blank or deeper or stopped)
            taken = near or depth > indent
            last = at if taken else last
        elif depth > indent:
            deeper, blank, stopped, last, taken = True, False, False, at, True
        elif depth < indent or _ends(
            page, start, at, over=blank or deeper or stopped, stop=at in stops, held=decorates
        ):
            break
        else:
            blank, stopped, last, taken = False, False, at, True
            decorates = line.lstrip().startswith("@")
    return start, last


def _ends(page: Layout, start: int, at: int, *, over: bool, stop: bool, held: bool) -> bool:
    """Whether a line beside the first one of a block begins something else."""
    line, first = page.lines[at], page.lines[start].lstrip()
    if held:
        return False
    if page.braced and page.low[at] < page.low[start] and _CLOSER.match(line):
        return True
    if page.dialect == "hash":
        if _TABLE.match(first):
            return bool(_TABLE.match(line))
        item = line.lstrip().startswith("- ") and not first.startswith("- ")
        if item or _PATTERN.match(line.lstrip()):
            return stop
    continues = _CONTINUES_PYTHON if page.dialect == "python" else _CONTINUES
    return stop or (over and not continues.match(line))


def decorated(page: Layout, start: int, stops: Collection[int] = ()) -> int:
    """Return the line at which what begins at a line begins with its decorators."""
    indent, first = indent_of(page.lines[start]), start
    for above in range(start - 1, max(start - 1 - MOST_DECORATING, -1), -1):
        line = page.lines[above]
        if not line.strip() or (indent_of(line) <= indent and page.is_code(above)):
            beside = indent_of(line) == indent and page.depth[above] == page.depth[start]
            if not (beside and line.lstrip().startswith("@")):
                if page.depth[above] > page.depth[start]:
                    continue
                break
            first = first if above in stops else above
    return first


def block_around(page: Layout, at: int, stops: Collection[int] = ()) -> Span:
    """Return the block that a line stands in; the whole file for a line that stands in none."""
    at = page.begin(page.commented.get(at, at))
    opener = _bracket_around(page, at) if page.braced and page.depth[at] else None
    if opener is not None:
        return block_from(page, opener, stops)
    indent = indent_of(page.lines[at])
    for above in range(at - 1, -1, -1):
        line = page.lines[above]
        if page.is_code(above) and indent_of(line) < indent:
            if page.depth[above] > page.depth[at] or _CONTINUES_PYTHON.match(line):
                # The last line of a signature that was broken over several.
                indent = indent_of(line) + 1
                continue
            return block_from(page, decorated(page, above, stops), stops)
    return 0, max(len(page.lines) - 1, 0)


def _bracket_around(page: Layout, at: int) -> int | None:
    """Return the line of what opened the innermost bracket around a line."""
    depth, opener = page.depth[at], at
    while opener > 0 and page.low[opener] >= depth:
        opener -= 1
    lowest = page.low[opener]
    if lowest >= depth:
        return None
    while opener > 0 and (page.depth[opener] > lowest or opener in page.inside):
        opener -= 1
    indent = indent_of(page.lines[opener])
    while opener > 0 and page.lines[opener].strip() == "{":
        above = page.lines[opener - 1]
        if not page.is_code(opener - 1) and page.depth[opener - 1] <= lowest:
            break
        if page.depth[opener - 1] <= lowest and indent_of(above) != indent:
            break
        opener -= 1
        while opener > 0 and page.depth[opener] > lowest:
            opener -= 1
    return opener


def scenario_from(page: Layout, at: int) -> Span:
    """Return what a line of Gherkin tags belongs to: a feature to its end, or a scenario."""
    lines = page.lines
    below = range(at + 1, min(at + 1 + MOST_TAGS, len(lines)))
    head = next((n for n in below if _KEYWORD.match(lines[n])), None)
    if head is None:
        return at, at
    if _word(lines[head]) in _WHOLE:
        return at, len(lines) - 1
    indent, last = indent_of(lines[head]), head
    for after in range(head + 1, len(lines)):
        line = lines[after]
        if after not in page.inside:
            if not line.strip():
                continue
            if indent_of(line) <= indent and not _STEP.match(line):
                word = _word(line)
                if line.lstrip().startswith("@") or (word and word not in _TABLES):
                    break
        last = after
    return at, last


def _word(line: str) -> str:
    found = _KEYWORD.match(line)
    return found["word"].lower() if found else ""


def said_by(lines: Lines, span: Span, without: Collection[int] = ()) -> list[str]:
    """Return the lines of a span as they are compared: no markers, no common indentation.

    So a block that is moved into a class, or that one more marker is written above, is the same.
    """
    first, last = span
    chosen = [
        lines[at].expandtabs(TAB).rstrip() for at in range(first, last + 1) if at not in without
    ]
    while chosen and not chosen[-1]:
        chosen.pop()
    margin = min((indent_of(line) for line in chosen if line), default=0)
    return [line[margin:] for line in chosen]


def digest_of(said: Sequence[str]) -> str:
    """Return the digest of what a span says."""
    return sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()
