"""The risk file of the demonstration equals what the YAML and its matrix say, worked out apart."""

from collections import defaultdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.verdicts import Verdict, VerdictWord
from qms.interchange.design_record import load_design_record
from qms.risks.policies import policy_in_force
from qms.risks.residual import assess

FILE = Path(__file__).parents[3] / "app" / "demo" / "project.yaml"


@pytest.fixture(scope="module")
def raw():
    return YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    drafts = load_design_record(FILE, "RPM").drafts
    records = [
        RecordView(
            key=Key(draft.project, draft.uid),
            type=draft.type,
            title=draft.content.title,
            fields=draft.content.fields,
            state="approved",
            in_force=True,
        )
        for draft in drafts
    ]
    links = [
        LinkView(
            link.role,
            Key(draft.project, draft.uid),
            Key(link.project or draft.project, link.target),
            link.attributes,
        )
        for draft in drafts
        for link in draft.content.links
    ]
    return Snapshot(records, links)


def assessed(snapshot, passed):
    policy, _ = policy_in_force(snapshot, "RPM")
    verdicts = {Key("RPM", uid): Verdict(VerdictWord.PASSED, run="1") for uid in passed}
    return {
        risk.key.uid: assess(snapshot, risk, policy, verdicts)
        for risk in snapshot.of_type("risk", "RPM")
    }


def expected_levels(raw, passed):
    """Uid -> (before, after), straight from the file."""
    matrix = raw["risk_policy"]["matrix"]
    tests = defaultdict(set)
    for test in raw["tests"]:
        for requirement in test.get("verifies", ()):
            tests[requirement].add(test["id"])
    levels = {}
    for risk in raw["risks"]:
        before = matrix[risk["p_before"] - 1][risk["severity"] - 1]
        after = matrix[risk["p_after"] - 1][risk["severity"] - 1]
        verified = all(tests[control["req"]] & passed for control in risk["controls"])
        levels[risk["id"]] = (before, after if verified else before)
    return levels


def levels(assessments):
    return {uid: (one.before.number, one.after.number) for uid, one in assessments.items()}


def test_the_policy_is_the_one_that_the_file_states(snapshot, raw) -> None:
    policy, record = policy_in_force(snapshot, "RPM")

    assert record.key.uid == raw["risk_policy"]["id"]
    assert [list(row) for row in policy.cells] == raw["risk_policy"]["matrix"]


def test_without_a_run_no_risk_is_lowered(snapshot, raw) -> None:
    assessments = assessed(snapshot, ())

    assert levels(assessments) == expected_levels(raw, set())
    assert not any(one.lowered for one in assessments.values())
    assert all(one.reasons for one in assessments.values())


def test_release_0_1_0_lowers_exactly_the_risks_whose_controls_it_verifies(snapshot, raw) -> None:
    passed = set(next(one for one in raw["releases"] if one["id"] == "REL-0.1.0")["tests"])

    assessments = assessed(snapshot, passed)

    assert levels(assessments) == expected_levels(raw, passed)
    assert {uid for uid, one in assessments.items() if one.lowered} == {"RSK-002", "RSK-004"}
    assert assessments["RSK-001"].reasons == ("REQ-019 has not been tested (TST-020 not run).",)


def test_all_tests_passed_gives_every_level_that_the_file_expects(snapshot, raw) -> None:
    passed = {test["id"] for test in raw["tests"]}

    assert levels(assessed(snapshot, passed)) == expected_levels(raw, passed)


def test_deleting_one_test_turns_exactly_the_risks_it_carries_back(snapshot, raw) -> None:
    passed = {test["id"] for test in raw["tests"]}
    for test in raw["tests"]:
        without = passed - {test["id"]}

        assert levels(assessed(snapshot, without)) == expected_levels(raw, without)
