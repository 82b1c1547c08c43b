"""The exploratory page: places from the server, every fact of the picture also in its tables."""

import re
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

from dataflows.exploring.layout import Place, _overlap, layout
from dataflows.exploring.scene import (
    MOST_BOXES,
    MOST_LINES,
    bounded,
    focus_address,
    found_systems,
    scene,
)
from dataflows.frame import View
from dataflows.graph import level_cut, roll_up
from dataflows.inventory import Category, Connection, Department, System
from dataflows.render import DrawingFailed, DrawingStore
from dataflows.views import Selection, choose

EXPLORE = "/p/DEPT/map/explore"


def crowd(majors: int) -> Department:
    """One hub that every other major system sends to, and a ring of them."""
    systems = {f"S{n:04d}": System(f"S{n:04d}", f"System {n}") for n in range(majors)}
    names = list(systems)
    ways = [(uid, names[0]) for uid in names[1:]]
    ways += pairwise(names[1:])
    connections = {
        f"C{n:05d}": Connection(f"C{n:05d}", "", source, target, Category.FILE)
        for n, (source, target) in enumerate(ways)
    }
    return Department("BIG", systems, connections)


def area(place: Place) -> tuple[float, float, float, float]:
    half_width, half_height = place.width / 2, place.height / 2
    return (
        place.x - half_width,
        place.y - half_height,
        place.x + half_width,
        place.y + half_height,
    )


@pytest.mark.parametrize(
    "selection",
    [Selection(), Selection(level="all"), Selection(opened=("TPS", "OMS")), Selection(focus="P4")],
)
def test_every_box_has_its_own_place(
    department: Department, selection: Selection, tmp_path
) -> None:
    drawn = choose(department, selection).picture(department)

    placed = layout(DrawingStore(tmp_path), drawn)

    assert placed.by == "Graphviz"
    assert set(placed.places) == {box.alias for box in drawn.boxes}
    areas = [area(place) for place in placed.places.values()]
    assert not any(
        _overlap(one, other) for at, one in enumerate(areas) for other in areas[at + 1 :]
    )


def test_without_graphviz_springs_place_the_boxes_the_same_each_time(
    department: Department, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_) -> bytes:
        raise DrawingFailed("no Graphviz")

    monkeypatch.setattr("dataflows.exploring.layout.graphviz", absent)
    drawn = choose(department, Selection()).picture(department)

    first, second = (layout(DrawingStore(tmp_path), drawn) for _ in range(2))

    assert first == second
    assert first.by == "springs"
    assert len(set(first.places.values())) == 26


def test_a_crowd_shows_the_busiest_and_says_how_many_are_left_out() -> None:
    department = crowd(600)

    shown, left_out = bounded(choose(department, Selection()))

    assert "S0000" in shown.view.systems
    assert len(shown.view.systems) + left_out == 600
    assert len(shown.view.systems) <= MOST_BOXES
    assert 0 < len(shown.view.routes) <= MOST_LINES


def test_what_was_asked_about_is_drawn_however_crowded_it_is() -> None:
    department = crowd(600)

    shown, _ = bounded(choose(department, Selection(focus="S0599")))

    assert {"S0599", "S0000", "S0598"} <= set(shown.view.systems)


def test_the_scene_holds_exactly_the_routes_of_the_view(department: Department, tmp_path) -> None:
    shown = choose(department, Selection(level="all"))
    drawn = shown.picture(department)

    found = scene(
        department, View(level="all"), shown, drawn, layout(DrawingStore(tmp_path), drawn), {}, 0
    )

    view = roll_up(department, level_cut(department, 1))
    assert [one.connections for one in found.lines] == [one.connections for one in view.routes]
    assert sum(one.count for one in found.legend) == 91
    assert {box.uid for box in found.boxes if not box.frame} == set(view.systems)
    assert {box.uid for box in found.boxes if box.frame} == set(department.children)


def test_a_search_finds_by_id_and_by_words_and_leads_to_what_hides_the_system(
    department: Department,
) -> None:
    by_id, total = found_systems(department, "hdr.afl")
    by_words, _ = found_systems(department, "PLANNING treatment")

    assert ([one.uid for one in by_id], total) == (["HDR.AFL"], 1)
    assert "TPS" in {one.uid for one in by_words}
    assert found_systems(department, "zebra") == ([], 0)
    assert focus_address(department, View(), "HDR.AFL").endswith("?focus=HDR.AFL&open=HDR")


def test_the_page_reads_without_scripts_and_its_links_open_and_close(browser: TestClient) -> None:
    page = browser.get(f"{EXPLORE}?q=afterloader")
    opened = browser.get(f"{EXPLORE}?open=HDR")
    part = browser.get(f"{EXPLORE}/facts?open=HDR")

    assert "26 systems, 59 routes" in page.text
    assert "focus=HDR.AFL" in page.text
    assert f'href="{EXPLORE}?open=HDR&amp;q=afterloader"' in page.text
    assert "28 systems" in opened.text
    assert "<h1" not in part.text
    assert part.text.count("<tr>") == opened.text.split('id="facts"')[1].count("<tr>")
    assert re.search(r'<link id="__________cytoscape_stylesheet"', page.text)


def test_the_values_of_the_picture_are_those_of_its_table(browser: TestClient) -> None:
    found = browser.get(f"{EXPLORE}/scene?colour=risk").json()
    rows = browser.get(f"{EXPLORE}?colour=risk&format=json").json()["rows"]

    assert [" ".join(one["connections"]) for one in found["lines"]] == [
        row["Connections"] for row in rows
    ]
    assert [one["risk"] for one in found["lines"]] == [
        row["Highest action priority"] for row in rows
    ]
    assert {one["risk"] for one in found["lines"]} >= {"high"}
    assert all(one["status"] for one in found["lines"])
    assert all(one["width"] and one["height"] for one in found["boxes"] if not one["frame"])


def test_a_program_gets_the_matrix_and_the_picture_of_the_pages(browser: TestClient) -> None:
    matrix = browser.get("/api/p/DEPT/map/matrix?open=HDR&size=20&row=2").json()
    whole = browser.get("/api/p/DEPT/map/matrix?level=all&size=200").json()
    picture = browser.get("/api/p/DEPT/map/scene?open=HDR").json()

    assert (matrix["systems"], len(matrix["rows"]), len(matrix["columns"])) == (28, 8, 20)
    assert matrix["total"] == len(picture["lines"])
    assert sum(len(cell["routes"]) for cell in whole["cells"]) == whole["total"] == 91
    assert whole["by_category"] == {"dicom": 38, "file": 16, "other": 37}
