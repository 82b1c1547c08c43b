"""Levels, routes and neighbourhoods of the department graph."""

from collections import Counter

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflows.graph import (
    View,
    expanded_cut,
    external_routes,
    focus_on,
    level_cut,
    network,
    only_connections,
    reachable,
    roll_up,
)
from dataflows.inventory import Category, Connection, Department, System
from tests.dataflows.forests import departments

pytestmark = pytest.mark.verifies("TST-015")


def _accounted(view: View) -> Counter[str]:
    held = [uid for route in view.routes for uid in route.connections]
    return Counter(held + [uid for uids in view.hidden.values() for uid in uids])


def test_the_collapsed_department_has_26_systems_and_59_routes(department: Department) -> None:
    view = roll_up(department, level_cut(department, 0))

    assert len(view.systems) == 26
    assert len(view.routes) == 59
    assert Counter(r.category for r in view.routes) == {
        Category.DICOM: 32,
        Category.FILE: 13,
        Category.OTHER: 14,
    }
    assert len({(r.source, r.target) for r in view.routes}) == 56


def test_the_expanded_department_has_51_systems_and_91_routes(department: Department) -> None:
    view = roll_up(department, level_cut(department, department.depth))

    assert len(view.systems) == 51
    assert len(view.routes) == 91
    assert view.connections == tuple(sorted(department.connections))
    assert not view.hidden


def test_the_collapsed_department_hides_26_connections_inside_its_systems(
    department: Department,
) -> None:
    view = roll_up(department, level_cut(department, 0))

    assert sum(len(held) for held in view.hidden.values()) == 26


def test_file_and_dicom_between_the_same_two_systems_stay_two_routes(small: Department) -> None:
    view = roll_up(small, level_cut(small, 0))

    assert [(r.category, r.connections) for r in view.routes] == [
        (Category.DICOM, ("C1", "C2")),
        (Category.FILE, ("C3",)),
    ]
    assert view.hidden == {"A": ("C4",)}


def test_a_department_without_parts_is_bundled_at_level_0_and_not_below() -> None:
    systems = {uid: System(uid, uid) for uid in ("A", "B")}
    connections = {u: Connection(u, u, "A", "B", Category.FILE) for u in ("C1", "C2")}
    flat = Department("DEPT", systems, connections)

    assert len(roll_up(flat, level_cut(flat, 0)).routes) == 1
    assert len(roll_up(flat, level_cut(flat, 1)).routes) == 2


def test_a_level_above_the_major_systems_is_refused(small: Department) -> None:
    with pytest.raises(ValueError, match="no level -1"):
        level_cut(small, -1)


@given(departments(), st.data())
def test_opening_a_system_never_changes_the_external_routes_at_the_other_end(
    department: Department, data: st.DataObject
) -> None:
    opened = frozenset(data.draw(st.sets(st.sampled_from(department.majors))))

    closed = roll_up(department, expanded_cut(department, ()))
    view = roll_up(department, expanded_cut(department, opened))

    for major in department.majors:
        assert external_routes(department, view, major) == external_routes(
            department, closed, major
        )


@given(departments(), st.data())
def test_every_connection_is_drawn_or_hidden_exactly_once(
    department: Department, data: st.DataObject
) -> None:
    opened = frozenset(data.draw(st.sets(st.sampled_from(department.majors))))
    cuts = [expanded_cut(department, opened)]
    cuts += [level_cut(department, level) for level in range(department.depth + 2)]

    for cut in cuts:
        view = roll_up(department, cut)
        assert _accounted(view) == Counter(dict.fromkeys(department.connections, 1))
        drawn = set(view.systems)
        assert all({r.source, r.target} <= drawn for r in view.routes)


@given(departments())
def test_opening_every_system_is_the_deepest_level(department: Department) -> None:
    opened = roll_up(department, expanded_cut(department, department.majors))

    assert opened == roll_up(department, level_cut(department, max(department.depth, 1)))


def test_opening_one_system_shows_its_parts_and_keeps_the_others_closed(
    department: Department,
) -> None:
    view = roll_up(department, expanded_cut(department, {"HDR"}))

    assert {"HDR.TCS", "HDR.AFL", "HDR.REC"} < set(view.systems)
    assert "OMS" in view.systems
    assert "OMS.DB" not in view.systems
    assert len(view.systems) == 26 - 1 + 3


def test_a_focus_keeps_what_touches_the_centre_and_nothing_among_the_neighbours(
    department: Department,
) -> None:
    view = focus_on(roll_up(department, level_cut(department, 0)), {"PQA"})

    assert set(view.systems) == {"PQA", "TPS", "FILES", "OMS"}
    assert view.connections == ("C023", "C048", "C061")


def test_a_wider_focus_reaches_further(department: Department) -> None:
    whole = roll_up(department, level_cut(department, 0))

    near, far = focus_on(whole, {"PQA"}, 1), focus_on(whole, {"PQA"}, 2)

    assert set(near.systems) < set(far.systems)
    assert set(near.connections) < set(far.connections)


def test_a_focus_on_a_system_without_connections_shows_it_alone(small: Department) -> None:
    view = focus_on(roll_up(small, level_cut(small, 0)), {"D"})

    assert view.systems == ("D",)
    assert view.routes == ()


def test_a_view_of_some_connections_keeps_only_those_and_their_ends(small: Department) -> None:
    view = only_connections(roll_up(small, level_cut(small, 0)), {"C2", "C4"})

    assert [r.connections for r in view.routes] == [("C2",)]
    assert view.systems == ("A", "B")
    assert view.hidden == {"A": ("C4",)}


@pytest.mark.parametrize(
    ("start", "count"), [("CTSIM.ACQ", 33), ("TPS.DICOM", 22), ("HDR.AFL", 13)]
)
def test_data_reaches_as_many_systems_as_networkx_finds(
    department: Department, start: str, count: int
) -> None:
    graph = network(roll_up(department, level_cut(department, 1)))

    found = reachable(department, {start})

    assert found == nx.descendants(graph, start)
    assert len(found) == count
