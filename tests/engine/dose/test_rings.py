"""Nesting decides what adds and what takes away; what cannot be nested is refused by code."""

import numpy as np
import pytest

from engine.dicom.objects import Contour, Roi
from engine.dose.rings import planes_of, signed_area
from engine.errors import Reason, Refusal
from engine.synth.shapes import keyhole


def square(half: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    return corners + np.array([x, y])


def roi(*rings: np.ndarray, other: dict[str, int] | None = None) -> Roi:
    return Roi(1, "rectum", "frame", tuple(Contour(0.0, ring) for ring in rings), other or {})


def codes(structure: Roi) -> list[Reason]:
    with pytest.raises(Refusal) as caught:
        planes_of(structure)
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize("turns", [(1, 1, 1, 1), (-1, 1, -1, 1), (-1, -1, -1, -1)])
def test_hole_island_and_neighbour_whatever_the_direction(turns: tuple[int, ...]) -> None:
    rings = [square(10), square(6), square(3), square(1, 20)]

    (plane,) = planes_of(roi(*[ring[::turn] for ring, turn in zip(rings, turns, strict=True)]))

    assert plane.area_mm2 == pytest.approx(400 - 144 + 36 + 4)
    assert sum(signed_area(ring) for ring in plane.rings) == pytest.approx(plane.area_mm2)


def test_a_keyhole_is_one_ring_with_a_hole_and_an_island_in_it_adds() -> None:
    (ring,) = keyhole(20.0, 3.0, 3.0).layers[0].rings
    alone = planes_of(roi(ring.points_mm))[0].area_mm2

    with_island = planes_of(roi(ring.points_mm, square(2)))[0].area_mm2

    assert alone == pytest.approx(np.pi * (400 - 100), rel=1e-3)
    assert with_island == pytest.approx(alone + 16)


def test_rings_that_touch_are_no_fault() -> None:
    (plane,) = planes_of(roi(square(5), square(5, 10)))

    assert plane.area_mm2 == pytest.approx(200)


def test_rings_that_cross_are_refused() -> None:
    assert codes(roi(square(5), square(5, 4))) == [Reason.RINGS_CROSS]


def test_a_contour_that_stands_twice_is_refused() -> None:
    assert codes(roi(square(5), square(5)[::-1])) == [Reason.RINGS_DOUBLED]


@pytest.mark.parametrize(
    "points",
    [
        [[0, 0], [10, 10], [10, 0], [0, 10]],
        [[0, 0], [4, 0], [2, 2], [0, 4], [4, 4], [2, 2]],  # through one of its own points
        [[0, 0], [10, 0], [10, 10], [4, 4], [14, 4], [0, 10]],
    ],
)
def test_a_ring_that_crosses_itself_is_refused(points: list[list[float]]) -> None:
    assert codes(roi(np.array(points, float))) == [Reason.RING_CROSSES_ITSELF]


def test_a_ring_pinched_to_a_point_is_no_fault() -> None:
    pinched = np.array([[0, 0], [4, 0], [2, 2], [4, 4], [0, 4], [2, 2]], float)

    assert planes_of(roi(pinched))[0].area_mm2 == pytest.approx(8)


def test_every_fault_of_every_plane_is_told() -> None:
    bow = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)
    structure = Roi(
        1, "rectum", "frame",
        (Contour(0.0, bow), Contour(3.0, square(5)), Contour(3.0, square(5, 4)),
         Contour(6.0, np.zeros((3, 2)))),
    )  # fmt: skip

    assert codes(structure) == [
        Reason.RING_CROSSES_ITSELF, Reason.RINGS_CROSS, Reason.ROI_NO_AREA,
    ]  # fmt: skip


def test_a_structure_without_closed_contours_is_refused() -> None:
    assert codes(roi()) == [Reason.ROI_EMPTY]
    assert codes(roi(other={"POINT": 3})) == [Reason.ROI_NOT_CLOSED]
