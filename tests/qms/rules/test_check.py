"""Concessions, tailoring, gates and counts of the release check."""

import json
import time
from dataclasses import replace

import pytest

from core.errors import Invalid
from core.records.snapshot import Key, LinkView
from qms.rules.findings import Level, Word
from qms.rules.packs import framework_pack, pack_from
from qms.rules.registry import RULES

pytestmark = pytest.mark.verifies("TST-009")


def plant_old_evaluation(demo, uid: str = "SOUP-04") -> None:
    demo.fill(uid, evaluated_on="2026-01-01")


def concede(demo, rule: str, record: str, expires: str = "2026-12-31", state: str = "approved"):
    demo.add("waiver", "WVR-001", state=state, rule=rule, reason="...", expires=expires)
    demo.link("WVR-001", "concerns", record)


def test_an_approved_concession_lets_one_finding_through(demo) -> None:
    plant_old_evaluation(demo)
    concede(demo, "C03", "SOUP-04")

    result = demo.result("C03")

    assert result.word is Word.CONCEDED
    assert [finding.waiver for finding in result.findings] == ["WVR-001"]


def test_a_concession_covers_neither_another_record_nor_another_rule(demo) -> None:
    plant_old_evaluation(demo)
    plant_old_evaluation(demo, "SOUP-02")
    demo.fill("SOUP-04", supplier=None)
    concede(demo, "C03", "SOUP-04")

    assert demo.result("C03").word is Word.FAILS
    assert demo.result("C01").word is Word.FAILS


@pytest.mark.parametrize(
    ("expires", "state"),
    [("2026-11-19", "approved"), ("2026-12-31", "draft"), ("2026-12-31", "withdrawn")],
)
def test_an_expired_or_unapproved_concession_lets_nothing_through(demo, expires, state) -> None:
    plant_old_evaluation(demo)
    concede(demo, "C03", "SOUP-04", expires, state)

    assert demo.result("C03").word is Word.FAILS


def test_a_concession_for_one_release_does_not_hold_for_another(demo) -> None:
    plant_old_evaluation(demo)
    concede(demo, "C03", "SOUP-04")
    demo.link("WVR-001", "release", "REL-1.0.0")

    assert demo.result("C03").word is Word.FAILS


def test_warnings_are_shown_and_stop_nothing(demo) -> None:
    demo.fill("DOC-SDP", review_by="2026-01-01")

    result = demo.check()

    assert result.passed
    assert result.warnings == 1
    assert demo.result("A13").word is Word.WARNS


def test_rules_of_class_c_are_not_asked_of_a_class_b_device(demo) -> None:
    demo.fill("PRJ-RPM", software_class="B")

    rule = demo.result("B09")

    assert rule.word is Word.NOT_APPLICABLE
    assert rule.looked_at == 0
    assert rule.reason == "asked of software class C, this is B"


def test_the_market_scan_is_only_asked_of_the_exemption_route(demo) -> None:
    demo.fill("PRJ-RPM", regulatory_route="UKCA", market_scan_date=None)

    assert demo.result("B17").word is Word.NOT_APPLICABLE


def test_a_device_without_a_class_is_asked_everything(demo) -> None:
    demo.fill("PRJ-RPM", software_class=None)

    assert [rule.code for rule in demo.check().rules if rule.reason] == []


def test_counts_on_page_and_in_json_are_the_same(demo) -> None:
    plant_old_evaluation(demo)
    demo.fill("UN-001", acceptance=None)

    result = demo.check()

    told = json.loads(json.dumps(result.as_json()))
    assert told["counts"]["rules"] == len(RULES)
    assert told["counts"]["failing"] == len(result.failing) == 2
    assert told["counts"]["errors"] == result.errors == 2
    applied = len(RULES) - 23
    assert result.sentence == f"{applied - 2} of {applied} pass, 23 had nothing to look at"
    assert told["counts"]["without_subject"] == 23
    assert told["passed"] is False
    assert [r["code"] for r in told["rules"] if r["verdict"] == "fails"] == ["A02", "C03"]


def test_a_gate_asks_only_its_own_rules(demo) -> None:
    codes = [rule.code for rule in demo.check("plan").rules]

    assert codes == ["B15", "B16", "B17", "B18"]


def test_a_planned_release_and_its_tests_are_not_judged(demo) -> None:
    """Tests of 1.0.0 only are drafts without runs: "not run" is no finding of 0.1.0."""
    looked_at = {test.uid for test in demo.input().snapshot.of_type("test", "RPM")}
    listed = [link.target.uid for link in demo.links if link.source.uid == "REL-0.1.0"]

    assert {"TST-001", "TST-019"} <= looked_at - set(listed)
    assert demo.flawed("E04") == []


def test_the_record_alone_can_be_judged_before_any_release(demo) -> None:
    demo.release = None

    result = demo.check()

    assert result.release == result.commit == ""
    # The concession is meant for release 0.1.0 alone.
    assert [rule.code for rule in result.failing] == ["D10"]
    assert next(rule for rule in result.rules if rule.code == "F09").looked_at == 0


def test_every_finding_says_where_and_how_to_mend(demo) -> None:
    demo.unlink("SI-11", "uses", "SOUP-10")
    demo.change("DD-03", state="draft")

    for finding in demo.check().findings:
        assert finding.sentence.startswith(f"{finding.record.uid} ")
        assert finding.mend
        assert finding.address.startswith("/p/RPM/")


def test_rules_cost_what_their_records_cost(demo) -> None:
    """Ten times the records take about ten times as long, not a hundred times."""

    def seconds() -> float:
        begin = time.process_time()
        demo.check()
        return time.process_time() - begin

    seconds()
    once = min(seconds() for _ in range(3))
    records, links = dict(demo.records), list(demo.links)
    for copy in range(1, 10):
        names = {key: Key(key.project, f"{key.uid}.C{copy}") for key in records}
        for key, record in records.items():
            if record.type not in ("project", "release", "risk_policy"):
                demo.records[names[key]] = replace(record, key=names[key])
        demo.links += [
            LinkView(link.role, names[link.source], names.get(link.target, link.target))
            for link in links
        ]
    ten_times = min(seconds() for _ in range(2))

    assert ten_times < 30 * once


def test_a_pack_with_holes_says_all_of_them() -> None:
    rules = {code: {"clauses": ["x"], "level": "error", "gates": []} for code in RULES}
    rules["A01"] = {"clauses": [], "level": "severe", "gates": ["tea"], "colour": "red"}
    rules["Z99"] = {"clauses": ["x"], "level": "error"}
    del rules["B01"]

    with pytest.raises(Invalid) as caught:
        pack_from({"rules": rules, "limits": {}}, "mine.yaml")

    codes = [fault.code for fault in caught.value.faults]
    assert codes == ["FP01", "FP02", *["FP03"] * 12, "FP04", "FP05", "FP06", "FP07"]


def test_the_shipped_pack_asks_every_rule_at_release() -> None:
    pack = framework_pack()

    assert all("release" in entry.gates for entry in pack.entries.values())
    assert {code for code, e in pack.entries.items() if e.level is Level.WARN} == {
        "A13",
        "B05",
        "C04",
        "C08",
        "E03",
        "F15",
        "F17",
        "F18",
        "F20",
        "F21",
        "F22",
    }


def test_release_of_nothing_is_not_green(demo) -> None:
    roles = ("delivers", "tested_by", "meets")
    demo.links = [one for one in demo.links if one.role not in roles]

    result = demo.check()

    words = {rule.code: rule.word for rule in result.rules}
    assert not result.passed
    told = " ".join(finding.sentence for finding in result.findings)
    assert all(f"a link ({role})" in told for role in roles)
    assert words["E04"] == words["D07"] == words["E05"] == "nothing to look at"


def test_release_without_a_project_record_is_not_green(demo) -> None:
    device = demo.records.pop(demo.key("PRJ-RPM"))
    demo.links = [one for one in demo.links if device.key not in (one.source, one.target)]

    assert "REL-0.1.0" in demo.flawed("B15")


def test_device_that_states_no_route_is_asked_everything(demo) -> None:
    demo.fill("PRJ-RPM", regulatory_route="", market_scan_date=None)

    assert demo.result("B17").word == "fails"
