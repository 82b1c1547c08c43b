"""What an element of JUnit XML says of its test, in the words of every tool that we know. Pure.

A word that is not known is never taken for a pass: a test that says ``status="broken"`` did not
pass because we cannot read it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.located_xml import Element
from qms.results.cases import MOST_TEXT, RED, Outcome, worst

_STRICT = "[XPASS(strict)]"
_PASSED = frozenset(
    {"", "completed", "ok", "pass", "passed", "run", "succeeded", "success", "successful"}
)
_WORDS: Mapping[str, Outcome] = {
    **dict.fromkeys(("fail", "failed", "failure"), Outcome.FAILED),
    **dict.fromkeys(
        (
            "blocked", "cancelled", "canceled", "disabled", "ignored", "inactive", "notexecuted",
            "notrun", "pending", "skip", "skipped", "suppressed", "untested",
        ),
        Outcome.SKIPPED,
    ),
    "xfail": Outcome.XFAIL,
    "xpass": Outcome.XPASS,
}  # fmt: skip
"""What a status or a result says; every other word says that the test broke."""

_RED = re.compile(
    r"fail|error|abort|crash|exception|fatal|timeout|broken|panic|inconclusive|unknown"
)
_NOT_RUN = re.compile(r"skip|ignor|disabled|notrun|pending|cancel")
_SILENT = frozenset({"properties", "system-out", "system-err", "testcase", "testsuite"})
_COUNTED: Mapping[Outcome, str] = {
    Outcome.FAILED: "failures",
    Outcome.XPASS: "failures",
    Outcome.ERROR: "errors",
    Outcome.SKIPPED: "skipped",
    Outcome.XFAIL: "skipped",
}
"""Under which of its numbers a suite counts a case."""


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes
    ----------
    counted : frozenset of str
        Under which numbers of its suite it counts: failures, errors, skipped.
    retried : bool
        Whether it passed after it had failed.
    odd : tuple of str
        Elements and words in it that are not known, each as the end of a sentence.
    """

    outcome: Outcome
    message: str
    counted: frozenset[str]
    retried: bool
    odd: tuple[str, ...]


def verdict_of(node: Element) -> Verdict:
    """Return what a case says of itself: the worst of it all."""
    said: list[tuple[Outcome, str]] = []
    odd: list[str] = []
    before: list[str] = []
    for one in node.elements():
        if one.name in ("flakyfailure", "flakyerror"):
            before.append(text_of(one))
        elif (outcome := of_element(one)) is not None:
            said.append((outcome, text_of(one)))
        elif one.name not in _KNOWN:
            said += ((outcome, text_of(deep)) for deep, outcome in said_in(one))
        if one.name not in _KNOWN:
            odd.append(f"holds <{one.name[:60]}>, which is not known")
    for word in dict.fromkeys((node.get("status"), node.get("result"))):
        outcome = of_word(word)
        if outcome is not None:
            said.append((outcome, f"The report says {word[:60]}."))
            if outcome is Outcome.ERROR and _plain(word) != "error":
                odd.append(f"says {word[:60]}, which is no known status")
    counted = frozenset(_COUNTED[outcome] for outcome, _ in said)
    decided = worst(outcome for outcome, _ in said)
    if decided is not None:
        message = next(told for outcome, told in said if outcome is decided)
        return Verdict(decided, message, counted, False, tuple(odd))
    told = f"It passed after a retry: {before[0]}".rstrip(": ")[:MOST_TEXT] if before else ""
    return Verdict(Outcome.PASSED, told, counted, bool(before), tuple(odd))


_ELEMENTS: Mapping[str, Outcome] = {
    "error": Outcome.ERROR,
    "failure": Outcome.FAILED,
    # These two stand beside a failure; where one stands alone, what it says still holds.
    "rerunerror": Outcome.ERROR,
    "rerunfailure": Outcome.FAILED,
    "skipped": Outcome.SKIPPED,
}
_KNOWN = frozenset({*_ELEMENTS, *_SILENT, "flakyerror", "flakyfailure"})


def of_element(one: Element) -> Outcome | None:
    """Return what an element says came of that which it lies in; None where it says nothing."""
    if one.name in _SILENT:
        return None
    if one.name == "failure" and text_of(one).startswith(_STRICT):
        return Outcome.XPASS
    if one.name == "skipped" and one.get("type") == "pytest.xfail":
        return Outcome.XFAIL
    known = _ELEMENTS.get(one.name)
    if known is not None:
        return known
    if _RED.search(one.name):
        return Outcome.ERROR
    return Outcome.SKIPPED if _NOT_RUN.search(one.name) else None


def said_in(node: Element) -> Iterator[tuple[Element, Outcome]]:
    """Yield what speaks against a pass in an element, however deep in what is not known."""
    for one in node.elements():
        outcome = of_element(one)
        if outcome is not None:
            yield one, outcome
        elif one.name not in _KNOWN:
            yield from said_in(one)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word.lower())


def says_red(word: str) -> bool:
    """Whether a status or a result of a suite says that it failed; others say when it was done."""
    plain = _plain(word)
    return _WORDS.get(plain) in RED or _RED.search(plain) is not None


def of_word(word: str) -> Outcome | None:
    """Return what a status or a result says; None where it says nothing against a pass."""
    plain = _plain(word)
    return None if plain in _PASSED else _WORDS.get(plain, Outcome.ERROR)


def text_of(node: Element) -> str:
    """Return why an element says what it says."""
    message, text = node.get("message"), node.text()
    return (message or text or node.get("type"))[:MOST_TEXT]


def declared(node: Element) -> Iterator[tuple[str, int]]:
    """Yield the numbers that a suite declares of itself, those that are numbers."""
    for name in ("tests", "failures", "errors", "skipped", "disabled"):
        text = node.get(name)
        if text.isdecimal() and len(text) < 10:
            yield name, int(text)
