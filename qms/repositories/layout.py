"""Tell a file's strings, comments and brackets from its statements, so that blocks can be told.

Pure. Python is read with its own tokenizer; every other language, and Python that cannot be read,
by the few shapes that strings, comments and brackets have.
"""

import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

TAB = 8

MOST_OPEN = 200
"""Brackets inside each other that are followed; a file that people write holds fewer."""

MOST_ENDS = 50
"""Texts within a shell script whose end is looked for."""

_CLOSES = {")": "(", "]": "[", "}": "{", "end": "begin"}
_DIRECTIVE = re.compile(
    r"\s*#\s*(?P<word>if|ifdef|ifndef|else|elif|endif|define|undef|include|pragma|error|warning"
    r"|line|region|endregion)\b"
)
_QUOTES = r"\"(?:[^\"\\\n]|\\.)*\"|(?<![\w)\]}'.])'(?:[^'\\\n]|\\.)*'"
_PLAIN_QUOTES = r"\"[^\"\n]*\"|(?<![\w)\]}'.])'[^'\n]*'"
_LONG_QUOTES = r"\"\"\"[\s\S]*?(?:\"\"\"|\Z)"
_SLASHED = r"/\*[\s\S]*?(?:\*/|\Z)|(?<!:)//[^\n]*"
_HASHED = r"(?:^|(?<=[\s;]))\#[^\n]*"
_BRACKET = r"[()\[\]{}]"
_REGEX = (
    r"(?:(?<=[(,=:\[!&|?])|(?<=[(,=:\[!&|?]\ ))"
    r"/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){0,80}\]){1,200}/"
)
_LIFETIME = r"(?<=[&<])'\w+\b(?!')|(?<=,\ )'\w+(?=[>,])"


def _shapes(comment: str, quoted: str, bracket: str = _BRACKET) -> re.Pattern[str]:
    text = f"(?P<comment>{comment})|(?P<quoted>{quoted})|(?P<bracket>{bracket})"
    return re.compile(text, re.MULTILINE)


_SLASH_QUOTES = (
    rf"{_LONG_QUOTES}|R\"(?P<raw>[^()\\\s]{{0,16}})\([\s\S]*?(?:\)(?P=raw)\"|\Z)"
    rf"|r(?P<hash>\#+)\"[\s\S]*?(?:\"(?P=hash)|\Z)|`(?:[^`\\]|\\.|\\\n)*(?:`|\Z)"
    rf"|{_REGEX}|{_LIFETIME}|{_QUOTES}"
)
_HERE = r"<<[-~]?(?P<q>[\"']?)(?P<here>[A-Z_][A-Za-z_0-9]*)(?P=q)"
_NEVER = r"(?!)"
_SHAPES = {
    "python": _shapes(r"\#[^\n]*", rf"{_LONG_QUOTES}|'''[\s\S]*?(?:'''|\Z)|{_QUOTES}"),
    "hash": _shapes(_HASHED, rf"{_HERE}|{_LONG_QUOTES}|{_QUOTES}"),
    "slash": _shapes(_SLASHED, _SLASH_QUOTES),
    "verilog": _shapes(_SLASHED, r"\"(?:[^\"\\\n]|\\.)*\""),
    "matlab": _shapes(rf"{_SLASHED}|%[^\n]*", _PLAIN_QUOTES),
    "dash": _shapes(
        r"--\[\[[\s\S]*?(?:\]\]|\Z)|\{-[\s\S]*?(?:-\}|\Z)|/\*[\s\S]*?(?:\*/|\Z)|--[^\n]*",
        _PLAIN_QUOTES,
    ),
    "percent": _shapes(r"(?<!\\)%[^\n]*", _NEVER, rf"\\(?:begin|end)(?=\{{)|(?<!\\){_BRACKET}"),
    "semicolon": _shapes(r"\#\|[\s\S]*?(?:\|\#|\Z)|;[^\n]*", r"\"(?:[^\"\\\n]|\\.)*\""),
    "markup": _shapes(r"<!--[\s\S]*?(?:-->|\Z)", _NEVER, _NEVER),
    "feature": _shapes(r"^[ \t]*\#[^\n]*", _LONG_QUOTES, _NEVER),
}
"""What a comment, a text and a bracket look like in each dialect."""

_INDENTED = ("python", "markup", "feature")
"""Dialects whose blocks are told by their indentation, and not by brackets."""

Piece = tuple[str, int, int, int, str]
"""What it is, its first line and column, its last line, and its first characters."""


@lru_cache(maxsize=1 << 16)
def indent_of(line: str) -> int:
    """Return the width of a line's indentation."""
    text = line.expandtabs(TAB)
    return len(text) - len(text.lstrip())


@dataclass
class Layout:
    """What the lines of a file are.

    Attributes
    ----------
    inside : set of int
        Lines that continue the one above them: within a text, or after a backslash.
    commented : dict of int to int
        Lines that begin within a comment, and the line at which that begins.
    aside : set of int
        Lines that hold nothing but a comment or a directive, and never end a block.
    comments : dict of int to list of int
        The columns at which comments begin.
    depth, low : list of int
        Brackets that are open where a line begins, and the fewest within it.
    exact : bool
        Whether the language's own tokenizer told all this.
    """

    lines: Sequence[str]
    dialect: str
    inside: set[int] = field(default_factory=set)
    commented: dict[int, int] = field(default_factory=dict)
    aside: set[int] = field(default_factory=set)
    comments: dict[int, list[int]] = field(default_factory=dict)
    depth: list[int] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    exact: bool = False

    @property
    def braced(self) -> bool:
        """Whether brackets tell the blocks of this language."""
        return self.dialect not in _INDENTED

    def begin(self, at: int) -> int:
        """Return the line at which the statement of a line begins."""
        while at in self.inside and at:
            at -= 1
        return at

    def is_code(self, at: int) -> bool:
        """Whether a statement begins in a line, and not a comment or a directive."""
        return bool(self.lines[at].strip()) and at not in self.aside and at not in self.inside


def layout_of(lines: Sequence[str], dialect: str) -> Layout:
    """Return what the lines of a file are."""
    made = Layout(lines, dialect)
    pieces = _tokenized(lines) if dialect == "python" else None
    made.exact = pieces is not None
    brackets: dict[int, list[str]] = {}
    for what, first, column, last, text in pieces or _shaped(lines, dialect):
        if what == "bracket":
            brackets.setdefault(first, []).append(text)
        elif what == "comment":
            made.comments.setdefault(first, []).append(column)
            made.commented.update(dict.fromkeys(range(first + 1, last + 1), first))
        else:
            made.inside.update(range(first + 1, last + 1))
    for at, line in enumerate(lines):
        starts = made.comments.get(at)
        alone = starts is not None and not line[: starts[0]].strip()
        directive = dialect == "slash" and _DIRECTIVE.match(line)
        if at not in made.inside and (alone or directive or at in made.commented):
            made.aside.add(at)
        if line.endswith("\\") and not starts and dialect in ("python", "hash", "slash"):
            made.inside.add(at + 1)
    _count(made, brackets)
    return made


def _count(made: Layout, brackets: dict[int, list[str]]) -> None:
    """Follow the brackets; the branches of a preprocessor each begin where the first one did."""
    open_ones: list[str] = []
    branches: list[list[str]] = []
    for at, line in enumerate(made.lines):
        found = _DIRECTIVE.match(line) if made.dialect == "slash" and "#" in line else None
        word = found["word"] if found and at not in made.inside else ""
        if word.startswith("if") and len(branches) < MOST_OPEN:
            branches.append(open_ones[:])
        elif word in ("else", "elif") and branches:
            open_ones = branches[-1][:]
        elif word == "endif" and branches:
            branches.pop()
        made.depth.append(len(open_ones))
        low = len(open_ones)
        for bracket in brackets.get(at, ()):
            _meet(open_ones, bracket)
            low = min(low, len(open_ones))
        made.low.append(low)


def _meet(open_ones: list[str], bracket: str) -> None:
    if bracket not in _CLOSES:
        if len(open_ones) < MOST_OPEN:
            open_ones.append(bracket)
        return
    wanted = _CLOSES[bracket]
    if open_ones and open_ones[-1] == wanted:
        open_ones.pop()
    elif wanted in ("{", "begin") and wanted in open_ones:
        # A round bracket that was never closed does not keep its block open.
        while open_ones.pop() != wanted:
            pass


def _tokenized(lines: Sequence[str]) -> list[Piece] | None:
    """Return what Python's own tokenizer tells; None for a file that is none to it."""
    found: list[Piece] = []
    # A form feed or an odd line end within a line is one line to us and may be two to others.
    stream = iter([f"{line}\n" for line in lines])
    try:
        for token in tokenize.generate_tokens(lambda: next(stream, "")):
            (first, column), (last, _) = token.start, token.end
            if token.type == tokenize.COMMENT:
                found.append(("comment", first - 1, column, last - 1, ""))
            elif token.type == tokenize.STRING and last > first:
                found.append(("quoted", first - 1, column, last - 1, ""))
            elif token.type == tokenize.OP and token.string in "()[]{}":
                found.append(("bracket", first - 1, column, last - 1, token.string))
    except (tokenize.TokenError, SyntaxError):
        return None
    return found


def _shaped(lines: Sequence[str], dialect: str) -> Iterator[Piece]:
    """Tell strings, comments and brackets by their shapes."""
    text = "\n".join(lines)
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    shapes, position, tries = _SHAPES[dialect], 0, 0
    while found := shapes.search(text, position):
        what, end = found.lastgroup or "", found.end()
        for kind in ("comment", "quoted", "bracket"):
            if found[kind] is not None:
                what = kind
        if "here" in shapes.groupindex and found["here"] and tries < MOST_ENDS:
            tries += 1
            closing = re.compile(rf"^[ \t]*{found['here']}[ \t]*$", re.MULTILINE)
            closed = closing.search(text, end)
            end = closed.end() if closed else end
        first = bisect_right(starts, found.start()) - 1
        last = bisect_right(starts, max(end - 1, found.start())) - 1
        yield what, first, found.start() - starts[first], last, found[0][:8].lstrip("\\")
        position = max(end, position + 1)
