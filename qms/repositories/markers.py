"""Read the markers by which source files say to which record their lines belong.

Pure. Five forms: a comment that begins with an id (``# REQ-0012``), ``@relation(REQ-0012)``,
OpenFastTrace tags (``[impl->dsn~x~1]``), Gherkin tags (``@REQ-0012``), and pytest's markers and
``record_property``. What an id is called is read here; whether such a record exists is not.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from qms.repositories.dialects import COMMENTS
from qms.repositories.layout import Layout, indent_of, layout_of
from qms.repositories.regions import (
    Span,
    block_around,
    block_from,
    decorated,
    digest_of,
    said_by,
    scenario_from,
)
from qms.repositories.testmarks import HINT, LONGEST_LINE, TestMark, marks_in, place

MOST_MARKERS = 500
"""Markers of one file that are read; no file that people write holds more."""

MOST_LINES = 20_000
"""Lines of one file that are read, so that no file made for it keeps a scan busy."""

MOST_MARKED = 1_000_000
"""Lines of all that the markers of one file mark, each range once."""

MANY = f"holds more than {MOST_MARKERS} markers; the rest was not read"
LONG = f"holds more than {MOST_LINES} lines; the rest was not read"
WIDE = f"holds ids in lines of more than {LONGEST_LINE} characters, which were not read"
BROAD = f"marks more than {MOST_MARKED} lines in all; the rest was not read"

READING = 2
"""Which reading of markers and blocks this is; what was read by another one is read anew."""


class Form(StrEnum):
    """The five ways in which a source file names a record."""

    COMMENT = "comment"
    RELATION = "relation"
    TAG = "coverage tag"
    FEATURE = "feature tag"
    TEST = "test marker"


LOOSE = (Form.COMMENT, Form.FEATURE)
"""Forms that may hold words which are no ids (UTF-8, @slow): only known prefixes are findings."""


@dataclass(frozen=True)
class Marker:
    """One id that one line of a file names, and the lines that it speaks for.

    Attributes
    ----------
    line, first, last : int
        The marker's own line, and the lines that it marks; counted from 1.
    digest : str
        Of the marked lines as they are compared, without markers and common indentation.
    """

    form: Form
    role: str
    named: str
    line: int
    first: int
    last: int
    digest: str


_ID = r"[A-Z][A-Z0-9]{0,7}-[A-Za-z0-9](?:[A-Za-z0-9._-]{0,70}[A-Za-z0-9])?"
_HINT = re.compile(rf"{_ID}|->\s*[a-z]+~|@relation\(|{HINT}")
_TEST_HINT = re.compile(HINT)
_SAID = re.compile(
    r"(?:(?P<key>(?i:implements|verifies|fixes|traces?))\s*:\s*)?"
    rf"(?P<ids>{_ID}(?:[,;\s]+{_ID})*)(?![\w-])"
)
_ONE_ID = re.compile(rf"(?<![\w-]){_ID}(?![\w-])")
_RELATION = re.compile(r"@relation\((?P<told>[^()\n]{1,500})\)")
_TAG = re.compile(
    r"\[\s*(?P<kind>[a-z]+)(?:~[\w.-]*~\d*)?\s*->\s*"
    r"(?P<targets>[a-z]+~[\w.-]+~\d+(?:\s*,\s*[a-z]+~[\w.-]+~\d+)*)\s*(?:>>[a-z,\s]+)?\]"
)
_GHERKIN = re.compile(rf"@(?P<named>{_ID})(?=\s|$)")
_HEADS = re.compile(r"\s*(?:@|[^\W\d_][\w' ]*:)")
_BEFORE = " \t;,{}()"
"""What stands before a comment that ends a line, so that it is no part of a word."""
_DOUBLED = ("dash", "matlab")
_TEXTS = {
    plain: re.compile(
        rf"\"(?:[^\"\n{escape}]|{other})*\"|(?<![\w)\]}}'.])'(?:[^'\n{escape}]|{other})*'|`[^`\n]*`"
    )
    for plain, escape, other in ((False, r"\\", r"\\."), (True, "", r"(?!)"))
}
"""Texts within one line, without and with marks that are doubled instead of escaped."""
_DEFINES = re.compile(r"\s*(?:@|async\s|def\s|class\s)")


def lines_of(content: bytes) -> list[str]:
    """Return the lines as Git counts them; the last one may lack its line feed."""
    lines = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


class Found(NamedTuple):
    """The markers of a file, and why it was not read to its end; empty where it was."""

    markers: list[Marker]
    unread: str


def markers_in(content: bytes, dialect: str) -> Found:
    r"""Return the markers of a file by line, each role and id once for the same lines.

    Examples
    --------
    >>> [(one.named, one.first, one.last) for one in markers_in(b"# REQ-1\nx = 1\n", "python")[0]]
    [('REQ-1', 2, 2)]
    """
    long = LONG if content.count(b"\n") > MOST_LINES else ""
    if not _HINT.search(content.decode("utf-8-sig", "replace")):
        return Found([], long)
    page = _Page(lines_of(content)[:MOST_LINES], dialect)
    found = sorted(_raw_markers(page), key=lambda raw: (raw.line, raw.named))
    digests: dict[Span, str] = {}
    markers = []
    for one in found:
        first, last = one.span
        if one.span not in digests:
            digests[one.span] = digest_of(said_by(page.shown, one.span, page.pure))
        digest = digests[one.span]
        markers.append(
            Marker(one.form, one.role, one.named, one.line + 1, first + 1, last + 1, digest)
        )
    return Found(markers, page.unread or long)


def region_text(content: bytes, dialect: str, first: int, last: int) -> list[str]:
    """Return marked lines of a file as they are compared; counted from 1."""
    page = _Page(lines_of(content)[:MOST_LINES], dialect)
    _raw_markers(page)
    return said_by(page.shown, (first - 1, min(last, len(page.lines)) - 1), page.pure)


@dataclass(frozen=True)
class _Raw:
    """A marker before what its lines say is known; lines counted from 0."""

    form: Form
    role: str
    named: str
    line: int
    span: Span


@dataclass
class _Page:
    """A file while it is read: which lines are nothing but markers, and where comments begin."""

    lines: list[str]
    dialect: str
    pure: set[int] = field(default_factory=set)
    shown: list[str] = field(init=False)
    layout: Layout = field(init=False)
    begins: re.Pattern[str] = field(init=False)
    marks: list[TestMark] | None = None
    unread: str = ""
    spent: int = 0

    def __post_init__(self) -> None:
        self.shown = list(self.lines)
        self.layout = layout_of(self.lines, self.dialect)
        self.begins = re.compile(rf"(?:{COMMENTS[self.dialect]})[#/*!-]*\s*")

    def comments_at(self, at: int) -> Iterator[re.Match[str]]:
        """Return where comments begin in a line; what stands in a text is none.

        But for Python a line is looked at by itself, so that a text that never ends hides nothing.
        """
        line = self.lines[at]
        if self.layout.exact:
            columns = self.layout.comments.get(at, [])
            yield from filter(None, (self.begins.match(line, column) for column in columns))
            return
        texts = [one.span() for one in _TEXTS[self.dialect in _DOUBLED].finditer(line)]
        for found in self.begins.finditer(line):
            before = line[: found.start()]
            if before.strip() and before[-1] not in _BEFORE:
                continue
            if not any(first < found.start() < last for first, last in texts):
                yield found

    @cached_property
    def code_below(self) -> list[int]:
        """Return for each line the first one below it that is neither blank nor a comment."""
        found, following = [0] * len(self.lines), len(self.lines)
        remarks = self.layout
        for at in range(len(self.lines) - 1, -1, -1):
            found[at] = following
            remark = at in remarks.commented or (at in remarks.comments and at in remarks.aside)
            if self.lines[at].strip() and not remark:
                following = at
        return found

    @cached_property
    def range_ends(self) -> dict[str, list[int]]:
        """Return the lines at which a range of each id ends, in their order."""
        found: dict[str, list[int]] = {}
        for at, line in enumerate(self.lines):
            if "range_end" in line and len(line) <= LONGEST_LINE:
                for relation in _RELATION.finditer(line):
                    for named in relation["told"].split(","):
                        found.setdefault(named.strip(), []).append(at)
        return found

    def below(self, at: int) -> Span:
        """Return the block that a marker stands above, or in where nothing follows it."""
        start = self.code_below[at]
        begin = self.layout.commented.get(at, at)
        if start >= len(self.lines) or indent_of(self.lines[start]) < indent_of(self.lines[begin]):
            return block_around(self.layout, at, self.pure)
        if self.dialect == "feature" and _HEADS.match(self.lines[start]):
            tags = self.lines[start].lstrip().startswith("@")
            return start, scenario_from(self.layout, start if tags else start - 1)[1]
        first, last = block_from(self.layout, start, self.pure)
        return (decorated(self.layout, first, self.pure) if self.layout.exact else first), last


def _raw_markers(page: _Page) -> list[_Raw]:
    """Read a file up to the limits; then the page knows which of its lines are only markers."""
    found: dict[tuple[str, str, Span], _Raw] = {}
    met: set[tuple[int, str, str]] = set()
    spans: set[Span] = set()
    tests = _from_tests(page) if page.dialect == "python" else iter(())
    for one in chain(_from_lines(page), tests):
        met.add((one.line, one.role, one.named))
        if one.span not in spans:
            spans.add(one.span)
            page.spent += one.span[1] - one.span[0] + 1
        if len(met) > MOST_MARKERS or page.spent > MOST_MARKED:
            page.unread = MANY if len(met) > MOST_MARKERS else BROAD
            break
        found.setdefault((one.role, one.named, one.span), one)
    return list(found.values())


@dataclass(frozen=True)
class _Seen:
    """A line with markers, and the comment that holds them if one does."""

    at: int
    comment: re.Match[str] | None
    alone: bool
    tags: bool


def _lines_with_markers(page: _Page) -> Iterator[_Seen]:
    """Return the lines that hold markers; what follows them begins something else."""
    for at, line in enumerate(page.lines):
        if not _HINT.search(line):
            continue
        if len(line) > LONGEST_LINE:
            page.unread = page.unread or WIDE
            continue
        comments = list(page.comments_at(at))
        naming = (one for one in comments if _names(line[one.end() :]))
        comment = next(naming, comments[0] if comments else None)
        alone = comment is not None and not line[: comment.start()].strip()
        tags = page.dialect == "feature" and line.lstrip().startswith("@")
        named = bool(comment and _names(line[comment.end() :]))
        if not (named or tags or _RELATION.search(line) or _TAG.search(line)):
            continue
        if alone or tags:
            page.pure.add(at)
        elif comment:
            page.shown[at] = line[: comment.start()].rstrip()
        yield _Seen(at, comment, alone, tags and comment is None)


def _from_lines(page: _Page) -> Iterator[_Raw]:
    """Read what single lines say; first which lines are markers, for these end blocks."""
    lines = list(_lines_with_markers(page))
    for mark in _marks_of(page):
        if mark.pure:
            page.pure.update(range(mark.first, mark.last + 1))
    for one in lines:
        line = page.lines[one.at]
        if one.tags:
            span = scenario_from(page.layout, one.at)
            for tag in _GHERKIN.finditer(line):
                yield _Raw(Form.FEATURE, "verifies", tag["named"], one.at, span)
            continue
        span = _place(page, one.at, one.alone, one.comment)
        if one.comment:
            for role, spoken in _names(line[one.comment.end() :]):
                yield _Raw(Form.COMMENT, role, spoken, one.at, span)
        yield from _from_tags(line, one.at, span)
        yield from _from_relations(page, line, one.at, span)


def _names(said: str) -> list[tuple[str, str]]:
    """Return role and id of everything that a comment begins with."""
    found = _SAID.match(said)
    if found is None:
        return []
    key = (found["key"] or "implements").lower()
    role = "implements" if key.startswith("trace") else key
    return [(role, one) for one in _ONE_ID.findall(found["ids"])]


def _place(page: _Page, at: int, alone: bool, comment: re.Match[str] | None) -> Span:
    """Return the lines that a marker without a scope of its own speaks for."""
    if alone or (comment is None and at in page.layout.commented):
        return page.below(at)
    if comment is None:
        # In a docstring: what it documents.
        return block_around(page.layout, at, page.pure)
    begin = page.layout.begin(at)
    first, last = block_from(page.layout, begin, page.pure, alone=True)
    return first, max(last, at)


def _from_tags(line: str, at: int, span: Span) -> Iterator[_Raw]:
    for tag in _TAG.finditer(line):
        role = "verifies" if tag["kind"].endswith("test") else "implements"
        for target in tag["targets"].split(","):
            yield _Raw(Form.TAG, role, target.strip(), at, span)


def _from_relations(page: _Page, line: str, at: int, span: Span) -> Iterator[_Raw]:
    for relation in _RELATION.finditer(line):
        words = [one.strip() for one in relation["told"].split(",")]
        pairs = [one.partition("=") for one in words if "=" in one]
        options = {name.strip(): value.strip() for name, _, value in pairs}
        tested = re.search("verif|test", options.get("role", ""), re.IGNORECASE)
        scope = options.get("scope", "")
        if scope == "range_end":
            continue
        for named in (one for one in words if one and "=" not in one):
            chosen = _scoped(page, at, scope, named, span)
            role = "verifies" if tested else "implements"
            yield _Raw(Form.RELATION, role, named[:200], at, chosen)


def _scoped(page: _Page, at: int, scope: str, named: str, span: Span) -> Span:
    end = max(len(page.lines) - 1, 0)
    if scope == "file":
        return 0, end
    if scope == "line":
        return (at + 1, at + 1) if at < end else (at, at)
    if scope == "range_start":
        ends = page.range_ends.get(named, [])
        after = bisect_right(ends, at)
        # A range that never ends marks what a marker without a scope would.
        return (at + 1, max(ends[after] - 1, at + 1)) if after < len(ends) else span
    remark = at in page.layout.comments or at in page.layout.commented
    if scope in ("function", "class") and page.dialect == "python" and remark:
        following = next((one for one in page.lines[at + 1 :] if one.strip()), "")
        if not _DEFINES.match(following) and indent_of(page.lines[at]):
            return block_around(page.layout, at, page.pure)
    return span


def _marks_of(page: _Page) -> list[TestMark]:
    """Return pytest's marks of a file, read once."""
    if page.marks is None:
        told = page.dialect == "python" and any(map(_TEST_HINT.search, page.lines))
        page.marks = marks_in(page.layout) if told else []
    return page.marks


def _from_tests(page: _Page) -> Iterator[_Raw]:
    for mark in _marks_of(page):
        span = place(page.layout, mark, page.pure)
        for named in mark.named:
            yield _Raw(Form.TEST, mark.role, named, mark.first, span)
