"""The matrix of the demonstration's design record equals an independent walk over its YAML."""

from collections import defaultdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from core.records.snapshot import Key, LinkView, RecordView, Snapshot
from core.verdicts import Verdict, VerdictWord
from qms.interchange.design_record import load_design_record
from qms.releases.scope import choose_release, releases_of
from qms.traceability.columns import known_columns
from qms.traceability.coverage import Flag, Outcome
from qms.traceability.matrix import Facts, build

FILE = Path(__file__).parents[3] / "app" / "demo" / "project.yaml"
BUILT = defaultdict(lambda: "0" * 40)


@pytest.fixture(scope="module")
def raw():
    return YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """Every draft of the loader, as if each had been approved that is not planned or a draft."""
    drafts = load_design_record(FILE, "RPM").drafts
    records = [
        RecordView(
            key=Key(draft.project, draft.uid),
            type=draft.type,
            title=draft.content.title,
            fields=draft.content.fields,
            state="draft" if draft.state in ("planned", "draft") else "approved",
            in_force=draft.state not in ("planned", "draft"),
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


def matrix_of(snapshot: Snapshot, rows: str, verdicts=None, release=None):
    scope = choose_release(releases_of(snapshot, "RPM"), release)
    words = {Key("RPM", uid): verdict for uid, verdict in (verdicts or {}).items()}
    facts = Facts(
        snapshot,
        words,
        release_tests=scope.tests if scope else frozenset(),
        delivered=scope.delivered if scope else frozenset(),
    )
    return build(facts, "RPM", rows, known_columns()[rows], release)


def cells(matrix, column):
    return {
        row.record.key.uid: [entry.record.key.uid for entry in row.cells[column]]
        for row in matrix.rows
    }


def reversed_of(entries, key):
    """Uid named under `key` -> the entries that name it; "X@2" names X."""
    found = defaultdict(list)
    for entry in entries:
        for target in entry.get(key, []):
            found[target.partition("@")[0]].append(entry["id"])
    return found


def test_every_requirement_shows_the_need_item_design_and_tests_of_the_file(snapshot, raw) -> None:
    matrix = matrix_of(snapshot, "requirement")
    tests = reversed_of(raw["tests"], "verifies")
    designs = reversed_of(raw["designs"], "satisfies")

    assert len(matrix.rows) == len(raw["requirements"]) == 26
    for column, expected in (
        ("user_need", {r["id"]: sorted(r["derives_from"]) for r in raw["requirements"]}),
        ("software_item", {r["id"]: sorted(r["allocated_to"]) for r in raw["requirements"]}),
        ("test", {r["id"]: sorted(tests[r["id"]]) for r in raw["requirements"]}),
        ("design", {r["id"]: sorted(designs[r["id"]]) for r in raw["requirements"]}),
    ):
        assert cells(matrix, column) == expected


def test_every_need_reaches_its_tests_through_its_requirements(snapshot, raw) -> None:
    requirements = reversed_of(raw["requirements"], "derives_from")
    verified = reversed_of(raw["tests"], "verifies")
    validated = reversed_of(raw["tests"], "validates")
    expected = {
        need["id"]: sorted(
            {*validated[need["id"]]}
            | {test for req in requirements[need["id"]] for test in verified[req]}
        )
        for need in raw["user_needs"]
    }

    assert cells(matrix_of(snapshot, "user_need"), "test") == expected


def test_every_risk_shows_its_controls_and_the_tests_that_prove_them(snapshot, raw) -> None:
    verified = reversed_of(raw["tests"], "verifies")
    matrix = matrix_of(snapshot, "risk")

    assert cells(matrix, "requirement") == {
        risk["id"]: sorted(control["req"] for control in risk["controls"]) for risk in raw["risks"]
    }
    assert cells(matrix, "test") == {
        risk["id"]: sorted(
            {test for control in risk["controls"] for test in verified[control["req"]]}
            | set(risk["effectiveness"])
        )
        for risk in raw["risks"]
    }


def test_without_a_run_every_requirement_reads_not_run_and_none_is_uncovered(snapshot) -> None:
    matrix = matrix_of(snapshot, "requirement", release="REL-0.1.0")

    assert {row.judgement.outcome for row in matrix.rows} == {Outcome.NOT_RUN}
    assert matrix.count(Flag.UNCOVERED) == 0
    assert matrix.count(Flag.NOT_RUN) == 26


def test_a_complete_run_of_the_release_turns_exactly_its_requirements_green(snapshot, raw) -> None:
    release = next(one for one in raw["releases"] if one["id"] == "REL-0.1.0")
    passed = {uid: Verdict(VerdictWord.PASSED, run="1") for uid in release["tests"]}

    matrix = matrix_of(snapshot, "requirement", passed, "REL-0.1.0")

    green = {row.record.key.uid for row in matrix.rows if row.judgement.outcome is Outcome.PASSED}
    assert green == set(release["requirements"])
    assert {row.record.key.uid for row in matrix.rows if row.delivered} == green
    assert matrix.count(Flag.NOT_RUN) == 18


def test_one_failing_test_turns_exactly_the_requirements_it_verifies_red(snapshot, raw) -> None:
    release = next(one for one in raw["releases"] if one["id"] == "REL-0.1.0")
    for failing in release["tests"]:
        verdicts = {
            uid: Verdict(VerdictWord.FAILED if uid == failing else VerdictWord.PASSED, run="1")
            for uid in release["tests"]
        }

        matrix = matrix_of(snapshot, "requirement", verdicts, "REL-0.1.0")

        red = {row.record.key.uid for row in matrix.filtered(Flag.FAILING)}
        assert red == {
            uid
            for test in raw["tests"]
            if test["id"] == failing
            for uid in test.get("verifies", ())
        }
