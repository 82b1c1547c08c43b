"""Opening and closing systems one by one moves nothing that they do not touch."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from dataflows.frame import View, Window
from dataflows.graph import changed_cut, external_routes, level_cut, roll_up
from dataflows.inventory import Category, Department
from dataflows.matrix import matrix_of, routes_in_rows, to_rows
from dataflows.views import Selection, choose
from tests.dataflows.test_graph import departments


@st.composite
def openings(draw: st.DrawFn) -> tuple[Department, int, frozenset[str], frozenset[str]]:
    """A random department, a level of it, and systems opened and closed on top."""
    department = draw(departments())
    some = st.frozensets(st.sampled_from(list(department.systems)), max_size=4)
    return department, draw(st.integers(0, department.depth + 1)), draw(some), draw(some)


@given(openings())
def test_opening_and_closing_never_changes_the_external_routes_at_the_other_end(asked) -> None:
    department, level, opened, closed = asked

    plain = roll_up(department, level_cut(department, 0))
    view = roll_up(department, changed_cut(department, level, opened, closed))

    for major in department.majors:
        assert external_routes(department, view, major) == external_routes(department, plain, major)


@given(departments(), st.data())
def test_opening_one_system_leaves_every_route_that_does_not_touch_it(
    department: Department, data: st.DataObject
) -> None:
    opened = data.draw(st.sampled_from(department.majors))

    closed = roll_up(department, level_cut(department, 0))
    view = roll_up(department, changed_cut(department, 0, [opened], []))

    def elsewhere(routes) -> set:
        return {
            route
            for route in routes
            if opened not in (department.major(route.source), department.major(route.target))
        }

    assert elsewhere(view.routes) == elsewhere(closed.routes)


@given(openings())
def test_closing_what_was_opened_gives_the_level_back(asked) -> None:
    department, _, opened, _ = asked

    view = roll_up(department, changed_cut(department, 0, opened, department.majors))

    assert view == roll_up(department, level_cut(department, 0))


@given(openings(), st.integers(1, 5))
def test_the_windows_of_the_matrix_add_up_to_the_graph_at_every_level(asked, size: int) -> None:
    """Window by window: routes, their categories, and every connection exactly once."""
    department, level, opened, closed = asked
    view = roll_up(department, changed_cut(department, level, opened, closed))
    last = Window(1, size, len(view.systems)).last
    sides = [Window(number, size, len(view.systems)).slice for number in range(1, last + 1)]

    windows = [matrix_of(department, view, *place) for place in product(sides, sides)]

    found = [route for one in windows for cell in one.cells.values() for route in cell.routes]
    inside = [uid for one in windows for cell in one.cells.values() for uid in cell.hidden]
    assert sorted(found, key=lambda r: r.name) == sorted(view.routes, key=lambda r: r.name)
    carried = [uid for route in found for uid in route.connections]
    assert Counter(carried + inside) == Counter(dict.fromkeys(department.connections, 1))
    counted = Counter(route.category for route in view.routes)
    for one in windows:
        assert one.total == len(view.routes)
        assert one.by_category == {category: counted[category] for category in Category}
    read = [route for one in windows for route in routes_in_rows(to_rows(one))]
    assert sorted(read, key=lambda r: r.name) == sorted(view.routes, key=lambda r: r.name)


def test_one_system_is_opened_at_level_0_and_one_is_closed_at_the_deepest(
    department: Department,
) -> None:
    one_open = choose(department, Selection(opened=("HDR",)))
    one_shut = choose(department, Selection(level="all", closed=("HDR",)))

    assert len(one_open.view.systems) == 26 - 1 + 3
    assert "HDR.AFL" in one_open.view.systems
    assert one_open.title == "Department map: major systems, opened: HDR"
    assert len(one_shut.view.systems) == 51 - 3 + 1
    assert "HDR" in one_shut.view.systems


def test_an_opened_system_that_is_not_on_the_map_is_refused(department: Department) -> None:
    with pytest.raises(NotFound, match="no system NOWHERE"):
        choose(department, Selection(opened=("NOWHERE",)))


@pytest.mark.parametrize(
    ("view", "opened", "query"),
    [
        (View(), True, "open=TPS"),
        (View(open="HDR"), True, "open=HDR%2CTPS"),
        (View(open="TPS,HDR"), False, "open=HDR"),
        (View(level="all"), False, "level=all&close=TPS"),
        (View(level="all", close="TPS"), True, "level=all"),
    ],
)
def test_the_address_behind_open_and_close(view: View, opened: bool, query: str) -> None:
    assert view.showing("TPS", opened=opened) == query


def test_windows_name_their_part_of_the_systems() -> None:
    last = Window(3, 100, 230)

    assert (last.last, last.words) == (3, "201 to 230 of 230")
