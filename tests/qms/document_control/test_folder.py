"""A folder of controlled documents: what is read, what is found, which clause is covered."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.errors import Invalid
from qms.clauses.packs import clause_lists
from qms.document_control.coverage import Standing, coverage
from qms.document_control.folder import read_folder
from qms.document_control.lint import CODES, lint

ROOT = Path(__file__).parents[3]

PROCEDURE = """---
qms_version: 2.2.0
sop_version: 2.10
---

# Corrective action
<!-- [13485:8.5.2a,8.5.3] -->

|                      |            |
|----------------------|------------|
| **Document ID**      | ABC PR.016 |
| **Document Version** | 2.10       |
| **QMS Version**      | 2.2.0      |

The following sections are not applicable:

| Section | Title | Reason |
|---------|-------|--------|
| 7.5.5   | Sterile devices | software only |
| 7.5.2   | Cleanliness |  |
| 7.5.9.2 | Implants | software only |
"""
TEMPLATE = """---
qms_version: 2.2.0
sop_id: ABC PR.016
sop_version: 2.10
template_id: ABC F.001
template_version: 1.0
---

# A form
<!-- [13485:7.3] -->

| **Template ID**      | ABC F.001  |
| **Template Version** | 1.0        |
| **SOP ID**           | ABC PR.016 |
| **SOP Version**      | 2.10       |

See ABC-PR-016 and XYZ PR.900 of another owner.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents that agree with themselves and each other."""
    kept = tmp_path / "documents"
    kept.mkdir()
    (kept / "ABC-PR-016-Corrective-Action.md").write_text(PROCEDURE)
    (kept / "ABC-F-001-Form.md").write_text(TEMPLATE)
    return kept


def found(folder: Path) -> list[tuple[str, str, int]]:
    findings = lint(read_folder(folder), clause_lists())
    return [(one.code, one.path.split("-")[1], one.line) for one in findings]


def change(folder: Path, name: str, before: str, after: str) -> None:
    (path,) = folder.glob(f"*{name}*.md")
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_documents_that_agree_give_no_finding(folder: Path) -> None:
    assert found(folder) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        (
            "PR-016",
            "**Document Version** | 2.10",
            "**Document Version** | 2.1",
            [("DL01", "PR", 12)],
        ),
        (
            "F-001",
            "**SOP ID**           | ABC PR.016",
            "**SOP ID** | ABC PR.001",
            [("DL01", "F", 14), ("DL03", "F", 14)],
        ),
        ("F-001", "template_version: 1.0", "template_version:", [("DL01", "F", 13)]),
        ("F-001", "and XYZ", "and ABC PR.777, ABC PR.777, XYZ", [("DL03", "F", 17)]),
        ("F-001", "[13485:7.3]", "[13485:7.3,7.2.1c7.2.1e]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485:7.3", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485:4.3.4e]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485 7.3]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485:7a]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485:7.3.2.9]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[13485:7]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[62366-1:5.99]", [("DL04", "F", 10)]),
        ("F-001", "[13485:7.3]", "[14971:6,7.2]", []),
        ("F-001", "[13485:7.3]", "[62366-1:5.7]", []),
        ("F-001", "template_id: ABC F.001", "template_id:ABC F.001", [("DL06", "F", 1)]),
        (
            "PR-016",
            "**Document ID**      | ABC PR.016",
            "**Document ID** | ABC PR.061",
            [("DL03", "PR", 11), ("DL07", "PR", 11)],
        ),
        (
            "PR-016",
            "**Document ID**      | ABC PR.016",
            "**SOP ID** | ABC PR.061",
            [("DL03", "PR", 11), ("DL07", "PR", 11)],
        ),
    ],
)
def test_one_fault_is_one_finding_with_its_line(folder, name, before, after, expected) -> None:
    change(folder, name, before, after)

    assert found(folder) == expected


def test_a_procedure_that_moved_on_makes_its_citations_stale(folder: Path) -> None:
    change(folder, "PR-016", "sop_version: 2.10", "sop_version: 2.11")
    change(folder, "PR-016", "Version** | 2.10", "Version** | 2.11")

    assert found(folder) == [("DL02", "F", 4)]


def test_two_documents_of_one_id(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "ABC-F-001-Copy.md").write_text(TEMPLATE)

    assert found(folder) == [("DL05", "F", 1)]


def test_a_controlled_document_without_front_matter(folder: Path) -> None:
    (folder / "ABC-I-003-Log.md").write_text("# Log\n")

    assert found(folder) == [("DL06", "I", 1)]


def standing(folder: Path) -> dict[str, Standing]:
    covered = coverage(read_folder(folder), clause_lists()["13485"])
    return {one.clause: one.standing for one in covered}


def test_a_heading_covers_what_is_below_and_a_letter_its_clause(folder: Path) -> None:
    clauses = standing(folder)

    assert {c for c, s in clauses.items() if s is Standing.COVERED} == {
        "8.5.2",
        "8.5.3",
        *(f"7.3.{number}" for number in range(1, 11)),
    }


def test_a_declaration_needs_a_reason_and_excuses_its_clause_only(folder: Path) -> None:
    clauses = standing(folder)

    assert clauses["7.5.5"] is Standing.NOT_APPLICABLE
    assert clauses["7.5.2"] is Standing.GAP
    assert clauses["7.5.9"] is Standing.GAP


def test_a_table_of_where_clauses_are_covered_excuses_none(folder: Path) -> None:
    told = "No clause is excluded.\n\n| Clause | Document |\n|---|---|\n| 8.4 | ABC PR.016 |\n"
    (folder / "ABC-I-001-Map.md").write_text(f"---\nqms_version: 2.2.0\n---\n\n{told}")

    assert standing(folder)["8.4"] is Standing.GAP


def test_what_is_covered_and_excused_is_said(folder: Path) -> None:
    change(folder, "F-001", "[13485:7.3]", "[13485:7.5.5]")

    assert standing(folder)["7.5.5"] is Standing.CONTRADICTED


@pytest.mark.parametrize("made", [False, True])
def test_nothing_to_check_is_an_error(tmp_path: Path, made: bool) -> None:
    empty = tmp_path / "empty"
    if made:
        empty.mkdir()
        (empty / "notes.txt").write_text("no Markdown")

    with pytest.raises(Invalid):
        read_folder(empty)


def test_unreadable_files_are_all_named_and_links_out_are_left(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.md").write_text("# Outside\n")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    assert len(read_folder(folder)) == 2

    (folder / "a.md").write_bytes(b"\xff\xfe broken")
    (folder / "b.md").write_bytes(b"x" * 2_000_001)
    with pytest.raises(Invalid) as refusal:
        read_folder(folder)

    assert [fault.code for fault in refusal.value.faults] == ["DL21", "DL20"]


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "app.cli", "documents", *map(str, arguments)]
    told = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, env=told, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_command_ends_with_one_when_something_was_found(folder: Path, tmp_path: Path) -> None:
    clean = command("lint", folder)
    change(folder, "F-001", "[13485:7.3]", "[13485:7.3")
    unclean = command("lint", folder)
    nothing = command("lint", tmp_path / "nowhere")
    covered = command("coverage", folder)

    assert (clean.returncode, unclean.returncode, nothing.returncode) == (0, 1, 1)
    assert "ABC-F-001-Form.md:10: DL04" in unclean.stdout
    assert "There is no folder" in nothing.stderr
    assert covered.returncode == 1
    assert "gap" in covered.stdout


def test_a_real_quality_system_shows_what_reading_it_by_hand_showed(reference_data: Path) -> None:
    """Counts that the reference data states: at least so many of each, none less."""
    folder = reference_data / "trace" / "gstt-qms"

    linted = command("lint", folder, "--json")
    covered = command("coverage", folder, "--json")

    told = json.loads(linted.stdout)
    counts = told["counts"]
    assert set(counts) == set(CODES)
    assert counts["DL01"] >= 18
    assert counts["DL02"] >= 14
    assert len({one["what"] for one in told["findings"] if one["code"] == "DL03"}) >= 4
    assert counts["DL04"] == 5
    assert counts["DL07"] == 3
    assert all(one["path"] and one["line"] for one in told["findings"])
    standings = Counter(one["standing"] for one in json.loads(covered.stdout)["clauses"])
    assert (standings["gap"], linted.returncode, covered.returncode) == (10, 1, 1)
