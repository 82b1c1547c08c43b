"""The findings of a release check a page at a time, under the rules that found them. Pure.

The JSON and the command give every finding; a page that listed sixty thousand could not be read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qms.rules.findings import Finding, RuleResult, Word

PAGE_SIZE = 100
"""Findings on one page, and concessions named beside them."""


@dataclass(frozen=True)
class FindingGroup:
    """What one rule found, as far as it stands on a page.

    Attributes
    ----------
    first : int
        Which of the rule's findings the page begins with, counted from 1.
    total : int
        How many findings of the rule no concession lets through, on whatever page.
    """

    rule: RuleResult
    findings: tuple[Finding, ...]
    first: int
    total: int

    @property
    def last(self) -> int:
        """Which of the rule's findings the page ends with."""
        return self.first + len(self.findings) - 1


@dataclass(frozen=True)
class FindingPage:
    """One page of the findings that no concession lets through.

    Attributes
    ----------
    number, total : int
        Which page it is, and how many findings there are on all pages.
    starts : mapping of code to int
        On which page the findings of each rule begin.
    """

    groups: tuple[FindingGroup, ...]
    number: int
    total: int
    starts: Mapping[str, int]


def finding_page(
    rules: Iterable[RuleResult], number: int = 1, size: int = PAGE_SIZE
) -> FindingPage:
    """Return a page of findings in the order of their rules; past the end, the last page."""
    found = [
        (rule, [finding for finding in rule.findings if not finding.waiver])
        for rule in rules
        if rule.word in (Word.FAILS, Word.WARNS)
    ]
    total = sum(len(findings) for _, findings in found)
    number = max(1, min(number, -(-total // size)))
    begin, end = (number - 1) * size, number * size
    groups, starts, passed = [], {}, 0
    for rule, findings in found:
        starts[rule.code] = passed // size + 1
        first, last = max(begin - passed, 0), min(end - passed, len(findings))
        if first < last:
            there = tuple(findings[first:last])
            groups.append(FindingGroup(rule, there, first + 1, len(findings)))
        passed += len(findings)
    return FindingPage(tuple(groups), number, total, starts)
