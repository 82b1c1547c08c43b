"""The transfer matrix says what the graph says, cell by cell."""

import csv
import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.exports import to_csv
from dataflows.graph import level_cut, roll_up
from dataflows.inventory import Category, Department
from dataflows.matrix import Emptiness, blocks, routes_in_rows, to_rows, transfer_matrix
from dataflows.sheets import matrix_sheet
from tests.dataflows.forests import departments

pytestmark = pytest.mark.verifies("TST-014")


@pytest.mark.parametrize(("level", "total"), [(0, 59), (1, 91)])
def test_the_cells_of_the_matrix_add_up_to_the_routes_of_the_graph(
    department: Department, level: int, total: int
) -> None:
    matrix = transfer_matrix(department, level)

    view = roll_up(department, level_cut(department, level))
    assert matrix.total == matrix.shown == total
    in_cells = [route for cell in matrix.cells.values() for route in cell.routes]
    assert sorted(in_cells, key=lambda r: r.name) == sorted(view.routes, key=lambda r: r.name)


def test_the_collapsed_matrix_counts_32_dicom_13_file_and_14_other(
    department: Department,
) -> None:
    matrix = transfer_matrix(department, 0)

    assert matrix.by_category == {Category.DICOM: 32, Category.FILE: 13, Category.OTHER: 14}


@pytest.mark.parametrize("level", [0, 1])
def test_the_rows_of_the_matrix_read_back_to_the_same_routes(
    department: Department, level: int
) -> None:
    matrix = transfer_matrix(department, level)

    read = routes_in_rows(to_rows(matrix))

    view = roll_up(department, level_cut(department, level))
    assert sorted(read, key=lambda r: r.name) == sorted(view.routes, key=lambda r: r.name)


def test_a_cell_names_the_qa_of_its_connections_and_the_ones_without(
    department: Department,
) -> None:
    matrix = transfer_matrix(department, 0)

    plan_export = matrix.cells["TPS", "PQA"]
    trend = matrix.cells["OMS", "PQA"]
    assert [r.connections for r in plan_export.routes] == [("C023",)]
    assert len(plan_export.procedures) == 1
    assert plan_export.uncovered == ()
    assert trend.procedures == ()
    assert trend.uncovered == ("C061",)


def test_an_empty_cell_tells_surveyed_none_from_not_surveyed(small: Department) -> None:
    department = dataclasses.replace(small, no_transfer=frozenset({("B", "D")}))

    matrix = transfer_matrix(department, 0)

    assert matrix.cells["B", "D"].emptiness is Emptiness.NONE_INTENDED
    assert matrix.cells["D", "B"].emptiness is Emptiness.NOT_SURVEYED
    assert matrix.cells["D", "D"].emptiness is Emptiness.SAME_SYSTEM
    assert matrix.cells["A", "B"].emptiness is None
    assert len(routes_in_rows(to_rows(matrix))) == 2


def test_a_survey_of_the_parts_fills_the_cell_of_the_whole_only_when_every_part_was_surveyed(
    small: Department,
) -> None:
    one = dataclasses.replace(small, no_transfer=frozenset({("A.1", "D")}))
    both = dataclasses.replace(small, no_transfer=frozenset({("A.1", "D"), ("A.2", "D")}))

    assert transfer_matrix(one, 0).cells["A", "D"].emptiness is Emptiness.NOT_SURVEYED
    assert transfer_matrix(both, 0).cells["A", "D"].emptiness is Emptiness.NONE_INTENDED


def test_a_survey_of_the_whole_answers_for_its_parts(small: Department) -> None:
    department = dataclasses.replace(small, no_transfer=frozenset({("D", "A")}))

    assert transfer_matrix(department, 1).cells["D", "A.2"].emptiness is Emptiness.NONE_INTENDED


def test_what_is_hidden_inside_a_system_stands_on_the_diagonal_and_is_not_counted(
    small: Department,
) -> None:
    matrix = transfer_matrix(small, 0)

    assert matrix.cells["A", "A"].hidden == ("C4",)
    assert matrix.total == 2


def test_a_window_shows_its_part_and_still_counts_the_whole(department: Department) -> None:
    window = transfer_matrix(department, 0, slice(0, 5), slice(5, 26))

    assert len(window.rows) == 5
    assert len(window.columns) == 21
    assert len(window.cells) == 105
    assert window.total == 59
    assert 0 < window.shown < 59


def test_the_parts_of_a_system_stand_beside_each_other(department: Department) -> None:
    systems = transfer_matrix(department, 1).systems

    runs = [major for major, _ in blocks(department, systems)]
    assert len(runs) == len(set(runs)) == 26
    assert sum(width for _, width in blocks(department, systems)) == 51


@given(departments(), st.data())
def test_the_matrix_of_any_department_is_its_graph_at_every_level_also_as_a_file(
    department: Department, data: st.DataObject
) -> None:
    pairs = st.tuples(st.sampled_from(sorted(department.systems)), st.sampled_from(["S0", "S1"]))
    surveyed = dataclasses.replace(department, no_transfer=data.draw(st.frozensets(pairs)))

    for level in range(department.depth + 2):
        view = roll_up(surveyed, level_cut(surveyed, level))
        matrix = transfer_matrix(surveyed, level)
        written = to_csv(matrix_sheet(surveyed, matrix, "Matrix")).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(written)))

        assert matrix.total == matrix.shown == len(view.routes)
        held = [uid for cell in matrix.cells.values() for uid in cell.hidden]
        held += [uid for route in view.routes for uid in route.connections]
        assert sorted(held) == sorted(surveyed.connections)
        assert sorted(routes_in_rows(rows), key=lambda r: r.name) == sorted(
            view.routes, key=lambda r: r.name
        )
        in_file = {
            (row[0], target)
            for row in rows[1:]
            for target, text in zip(rows[0][1:], row[1:], strict=True)
            if text == Emptiness.NONE_INTENDED
        }
        assert in_file == {
            ends for ends, one in matrix.cells.items() if one.emptiness is Emptiness.NONE_INTENDED
        }
