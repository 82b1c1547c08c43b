"""The exported table says what the page says, row by row."""

import json

import pytest

from core.exports import FORMATS, export
from core.verdicts import Verdict, VerdictWord
from qms.traceability.columns import known_columns
from qms.traceability.coverage import Flag
from qms.traceability.matrix import Facts, build
from qms.traceability.tables import sheet

pytestmark = pytest.mark.verifies("TST-010")

COLUMNS = tuple(column for column in known_columns()["requirement"] if column.shown)
LABELS = {
    "requirement": "Requirement",
    "user_need": "User need",
    "software_item": "Software item",
    "test": "Test",
}


def drawn(book):
    book.add("requirement", "REQ-001")
    book.add("requirement", "REQ-002")
    book.add("test", "TST-001")
    book.link("TST-001", "verifies", "REQ-001")
    verdict = Verdict(VerdictWord.PASSED, run="1", detail="0.31 % (0.4)")
    return build(
        Facts(book.snapshot(), {book.key("TST-001"): verdict}), "RPM", "requirement", COLUMNS
    )


def test_the_table_has_the_page_s_columns_and_words(book) -> None:
    matrix = drawn(book)

    table = sheet(matrix, matrix.rows, LABELS)

    assert table.headings == [
        "Requirement", "Title", "Revision", "State", "Need", "Software item", "Test",
        "Commits", "Verdict", "Findings",
    ]  # fmt: skip
    first = dict(zip(table.headings, table.rows[0], strict=True))
    assert first["Test"] == "TST-001 passed (0.31 % (0.4))"
    assert first["Verdict"] == "passed"
    assert "uncovered: No software item carries it." in first["Findings"]


def test_only_the_rows_shown_are_exported_in_every_format(book) -> None:
    matrix = drawn(book)
    shown = [row for row in matrix.filtered(Flag.UNCOVERED) if row.record.key.uid == "REQ-002"]
    table = sheet(matrix, shown, LABELS, "uncovered")

    for name in FORMATS:
        data, _ = export(table, name)
        assert data
    rows = json.loads(export(table, "json")[0])["rows"]
    assert [row["Requirement"] for row in rows] == ["REQ-002"]
    assert rows[0]["Verdict"] == "no test"
