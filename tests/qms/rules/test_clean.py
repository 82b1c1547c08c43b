"""The demo's release 0.1.0 passes every rule, on its data as it is written."""

import re
from pathlib import Path

from qms.rules.registry import RULES


def test_every_rule_is_asked_and_none_finds_anything(demo) -> None:
    result = demo.check()

    told = [finding.sentence for finding in result.findings if not finding.waiver]
    assert told == []
    # Their controls are part of 1.0.0: the concession says why 0.1.0 may stand without them.
    conceded = {(finding.code, finding.waiver) for finding in result.findings}
    assert conceded == {("D10", "WVR-BENCH")}
    assert [rule.code for rule in result.rules] == list(RULES)
    assert result.passed


def test_every_register_is_looked_at_and_nothing_is_found_in_a_department_that_keeps_them(
    whole,
) -> None:
    result = whole.check()

    assert [one.sentence for one in result.findings if not one.waiver] == []
    # A release without validation, without a failed run and without a closed change.
    idle = [rule.code for rule in result.rules if not rule.looked_at and not rule.reason]
    assert idle == ["E07", "E09", "E19", "F01", "F02"]


def test_every_rule_has_a_fault_seeded_for_it() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert set(re.findall(r'must_name\(\s*"([A-Z]\d\d)"', tests)) == set(RULES)
