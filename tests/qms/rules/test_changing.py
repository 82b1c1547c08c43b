"""A department's changes of the release check: told in words, and never half applied."""

from pathlib import Path

import pytest

from core.errors import Invalid
from qms.rules.check import check
from qms.rules.findings import Level
from qms.rules.packs import framework_pack, read_framework_pack
from qms.rules.registry import RULES

CHANGES = """changes: medical-device-software
limits: {anomaly_evaluation_days: 90}
rules:
  C04: {level: error}
  A13: {level: warn}
questions:
  Q01: {asks: Has the imaging group agreed?, clauses: [ISO 13485 7.2.3]}
"""


def test_only_what_differs_changes_and_each_change_is_told(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(CHANGES)

    pack, ships = read_framework_pack(tmp_path), framework_pack()

    assert pack.entries["C04"].level is Level.ERROR
    assert pack.entries["C04"].clauses == ships.entries["C04"].clauses
    assert pack.limits["anomaly_evaluation_days"] == 90
    assert pack.limits["retention_years"] == ships.limits["retention_years"]
    assert [one.code for one in pack.questions][-1] == "Q01"
    assert set(pack.entries) == set(RULES)
    assert pack.changes == (
        "limit anomaly_evaluation_days: 90 instead of 180 (rules/ours.yaml)",
        "C04, level: error instead of warn (rules/ours.yaml)",
        "Q01: asks Has the imaging group agreed?, clauses ISO 13485 7.2.3 instead of nothing "
        "(rules/ours.yaml)",
    )
    assert ships.changes == ()


def test_every_fault_of_every_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "changes: another\n"
        "colour: red\n"
        "limits: {retention_years: true, least_case: 3}\n"
        "rules:\n"
        "  C04: {level: severe, gates: [tea]}\n"
        "  Z99: {level: warn}\n"
        "  C03: {levels: warn}\n"
    )
    (tmp_path / "b.yaml").write_text(
        "changes: medical-device-software\nrules:\n  C04: {level: warn}\nquestions: [J01]\n"
    )
    (tmp_path / "c.yaml").write_text(
        "changes: medical-device-software\nquestions:\n  Q01: {asks: Why?}\n"
    )

    with pytest.raises(Invalid) as refusal:
        read_framework_pack(tmp_path)

    told = {(fault.code, fault.where.split(" ")[0]) for fault in refusal.value.faults}
    assert told == {
        ("FP10", "rules/a.yaml:1"),
        ("FP09", "rules/a.yaml:2"),
        ("FP03", "rules/a.yaml:3"),
        ("FP06", "rules/a.yaml:5"),
        ("FP07", "rules/a.yaml:5"),
        ("FP01", "rules/a.yaml:6"),
        ("FP04", "rules/a.yaml:7"),
        ("FP11", "rules/b.yaml:3"),
        ("FP10", "rules/b.yaml:4"),
        ("FP08", "rules/c.yaml:3"),
    }


def test_a_change_is_told_with_the_release_check(demo, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(CHANGES)
    pack = read_framework_pack(tmp_path)

    result = check(demo.input(), pack)

    assert result.changes == pack.changes
    assert result.as_json()["changes"] == list(pack.changes)
