"""Sheets as people hand them in: partly, shifted, damaged, or far too large."""

import csv
import zipfile
from io import BytesIO

import pytest
from fastapi.testclient import TestClient

from core.db import Database
from core.errors import Invalid
from core.people.actor import Actor
from core.records.content import RecordDraft
from core.records.service import find_project
from core.records.types import get_registry
from dataflows.interchange import unpacking
from dataflows.interchange.planning import Verdict
from dataflows.interchange.service import export_department, plan_import, read_file
from dataflows.interchange.tables import department_zip, read_zip


def _zip(**sheets: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sheets.items():
            archive.writestr(f"{name.replace('__', '.')}.csv", text)
    return out.getvalue()


def _faults(data: bytes) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read_zip(data, "map.zip", "DEPT")
    return [str(fault) for fault in refused.value.faults]


def test_a_small_zip_of_empty_lines_or_cells_is_not_taken_into_memory(
    map_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_LINES", 5_000)

    for text in ("id,title\n" + "\n" * 60_000, "id,title\n" + "," * 5_000_000):
        told = _faults(_zip(systems=text))
        assert len(told) == 1
        assert "systems.csv, line " in told[0]
        assert "more than is read" in told[0]


def test_a_damaged_zip_is_refused_in_a_sentence(
    map_db: Database, department_drafts: list[RecordDraft], browser: TestClient
) -> None:
    whole = department_zip(department_drafts, "DEPT")
    broken = bytearray(whole)
    broken[200:2000] = bytes(1800)

    assert "damaged" in _faults(bytes(broken))[0]
    for data in (whole[:-4000], b"PK", bytes(broken)):
        sent = {"file": ("map.zip", data)}
        form = {"csrf_token": "its-own"}
        assert browser.post("/p/DEPT/map/files", files=sent, data=form).status_code == 422


def test_two_sheets_of_one_name_are_refused(map_db: Database) -> None:
    twice = {"systems": "id,title\nA,One\n", "old/systems": "id,title\nA,Two\n"}

    assert "two sheets systems.csv" in _faults(_zip(**twice))[0]


def test_the_longest_cell_is_one_value_for_the_whole_process(map_db: Database) -> None:
    before = csv.field_size_limit()
    read_zip(_zip(systems="id,title\nA,Sender\n"), "map.zip", "DEPT")

    assert before == csv.field_size_limit() == unpacking.LONGEST_FIELD


@pytest.mark.parametrize("gone", ["others", "columns"])
def test_what_no_sheet_and_no_column_names_stays(
    map_db: Database, author: Actor, gone: str
) -> None:
    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        with zipfile.ZipFile(BytesIO(export_department(session, project, "zip"))) as archive:
            text = archive.read("connections.csv").decode("utf-8-sig")
        if gone == "columns":
            rows = list(csv.DictReader(text.splitlines()))
            text = "id,title\n" + "".join(f'{row["id"]},"{row["title"]}"\n' for row in rows)

        found = plan_import(
            session, project, read_file(_zip(connections=text), "map.zip", "DEPT"), author
        )

    assert found.faults == ()
    assert found.counts == {Verdict.CREATE: 0, Verdict.CHANGE: 0, Verdict.UNCHANGED: 91}


def test_an_empty_cell_and_a_sheet_without_the_rows_still_clear(
    map_db: Database, author: Actor, department_drafts: list[RecordDraft]
) -> None:
    held = next(one for one in department_drafts if one.content.fields.get("associations"))
    uid = held.uid or ""
    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        head = "of,role,scu_ae,scp_ae,scp_host,scp_port,service\n"
        data = _zip(connections=f"id,protocol\n{uid},\n", connections__associations=head)
        found = plan_import(session, project, read_file(data, "map.zip", "DEPT"), author)
        [one] = found.planned
        # Rows without a column cannot be told apart, so the column is asked for.
        lacking = _zip(
            connections=f"id\n{uid}\n", connections__associations=f"of,scu_ae\n{uid},X\n"
        )
        told = plan_import(session, project, read_file(lacking, "map.zip", "DEPT"), author).faults

    rows = get_registry().of("connection").fields["associations"].label
    assert {"Protocol", rows} <= {change.label for change in one.differences}
    assert "column-missing" in {fault.code for fault in told}


def test_cells_beyond_the_headings_are_named(map_db: Database) -> None:
    told = _faults(
        _zip(
            systems="id,title,,owner\nA,Sender,x,Physics\nB,Lab, the second,Physics,more\n",
            connections__associations="of,role\nC1,store,lost\n",
        )
    )

    assert "systems.csv:2: Cell C2 ('x') stands under no heading." in told[0]
    assert "systems.csv:3: Cell C3 ('the second')" in told[1] or "and 1 more" in told[1]
    assert any("connections.associations.csv:2: Cell C2 ('lost')" in one for one in told)
