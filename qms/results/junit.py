"""Read JUnit XML as pytest, gtest, ctest, lit and nextest write it.

There is no one standard: a suite may be the root or lie in ``testsuites``, suites may be nested,
and each tool says "was not run" in its own way. What a suite declares is compared with what it
holds, because a report that was cut off looks like one in which everything passed.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qms.interchange.corpus import Finding, Place
from qms.results.cases import MOST_TEXT, Case, Naming, Outcome, Report, worst
from qms.results.guarded_xml import Node, read_xml, refused
from qms.results.ids import once, seen_in, stated_by

_FILE_PROPERTIES = frozenset({"attachment", "attachments", "image", "screenshot"})
_IN_OUTPUT = re.compile(r"\[\[ATTACHMENT\|([^\]\n]{1,400})\]\]")
_NOT_RUN = frozenset({"notrun", "disabled", "skipped", "suppressed", "ignored"})
_STRICT = "[XPASS(strict)]"
MOST_CASES = 200_000


@dataclass
class _Reading:
    file: str
    cases: list[Case] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def find(self, code: str, line: int, what: str, mend: str = "") -> None:
        self.findings.append(Finding(code, what, Place(self.file, line), mend=mend))


def read_junit(content: bytes, file: str) -> Report:
    """Read one report.

    Raises
    ------
    Invalid
        If it cannot be read as XML safely, or is no JUnit report.
    """
    root = read_xml(content, file)
    if root.tag not in ("testsuites", "testsuite"):
        what = f"begins with <{root.tag[:60]}>, which is no report of tests."
        mend = "Write JUnit XML: its first element is <testsuites> or <testsuite>."
        raise refused("TR605", f"{file}:{root.line}", what, mend)
    reading = _Reading(file)
    if root.tag == "testsuites":
        for suite in root.all("testsuite"):
            _suite(reading, suite, ())
        _compare(reading, root, "The report", len(reading.cases))
    else:
        _suite(reading, root, ())
    if not reading.cases:
        reading.find("TR608", root.line, "The report holds no test case.", "Run the tests.")
    return Report(file, tool_of(root), tuple(reading.cases), tuple(reading.findings))


def tool_of(root: Node) -> str:
    """Return which tool wrote a report, by what only it writes."""
    suites = [root] if root.tag == "testsuite" else list(root.all("testsuite"))
    cases = [case for suite in suites for case in suite.all("testcase")]
    if root.get("name") == "nextest-run":
        return "nextest"
    if any(suite.get("name") == "pytest" for suite in suites):
        return "pytest"
    if any("result" in case.attributes for case in cases):
        return "gtest"
    if root.tag == "testsuite" and any("status" in case.attributes for case in cases):
        return "ctest"
    if suites and set(root.attributes) == {"time"} and "errors" not in suites[0].attributes:
        return "lit"
    return "junit"


def _suite(reading: _Reading, suite: Node, above: tuple[str, ...]) -> None:
    before = len(reading.cases)
    names = (*above, suite.get("name"))
    shared = list(_properties(suite))
    for node in suite.below:
        if node.tag == "testcase":
            reading.cases.append(_case(reading, node, names, shared))
            if len(reading.cases) > MOST_CASES:
                what = f"has more than {MOST_CASES} cases."
                raise refused("TR602", f"{reading.file}:{node.line}", what, "Split the report.")
        elif node.tag == "testsuite":
            _suite(reading, node, names)
    called = f"The suite {names[-1]}" if names[-1] else "A suite without a name"
    _compare(reading, suite, called, len(reading.cases) - before)


def _compare(reading: _Reading, node: Node, called: str, held: int) -> None:
    declared = node.get("tests")
    if declared.isdecimal() and len(declared) < 10 and int(declared) != held:
        what = f"{called} declares {declared} tests and holds {held}."
        reading.find("TR606", node.line, what, "Send the whole report.")


def _case(
    reading: _Reading, node: Node, suites: tuple[str, ...], shared: list[tuple[Node, str, str]]
) -> Case:
    place = Place(reading.file, node.line)
    name, classname = node.get("name"), node.get("classname")
    if not name:
        reading.find("TR607", node.line, "A case has no name.", "Name it, so it can be found.")
    outcome, message = _outcome(node)
    named: list[Naming] = []
    files = list(_files_in_output(node))
    for one, key, value in (*shared, *_properties(node)):
        named += stated_by(key, value, Place(reading.file, one.line))
        if re.split(r"[:.]", key)[-1].lower() in _FILE_PROPERTIES:
            files.append(value)
    at = node.get("line")
    return Case(
        suite=" / ".join(filter(None, suites)),
        classname=classname,
        name=name,
        outcome=outcome,
        place=place,
        seconds=_seconds(node.get("time")),
        message=message,
        source=f"{node.get('file')}{':' + at if at else ''}" if node.get("file") else "",
        named=once([*named, *seen_in((suites[-1], classname, name), place)]),
        files=tuple(dict.fromkeys(files)),
    )


def _outcome(node: Node) -> tuple[Outcome, str]:
    """Return what came of a case: the worst of all that it says of itself."""
    said: list[tuple[Outcome, str]] = []
    for one in node.below:
        told = _told(one)
        if one.tag == "error":
            said.append((Outcome.ERROR, told))
        elif one.tag == "failure":
            surprise = told.startswith(_STRICT)
            said.append((Outcome.XPASS if surprise else Outcome.FAILED, told))
        elif one.tag == "skipped":
            expected = one.get("type") == "pytest.xfail"
            said.append((Outcome.XFAIL if expected else Outcome.SKIPPED, told))
    status = {node.get("status").lower(), node.get("result").lower()}
    if not said and status & _NOT_RUN:
        said.append((Outcome.SKIPPED, f"The report says {', '.join(sorted(status & _NOT_RUN))}."))
    if not said and "fail" in status:
        said.append((Outcome.FAILED, "The report says fail."))
    decided = worst(outcome for outcome, _ in said)
    if decided is None:
        return Outcome.PASSED, ""
    return decided, next(told for outcome, told in said if outcome is decided)


def _told(node: Node) -> str:
    message, text = node.get("message"), node.text.strip()
    return (message or text or node.get("type"))[:MOST_TEXT]


def _properties(node: Node) -> Iterator[tuple[Node, str, str]]:
    for group in node.all("properties"):
        for one in group.all("property"):
            yield one, one.get("name"), one.get("value") or one.text.strip()


def _files_in_output(node: Node) -> Iterator[str]:
    for tag in ("system-out", "system-err"):
        for output in node.all(tag):
            yield from (one.strip() for one in _IN_OUTPUT.findall(output.text))


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
