"""A table leaves the house unchanged, and nothing in it can act where it arrives."""

import csv
import io
import json
import subprocess

import pytest
from openpyxl import load_workbook

from core.errors import Invalid
from core.exports import FORMATS, Sheet, export

SHEET = Sheet(
    "Trace: RPM / 0.1.0",
    ("Requirement", "Tests", "Count"),
    (
        ("REQ-001 Größe <b>", "TST-001\nTST-002", 2),
        ("=HYPERLINK(1)", "-1+1", None),
        ("control \x0b char", "@SUM(A1)", 0.5),
    ),
    {"Project": "RPM"},
)


def test_csv_keeps_every_text_and_makes_formulas_inert() -> None:
    data, media_type = export(SHEET, "csv")

    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))

    assert media_type.startswith("text/csv")
    assert rows[0] == ["Requirement", "Tests", "Count"]
    assert rows[1] == ["REQ-001 Größe <b>", "TST-001\nTST-002", "2"]
    assert rows[2] == ["'=HYPERLINK(1)", "'-1+1", ""]
    assert rows[3][1] == "'@SUM(A1)"


def test_json_is_one_object_per_row() -> None:
    data, _ = export(SHEET, "json")

    value = json.loads(data)

    assert value["about"] == {"Project": "RPM"}
    assert value["rows"][1] == {"Requirement": "=HYPERLINK(1)", "Tests": "-1+1", "Count": None}


def test_xlsx_holds_text_as_text_and_numbers_as_numbers() -> None:
    data, _ = export(SHEET, "xlsx")

    page = load_workbook(io.BytesIO(data)).worksheets[0]
    values = [[cell.value for cell in row] for row in page.iter_rows()]

    assert values[1] == ["REQ-001 Größe <b>", "TST-001\nTST-002", 2]
    assert values[2][0] == "=HYPERLINK(1)"
    assert page["A3"].data_type == "s"
    assert values[3][0] == "control  char"
    assert page.freeze_panes == "A2"


def test_html_shows_markup_literally() -> None:
    data, _ = export(SHEET, "html")

    assert b"REQ-001 Gr\xc3\xb6\xc3\x9fe &lt;b&gt;" in data
    assert b"<caption>3 rows</caption>" in data


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_empty_table_still_exports(name: str) -> None:
    data, _ = export(Sheet("Empty", ("A", "B"), ()), name)

    assert data


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(Invalid) as refusal:
        export(SHEET, "docx")

    assert "csv, xlsx, json, html, pdf" in str(refusal.value.faults[0])


def test_pdf_prints_what_the_table_holds_and_nothing_of_it_acts(need, tmp_path) -> None:
    text = need("poppler")
    long = Sheet(
        "Trace: RPM / 0.1.0",
        ("Requirement", "Tests"),
        [("REQ-001 Größe <b>", "<img src='file:///etc/passwd'>")]
        + [(f"REQ-{n:03d}", "TST-001") for n in range(2, 80)],
        {"Project": "RPM", "Filter": "uncovered"},
    )

    data, media_type = export(long, "pdf")

    (tmp_path / "table.pdf").write_bytes(data)
    read = subprocess.run(  # noqa: S603
        [text, "-layout", tmp_path / "table.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert media_type == "application/pdf"
    assert "REQ-001 Größe <b>" in read
    assert "<img src='file:///etc/passwd'>" in " ".join(read.split())
    assert "Filter" in read
    assert "uncovered" in read
    assert read.count("Requirement") == int(read.split(" of ")[1].split()[0]) > 1


def test_a_table_too_long_to_print_says_so() -> None:
    long = Sheet("Trace", ("Requirement",), [("REQ",)] * 501)

    with pytest.raises(Invalid) as refusal:
        export(long, "pdf")

    assert "has 501 rows; at most 500 are printed at once. Filter it" in str(
        refusal.value.faults[0]
    )
