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
from itertools import islice
from pathlib import PurePosixPath

from qms.repositories.regions import (
    Span,
    block_around,
    block_from,
    digest_of,
    indent_of,
    said_by,
    scenario_from,
)

MOST_MARKERS = 500
"""Markers of one file that are read; no file that people write holds more."""

MOST_LINES = 20_000
"""Lines of one file that are read, so that no file made for it keeps a scan busy."""

LONGEST_LINE = 2_000
"""Characters of a line that is looked at; a longer one was made by a machine."""


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


_SLASHES = r"//|/\*|\*"
_COMMENTS = {
    "python": "#",
    "hash": "#",
    "slash": _SLASHES,
    "matlab": rf"%|{_SLASHES}",
    "dash": "--",
    "percent": "%",
    "semicolon": ";",
    "markup": "<!--",
    "feature": "#",
}
"""How a comment begins in each dialect."""

_SUFFIXES = {
    "python": "py pyi pyx",
    "feature": "feature",
    "slash": "c h cc hh cpp hpp cxx hxx cu cs java js jsx mjs cjs ts tsx go rs swift kt kts scala "
    "dart php groovy gradle mm proto css scss less glsl sv",
    "matlab": "m",
    "hash": "sh bash zsh yml yaml toml cfg ini conf rb pl pm r jl tcl cmake mk nix tf ps1 robot",
    "dash": "sql lua hs adb ads vhd vhdl elm",
    "percent": "tex erl pro",
    "semicolon": "asm s lisp clj el scm",
    "markup": "html htm xml xhtml jinja j2 vue",
}
_DIALECTS = {suffix: name for name, all_of in _SUFFIXES.items() for suffix in all_of.split()}
_NAMES = {
    "makefile": "hash",
    "dockerfile": "hash",
    "cmakelists.txt": "hash",
    "jenkinsfile": "slash",
}

_ID = r"[A-Z][A-Z0-9]{0,7}-[A-Za-z0-9](?:[A-Za-z0-9._-]{0,70}[A-Za-z0-9])?"
_WORD = r"[A-Za-z][A-Za-z0-9._~-]{0,199}"
_HINT = re.compile(rf"{_ID}|->\s*[a-z]+~|@relation\(|record_property\(|pytest\.mark\.")
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
_TEST_NAMES = r"requirements?|req|verifies|covers|implements|traces?|record"
_MARK = re.compile(rf"pytest\.mark\.(?P<name>{_TEST_NAMES})\((?P<told>[^()]{{1,2000}})\)")
_PROPERTY = re.compile(
    rf"record_(?:testsuite_)?property\(\s*['\"](?P<name>{_TEST_NAMES})['\"]\s*,(?P<told>[^()]{{1,2000}})\)"
)
_QUOTED = re.compile(rf"['\"](?P<named>{_WORD}(?:[,;\s]+{_WORD})*)['\"]")
_DEFINES = re.compile(r"\s*(?:@|async\s|def\s|class\s)")


def dialect_of(path: str) -> str:
    """Return the dialect by which a file's comments are read; empty for files that are not read.

    Examples
    --------
    >>> dialect_of("engine/dose/dvh.py"), dialect_of("notes.md")
    ('python', '')
    """
    name = PurePosixPath(path).name.lower()
    return _NAMES.get(name) or _DIALECTS.get(name.rpartition(".")[2] if "." in name else "", "")


def lines_of(content: bytes) -> list[str]:
    """Return the lines as Git counts them; the last one may lack its line feed."""
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def markers_in(content: bytes, dialect: str) -> list[Marker]:
    r"""Return the markers of a file by line, each role and id once for the same lines.

    Examples
    --------
    >>> [(one.named, one.first, one.last) for one in markers_in(b"# REQ-1\nx = 1\n", "python")]
    [('REQ-1', 2, 2)]
    """
    text = content.decode("utf-8", "replace")
    if not _HINT.search(text):
        return []
    page = _Page(lines_of(content)[:MOST_LINES], dialect)
    found = _raw_markers(page)
    digests: dict[Span, str] = {}
    kept: dict[tuple[str, str, Span], Marker] = {}
    for one in sorted(found, key=lambda raw: (raw.line, raw.named)):
        first, last = one.span
        if one.span not in digests:
            digests[one.span] = digest_of(said_by(page.shown, one.span, page.pure))
        marker = Marker(
            one.form, one.role, one.named, one.line + 1, first + 1, last + 1, digests[one.span]
        )
        kept.setdefault((one.role, one.named, one.span), marker)
    return list(kept.values())


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
    begins: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = list(self.lines)
        self.begins = re.compile(rf"(?:^|(?<=\s))(?:{_COMMENTS[self.dialect]})[#/*!-]*\s*")

    def comment_at(self, line: str) -> re.Match[str] | None:
        """Return where a comment begins; what stands between quotes is none."""
        for found in self.begins.finditer(line):
            code = line[: found.start()]
            if not code.strip() or not (code.count('"') % 2 or code.count("'") % 2):
                return found
        return None

    def is_comment(self, at: int) -> bool:
        """Whether a line is nothing but a comment."""
        found = self.begins.match(self.lines[at].lstrip())
        return found is not None

    @cached_property
    def code_below(self) -> list[int]:
        """Return for each line the first one below it that is neither blank nor a comment."""
        found, following = [0] * len(self.lines), len(self.lines)
        for at in range(len(self.lines) - 1, -1, -1):
            found[at] = following
            if self.lines[at].strip() and not self.is_comment(at):
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
        if start >= len(self.lines) or indent_of(self.lines[start]) < indent_of(self.lines[at]):
            star = self.lines[at].lstrip().startswith("*") and start < len(self.lines)
            return self.block(start) if star else block_around(self.lines, at)
        return self.block(start)

    def block(self, start: int) -> Span:
        """Return the block that begins at a line and ends before the next marker beside it."""
        return block_from(self.lines, start, self.pure)


def _raw_markers(page: _Page) -> list[_Raw]:
    """Read a file up to the limit; then the page knows which of its lines are only markers."""
    found = list(islice(_from_lines(page), MOST_MARKERS + 1))
    if page.dialect == "python":
        found += islice(_from_tests(page), MOST_MARKERS + 1)
    return found


def _from_lines(page: _Page) -> Iterator[_Raw]:
    """Read what single lines say; first which lines are markers, for these end blocks."""
    seen = []
    for at, line in enumerate(page.lines):
        if len(line) > LONGEST_LINE or not _HINT.search(line):
            continue
        comment = page.comment_at(line)
        alone = comment is not None and not line[: comment.start()].strip()
        tags = page.dialect == "feature" and line.lstrip().startswith("@")
        named = bool(comment and _names(line[comment.end() :]))
        told = bool(_RELATION.search(line) or _TAG.search(line))
        if not (named or told or tags):
            continue
        if alone or tags:
            page.pure.add(at)
        elif comment:
            page.shown[at] = line[: comment.start()].rstrip()
        seen.append((at, comment, alone))
    for at, begins, alone in seen:
        line = page.lines[at]
        if page.dialect == "feature" and begins is None:
            for tag in _GHERKIN.finditer(line):
                yield _Raw(
                    Form.FEATURE, "verifies", tag["named"], at, scenario_from(page.lines, at)
                )
            continue
        span = _place(page, at, alone, begins)
        if begins:
            for role, spoken in _names(line[begins.end() :]):
                yield _Raw(Form.COMMENT, role, spoken, at, span)
        yield from _from_tags(line, at, span)
        yield from _from_relations(page, line, at, span)


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
    if alone:
        return page.below(at)
    if comment is None:
        # In a docstring: what it documents.
        return block_around(page.lines, at)
    code = page.shown[at].rstrip()
    return page.block(at) if code.endswith((":", "{", "(")) else (at, at)


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
    if scope in ("function", "class") and page.dialect == "python" and page.is_comment(at):
        following = next((one for one in page.lines[at + 1 :] if one.strip()), "")
        if not _DEFINES.match(following) and indent_of(page.lines[at]):
            return block_around(page.lines, at)
    return span


def _from_tests(page: _Page) -> Iterator[_Raw]:
    text = "\n".join(line if len(line) <= LONGEST_LINE else "" for line in page.lines)
    starts = [0]
    for line in page.lines:
        starts.append(starts[-1] + (len(line) if len(line) <= LONGEST_LINE else 0) + 1)
    matches = [(one, True) for one in _MARK.finditer(text)]
    matches += [(one, False) for one in _PROPERTY.finditer(text)]
    placed = []
    for found, mark in matches:
        at = bisect_right(starts, found.start()) - 1
        till = bisect_right(starts, found.end() - 1) - 1
        line = page.lines[at].lstrip()
        if line.startswith("#"):
            continue
        if line.startswith(("@", "record_")):
            page.pure.update(range(at, till + 1))
        placed.append((found, mark, at, till, line))
    for found, mark, at, till, line in placed:
        if not mark:
            span = block_around(page.lines, at)
        elif line.startswith("@"):
            span = block_from(page.lines, min(till + 1, len(page.lines) - 1))
        else:
            span = (0, len(page.lines) - 1) if line.startswith("pytestmark") else (at, till)
        role = "implements" if found["name"] == "implements" else "verifies"
        for quoted in _QUOTED.finditer(found["told"]):
            for named in re.split(r"[,;\s]+", quoted["named"]):
                yield _Raw(Form.TEST, role, named, at, span)
