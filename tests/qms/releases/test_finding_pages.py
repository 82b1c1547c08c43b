"""Findings come a page at a time, in the order of their rules, each on one page."""

from core.records.snapshot import Key
from qms.releases.finding_pages import finding_page
from qms.rules.findings import Finding, Level, RuleResult


def rule(code: str, found: int, conceded: int = 0, level: Level = Level.ERROR) -> RuleResult:
    def finding(number: int) -> Finding:
        waiver = "WVR-001" if number < conceded else ""
        key = Key("RPM", f"REQ-{number}")
        return Finding(code, key, f"REQ-{number} is wrong.", "Mend it.", "/", level, waiver)

    findings = tuple(map(finding, range(found)))
    return RuleResult(code, f"Rule {code}", "", level, (), found or 1, findings)


RULES = [rule("A01", 25), rule("A02", 0), rule("B01", 3, conceded=3), rule("B02", 12, conceded=2),
         rule("C01", 4, level=Level.WARN)]  # fmt: skip


def test_the_pages_together_hold_every_finding_once_in_order() -> None:
    pages = [finding_page(RULES, number, size=10) for number in (1, 2, 3, 4)]

    seen = [f for page in pages for group in page.groups for f in group.findings]
    assert seen == [f for one in RULES for f in one.findings if not f.waiver]
    assert {page.total for page in pages} == {25 + 10 + 4}
    assert all(sum(len(g.findings) for g in page.groups) == 10 for page in pages[:3])


def test_a_group_says_which_of_how_many_findings_it_shows() -> None:
    page = finding_page(RULES, 3, size=10)

    assert [(g.rule.code, g.first, g.last, g.total) for g in page.groups] == [
        ("A01", 21, 25, 25),
        ("B02", 1, 5, 10),
    ]


def test_each_rule_knows_the_page_on_which_its_findings_begin() -> None:
    starts = finding_page(RULES, size=10).starts

    assert starts == {"A01": 1, "B02": 3, "C01": 4}
    for code, number in starts.items():
        groups = {group.rule.code: group for group in finding_page(RULES, number, 10).groups}
        assert groups[code].first == 1


def test_past_the_end_is_the_last_page_and_nothing_found_is_an_empty_one() -> None:
    assert finding_page(RULES, 99, size=10) == finding_page(RULES, 4, size=10)
    assert finding_page([rule("A01", 0)], 7).groups == ()
    assert finding_page([rule("A01", 0)], 7).number == 1
