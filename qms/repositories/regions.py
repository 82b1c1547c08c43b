"""Find which lines of a file a marker speaks for, and what they say.

Pure. The rules look at indentation and blank lines only, so that they hold for any language.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import sha256

Lines = Sequence[str]
Span = tuple[int, int]
"""First and last line, counted from 0, both included."""

TAB = 8

MOST_TAGS = 50
"""Lines of tags and remarks above what they belong to."""

_CONTINUES = re.compile(
    r"\s*(?:[)\]}{]|(?:else|elif|except|finally|catch|case|when|end|done|fi|esac)\b)"
)
_STEP = re.compile(r"\s*(?:\||#|\*\s|\"\"\"|```|(?:Given|When|Then|And|But)\b)")
_KEYWORD = re.compile(r"\s*(?P<word>[^\W\d_][\w' ]*):")
_WHOLE = ("feature", "rule")
_TABLES = ("examples", "scenarios")


@lru_cache(maxsize=1 << 16)
def indent_of(line: str) -> int:
    """Return the width of a line's indentation."""
    text = line.expandtabs(TAB)
    return len(text) - len(text.lstrip())


def block_from(lines: Lines, start: int, stops: Collection[int] = ()) -> Span:
    """Return the block that begins at a line: the paragraph, and what is indented below it.

    Parameters
    ----------
    stops : collection of int
        Lines of the same indentation at which something else begins.

    Examples
    --------
    >>> block_from(["def f():", "    a()", "", "    b()", "", "def g():"], 0)
    (0, 3)
    """
    indent, last, deeper, blank = indent_of(lines[start]), start, False, False
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if not line.strip():
            blank = True
            continue
        depth = indent_of(line)
        if depth < indent:
            break
        if depth == indent:
            ends = (blank or deeper) and not _CONTINUES.match(line)
            if ends or at in stops:
                break
        deeper, blank, last = deeper or depth > indent, False, at
    return start, last


def block_around(lines: Lines, at: int, stops: Collection[int] = ()) -> Span:
    """Return the block that a line stands in; the whole file for a line that stands in none."""
    indent = indent_of(lines[at])
    for above in range(at - 1, -1, -1):
        line = lines[above]
        if line.strip() and indent_of(line) < indent:
            if _CONTINUES.match(line):
                # The last line of a signature that was broken over several.
                indent = indent_of(line) + 1
                continue
            return block_from(lines, above, stops)
    return 0, max(len(lines) - 1, 0)


def scenario_from(lines: Lines, at: int) -> Span:
    """Return what a line of Gherkin tags belongs to: a feature to its end, or a scenario."""
    below = range(at + 1, min(at + 1 + MOST_TAGS, len(lines)))
    head = next((n for n in below if _KEYWORD.match(lines[n])), None)
    if head is None:
        return at, at
    if _word(lines[head]) in _WHOLE:
        return at, len(lines) - 1
    indent, last = indent_of(lines[head]), head
    for after in range(head + 1, len(lines)):
        line = lines[after]
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
