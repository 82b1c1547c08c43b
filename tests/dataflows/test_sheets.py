"""Every table of the map can leave the house, row for row as it is shown."""

import csv
import io
import json

import pytest

from core.exports import to_csv, to_json
from dataflows import sheets
from dataflows.coverage import coverage
from dataflows.graph import level_cut, roll_up
from dataflows.inventory import Department
from dataflows.matrix import routes_in_rows, transfer_matrix


@pytest.mark.parametrize(("level", "count"), [(0, 59), (1, 91)])
def test_the_exported_matrix_reads_back_to_the_routes_of_the_graph(
    department: Department, level: int, count: int
) -> None:
    sheet = sheets.matrix_sheet(department, transfer_matrix(department, level), "Matrix")

    written = to_csv(sheet).decode("utf-8-sig")
    routes = routes_in_rows(list(csv.reader(io.StringIO(written))))

    expected = roll_up(department, level_cut(department, level)).routes
    assert len(routes) == count
    assert sorted(r.name for r in routes) == sorted(r.name for r in expected)


def test_the_exported_table_has_a_row_for_every_connection(department: Department) -> None:
    sheet = sheets.connections_sheet(department, department.connections.values(), "Connections")

    rows = {row["Connection"]: row for row in json.loads(to_json(sheet))["rows"]}

    assert len(rows) == 91
    assert rows["C023"]["From"] == "TPS.DICOM"
    assert rows["C023"]["To system"] == "Plan quality analytics"
    assert rows["C023"]["QA procedures"] == "QA-022"
    assert rows["C022"]["QA procedures"] == ""


def test_the_exported_pathways_and_steps_are_numbered(department: Department) -> None:
    pathways = sheets.pathways_sheet(department, "Pathways")
    steps = sheets.pathway_sheet(department, department.pathways["P4"])

    assert [(row[0], row[3], row[4], row[5]) for row in pathways.rows] == [
        ("P1", 53, 6, ""),
        ("P2", 45, 6, ""),
        ("P3", 41, 5, ""),
        ("P4", 25, 4, ""),
        ("P5", 20, 6, ""),
    ]
    assert [row[0] for row in steps.rows] == list(range(1, 26))


def test_the_exported_coverage_names_the_ten_connections_and_two_pathways(
    department: Department,
) -> None:
    rows = sheets.coverage_sheet(department, coverage(department), {}).rows

    kinds = [row[0] for row in rows]
    assert kinds.count("connection between systems") == 10
    assert kinds.count("connection inside a system") == 26
    assert [row[1] for row in rows if row[0] == "pathway"] == ["P3", "P5"]
