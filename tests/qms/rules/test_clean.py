"""The demo's release 0.1.0 passes every rule, on its data as it is written."""

import re
from pathlib import Path

from qms.rules.registry import RULES


def test_every_rule_is_asked_and_none_finds_anything(demo) -> None:
    result = demo.check()

    told = [finding.sentence for finding in result.findings]
    assert told == []
    assert [rule.code for rule in result.rules] == list(RULES)
    assert result.passed


def test_every_rule_has_a_fault_seeded_for_it() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert set(re.findall(r'must_name\(\s*"([A-Z]\d\d)"', tests)) == set(RULES)
