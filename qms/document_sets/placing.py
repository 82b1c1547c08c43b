"""Keep the text of a record in its place in the document around it, wherever that is rendered.

The lines are read as CommonMark reads them: which quotes and lists a line stands in decides what
is a fence, and nothing else is code without a doubt.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field

LOWEST = 6

DEEPEST = 100
"""Quotes and lists within each other; further in all is text."""

_FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_PLAIN_INFO = re.compile(r" *[\w#.+-]*")
"""What the printed form takes behind a fence; with anything else it sees none."""

_HEADING = re.compile(r"( {0,3})(#{1,6})(?=\s|$)(.*)$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+) *$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3}(?:[-+*]|(\d{1,9})[.)]))( +|$)")
_MARK = re.compile(r"\\.|`+")
_RUN = re.compile(r"`+")
_SPOKEN = re.compile(r"\\.|#")

_IN_QUOTE = 0
"""Among what a line stands in; a list stands there by the width that its lines are drawn in."""


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
    >>> demoted("- ```\n  make\n  ```\n\n# Limits")
    '- ```\n  make\n  ```\n\n#### Limits'
    """
    lines = text.strip("\n").split("\n")
    placing = _Placing(below, any("|" in one and _sets_columns(one) for one in lines))
    for line in lines:
        placing.take(line)
    placing.end()
    return "\n".join(placing.lines)


def heading_words(text: str) -> str:
    r"""Return the words of a heading of which no mark is taken for its end.

    Examples
    --------
    >>> heading_words("In C#")
    'In C\\#'
    """
    if not text.rstrip().endswith("#"):
        return text
    return _SPOKEN.sub(lambda found: r"\#" if found[0] == "#" else found[0], text)


@dataclass
class _Fence:
    mark: str
    indent: int
    depth: int


@dataclass
class _Placing:
    """A text while it is gone through, line by line."""

    below: int
    has_table: bool
    lines: list[str] = field(default_factory=list)
    inside: list[int] = field(default_factory=list)
    fence: _Fence | None = None
    code: list[str] = field(default_factory=list)
    first: int | None = None
    """The line at which the open paragraph begins."""
    said: list[str] = field(default_factory=list)
    """The lines of that, without what they stand in."""
    columns: bool = False
    """Whether one of them is the line below the headings of a table."""
    empty: bool = False
    """Whether the line before began an item of a list and said nothing."""
    stray: bool = False
    """Whether a mark of code since the last empty line has no other one on its line."""

    def take(self, line: str) -> None:
        """Take the next line."""
        wide = line.expandtabs(4)
        at, depth = self._stands_in(wide)
        if self.fence is not None:
            if depth >= self.fence.depth:
                self._in_fence(self.fence, line, wide[at:])
                return
            # What it stood in ended, and so did the fence.
            self.fence = None
        if not wide[at:].strip():
            self._nothing(line, depth)
            return
        at, opened = self._opened(wide, at, depth)
        if self.code and not (depth == 0 and not opened and wide.startswith("    ")):
            self._end_code()
        self._block(line, wide, at, depth, opened)

    def end(self) -> None:
        """Close what is open."""
        self._end_code()
        if self.fence is not None and self.fence.depth == 0:
            self.lines.append(self.fence.mark)

    def _stands_in(self, wide: str) -> tuple[int, int]:
        """Return where the own words of a line begin, and in how many quotes and lists it goes."""
        at = 0
        for depth, width in enumerate(self.inside):
            rest = wide[at:]
            if width == _IN_QUOTE:
                if not (mark := _QUOTE.match(rest)):
                    return at, depth
                at += len(mark[0])
            elif rest.strip():
                if not rest.startswith(" " * width):
                    return at, depth
                at += width
        return at, len(self.inside)

    def _opened(self, wide: str, at: int, depth: int) -> tuple[int, list[int]]:
        """Return where the words of a line begin behind the quotes and lists that it opens."""
        opened: list[int] = []
        goes_on = self.first is not None and depth == len(self.inside)
        while depth + len(opened) < DEEPEST:
            rest = wide[at:]
            if goes_on and not opened and _UNDERLINE.match(rest):
                return at, opened
            if mark := _QUOTE.match(rest):
                opened.append(_IN_QUOTE)
                at += len(mark[0])
                continue
            item = None if _RULE.match(rest) else _ITEM.match(rest)
            if item is None:
                return at, opened
            says = bool(rest[item.end() :].strip())
            if goes_on and not opened and not (says and item[2] in (None, "1")):
                return at, opened
            width = item.end() if says and len(item[3]) <= 4 else len(item[1]) + 1
            opened.append(width)
            at += width
        return at, opened

    def _nothing(self, line: str, depth: int) -> None:
        """Take a line that says nothing but what it stands in."""
        # An item of which nothing was said so far ends here.
        self.inside = self.inside[
            : depth - 1 if self.empty and depth == len(self.inside) else depth
        ]
        self.empty, self.first = False, None
        self.stray = self.stray and bool(line.strip())
        (self.code or self.lines).append(line)

    def _block(self, line: str, wide: str, at: int, depth: int, opened: list[int]) -> None:
        rest = wide[at:]
        lead = "" if not self.inside[:depth] and not opened else wide[:at]
        goes_on = self.first is not None and not opened
        drawn_in = rest.startswith("    ")
        if goes_on and depth == len(self.inside) and self._underlined(rest):
            return
        begins = None if drawn_in else _FENCE.match(rest) or _HEADING.match(rest)
        rule = not drawn_in and _RULE.match(rest)
        if begins or rule or not goes_on:
            self.inside = [*self.inside[:depth], *opened]
        self.empty = not rest.strip() and bool(opened) and opened[-1] != _IN_QUOTE
        if begins and begins[2][0] == "#":
            self._heading(lead, len(begins[2]), begins[3].strip())
        elif begins:
            self.first, self.stray = None, False
            self._begin_fence(line, begins)
        elif rule:
            self._apart()
            self.lines.append(line)
            self.first, self.stray = None, False
        elif drawn_in and not goes_on and not self.inside:
            self.code.append(line)
        else:
            if line.strip() == "-":
                self._apart()
            is_text = not drawn_in and bool(rest.strip())
            self._words(line, lead, rest, goes_on=goes_on, is_text=is_text)

    def _apart(self) -> None:
        """Begin after an empty line: on paper a rule below an item makes a heading of it."""
        if self.lines and self.lines[-1].strip():
            self.lines.append("")

    def _words(self, line: str, lead: str, rest: str, *, goes_on: bool, is_text: bool) -> None:
        if not goes_on:
            self.first, self.said = (len(self.lines) if is_text else None), []
            self.columns = False
        self.said.append(rest.strip())
        self.columns = self.columns or _sets_columns(rest)
        if rest.startswith(("#", "```")):
            line = f"{lead}\\{rest}"
        elif goes_on and rest.strip(" =") == "" and "=" in rest:
            line = f"{lead}&#61;{rest.lstrip()[1:]}"
        elif goes_on and (item := _ITEM.match(rest)) and item[2]:
            # No item of a list here, but some readers take it for one below a definition.
            line = f"{lead}{rest[: item.end(2)]}\\{rest[item.end(2) :]}"
        self.lines.append(self._without_tags(line))

    def _heading(self, lead: str, level: int, words: str) -> None:
        self.first, self.stray = None, False
        mark = "#" * min(LOWEST, level + self.below)
        self.lines.append(f"{lead}{mark} {self._without_tags(words)}".rstrip())
        self.stray = False

    def _underlined(self, rest: str) -> bool:
        """Take the line below a heading, if it is one."""
        under = _UNDERLINE.match(rest)
        if not under or self.first is None or self.columns:
            return False
        first = self.lines[self.first].expandtabs(4)
        lead = _lead(first) if self.inside else ""
        del self.lines[self.first :]
        level = 1 if under[1][0] == "=" else 2
        self._heading(lead, level, heading_words(" ".join(self.said)))
        self.lines += [] if self.inside else [""]
        return True

    def _begin_fence(self, line: str, begins: re.Match[str]) -> None:
        self.fence = _Fence(begins[2], len(begins[1]), len(self.inside))
        if not self.inside:
            # On paper a fence begins at the margin, names a language alone and ends as it began.
            info = begins[3].rstrip()
            line = f"{begins[2]}{info if _PLAIN_INFO.fullmatch(info) else ''}"
        self.lines.append(line)

    def _in_fence(self, fence: _Fence, line: str, rest: str) -> None:
        said = rest.strip()
        ends = not rest.startswith("    ") and len(said) >= len(fence.mark)
        if ends and set(said) == {fence.mark[0]}:
            self.fence = None
            self.lines.append(line if fence.depth else fence.mark)
        else:
            drawn_in = len(line) - len(line.lstrip(" "))
            self.lines.append(line if fence.depth else line[min(drawn_in, fence.indent) :])

    def _end_code(self) -> None:
        """Write lines that are drawn in as a fence, in which each character stands for itself."""
        if not self.code:
            return
        empty = 0
        while not self.code[-1].strip():
            self.code.pop()
            empty += 1
        code = [one.expandtabs(4)[4:] for one in self.code]
        longest = max((len(run[0]) for one in code for run in _RUN.finditer(one)), default=0)
        mark = "`" * max(3, longest + 1)
        self.lines += [mark, *code, mark, *[""] * empty]
        self.code = []

    def _without_tags(self, line: str) -> str:
        """Return a line in which `<` is a character, but for code, which says it as it is.

        Where a mark of code is left over on a line, what is code below it depends on who reads it.
        """
        runs: dict[int, list[int]] = {}
        for run in _RUN.finditer(line):
            runs.setdefault(len(run[0]), []).append(run.start())
        parts: list[str] = []
        at, stray = 0, self.stray
        while mark := _MARK.search(line, at):
            parts.append(line[at : mark.start()].replace("<", "&lt;"))
            at = mark.end()
            if mark[0][0] == "\\":
                parts.append(mark[0].replace("<", "&lt;"))
                continue
            ends = runs.get(len(mark[0]), [])
            place = bisect_left(ends, at)
            if place == len(ends):
                stray = True
                parts.append(mark[0])
                continue
            code = line[mark.start() : ends[place] + len(mark[0])]
            unsure = self.stray or (self.has_table and "|" in code)
            parts.append(code.replace("<", "&lt;") if unsure else code)
            at = mark.start() + len(code)
        parts.append(line[at:].replace("<", "&lt;"))
        self.stray = stray
        return "".join(parts)


def _sets_columns(line: str) -> bool:
    return "-" in line and not line.strip("|:-> \t")


def _lead(line: str) -> str:
    """Return the marks of quotes and lists that a line begins with."""
    at = 0
    while mark := _QUOTE.match(line, at) or _ITEM.match(line, at):
        at = mark.end()
    return line[: at + len(line[at:]) - len(line[at:].lstrip(" "))]
