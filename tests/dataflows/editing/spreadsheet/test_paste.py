"""Rows of a spreadsheet become records, or everything wrong with them is said at once."""

import csv
import io
from collections.abc import Iterator

import pytest
from sqlmodel import Session, col, select

from core.db import Database
from core.errors import Invalid, Refused
from core.people.actor import Actor
from core.records.models import Project, Record
from core.records.service import find_project, find_record, latest_revision, read_content
from core.records.sheets.grid import MOST_ROWS, Grid, _rows, read_grid
from dataflows import service, sheets
from dataflows.editing.spreadsheet import pasting
from dataflows.editing.spreadsheet.pasting import Pasted, keep, preview
from dataflows.interchange.planning import Verdict

HEAD = "From\tTo\tCategory\tData types\tProtocol\tStarted by\tResponsible group\tSurveyed from"
ROW = "CTSIM.ACQ\tPQA\tdicom\tCT Image\tDICOM C-STORE\tautomatic\tPhysics\tconfiguration"


def _pasted(*rows: str, **more: object) -> Pasted:
    return Pasted(read_grid("\n".join((HEAD, *rows))), **more)  # type: ignore[arg-type]


def _connections(session: Session, project: Project) -> int:
    found = session.exec(
        select(Record).where(col(Record.project_id) == project.id, col(Record.type) == "connection")
    )
    return len(found.all())


def test_headings_stand_in_any_order_and_a_slip_is_told(map_db: Database, author: Actor) -> None:
    table = "Protokol,target,FROM,Kind,Data\nSMB,PQA,ct simulator,File,CT Image; RT Plan\n"

    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        found = preview(session, project, Pasted(read_grid(table)), author)

    [fault] = found.judged.faults
    assert (fault.where, fault.mend) == ("Column 1", "Did you mean Protocol?")
    [row] = found.judged.rows
    assert row.draft is not None
    assert row.draft.content.fields["data_types"] == ["CT Image", "RT Plan"]
    assert row.draft.content.fields["category"] == "file"
    assert [link.target for link in row.draft.content.links] == ["CTSIM", "PQA"]
    assert "Protocol" in row.lacking


def test_twenty_rows_with_two_faults_are_mended_and_imported_together(
    map_db: Database, author: Actor
) -> None:
    rows = [ROW.replace("CT Image", f"Kind {n}") for n in range(20)]
    rows[4] = rows[4].replace("PQA", "PAQ")
    rows[11] = rows[11].replace("dicom", "dcm")
    pasted = _pasted(*rows)

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        before = _connections(session, project)
        found = preview(session, project, pasted, author)
        with pytest.raises(Invalid):
            keep(session, project, pasted, author)
        assert _connections(session, project) == before

        assert [row.number for row in found.faulty] == [6, 13]
        assert "Did you mean PQA" in found.faulty[0].faults[0].mend
        assert "Category" in found.faulty[1].faults[0].what
        mended = pasted.grid.corrected({}, {(6, 1): "PQA", (13, 2): "dicom"}, [])
        done = keep(session, project, Pasted(mended), author)

        assert done.count(Verdict.CREATE) == 20
        assert done.told == "20 created, 0 changed, 0 unchanged (connections C092 to C111 are new)"
        assert _connections(session, project) == before + 20
        first = read_content(session, find_record(session, project, "C092"))
        assert first.fields["mode"] == "push"
        assert first.fields["surveyed_by"] == "Physics"
        # The same table again says nothing new.
        again = preview(session, project, Pasted(mended), author)
        assert again.faults == ()
        assert again.count(Verdict.UNCHANGED) == 20


def test_a_row_with_an_id_changes_what_it_states_and_leaves_what_it_does_not(
    map_db: Database, author: Actor
) -> None:
    table = "Id,Protocol,Responsible group\nC023,DICOM C-STORE over TLS,\nC024,,\n"

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        before = read_content(session, find_record(session, project, "C023"))
        found = keep(session, project, Pasted(read_grid(table)), author)

        after = read_content(session, find_record(session, project, "C023"))
        assert found.count(Verdict.CHANGE) == found.count(Verdict.UNCHANGED) == 1
        assert after.fields == {**before.fields, "protocol": "DICOM C-STORE over TLS"}
        assert after.links == before.links


def test_missing_systems_are_named_or_made_on_request(map_db: Database, author: Actor) -> None:
    rows = [ROW.replace("PQA", "Film scanner"), ROW.replace("CTSIM.ACQ", "FILM2")]

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        named = preview(session, project, _pasted(*rows), author)
        assert named.judged.missing == ("Film scanner", "FILM2")
        assert len(named.faulty) == 2

        done = keep(session, project, _pasted(*rows, create_systems=True), author)

        assert [one.uid for one in done.created] == ["FILM-SCANNER", "FILM2"]
        systems, connections = "systems FILM-SCANNER, FILM2 are new", "connections C092, C093"
        assert done.told.endswith(f"unchanged ({systems}; {connections} are new)")
        made = find_record(session, project, "FILM-SCANNER")
        assert latest_revision(session, made).title == "Film scanner"
        department = service.read_department(session, "DEPT", author, drafts=True)
        assert department.connections["C092"].target == "FILM-SCANNER"


@pytest.mark.parametrize(
    ("kind", "uids", "told"),
    [
        ("connection", ["C092"], "connection C092 is new"),
        ("system", ["FILM"], "system FILM is new"),
        ("connection", [f"C{n}" for n in range(94, 104)], "connections C94 to C103 are new"),
        ("system", list("ABCDEFG"), "systems A, B, C, D, E and 2 more are new"),
        (
            "connection",
            ["C001", "C002", "C003", "C004", "C005", "C009"],
            "connections C001, C002, C003, C004, C005 and 1 more are new",
        ),
    ],
)
def test_a_range_is_told_only_of_one_series(kind: str, uids: list[str], told: str) -> None:
    assert pasting._new(kind, uids) == told


def test_what_our_own_table_exports_can_be_pasted_and_changes_nothing(
    map_db: Database, author: Actor
) -> None:
    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        department = service.read_department(session, "DEPT", author)
        sheet = sheets.connections_sheet(department, department.connections.values(), "All")
        out = io.StringIO()
        csv.writer(out, delimiter="\t").writerows([sheet.headings, *sheet.rows])

        found = preview(session, project, Pasted(read_grid(out.getvalue())), author)

    assert found.faults == ()
    changed = {tuple(d.label for d in one.differences) for one in found.plan.planned} - {()}
    # An empty status means active, and the table writes it out.
    assert changed <= {("Status",)}


def test_formulas_stay_text_and_repeated_rows_are_named(map_db: Database, author: Actor) -> None:
    formula = '=HYPERLINK("http://x")'
    rows = [ROW.replace("DICOM C-STORE", formula), ROW.replace("DICOM C-STORE", formula)]

    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        found = preview(session, project, _pasted(*rows), author)

    first, second = found.judged.rows
    assert first.draft is not None
    assert first.draft.content.fields["protocol"] == formula
    assert "row 2" in second.faults[0].what


def test_systems_can_be_pasted_as_parts_of_each_other(map_db: Database, author: Actor) -> None:
    table = (
        "Id\tName\tKind\tOwner\tCriticality\tPart of\n"
        "\tFilm lab\tfilm\tPhysics\tlow\t\n"
        "FILM.SCAN\tScanner\tscanner\tPhysics\tLow\tFilm lab\n"
    )

    with map_db.writing() as session:
        project = find_project(session, "DEPT")
        keep(session, project, Pasted(read_grid(table), "system"), author)

        department = service.read_department(session, "DEPT", author, drafts=True)

    assert department.systems["FILM.SCAN"].parent == "FILM-LAB"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("From\tTo", "no rows"),
        ("From,To\n" + "A,B\n" * (MOST_ROWS + 1), "more than 500 rows"),
        ("x" * 1_000_001, "characters"),
        ("\t".join("abc" * 21) + "\nA", "columns"),
    ],
)
def test_a_table_that_cannot_be_one_is_refused(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_grid(text)

    assert words in str(refused.value.faults[0])


def test_cells_with_line_breaks_and_quotes_survive_the_form() -> None:
    grid = Grid(("From", "Data"), (('A "x"', "CT Image\nRT Plan"), ("tab\there", "")))

    assert read_grid(grid.text) == grid


def test_who_only_reads_pastes_nothing(map_db: Database, viewer: Actor) -> None:
    with map_db.reading() as session, pytest.raises(Refused):
        preview(session, find_project(session, "DEPT"), _pasted(ROW), viewer)


def test_a_table_of_endless_lines_is_read_no_further_than_it_may_be() -> None:
    read: list[int] = []

    def rows() -> Iterator[list[str]]:
        for number in range(1_000_000):
            read.append(number)
            yield []

    with pytest.raises(Invalid):
        _rows(rows())

    assert len(read) < 10 * MOST_ROWS


def test_a_column_without_heading_that_holds_something_is_named(
    map_db: Database, author: Actor
) -> None:
    table = "Id,Protocol,,\nC023,DICOM C-STORE, over TLS,\nC024,,,\n"
    grid = read_grid(table)

    with map_db.reading() as session:
        project = find_project(session, "DEPT")
        found = preview(session, project, Pasted(grid), author)
        passed = preview(session, project, Pasted(grid.corrected({2: "-"}, {}, [])), author)

    [fault] = found.judged.faults
    assert (fault.where, found.judged.unnamed) == ("Column 3", (2,))
    assert "row 2" in fault.what
    assert "over TLS" in fault.what
    assert passed.faults == ()
