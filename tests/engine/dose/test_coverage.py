"""Coverage of cells by polygons, held to shapely's own clipping and to exact moments."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dose.coverage import Covered, cover, edges_of
from engine.dose.rings import signed_area

SIDE = 7


def covered(*rings: np.ndarray) -> Covered:
    return cover(edges_of([rings]), 1, SIDE, SIDE)


def area_map(found: Covered) -> np.ndarray:
    areas = np.zeros((SIDE, SIDE))
    areas[found.row, found.column] = found.area
    return areas


def clipped_map(polygon: shapely.Polygon) -> np.ndarray:
    return np.array(
        [[polygon.intersection(shapely.box(i, j, i + 1, j + 1)).area for i in range(SIDE)]
         for j in range(SIDE)]
    )  # fmt: skip


@st.composite
def star_polygons(draw: st.DrawFn) -> np.ndarray:
    """Simple polygons: points in order of angle about a centre; some lie exactly on grid lines."""
    count = draw(st.integers(3, 14))
    radii = draw(st.lists(st.floats(0.2, 3.3), min_size=count, max_size=count))
    x, y = draw(st.floats(3.35, 3.65)), draw(st.floats(3.35, 3.65))
    angle = 2 * np.pi * (np.arange(count) + 0.3) / count
    points = np.column_stack([x + radii * np.cos(angle), y + radii * np.sin(angle)])
    return np.round(points * 4) / 4 if draw(st.booleans()) else points


@settings(max_examples=150, deadline=None)
@given(star_polygons())
def test_areas_and_centroids_agree_with_clipping(points: np.ndarray) -> None:
    polygon = shapely.Polygon(points)
    if not polygon.is_valid or polygon.area < 1e-3:
        return
    ring = points if signed_area(points) > 0 else points[::-1]

    found = covered(ring)

    np.testing.assert_allclose(area_map(found), clipped_map(polygon), atol=1e-9)
    assert np.isclose(np.sum(found.area), polygon.area)
    centre = np.array([np.dot(found.area, found.column + found.x),
                       np.dot(found.area, found.row + found.y)]) / found.area.sum()  # fmt: skip
    np.testing.assert_allclose(centre, [polygon.centroid.x, polygon.centroid.y], atol=1e-8)


def test_moments_of_a_half_covered_cell_are_those_of_its_triangle() -> None:
    found = covered(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))

    assert found.area == [0.5]
    np.testing.assert_allclose([found.x[0], found.y[0]], 1 / 3)
    np.testing.assert_allclose([found.var_x[0], found.var_y[0]], 1 / 18)
    np.testing.assert_allclose(found.cov_xy[0], -1 / 36)


def test_a_cell_crossed_only_by_a_level_edge_has_its_own_centroid() -> None:
    """Only the level top edge touches the middle column; its cells are half covered too."""
    found = covered(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.5], [0.0, 1.5]]))
    top = found.row == 1

    np.testing.assert_allclose(found.area[top], 0.5)
    np.testing.assert_allclose(found.y[top], 0.25)
    np.testing.assert_allclose(found.var_y[top], 0.25 / 12)


def test_a_hole_is_taken_away_and_its_moments_too() -> None:
    outer = np.array([[1.0, 1.0], [4.0, 1.0], [4.0, 4.0], [1.0, 4.0]])
    hole = np.array([[2.25, 2.25], [2.25, 2.75], [2.75, 2.75], [2.75, 2.25]])

    found = covered(outer, hole)

    middle = (found.row == 2) & (found.column == 2)
    np.testing.assert_allclose(found.area[middle], 0.75)
    np.testing.assert_allclose(found.x[middle], 0.5)
    np.testing.assert_allclose(found.var_x[middle], (1 / 12 - 0.25 * 0.25 / 12) / 0.75)


def test_sections_do_not_mix() -> None:
    square = np.array([[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]])

    found = cover(edges_of([[square], [], [square + 2.0]]), 3, SIDE, SIDE)

    assert np.bincount(found.section).tolist() == [4, 0, 4]
    assert set(found.row[found.section == 2].tolist()) == {3, 4}
