"""A spreadsheet becomes one table of text: the sheet that fits, formulas named, nothing run."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from core.errors import Invalid
from qms.sheets.reading import Read, read_file


def fits(headings: Sequence[str]) -> int:
    """Count the headings of a risk sheet among some."""
    return sum(one in {"hazard_id", "severity", "risk"} for one in headings)


def book_of(
    edit: Callable[[Workbook], object] = lambda _: None, /, **sheets: list[list[object]]
) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    edit(book)
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


def test_a_formula_of_several_cells_is_a_formula() -> None:
    formula = ArrayFormula("B2:B2", "=MAX(A1:A2)")

    read = read_file(book_of(Log=[["hazard_id", "risk"], ["H-1", formula]]), "a.xlsx", fits)

    assert read.grid.rows == (("H-1", "=MAX(A1:A2)"),)


@pytest.mark.parametrize(
    ("row", "column", "said"), [(2100, 1, "row 2,100"), (2, 90, "column 90"), (9000, 2, "9,000")]
)
def test_what_stands_far_off_is_refused_and_not_lost(row: int, column: int, said: str) -> None:
    data = book_of(lambda book: book["Log"].cell(row, column, "late"), Log=[["hazard_id"], ["H-1"]])

    with pytest.raises(Invalid) as refusal:
        read_file(data, "a.xlsx", fits)

    assert said in str(refusal.value)


def test_a_visible_sheet_goes_before_a_hidden_one_and_every_sheet_is_named() -> None:
    rows: list[list[object]] = [["hazard_id", "severity"], ["H-1", 3]]
    more: dict[str, list[list[object]]] = {f"n{number}": [["note"]] for number in range(20)}

    def hide(book: Workbook) -> None:
        book["Old"].sheet_state = "hidden"

    read = read_file(book_of(hide, Old=rows, New=rows, **more), "a.xlsx", fits)

    assert read.sheet == "New"
    assert {"Old (hidden)", "n0", "n18 (not looked at)", "n19 (not looked at)"} <= set(read.others)


def test_merged_cells_are_marked_and_hidden_rows_told() -> None:
    def edit(book: Workbook) -> None:
        book["Log"].merge_cells("B2:B4")
        book["Log"].row_dimensions[3].hidden = True

    rows: list[list[object]] = [["hazard_id", "severity"], ["H-1", 3], ["H-2"], []]

    read = read_file(book_of(edit, Log=[*rows, ["H-4", 1]]), "a.xlsx", fits)

    assert read.hidden == (3,)
    assert read.grid.rows == (
        ("H-1", "3"), ("H-2", "#MERGED B2:B4"), ("", ""), ("H-4", "1"),
    )  # fmt: skip


def test_a_small_file_of_wide_rows_is_refused_and_costs_little() -> None:
    wide = "".join(f'<row r="{at}"><c r="XFD{at}"><v>1</v></c></row>' for at in range(2, 2000))
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book_of(Log=[["hazard_id"], ["H-1"]]))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = re.sub(rb"(?s)<row r=\"2\".*</row>", wide.encode(), data)
            new.writestr(name, data)

    tracemalloc.start()
    with pytest.raises(Invalid):
        read_file(out.getvalue(), "a.xlsx", fits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20_000_000
