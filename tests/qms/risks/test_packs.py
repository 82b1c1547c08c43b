"""Risk matrices as data: ours, a department's, and every fault of every file at once."""

from pathlib import Path

import pytest

from core.errors import Invalid
from qms.risks.packs import read_matrix_packs

ROOT = Path(__file__).parents[3]
OURS = ROOT / "qms/risks/matrices"
SMALL = """id: small
title: Two by two
severity: [Minor, Major]
likelihood: [Low, High]
matrix: [[1, 2], [2, 3]]
acceptable_up_to: 1
tolerable_with_benefit_risk: 2
"""


def test_a_matrix_of_the_department_comes_before_ours_and_another_id_adds_one(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(SMALL)
    (tmp_path / "b.yaml").write_text(SMALL.replace("id: small", "id: nhs-dcb-5x5"))

    packs = read_matrix_packs(OURS, tmp_path)

    assert packs["small"].title == "Two by two"
    assert packs["nhs-dcb-5x5"].cells == ((1, 2), (2, 3))
    assert len(read_matrix_packs(OURS)["nhs-dcb-5x5"].cells) == 5


def test_every_fault_of_every_file_is_named_with_its_line(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("title: no id\n")
    (tmp_path / "b.yaml").write_text(SMALL.replace("[2, 3]", "[2, 1]") + "colour: red\n")
    (tmp_path / "c.yaml").write_text(SMALL.replace("acceptable_up_to: 1\n", ""))
    (tmp_path / "d.yaml").write_text("id: [\n")

    with pytest.raises(Invalid) as refusal:
        read_matrix_packs(OURS, tmp_path)

    told = [(fault.code, fault.where) for fault in refusal.value.faults]
    assert told == [
        ("RM01", "matrices/a.yaml:1 id"),
        ("RM01", "matrices/b.yaml:8 colour"),
        ("RM06", "matrices/b.yaml:5 matrix"),
        ("RM06", "matrices/b.yaml:5 matrix"),
        ("RM01", "matrices/c.yaml:1 id"),
        ("RM08", "matrices/c.yaml:1 acceptable_up_to"),
        ("yaml-syntax", "matrices/d.yaml:2"),
    ]
