"""What a row of a risk sheet means: nothing plausible but wrong is read from it."""

from collections.abc import Sequence
from types import SimpleNamespace as Plain
from typing import Any

import pytest

from core.records.content import Content, LinkDraft
from core.records.sheets.grid import grid_of
from core.records.types import get_registry
from qms.risks.packs import matrix_packs
from qms.risks.rows import RiskJudge
from qms.sheets.judging import Judge
from qms.sheets.kept import Held
from qms.sheets.rows import Judged
from qms.sheets.service import Preview, _controllers, _controls
from tests.effort import effort

pytestmark = pytest.mark.verifies("TST-045")


def held(uid: str, kind: str, content: Content | None = None) -> Held:
    """Return a record as it is kept, without a database."""
    said = content or Content(uid)
    record: Any = Plain(uid=uid, type=kind, withdrawn_at=None)
    latest: Any = Plain(title=said.title)
    return Held(record, latest, "", lambda _: said)


def judge_of(*kept: Held) -> RiskJudge:
    controllers, kinds = _controllers()
    numbers = iter(range(900, 999))
    return RiskJudge(
        get_registry().of("risk"),
        "RPM",
        {one.record.uid: one for one in kept},
        lambda _, __: None,
        lambda _: f"RSK-{next(numbers)}",
        matrix_packs()["nhs-dcb-5x5"],
        controllers,
        tuple(get_registry().of(one).prefix for one in controllers),
        kinds,
    )


def judged(headings: Sequence[str], *rows: Sequence[str], kept: Sequence[Held] = ()) -> Judged:
    return judge_of(*kept).judge(grid_of([headings, *rows]), {}, {})


def faults(found: Judged) -> list[str]:
    return [one.fault.code for row in found.rows for one in row.faults]


REQUIREMENTS = [
    held(uid, "requirement")
    for uid in (
        "REQ-1", "REQ-1.2", "REQ-001", "REQ-001-A", "REQ-UI-001", "REQ-002", "REQ-003",
        "REQ-004", "Req-login-8071a2d0",
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "controls"),
    [
        ("REQ-1.2", ["REQ-1.2"]),
        ("REQ-001-A", ["REQ-001-A"]),
        ("REQ-UI-001", ["REQ-UI-001"]),
        ("REQ-UI-001; REQ-002.", ["REQ-UI-001", "REQ-002"]),
        ("Req-login-8071a2d0", ["Req-login-8071a2d0"]),
        ("Staff check REQ-1, and (REQ-002)", ["REQ-1", "REQ-002"]),
        ("1. REQ-001\n2. REQ-002", ["REQ-001", "REQ-002"]),
        ("A REQ-based design", []),
    ],
)
def test_a_control_is_linked_by_its_whole_id(cell: str, controls: list[str]) -> None:
    found = judged(["hazard", "controls"], ["Heat", cell], kept=REQUIREMENTS)

    assert (faults(found), list(found.rows[0].controls)) == ([], controls)


@pytest.mark.parametrize(
    "cell",
    [
        "REQ-001 to REQ-004", "REQ-001-004", "REQ-001, 002, 003", "REQ-001/002", "REQ-1.3",
        "REQ-001 - REQ-004", "REQ-001\u2013REQ-004", "REQ-001 and 2", "REQ-001 002", "REQ 001",
        "REQ\u2013001", "req-001", "REQ-002b", "REQ-001, REQ-002 to 004",
    ],
)  # fmt: skip
def test_ranges_bare_numbers_and_unknown_ids_are_faults(cell: str) -> None:
    found = judged(["hazard", "controls"], ["Heat", cell], kept=REQUIREMENTS)

    assert set(faults(found)) & {"unclear-controls", "missing-control"}


def test_another_kind_of_control_changes_the_link() -> None:
    link = LinkDraft("mitigates", "HAZ-1", attributes={"kind": "information"})
    kept = [
        held("REQ-1", "requirement", Content("Warn", "", {}, (link,))),
        held("HAZ-1", "risk", Content("Heat", "", {"hazard": "Heat"})),
    ]
    project: Any = Plain(key="RPM")

    def seen(cell: str) -> str:
        judge = judge_of(*kept)
        found = judge.judge(grid_of([["id", "controls"], ["HAZ-1", cell]]), {}, {})
        return Preview(found, judge, judge.held, {}).digest

    def changes(cell: str) -> list[dict[str, str]]:
        found = judged(["id", "controls"], ["HAZ-1", cell], kept=kept)
        changed = _controls(project, judge_of(*kept), found)
        return [dict(one.links[0].attributes) for one in changed.values()]

    assert changes("REQ-1 protective") == [{"kind": "protective"}]
    assert changes("REQ-1") == changes("REQ-1 (information)") == []
    assert seen("REQ-1 protective") != seen("REQ-1 information")


def test_the_words_in_the_brackets_of_a_heading_count() -> None:
    kept = [held("HAZ-1", "risk", Content("T", "", {"hazard": "T", "severity": 5}))]
    names = ["id", "Likelihood (residual)", "Severity (after controls)"]

    found = judged(names, ["HAZ-1", "1", "2"], kept=kept)

    [row] = found.rows
    assert found.faults == ()
    assert row.content is not None
    assert row.content.fields == {
        "hazard": "T", "severity": 5, "severity_after": 2, "likelihood_after": 1,
    }  # fmt: skip


def test_brackets_that_are_not_known_are_an_unknown_column_unless_they_hold_units() -> None:
    names = ["Hazard", "Severity (1-5)", "Likelihood (once all is done)", "Possible cause(s)"]

    found = judged(names, ["Heat", "1", "2", "A fan stops"])

    assert [(one.code, one.where) for one in found.faults] == [("unknown-column", "Column 3")]
    assert [one and one.name for one in found.headings.columns] == [
        "hazard", "severity", None, "sequence",
    ]  # fmt: skip


def test_a_failed_cell_is_a_fault() -> None:
    found = judged(["hazard", "harm", "level before"], ["Heat", "#N/A", "#REF!"])

    assert faults(found) == ["error-value", "error-value"]


def test_a_change_keeps_the_title_and_the_notes_that_the_sheet_does_not_mention() -> None:
    body = "Long rationale.\n\nControls: Doors\n\nExisting controls: None\n\nSee the minutes."
    old = Content("Wrong patient", body, {"hazard": "A plan", "severity": 4})
    kept = [held("HAZ-1", "risk", old)]
    names = ["id", "hazard", "existing controls"]

    found = judged(names, ["HAZ-1", "A plan", "Staff\n\ntrained"], kept=kept)

    [row] = found.rows
    assert row.content is not None
    assert row.content.title == "Wrong patient"
    assert row.content.body == body.replace("None", "Staff\ntrained")


def test_a_level_is_compared_with_what_is_kept_and_the_row_together() -> None:
    fields = {"hazard": "A plan", "severity": 1, "likelihood_before": 1, "severity_after": 1}
    kept = [held("HAZ-1", "risk", Content("A plan", "", fields))]

    found = judged(["id", "initial risk"], ["HAZ-1", "5"], kept=kept)
    after = judged(["id", "final likelihood", "final risk"], ["HAZ-1", "1", "1"], kept=kept)

    assert faults(found) == ["other-level"]
    assert faults(after) == []


def test_a_level_that_cannot_be_compared_is_told() -> None:
    names = ["hazard", "severity", "likelihood", "initial risk"]
    levels = ("2.5", "2-4", "2/5", "2 - 4", "low")
    rows = [[f"Heat {one}", "2", "2", one] for one in levels]

    found = judged(names, *rows, ["Cold", "", "2", "5"])

    assert faults(found) == []
    for row, level in zip(found.rows, (*levels, "5"), strict=True):
        assert f"level before '{level}' is not compared" in row.told
    words = judged(names, ["Heat", "1", "1", "5 (High)"], ["Cold", "1", "1", "Level 5 - high"])
    assert faults(words) == ["other-level", "other-level"]


def test_a_step_is_no_harm() -> None:
    rows = [["Heat", "4"], ["Cold", "Major"], ["Wet", "Major bleeding"]]

    assert faults(judged(["hazard", "Consequence"], *rows)) == ["step-as-harm", "step-as-harm"]


def test_our_export_with_a_column_less_still_leaves_the_residual_steps() -> None:
    fields = {"hazard": "W", "severity": 4, "likelihood_before": 4, "likelihood_after": 1}
    kept = [held("HAZ-1", "risk", Content("W", "", fields))]
    names = ["Risk", "Hazard", "Severity before", "Likelihood before", "Likelihood after"]
    row = ["HAZ-1", "W", "4 Major", "4", "4"]

    for computed in ("Verified controls", "Level once verified", "Why not lower"):
        found = judged([*names, computed], [*row, "x"], kept=kept)
        assert (found.faults, found.rows[0].verdict) == ((), "unchanged")
    asked = judged([*names, "State"], [*row, "draft"], kept=kept)
    assert [(one.code, one.where) for one in asked.faults] == [("unknown-column", "Column 5")]


def test_the_mark_against_formulas_is_taken_away_once() -> None:
    found = judged(["hazard", "harm", "text"], ["''=1", "''=2", "''=3"])

    [row] = found.rows
    assert row.content is not None
    assert (row.content.title, row.content.fields["harm"], row.content.body) == (
        "'=1", "'=2", "'=3",
    )  # fmt: skip


def test_a_cell_merged_with_one_above_is_a_fault() -> None:
    found = judged(["hazard", "severity"], ["Heat", "5"], ["Cold", "#MERGED B2:B3"])

    assert [one.fault.code for one in found.rows[1].faults] == ["merged"]


def test_a_cell_full_of_ids_that_nothing_has_is_judged_at_a_cost_in_proportion() -> None:
    kept = [held(f"REQ-{at:04}", "requirement", Content(f"Shall do {at}")) for at in range(4_000)]
    cell = "; ".join(f"X{at}" for at in range(4_000))
    judge = Judge(
        get_registry().of("test"),
        "RPM",
        {one.record.uid: one for one in kept},
        lambda _, __: None,
        lambda _: "TST-001",
    )
    found: list[Judged] = []

    spent = effort(
        lambda: found.append(judge.judge(grid_of([["title", "verifies"], ["Try", cell]]), {}, {}))
    )

    assert faults(found[0]) == ["missing-target"] * 4_000
    assert spent < 60


def test_a_link_may_name_its_target_by_a_title_that_one_record_has() -> None:
    kept = [
        held("REQ-1", "requirement", Content("Reads")),
        held("REQ-2", "requirement", Content("Writes")),
        held("REQ-3", "requirement", Content("Writes")),
        held("SI-1", "software_item", Content("Reads")),
    ]
    test = get_registry().of("test")
    by_uid = {one.record.uid: one for one in kept}
    judge = Judge(test, "RPM", by_uid, lambda _, __: None, lambda _: "TST-001")
    grid = grid_of([["title", "verifies"], ["Try", "Reads"], ["Again", "Writes"]])

    reads, writes = judge.judge(grid, {}, {}).rows

    assert reads.content is not None
    assert [one.target for one in reads.content.links] == ["REQ-1"]
    assert [one.fault.code for one in writes.faults] == ["missing-target"]
