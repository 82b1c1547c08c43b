"""A person edits a workbook of ours: what was edited comes in, what cannot be meant is told."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from core.errors import Invalid
from core.records.content import Content
from core.records.types import get_registry
from qms.interchange.markdown.folder import RecordFolder
from qms.interchange.markdown.record_file import RecordFile
from qms.interchange.returning.reading import read_records
from qms.interchange.writers.spreadsheet import LINK, to_workbook
from tests.qms.interchange.writers.test_forms import HARD

DERIVES = f"{LINK}derives_from"


def edited(folder: Path, change: Callable[[Any], None], *records: RecordFile) -> RecordFolder:
    """Write records, change the workbook as a person does, and read it back."""
    book = load_workbook(io.BytesIO(to_workbook("RPM", records or (HARD,), get_registry())))
    change(Change(book))
    path = folder / "rpm.xlsx"
    book.save(path)
    return read_records(path, get_registry())


class Change:
    """The cells of a workbook by their rows and headings."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self.page: Any = book["requirement"]

    def cell(self, heading: str, row: int = 2) -> Any:
        """Return the cell of a row under a heading."""
        headings = [cell.value for cell in self.page[1]]
        return self.page.cell(row, headings.index(heading) + 1)


def told(found: RecordFolder) -> list[tuple[str, str]]:
    return [(one.code, one.where) for one in found.faults]


def test_a_text_changed_in_a_cell_is_the_one_edit(tmp_path: Path) -> None:
    def change(at: Change) -> None:
        at.cell("Title").value = "Reads the plan"

    found = edited(tmp_path, change)

    [one] = found.records
    assert not found.faults
    assert one.is_edited
    assert one.digest == HARD.content_digest
    assert one.content == Content(
        "Reads the plan", HARD.content.body, HARD.content.fields, HARD.content.links
    )
    assert one.where("title") == "rpm.xlsx/requirement:2"


def test_columns_may_be_moved_and_links_written_by_hand(tmp_path: Path) -> None:
    def change(at: Change) -> None:
        at.cell(DERIVES).value = "1 UN-001\nUN-007\nDEPT/UN-008"
        at.page.move_range("B1:B2", rows=0, cols=40)
        at.page.delete_cols(2)

    found = edited(tmp_path, change)

    [one] = found.records
    assert not found.faults
    assert one.content.title == HARD.content.title
    assert [(link.target, link.project) for link in one.content.links] == [
        ("UN-001", None), ("RSK-001", None), ("TPS", "DEPT"), ("UN-007", None), ("UN-008", "DEPT"),
    ]  # fmt: skip
    assert one.content.links[1].attributes == {"kind": "protective measure"}


def test_a_value_that_no_digest_can_be_over_is_told_with_its_row_beside_all_else(
    tmp_path: Path,
) -> None:
    def change(at: Change) -> None:
        at.cell(DERIVES).value = '1 UN-001 {"kind": 1e999}'
        at.page.delete_cols(at.cell("priority").column)

    found = edited(tmp_path, change)

    assert told(found) == [
        ("TR306", "rpm.xlsx/requirement:2"),
        ("TR321", "rpm.xlsx/requirement:1"),
    ]


def test_a_new_row_is_a_new_record(tmp_path: Path) -> None:
    def change(at: Change) -> None:
        at.cell("Id", 4).value = "REQ-901"
        at.cell("Title", 4).value = "New"

    found = edited(tmp_path, change)

    assert not found.faults
    assert [(one.uid, one.revision, one.digest, one.state) for one in found.records[1:]] == [
        ("REQ-901", 1, "", "draft")
    ]


def test_escaped_letters_stay_when_another_program_saves_the_workbook(tmp_path: Path) -> None:
    """Saved by others, texts are kept once for all cells, where openpyxl undoes half of them."""
    one = RecordFile("RPM", "requirement", "REQ-1", Content("_x000D_", "_x0041\r_x005F_ "))

    path = tmp_path / "rpm.xlsx"
    path.write_bytes(with_shared_texts(to_workbook("RPM", [one], get_registry())))

    found = read_records(path, get_registry())

    assert [each.content for each in found.records] == [one.content]


_SHARED = (
    '<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def with_shared_texts(data: bytes) -> bytes:
    """Return a workbook as Excel saves it: texts in a part of their own, cells with numbers."""
    source, out = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    texts: list[str] = []

    def number(found: re.Match[str]) -> str:
        texts.append(f"<si>{found[2]}</si>")
        return f'{found[1]} t="s"><v>{len(texts) - 1}</v></c>'

    with zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            if name == "xl/sharedStrings.xml":
                continue
            part = source.read(name).decode()
            part = re.sub(
                r'(<c [^>]*?) t="inlineStr"><is>(.*?)</is></c>', number, part, flags=re.DOTALL
            )
            part = part.replace("</Types>", f"{_SHARED}</Types>")
            archive.writestr(name, part)
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{main}">{"".join(texts)}</sst>')
    assert texts
    return out.getvalue()


def _formula(at: Change) -> None:
    at.cell("Title").value = "=1+1"
    at.cell("Title").data_type = "f"


def _number(at: Change) -> None:
    at.cell("Title").value = 7


def _day(at: Change) -> None:
    at.cell("Title").value = datetime(2026, 11, 20)  # noqa: DTZ001 - Excel knows no zones


def _error(at: Change) -> None:
    at.cell("Text").value = "#REF!"
    at.cell("Text").data_type = "e"


def _no_link(at: Change) -> None:
    at.cell(DERIVES).value = "UN-001 and UN-002"


def _attributes(at: Change) -> None:
    at.cell(DERIVES).value = "1 UN-001 {kind: protective}"


def _revision(at: Change) -> None:
    at.cell("Revision").value = "first"


def _no_id(at: Change) -> None:
    at.cell("Id").value = "req 1"


def _twice(at: Change) -> None:
    at.cell("Id", 3).value = at.cell("Id").value


def _beside(at: Change) -> None:
    at.page.cell(2, 60).value = "note"


@pytest.mark.parametrize(
    ("change", "code", "row", "what"),
    [
        (_formula, "TR324", 2, "'Title' is a formula, whose result nobody reviewed."),
        (_number, "TR321", 2, "'Title' holds 7 as a number, not as text."),
        (_day, "TR321", 2, "'Title' holds 2026-11-20 00:00:00 as a date, not as text."),
        (_error, "TR321", 2, "'Text' holds the error #REF!."),
        (_no_link, "TR306", 2, "'UN-001 and UN-002' under '→ derives_from' is no link."),
        (_attributes, "TR306", 2, "'1 UN-001 {kind: protective}' under '→ derives_from' is"),
        (_revision, "TR321", 2, "'Revision' holds 'first', which is no number."),
        (_no_id, "TR321", 2, "'req 1' is no uid."),
        (_twice, "TR310", 3, "has the id REQ-900 again (first in rpm.xlsx/requirement:2)."),
        (_beside, "TR321", 2, "'note' stands in a column that is none of the record's."),
    ],
)
def test_a_cell_that_cannot_be_meant_is_told_with_its_sheet_and_row(
    tmp_path: Path, change: Callable[[Change], None], code: str, row: int, what: str
) -> None:
    found = edited(tmp_path, change)

    [fault] = found.faults
    assert (fault.code, fault.where) == (code, f"rpm.xlsx/requirement:{row}")
    assert fault.what.startswith(what)


def test_a_column_may_be_absent_only_where_nothing_was_edited(tmp_path: Path) -> None:
    def drop(at: Change) -> None:
        at.page.delete_cols(at.cell("priority").column)

    def drop_and_edit(at: Change) -> None:
        drop(at)
        at.cell("Title").value = "Edited"

    assert not edited(tmp_path, drop).faults
    found = edited(tmp_path, drop_and_edit)

    assert [(one.code, one.where, one.what) for one in found.faults] == [
        (
            "TR321",
            "rpm.xlsx/requirement:1",
            "there is no column 'priority', so that what it held would be lost.",
        )
    ]


def test_a_sheet_and_a_column_of_nothing_are_told(tmp_path: Path) -> None:
    def change(at: Change) -> None:
        at.cell("acceptance").value = "acceptence"
        at.cell("Digest", 1).value = "Hash"
        at.page.cell(1, 40).value = "acceptence"
        at.book.create_sheet("requirements")["A1"] = "x"

    found = edited(tmp_path, change)

    assert told(found) == [
        ("TR304", "rpm.xlsx/requirement:1"), ("TR304", "rpm.xlsx/requirement:1"),
        ("TR321", "rpm.xlsx/requirement:1"), ("TR311", "rpm.xlsx/requirements:1"),
    ]  # fmt: skip
    assert "Did you mean acceptance?" in str(found.faults[1])
    assert "Did you mean requirement?" in str(found.faults[3])


def test_kinds_of_values_are_kept_apart(tmp_path: Path) -> None:
    """A number, its text, and a truth are three values; a day may be typed as one."""
    name, spec = next(
        (one.name, field)
        for one in get_registry().all()
        for field, known in one.fields.items()
        if known.kind == "date"
    )
    dated = RecordFile("RPM", name, f"{get_registry().of(name).prefix}-1", Content("A"))

    def change(at: Change) -> None:
        at.page = at.book[name[:31]]
        at.cell(spec).value = datetime(2026, 11, 20)  # noqa: DTZ001 - Excel knows no zones

    found = edited(tmp_path, change, HARD, dated)

    [one] = [one for one in found.records if one.uid == dated.uid]
    assert not found.faults
    assert one.content.fields == {spec: "2026-11-20"}


def test_a_workbook_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qms.interchange.returning.workbook.MOST_ROWS", 2)

    with pytest.raises(Invalid) as caught:
        edited(tmp_path, lambda at: setattr(at.cell("Id", 3), "value", "REQ-1"))

    assert [(one.code, one.where) for one in caught.value.faults] == [
        ("TR308", "rpm.xlsx/requirement:3")
    ]


def test_a_hidden_part_that_cannot_be_unpacked_is_told(tmp_path: Path) -> None:
    whole = to_workbook("RPM", [HARD], get_registry())
    part, usual = b"xl/worksheets/.heet1.xml", b"xl/worksheets/sheet1.xml"
    path, held = tmp_path / "rpm.xlsx", io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as old,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            renamed = name.replace(usual.decode(), part.decode())
            new.writestr(renamed, old.read(name).replace(usual, part))
        began = new.getinfo(part.decode()).header_offset + 30 + len(part)
    damaged = bytearray(held.getvalue())
    damaged[began : began + 40] = b"\xff" * 40
    path.write_bytes(damaged)

    with pytest.raises(Invalid) as caught:
        read_records(path, get_registry())

    assert "rpm.xlsx" in caught.value.faults[0].where
