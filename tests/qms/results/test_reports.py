"""Reports of tests are read with exact counts, and hostile ones are refused by name."""

from collections import Counter
from pathlib import Path

import pytest

from core.errors import Invalid
from qms.results.cases import Case, Outcome
from qms.results.reading import read_results
from qms.results.refusing import DEEPEST

pytestmark = pytest.mark.verifies("TST-028")

GTEST, CTEST, LIT, NEXTEST = "gtest", "ctest", "lit", "nextest"
KNOWN = {
    "00": ("pytest", 2, {}),
    "01": (GTEST, 5, {}),
    "02": (GTEST, 5, {}),
    "03": (GTEST, 2, {}),
    "04": (CTEST, 1, {}),
    "05": (CTEST, 1, {}),
    "06": (CTEST, 1, {Outcome.FAILED: 1}),
    "07": (CTEST, 1, {Outcome.SKIPPED: 1}),
    "08": (CTEST, 4, {}),
    "09": (CTEST, 5, {}),
    "10": (CTEST, 1, {}),
    "11": (GTEST, 5, {}),
    "12": (GTEST, 2, {}),
    "13": (LIT, 1, {}),
    "14": (LIT, 1, {Outcome.FAILED: 1}),
    "15": (LIT, 1, {Outcome.SKIPPED: 1}),
    "16": (NEXTEST, 1, {}),
    "17": (NEXTEST, 1, {Outcome.FAILED: 1}),
    "18": (NEXTEST, 1, {}),
    "19": (NEXTEST, 6, {}),
    "20": (NEXTEST, 3, {}),
    "21": (NEXTEST, 4, {Outcome.FAILED: 1}),
}
"""What each real file holds: its tool, its cases, and those that did not pass."""


def refusal(content: bytes | str, name: str = "bad.xml") -> str:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(Invalid) as caught:
        read_results(raw, name)
    (fault,) = caught.value.faults
    return f"{fault.code} {fault}"


def only(case: str) -> Case:
    report = read_results(f"<testsuite>{case}</testsuite>".encode(), "one.xml")
    (found,) = report.cases
    return found


def test_every_real_report_reads_with_its_exact_counts(reference_data: Path) -> None:
    folder = reference_data / "trace" / "junit"

    reports = {
        path.name[:2]: read_results(path.read_bytes(), path.name) for path in folder.iterdir()
    }

    found = {
        key: (one.tool, len(one.cases), {k: n for k, n in one.counts().items() if n})
        for key, one in reports.items()
    }
    expected = {
        key: (tool, total, Counter({Outcome.PASSED: total - sum(wrong.values())}) + Counter(wrong))
        for key, (tool, total, wrong) in KNOWN.items()
    }
    assert found == expected
    assert sum(len(one.cases) for one in reports.values()) == 54


def test_a_report_that_holds_fewer_tests_than_it_declares_says_so(reference_data: Path) -> None:
    folder = reference_data / "trace" / "junit"

    odd = {
        path.name[:2]: [
            str(one.what) for one in read_results(path.read_bytes(), path.name).findings
        ]
        for path in sorted(folder.iterdir())
    }

    assert {key for key, found in odd.items() if found} == {
        "00", "04", "05", "06", "07", "13", "14",
    }  # fmt: skip
    assert odd["13"] == ["The suite StrictDoc integration tests declares 358 tests and holds 1."]


def test_a_property_names_a_record_and_a_file(reference_data: Path) -> None:
    path = reference_data / "trace" / "junit" / "10-tests_unit.ctest.junit.xml"

    (case,) = read_results(path.read_bytes(), path.name).cases

    assert [(one.uid, one.stated, one.place.line) for one in case.named] == [("REQ-1", True, 13)]
    assert case.files == ("test1.png",)
    assert case.place.line == 8


def test_a_failure_is_told_with_its_reason(reference_data: Path) -> None:
    path = reference_data / "trace" / "junit" / "17-tests_unit.nextest.junit.xml"

    (case,) = read_results(path.read_bytes(), path.name).cases

    assert case.message == "thread 'tests::add_fails' panicked at src/lib.rs:12:9"
    assert case.label == "hello_world_crate.tests::add_fails"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", Outcome.PASSED),
        ('<failure message="no"/>', Outcome.FAILED),
        ('<error message="set-up broke"/>', Outcome.ERROR),
        ('<skipped message="no display"/>', Outcome.SKIPPED),
        ('<skipped type="pytest.xfail" message="known"/>', Outcome.XFAIL),
        ('<failure message="[XPASS(strict)] known"/>', Outcome.XPASS),
        ('<skipped/><error message="tear-down broke"/>', Outcome.ERROR),
        ('<error/><failure message="no"/>', Outcome.FAILED),
        ('<flakyFailure message="first try"/>', Outcome.PASSED),
        ('<rerunFailure message="again"/>', Outcome.FAILED),
        ('<j:failure xmlns:j="urn:j" message="no"/>', Outcome.FAILED),
        ('<Failure message="no"/>', Outcome.FAILED),
        ('<timeoutError message="no"/>', Outcome.ERROR),
        ('<ignored message="no"/>', Outcome.SKIPPED),
        ("<attachments/>", Outcome.PASSED),
        ("<exception/>", Outcome.ERROR),
        ("<results><one/><two><failure/></two></results>", Outcome.FAILED),
        ("<results><system-out/><skipped/></results>", Outcome.SKIPPED),
        ("<results><system-out/><properties/></results>", Outcome.PASSED),
        ('<testcase name="b"><failure/></testcase>', Outcome.PASSED),
    ],
)
def test_the_outcomes_are_told_apart(inside: str, expected: Outcome) -> None:
    report = read_results(
        f'<testsuite><testcase name="a">{inside}</testcase></testsuite>'.encode(), ""
    )

    assert report.cases[0].outcome is expected


@pytest.mark.parametrize("status", ["notrun", "disabled", "suppressed", "Not-Run"])
def test_a_case_that_was_not_run_has_not_passed(status: str) -> None:
    assert only(f'<testcase name="a" status="{status}"/>').outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('status="failed"', Outcome.FAILED),
        ('result="Failure"', Outcome.FAILED),
        ('status="error"', Outcome.ERROR),
        ('status="run" result="broken"', Outcome.ERROR),
        ('status="run" result="suppressed"', Outcome.SKIPPED),
        ('status="Passed"', Outcome.PASSED),
        ('Status="failed"', Outcome.FAILED),
        ('result="failed" q:result="passed"', Outcome.FAILED),
    ],
)
def test_a_case_is_no_better_than_the_status_that_it_states(said: str, expected: Outcome) -> None:
    assert only(f'<testcase name="a" {said}/>').outcome is expected


def test_capitals_hide_no_failure() -> None:
    report = read_results(b'<TestSuite><TestCase Name="a" Result="Failed"/></TestSuite>', "a.xml")

    assert [(case.name, case.outcome) for case in report.cases] == [("a", Outcome.FAILED)]


@pytest.mark.parametrize(
    ("suite", "told"),
    [
        ('<testsuite name="u"><error message="no class"/>{}</testsuite>',
         "The suite u holds <error> itself: no class."),
        ('<testsuite name="u">{}<failure/></testsuite>', "The suite u holds <failure> itself."),
        ('<testsuite name="u"><results><error/></results>{}</testsuite>',
         "The suite u holds <error> itself."),
        ('<testsuite name="u"><j:rerunFailure/>{}</testsuite>',
         "The suite u holds <rerunfailure> itself."),
        ('<testsuites><testsuite>{}</testsuite><error/></testsuites>',
         "The report holds <error> itself."),
        ('<testsuite name="u" Result="Failed">{}</testsuite>',
         "The suite u says Failed, and no case in it shows why."),
        ('<testsuite><group name="g" status="broken">{}</group></testsuite>',
         "The suite g says broken, and no case in it shows why."),
    ],
)  # fmt: skip
def test_nothing_has_passed_in_a_suite_that_failed_itself(suite: str, told: str) -> None:
    report = read_results(suite.format('<testcase name="a"/><testcase name="b"/>').encode(), "a.x")

    assert [(case.outcome, case.message) for case in report.cases] == [(Outcome.ERROR, told)] * 2
    assert told in [one.what for one in report.findings if one.code == "TR616"]


def test_a_suite_that_failed_as_its_case_did_takes_no_other_pass_back() -> None:
    inside = '<testcase name="a"/><testcase name="b"><error/></testcase>'
    content = f'<testsuite status="failed">{inside}<skipped/><system-err/></testsuite>'

    report = read_results(content.encode(), "a.xml")

    assert [str(case.outcome) for case in report.cases] == ["passed", "error"]
    assert report.findings == ()


@pytest.mark.parametrize(
    "suite",
    ['<testsuite status="{}">', '<testsuite result="{}">', "<testsuite><{}/>"],
)
@pytest.mark.parametrize("word", ["done", "finished", "closed", "stderr", "deferred"])
def test_a_suite_that_says_no_failure_takes_no_pass_back(suite: str, word: str) -> None:
    content = f'{suite.format(word)}<testcase name="a"/></testsuite>'

    [case] = read_results(content.encode(), "a.xml").cases

    assert case.outcome is Outcome.PASSED


def test_a_case_deep_in_what_is_not_known_within_a_case_is_read() -> None:
    inside = '<sub><group><testcase name="b"><failure/></testcase></group></sub>'
    content = f'<testsuite><testcase name="a">{inside}</testcase></testsuite>'

    report = read_results(content.encode(), "a.xml")

    assert [(case.name, str(case.outcome)) for case in report.cases] == [
        ("a", "passed"),
        ("b", "failed"),
    ]


def odd(content: str) -> list[str]:
    return [f"{one.code} {one.what}" for one in read_results(content.encode(), "a.xml").findings]


def test_a_word_and_an_element_that_are_not_known_are_told() -> None:
    inside = '<testcase name="a" status="odd"/><testcase name="b"><mood/></testcase>'

    assert odd(f"<testsuite>{inside}</testsuite>") == [
        "TR616 a says odd, which is no known status.",
        "TR616 b holds <mood>, which is not known.",
    ]


def test_a_retry_that_passed_is_a_pass_that_says_so() -> None:
    case = only('<testcase name="a"><flakyFailure message="first try"/></testcase>')

    assert (case.outcome, case.message) == ("passed", "It passed after a retry: first try")
    assert odd('<testsuite><testcase name="a"><flakyError/></testcase></testsuite>') == [
        "TR617 a passed after a retry."
    ]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ('failures="1"', "The suite u declares 1 failures and holds 0."),
        ('errors="2"', "The suite u declares 2 errors and holds 0."),
        ('skipped="1"', "The suite u declares 1 skipped and holds 0."),
    ],
)
def test_what_a_suite_counts_is_compared_with_what_its_cases_say(numbers: str, told: str) -> None:
    assert odd(f'<testsuite name="u" {numbers}><testcase name="a"/></testsuite>') == [
        f"TR606 {told}"
    ]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ('tests="1" failures="1"', Outcome.ERROR),
        ('errors="1"', Outcome.ERROR),
        ('tests="3" failures="1"', Outcome.PASSED),
        ('tests="1" failures="0"', Outcome.PASSED),
    ],
)
def test_nothing_has_passed_where_one_of_the_suite_failed_and_no_case_says_which(
    numbers: str, expected: Outcome
) -> None:
    content = f'<testsuites><testsuite {numbers}><testcase name="a"/></testsuite></testsuites>'

    (case,) = read_results(content.encode(), "a.xml").cases
    assert case.outcome is expected


def test_cases_outside_a_suite_and_in_unknown_elements_are_read() -> None:
    content = """<testsuites><testcase name="REQ-1"><failure/></testcase><testsuite name="u">
    <properties><property name="verifies" value="REQ-3"/></properties>
    <group name="g"><testcase name="b"><error/></testcase></group>
    <testcase name="c"><testcase name="d"><failure/></testcase></testcase>
    </testsuite></testsuites>"""

    report = read_results(content.encode(), "a.xml")

    told = {case.name: (case.suite, str(case.outcome)) for case in report.cases}
    assert told == {
        "REQ-1": ("", "failed"), "b": ("u / g", "error"), "c": ("u", "passed"),
        "d": ("u / c", "failed"),
    }  # fmt: skip
    assert [one.uid for case in report.cases for one in case.named] == ["REQ-1", *["REQ-3"] * 3]
    assert [str(one.place) for one in report.findings] == ["a.xml:3", "a.xml:4"]
    assert {one.code for one in report.findings} == {"TR616"}


def test_a_report_that_names_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qms.results.junit.MOST_NAMINGS", 500)
    ids = " ".join(f"R-{n}" for n in range(200))
    shared = f'<properties><property name="verifies" value="{ids}"/></properties>'
    cases = '<testcase name="a"/>' * 3
    more = '<properties><property name="verifies" value="R-200"/></properties>'

    assert refusal(f"<testsuite>{shared}{cases}</testsuite>").startswith(
        "TR602 bad.xml:1: names records and files more than 500 times in all."
    )
    assert refusal(
        f'<testsuite>{shared}<testcase name="a">{more}</testcase></testsuite>'
    ).startswith("TR602 bad.xml:1: holds a case that names more than 200 records.")


def test_ids_are_taken_from_properties_markers_and_names() -> None:
    case = only(
        '<testcase classname="tests.TST-004" name="test_REQ_0012_dose_SHA-256">'
        "<properties>"
        '<property name="verifies" value="REQ-1, REQ-2"/>'
        '<property name="marker" value="verifies(\'REQ-3\')"/>'
        '<property name="marker" value="slow"/>'
        '<property name="seed" value="REQ-9"/>'
        "</properties></testcase>"
    )

    assert {one.uid for one in case.named if one.stated} == {"REQ-1", "REQ-2", "REQ-3"}
    assert {one.uid for one in case.named if not one.stated} == {"TST-004", "REQ-0012", "SHA-256"}
    assert {one.uid for one in case.words} == {"slow"}


def test_an_attachment_named_in_the_output_belongs_to_the_case() -> None:
    case = only('<testcase name="a"><system-out>[[ATTACHMENT|out/dvh.png]]</system-out></testcase>')

    assert case.files == ("out/dvh.png",)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]>
<testsuite><testcase name="&lol2;"/></testsuite>"""
OUTSIDE = """<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<testsuite><testcase name="a"><failure>&x;</failure></testcase></testsuite>"""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB, "TR603 bad.xml:2: declares a document type or an entity."),
        (OUTSIDE, "TR603 bad.xml:1: declares a document type or an entity."),
        (BOMB.encode("utf-16"), "TR603 bad.xml:2: declares a document type or an entity."),
        ("<testsuite>" * (DEEPEST + 1), "TR602 bad.xml:1: is nested more than"),
        ("[" * 100_000, "TR602 bad.xml: nests more than"),
        ("[" * 40 + "]" * 40, "TR602 bad.xml: nests more than"),
        ("<testsuite><testcase></testsuite>", "TR604 bad.xml:1: is not well-formed XML"),
        ("<testsuite>&unknown;</testsuite>", "TR604 bad.xml:1: is not well-formed XML"),
        ('<?xml version="1.0" encoding="x-none"?><testsuite/>', "TR604 bad.xml"),
        ("<html/>", "TR605 bad.xml:1: begins with <html>, which is no report of tests."),
        ('{"a": 1}', "TR605 bad.xml: is no list of features with their elements."),
        ('[{"elements": 3}]', "TR605 bad.xml: is no list of features"),
        ("[1, 2", "TR604 bad.xml:1: is not JSON"),
        ("PK\x03\x04", "TR605 bad.xml: is neither XML nor JSON."),
        ("", "TR605 bad.xml: is empty."),
    ],
)
def test_what_is_hostile_or_no_report_is_refused_by_name(content: bytes | str, told: str) -> None:
    assert refusal(content).startswith(told)


def test_a_report_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qms.results.refusing.LARGEST_BYTES", 10)

    assert refusal("<testsuite/>") == (
        "TR601 bad.xml: has 12 bytes; at most 10 are read. Split the report."
    )


def test_an_empty_report_is_no_good_news() -> None:
    report = read_results(b"<testsuites/>", "none.xml")

    assert [one.code for one in report.findings] == ["TR608"]
