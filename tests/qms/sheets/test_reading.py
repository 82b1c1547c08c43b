"""A spreadsheet becomes one table of text: the sheet that fits, formulas named, nothing run."""

import io
import re
import zipfile
from collections.abc import Sequence

import pytest
from openpyxl import Workbook

from core.errors import Invalid
from qms.sheets.reading import Read, read_file


def fits(headings: Sequence[str]) -> int:
    """Count the headings of a risk sheet among some."""
    return sum(one in {"hazard_id", "severity", "risk"} for one in headings)


def book_of(**sheets: list[list[object]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_last_values(data: bytes, value: str) -> bytes:
    """Return a workbook whose formulas say what they last came to, as a spreadsheet saves it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                text = re.sub(rb"</f><v ?/?>(</v>)?", f"</f><v>{value}</v>".encode(), text)
            new.writestr(name, text)
    return out.getvalue()


def test_of_several_sheets_the_one_with_known_headings_is_read() -> None:
    rows: list[list[object]] = [["hazard_id", "severity"], ["H-1", 3]]

    read = read_file(book_of(Notes=[["Read me"]], Log=rows, Empty=[]), "a.xlsx", fits)

    assert (read.sheet, read.others) == ("Log", ("Notes",))
    assert (read.grid.headings, read.grid.rows) == (("hazard_id", "severity"), (("H-1", "3"),))


def test_rows_count_as_the_spreadsheet_counts_them_past_empty_ones() -> None:
    rows = [[], [], ["hazard_id"], ["H-1"], [], ["H-2"]]

    grid = read_file(book_of(Log=rows), "a.xlsm", fits).grid

    assert [(number, cells[0]) for number, cells in grid.numbered()] == [
        (4, "H-1"), (5, ""), (6, "H-2"),
    ]  # fmt: skip


def test_a_formula_stays_a_formula_with_what_it_last_came_to_beside_it() -> None:
    data = book_of(Log=[["hazard_id", "risk"], ["H-1", "=2*3"]])

    read = read_file(with_last_values(data, "6"), "a.xlsx", fits)

    assert read.grid.rows == (("H-1", "=2*3"),)
    assert read.shown == {(2, 1): "6"}


def test_a_heading_of_two_lines_is_one() -> None:
    read = read_file(book_of(Log=[["hazard_id", "Risk\nbefore"], ["H-1", "a\nb"]]), "a.xlsx", fits)

    assert read.grid.headings == ("hazard_id", "Risk before")
    assert read.grid.rows == (("H-1", "a\nb"),)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([["hazard_id"], *[[f"H-{n}"] for n in range(501)]], "more than 500 rows"),
        ([[f"c{n}" for n in range(61)], ["x"] * 61], "61 columns"),
        ([["hazard_id"]], "no rows"),
    ],
)
def test_what_is_more_than_is_read_is_refused(rows: list[list[object]], said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_file(book_of(Log=rows), "a.xlsx", fits)

    assert said in str(refusal.value)


def test_a_bomb_and_an_entity_are_refused_before_they_are_read() -> None:
    def packed(text: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/workbook.xml", text)
        return out.getvalue()

    def refused(data: bytes) -> str:
        with pytest.raises(Invalid) as refusal:
            read_file(data, "a.xlsx", fits)
        return str(refusal.value)

    assert "zip bomb" in refused(packed(bytes(20_000_000)))
    assert "unpacks to more than" in refused(packed(bytes(31_000_000)))
    assert "document type or an entity" in refused(packed(b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'))
    assert "at most 5,000,000" in refused(b"x" * 5_000_001)


def test_csv_of_another_code_page_is_read() -> None:
    read: Read = read_file("hazard_id;harm\nH-1;Dosis für zwei\n".encode("cp1252"), "a.csv", fits)

    assert read.grid.rows == (("H-1", "Dosis für zwei"),)
