"""Read JUnit XML as pytest, gtest, ctest, lit and nextest write it.

There is no one standard: a suite may be the root or lie in ``testsuites``, suites may be nested,
and each tool says "was not run" in its own way. What a suite declares is compared with what it
holds, because a report that was cut off looks like one in which everything passed.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from core.located_xml import Element, Limits, Trouble, UnreadableXml, read_xml
from qms.interchange.corpus import Finding, Place
from qms.results.cases import (
    MOST_CASES,
    MOST_LETTERS,
    MOST_NAMINGS,
    MOST_TEXT,
    RED,
    Case,
    Naming,
    Outcome,
    Report,
    explains,
    take_back,
    worst,
)
from qms.results.ids import MOST_NAMED, apart, once, seen_in, stated_by
from qms.results.junit_words import declared, said_in, says_red, text_of, verdict_of
from qms.results.refusing import DEEPEST, refuse_too_large, refused

_FILE_PROPERTIES = frozenset({"attachment", "attachments", "image", "screenshot"})
_IN_OUTPUT = re.compile(r"\[\[ATTACHMENT\|([^\]\n]{1,400})\]\]")
_CLEARING_UP = "failed on teardown with "
_OTHERS = frozenset({"properties", "system-out", "system-err"})
"""What a suite holds beside cases and suites."""

_LIMITS = Limits(deepest=DEEPEST, elements=1_000_000, text=20_000)
_REFUSALS = {
    Trouble.TOO_MUCH: ("TR602", "Split or flatten the report."),
    Trouble.DECLARES: ("TR603", "Leave it out."),
    Trouble.MALFORMED: ("TR604", "Write the report again."),
    Trouble.ENCODING: ("TR604", "Write it as UTF-8."),
}


@dataclass(frozen=True)
class _Said:
    """What properties say: the records and the files that they name, each once."""

    named: tuple[Naming, ...] = ()
    words: tuple[Naming, ...] = ()
    files: tuple[str, ...] = ()


@dataclass
class _Reading:
    file: str
    cases: list[Case] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """Cases that say of themselves that they failed, broke or were skipped."""
    namings: int = 0
    letters: int = 0

    def find(self, code: str, line: int, what: str, mend: str = "") -> None:
        self.findings.append(Finding(code, what, Place(self.file, line), mend=mend))

    def refuse(self, line: int, what: str) -> Exception:
        return refused("TR602", f"{self.file}:{line}", what, "Split the report.")

    def joined(self, case: Case) -> bool:
        """Add what pytest tells apart of a test that failed and then broke while it was cleared up.

        It is one test: whoever ran it again, and it passed, has one case of it.
        """
        before = self.cases[-1] if self.cases else None
        if (
            before is None
            or not case.message.startswith(_CLEARING_UP)
            or (before.suite, before.label) != (case.suite, case.label)
        ):
            return False
        self.cases[-1] = replace(
            before,
            outcome=worst((before.outcome, case.outcome)) or case.outcome,
            message=f"{before.message}\n{case.message}"[:MOST_TEXT].strip(),
            files=tuple(dict.fromkeys((*before.files, *case.files))),
        )
        return True

    def keep(self, case: Case, line: int) -> None:
        """Keep a case, as long as there are not too many of them and of what they name."""
        self.cases.append(case)
        self.letters += case.letters
        if len(self.cases) > MOST_CASES:
            raise self.refuse(line, f"has more than {MOST_CASES} cases.")
        if self.letters > MOST_LETTERS:
            what = f"has names of more than {MOST_LETTERS} characters in all its cases and suites."
            raise self.refuse(line, what)
        self._count(case.namings, line)

    def merged(self, over: _Said, own: _Said, line: int) -> _Said:
        """Return what an element says together with what was said around it."""
        if own == _Said():
            return over
        both = _Said(
            once([*over.named, *own.named]),
            once([*over.words, *own.words]),
            tuple(dict.fromkeys((*over.files, *own.files))),
        )
        # Counted as well: such elements may be many, and each would copy what lies around it.
        self._count(len(both.named) + len(both.words) + len(both.files), line)
        return both

    def _count(self, namings: int, line: int) -> None:
        self.namings += namings
        if self.namings > MOST_NAMINGS:
            what = f"names records and files more than {MOST_NAMINGS} times in all."
            raise self.refuse(line, what)


def read_junit(content: bytes, file: str) -> Report:
    """Read one report.

    Raises
    ------
    Invalid
        If it cannot be read as XML safely, or is no JUnit report.
    """
    root = _outermost(content, file)
    if root.name not in ("testsuites", "testsuite"):
        what = f"begins with <{root.name[:60]}>, which is no report of tests."
        mend = "Write JUnit XML: its first element is <testsuites> or <testsuite>."
        raise refused("TR605", f"{file}:{root.line}", what, mend)
    reading = _Reading(file)
    _suite(reading, root, ())
    if not reading.cases:
        reading.find("TR608", root.line, "The report holds no test case.", "Run the tests.")
    return Report(file, tool_of(root), tuple(reading.cases), tuple(reading.findings))


def _outermost(content: bytes, file: str) -> Element:
    refuse_too_large(content, file)
    try:
        # Some tools write the names of elements and attributes with capitals.
        return read_xml(content, _LIMITS, spelt=str.lower)
    except UnreadableXml as trouble:
        code, mend = _REFUSALS[trouble.trouble]
        raise refused(code, f"{file}:{trouble.line}", f"{trouble.what}.", mend) from trouble


def tool_of(root: Element) -> str:
    """Return which tool wrote a report, by what only it writes."""
    suites = [root] if root.name == "testsuite" else list(root.elements("testsuite"))
    cases = [case for suite in suites for case in suite.elements("testcase")]
    if root.get("name") == "nextest-run":
        return "nextest"
    if any(suite.get("name") == "pytest" for suite in suites):
        return "pytest"
    if any("result" in case.attributes for case in cases):
        return "gtest"
    if root.name == "testsuite" and any("status" in case.attributes for case in cases):
        return "ctest"
    if suites and set(root.attributes) == {"time"} and "errors" not in suites[0].attributes:
        return "lit"
    return "junit"


@dataclass(frozen=True)
class _Within:
    """What every case directly in a suite shares, read once for all of them."""

    names: tuple[str, ...]
    title: str
    seen: tuple[Naming, ...]
    """What the name of the suite looks like naming."""
    said: _Said


def _suite(
    reading: _Reading, suite: Element, above: tuple[str, ...], over: _Said | None = None
) -> None:
    """Read the cases of a suite, those of the suites in it, and those of what we do not know."""
    before, counted = len(reading.cases), reading.counted.copy()
    whole = suite.name == "testsuites"
    names = above if whole else (*above, suite.get("name"))
    within = _within(reading, suite, names, _said(reading, suite), over)
    for node in suite.elements():
        if node.name == "testcase":
            _case(reading, node, within)
        elif node.name == "testsuite":
            _suite(reading, node, names)
        elif node.name not in _OTHERS:
            _unknown(reading, node, names, within.said)
    called = f"The suite {names[-1][:200]}" if names and names[-1] else "A suite without a name"
    called = "The report" if whole else called
    _compare(reading, suite, called, before, counted)
    _heed(reading, suite, called, before)


def _within(
    reading: _Reading, suite: Element, names: tuple[str, ...], own: _Said, over: _Said | None
) -> _Within:
    said = own if over is None else reading.merged(over, own, suite.line)
    if not any(suite.elements("testcase")):
        return _Within(names, "", (), said)
    seen = seen_in(names[-1:], Place(reading.file, suite.line))
    return _Within(names, " / ".join(filter(None, names)), seen, said)


def _heed(reading: _Reading, suite: Element, called: str, before: int) -> None:
    """Take the passes of a suite back where it says itself that it failed."""
    whys = [
        (node.line, f"holds <{node.name[:60]}> itself{': ' * bool(told)}{told}.")
        for node, outcome in said_in(suite)
        if outcome in RED
        for told in (text_of(node)[:200],)
    ]
    for word in dict.fromkeys((suite.get("status"), suite.get("result"))):
        cases = reading.cases[before:] if says_red(word) else []
        if cases and not explains(Outcome.FAILED, cases):
            whys.append((suite.line, f"says {word[:60]}, and no case in it shows why."))
    for line, why in whys:
        reading.find("TR616", line, f"{called} {why}", "None of its cases counts as passed.")
    if whys:
        take_back(reading.cases, before, f"{called} {whys[0][1]}")


def _unknown(reading: _Reading, node: Element, names: tuple[str, ...], shared: _Said) -> None:
    """Read the cases that lie in an element that is not known, as those of a suite, and say so."""
    before = len(reading.cases)
    # What a test says of itself says nothing of one that lies in it; a suite speaks for its cases.
    heeded = ("name",) if node.name == "testcase" else ("name", "status", "result")
    attributes = {one: node.get(one) for one in heeded}
    _suite(reading, replace(node, attributes=attributes), names, shared)
    held = len(reading.cases) - before
    if held:
        what = f"<{node.name[:60]}> is not known; the {held} cases in it were read as of a suite."
        reading.find("TR616", node.line, what, "Look at them, and write a <testsuite>.")


def _compare(
    reading: _Reading, node: Element, called: str, before: int, counted: Counter[str]
) -> None:
    """Say where a suite declares something else of its cases than they say of themselves."""
    says = dict(declared(node))
    held = reading.counted - counted
    cases = len(reading.cases) - before
    if says.get("tests", cases) != cases:
        what = f"{called} declares {says['tests']} tests and holds {cases}."
        reading.find("TR606", node.line, what, "Send the whole report.")
    for word in ("failures", "errors"):
        if says.get(word, held[word]) != held[word]:
            what = f"{called} declares {says[word]} {word} and holds {held[word]}."
            reading.find("TR606", node.line, what, "Look at what failed.")
    # What was disabled is counted as skipped by some tools and apart by others.
    passed_over = says.get("skipped", 0)
    if passed_over > held["skipped"]:
        what = f"{called} declares {passed_over} skipped and holds {held['skipped']}."
        reading.find("TR606", node.line, what, "Look at what was skipped.")
    wrong = says.get("failures", 0) + says.get("errors", 0)
    absent = max(says.get("tests", cases) - cases, 0)
    if wrong > absent and not held["failures"] and not held["errors"]:
        why = f"{called} says that {wrong} failed, and no case says which."
        take_back(reading.cases, before, why)


def _case(reading: _Reading, node: Element, within: _Within) -> None:
    place = Place(reading.file, node.line)
    name, classname = node.get("name"), node.get("classname")
    if not name:
        reading.find("TR607", node.line, "A case has no name.", "Name it, so it can be found.")
    verdict = verdict_of(node)
    reading.counted.update(verdict.counted)
    shared, own = within.said, _said(reading, node)
    seen = (*within.seen, *seen_in((classname, name), place))
    named = once([*shared.named, *own.named, *seen])
    if sum(one.stated for one in named) > MOST_NAMED:
        raise reading.refuse(node.line, f"holds a case that names more than {MOST_NAMED} records.")
    at = node.get("line")
    case = Case(
        suite=within.title,
        classname=classname,
        name=name,
        outcome=verdict.outcome,
        place=place,
        seconds=_seconds(node.get("time")),
        message=verdict.message,
        source=f"{node.get('file')}{':' + at if at else ''}" if node.get("file") else "",
        named=named,
        words=once([*shared.words, *own.words]),
        files=tuple(dict.fromkeys((*_files_in_output(node), *shared.files, *own.files))),
    )
    if not reading.joined(case):
        reading.keep(case, node.line)
    for odd in verdict.odd:
        what = f"{case.label[:200]} {odd}."
        reading.find("TR616", node.line, what, "Look at what it means.")
    if verdict.retried:
        reading.find("TR617", node.line, f"{case.label[:200]} passed after a retry.")
    for one in node.elements():
        if one.name in ("testcase", "testsuite") or any(one.all_named("testcase")):
            _unknown(reading, replace(node, children=[one]), within.names, shared)


def _said(reading: _Reading, node: Element) -> _Said:
    """Return what the properties of a case or a suite name; those of a suite are read once."""
    named: list[Naming] = []
    files: list[str] = []
    for one, key, value in _properties(node):
        named += stated_by(key, value, Place(reading.file, one.line))
        if re.split(r"[:.]", key)[-1].lower() in _FILE_PROPERTIES:
            files.append(value)
        if len(named) > MOST_NAMINGS:
            break
    each = _Said(*apart(named), tuple(dict.fromkeys(files)))
    if len(named) > MOST_NAMINGS or max(len(each.named), len(each.files)) > MOST_NAMED:
        what = f"holds a case or suite that names more than {MOST_NAMED} records or files."
        raise reading.refuse(node.line, what)
    return each


def _properties(node: Element) -> Iterator[tuple[Element, str, str]]:
    for group in node.elements("properties"):
        for one in group.elements("property"):
            yield one, one.get("name"), one.get("value") or one.text()


def _files_in_output(node: Element) -> Iterator[str]:
    for tag in ("system-out", "system-err"):
        for output in node.elements(tag):
            yield from (one.strip() for one in _IN_OUTPUT.findall(output.text()))


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
