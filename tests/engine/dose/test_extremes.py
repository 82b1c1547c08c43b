"""Least and greatest dose: exact for the interpolated field, also where the dose is curved.

Products of functions of one coordinate interpolate to products of their straight-line pieces, so
boxes have closed answers in them. Everything else is held to dense sampling with scipy and shapely.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
from scipy.interpolate import RegularGridInterpolator

from engine.dicom.objects import Contour, DoseGrid, Floats, Roi, RTDose, Source
from engine.dose.dvh import StructureDvh, structure_dvh
from engine.dose.metrics import MetricReader
from engine.dose.parameters import Between, EndCaps, Parameters

DiscretePlane = Sequence[Floats]


def dose_of(
    of: Callable[[Floats, Floats, Floats], Floats], spacing: float, reach: float = 36.0
) -> RTDose:
    axis = np.arange(-reach, reach + spacing / 2, spacing)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = np.broadcast_to(of(x, y, z), x.shape).astype(float)
    source = Source("memory", "", "", "", "", "", "", "")
    grid = DoseGrid(axis, axis.copy(), axis.copy())
    return RTDose(source, "frame", grid, values, "GY", "PHYSICAL", "PLAN", (), ())


def stack_of(rings: Callable[[float], DiscretePlane], heights: Sequence[float]) -> Roi:
    contours = tuple(Contour(float(z), ring) for z in heights for ring in rings(float(z)))
    return Roi(1, "shape", "frame", contours)


def circle(radius: float, x: float = 0.0, y: float = 0.0, points: int = 64) -> Floats:
    angle = 2 * np.pi * (np.arange(points) + 0.3) / points
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def rectangle(x0: float, x1: float, y0: float, y1: float) -> Floats:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def extremes_of(roi: Roi, dose: RTDose, parameters: Parameters | None = None) -> StructureDvh:
    return structure_dvh(roi, dose, parameters or Parameters())


def hold(dvh: StructureDvh, low: float, high: float) -> None:
    """The figures shown are the extremes, within their own bound, which is a narrow one."""
    figures = MetricReader(dvh, Parameters())
    for name, exact in (("Dmin", low), ("Dmax", high)):
        metric = figures.metric(name)
        assert metric.value is not None, f"{name} is withheld: {metric.bound} > {metric.limit}"
        assert metric.bound <= 1e-5
        assert abs(metric.value - exact) <= metric.bound, name


@pytest.mark.parametrize("excess", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("place", [(0.0, 0.0), (6.0, 0.0), (9.0, 0.0), (6.0, -9.0)])
def test_a_hot_dose_point_inside_is_the_greatest_dose(
    place: tuple[float, float], excess: float
) -> None:
    """The point need not beat the contour by much: whatever is greater counts, exactly."""
    dose = dose_of(lambda x, y, z: 50.0 + 0.5 * x + 0 * y + 0 * z, 3.0)
    i, j, k = (int(np.argmin(np.abs(dose.grid.x_mm - c))) for c in (*place, 0.0))
    dose.dose_gy[k, j, i] += excess

    dvh = extremes_of(stack_of(lambda _: [circle(12.0, points=360)], np.arange(-15, 16, 3)), dose)

    assert dvh.highest_gy >= dose.dose_gy[k, j, i]
    assert dvh.highest_gy == pytest.approx(max(56.0, 50 + 0.5 * place[0] + excess), abs=2e-3)


def test_a_dose_point_in_a_hole_does_not_count() -> None:
    dose = dose_of(lambda x, y, z: 50.0 + 0 * (x + y + z), 3.0)
    dose.dose_gy[12, 12, 12] = 60.0
    around = stack_of(lambda _: [circle(12.0), circle(4.5)], np.arange(-15, 16, 3))

    hold(extremes_of(around, dose), 50.0, 50.0)


def test_a_dose_point_on_the_contour_counts() -> None:
    dose = dose_of(lambda x, y, z: 50.0 + 0 * (x + y + z), 3.0)
    dose.dose_gy[12, 12, 12] = 60.0
    dose.dose_gy[12, 14, 12] = 40.0
    beside = stack_of(lambda _: [rectangle(0.0, 10.0, -7.0, 6.0)], np.arange(-15, 16, 3))

    hold(extremes_of(beside, dose), 40.0, 60.0)


def test_a_contour_that_only_crosses_grid_lines_has_its_extremes_there() -> None:
    """A hot row of points beside the structure: the edge comes nearest to it between corners."""
    dose = dose_of(lambda x, y, z: 50.0 + 10.0 * (np.abs(x) < 1) * (np.abs(y - 6) < 1) + 0 * z, 3.0)
    under = stack_of(lambda _: [rectangle(-8.0, 8.0, -8.0, 5.0)], np.arange(-15, 16, 3))

    hold(extremes_of(under, dose), 50.0, 50.0 + 10.0 * 2 / 3)


@pytest.mark.parametrize("spacing", [1.0, 2.5, 3.0])
def test_a_saddle_has_its_extremes_along_slanted_edges(spacing: float) -> None:
    """The dose 50 + x y / 10 is its own interpolation; on |x| + |y| = r it peaks at r/2, r/2."""
    dose = dose_of(lambda x, y, z: 50.0 + 0.1 * x * y + 0 * z, spacing)
    r = 13.3
    diamond = np.array([[r, 0.0], [0.0, r], [-r, 0.0], [0.0, -r]])

    dvh = extremes_of(stack_of(lambda _: [diamond], np.arange(-9, 10, 3)), dose)

    hold(dvh, 50.0 - 0.1 * r * r / 4, 50.0 + 0.1 * r * r / 4)


def peaks(axis: Floats, values: Floats, low: float, high: float) -> tuple[float, float]:
    """Least and greatest value of the straight lines between points, over an interval."""
    at = np.concatenate([[low, high], axis[(axis > low) & (axis < high)]])
    found = np.interp(at, axis, values)
    return float(found.min()), float(found.max())


@pytest.mark.parametrize("spacing", [1.0, 2.0, 2.5, 3.0])
@pytest.mark.parametrize("sigma", [4.0, 9.0, 25.0])
@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (1.3, -4.2, 2.6), (20.0, 3.0, -12.0)])
@pytest.mark.parametrize("caps", list(EndCaps)[:2])
def test_a_box_in_a_gaussian_dose_has_the_products_of_its_sides(
    spacing: float, sigma: float, centre: tuple[float, float, float], caps: EndCaps
) -> None:
    def bell(along: Floats, at: float) -> Floats:
        return np.exp(-((along - at) ** 2) / (2 * sigma**2))

    dose = dose_of(
        lambda x, y, z: 60 * bell(x, centre[0]) * bell(y, centre[1]) * bell(z, centre[2]), spacing
    )
    sides = ((-7.1, 6.3), (-5.0, 8.2))
    heights = np.arange(-8.0, 9.0, 2.0)
    cap = 1.0 if caps == EndCaps.HALF else 0.0
    box = stack_of(lambda _: [rectangle(*sides[0], *sides[1])], heights)
    low, high = 60.0, 60.0
    axis = dose.grid.x_mm
    for at, side in zip(centre, (*sides, (-8.0 - cap, 8.0 + cap)), strict=True):
        least, greatest = peaks(axis, bell(axis, at), *side)
        low, high = low * least, high * greatest

    hold(extremes_of(box, dose, Parameters(end_caps=caps)), low, high)


@pytest.mark.parametrize("spacing", [1.0, 2.0, 3.0])
def test_a_box_in_a_bowl_of_dose_has_the_sums_of_its_sides(spacing: float) -> None:
    """The interpolation of a sum is the sum of interpolations; the least dose lies inside."""
    dose = dose_of(
        lambda x, y, z: 20 + 0.02 * ((x - 1.3) ** 2 + (y + 2) ** 2 + (z - 0.4) ** 2), spacing
    )
    sides = ((-7.1, 6.3), (-5.0, 8.2), (-9.0, 9.0))
    axis = dose.grid.x_mm
    low, high = 20.0, 20.0
    for at, side in zip((1.3, -2.0, 0.4), sides, strict=True):
        least, greatest = peaks(axis, 0.02 * (axis - at) ** 2, *side)
        low, high = low + least, high + greatest

    box = stack_of(lambda _: [rectangle(*sides[0], *sides[1])], np.arange(-8.0, 9.0, 2.0))
    hold(extremes_of(box, dose), low, high)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (1.1, 0.7, 1.4), (1.5, 1.5, 1.5)])
def test_a_structure_smaller_than_a_voxel_has_the_extremes_of_its_own_edge(
    centre: tuple[float, float, float],
) -> None:
    dose = dose_of(lambda x, y, z: 60 * np.exp(-(x**2 + y**2 + z**2) / 80.0), 3.0)
    x, y, z = centre
    heights = z + np.array([-0.2, 0.0, 0.2])
    tiny = stack_of(lambda _: [circle(0.4, x, y)], heights)
    sampled = Sampled(tiny, dose, 0.005)

    dvh = extremes_of(tiny, dose)

    sampled.hold(dvh)


class Sampled:
    """The dose at many points of a stack of slabs, by means the engine does not use."""

    def __init__(self, roi: Roi, dose: RTDose, step: float) -> None:
        grid, step_z = dose.grid, step
        field = RegularGridInterpolator(
            (grid.z_mm, grid.y_mm, grid.x_mm), dose.dose_gy, bounds_error=True
        )
        gradient = [np.abs(np.diff(dose.dose_gy, axis=a)).max() for a in range(3)]
        self.gap = float(np.sqrt(np.sum(np.square(gradient)))) / grid.spacing_mm[2] * step
        z = np.array(sorted({contour.z_mm for contour in roi.contours}))
        edges = np.concatenate(
            [[1.5 * z[0] - 0.5 * z[1]], 0.5 * (z[1:] + z[:-1]), [1.5 * z[-1] - 0.5 * z[-2]]]
        )
        values = []
        for height, low, high in zip(z, edges[:-1], edges[1:], strict=True):
            rings = [c.points_mm for c in roi.contours if c.z_mm == height]
            region = shapely.Polygon(rings[0], rings[1:])
            x0, y0, x1, y1 = region.bounds
            x, y = np.meshgrid(np.arange(x0, x1, step), np.arange(y0, y1, step))
            inside = shapely.contains_xy(region, x, y)
            border = shapely.get_coordinates(shapely.segmentize(region.boundary, step))
            points = np.concatenate([np.column_stack([x[inside], y[inside]]), border])
            for level in np.linspace(low, high, max(3, int((high - low) / step_z) + 1)):
                at = np.column_stack([np.full(len(points), level), points[:, 1], points[:, 0]])
                values.append(field(at))
        self.values = np.concatenate(values)

    def hold(self, dvh: StructureDvh) -> None:
        """No point lies beyond the extremes, and points come as near as they lie apart."""
        assert self.values.max() <= dvh.highest_gy + 1e-6
        assert self.values.min() >= dvh.lowest_gy - 1e-6
        assert dvh.highest_gy <= self.values.max() + self.gap
        assert dvh.lowest_gy >= self.values.min() - self.gap
        hold(dvh, dvh.lowest_gy, dvh.highest_gy)


@pytest.mark.parametrize("number", range(24))
def test_no_sampled_dose_of_a_round_shape_lies_beyond_its_extremes(number: int) -> None:
    rng = np.random.default_rng(number)
    spacing = float(rng.choice([1.5, 2.0, 2.5, 3.0]))
    radius, apart = rng.uniform(2.0, 14.0), float(rng.choice([1.0, 2.0, 3.0]))
    centre, peak = rng.uniform(-1.5, 1.5, 3), rng.uniform(-10.0, 10.0, 3)
    sigma = rng.uniform(4.0, 25.0)
    dose = dose_of(
        lambda x, y, z: 60 * np.exp(
            -((x - peak[0]) ** 2 + (y - peak[1]) ** 2 + (z - peak[2]) ** 2) / (2 * sigma**2)
        ) + 2.0 * np.sin(x * y / 40),
        spacing,
    )  # fmt: skip
    count = max(2, int(2 * radius / apart))
    heights = centre[2] + apart * (np.arange(count) - (count - 1) / 2)

    def rings(z: float) -> DiscretePlane:
        at = max(0.6, float(np.sqrt(max(0.0, radius**2 - (z - centre[2]) ** 2))))
        outer = circle(at, centre[0], centre[1], 48)
        hole = circle(at / 3, centre[0], centre[1], 24)
        return [outer, hole] if number % 3 == 0 else [outer]

    roi = stack_of(rings, heights)

    Sampled(roi, dose, max(0.12, radius / 40)).hold(extremes_of(roi, dose))


@pytest.mark.parametrize("caps", list(EndCaps))
@pytest.mark.parametrize("between", list(Between))
def test_every_slab_model_has_the_extremes_of_its_own_body(caps: EndCaps, between: Between) -> None:
    """Along z the dose is highest half way up a stack that ends where the caps say."""
    dose = dose_of(lambda x, y, z: 50.0 - 0.1 * np.abs(z) + 0 * (x + y), 2.0)
    stack = stack_of(lambda _: [circle(8.0)], np.arange(-9.0, 10.0, 3.0))
    end = 9.0 if caps == EndCaps.NONE else 10.5

    dvh = extremes_of(stack, dose, Parameters(end_caps=caps, between=between))

    hold(dvh, 50.0 - 0.1 * end, 50.0)


def test_only_the_part_with_dose_has_extremes() -> None:
    """A stack that leaves the grid: its hottest part has no dose, and Dmax is withheld."""
    dose = dose_of(lambda x, y, z: 50.0 + x + 0 * (y + z), 3.0, 12.0)
    stack = stack_of(lambda _: [rectangle(0.0, 20.0, -5.0, 5.0)], np.arange(-20.0, 5.0, 2.5))

    dvh = extremes_of(stack, dose)

    assert (dvh.lowest_gy, dvh.highest_gy) == pytest.approx((50.0, 62.0))
    assert MetricReader(dvh, Parameters()).metric("Dmax").value is None


@pytest.mark.parametrize("number", range(6))
def test_no_figure_lies_beyond_the_extremes(number: int) -> None:
    sigma = 3.0 + number
    dose = dose_of(lambda x, y, z: 60 * np.exp(-(x**2 + y**2 + z**2) / (2 * sigma**2)), 2.5)
    roi = stack_of(lambda _: [circle(3.0 + number, 1.0, 0.4)], np.arange(-6.0, 7.0, 3.0))
    dvh = extremes_of(roi, dose)
    figures = MetricReader(dvh, Parameters(limit_d_mm=10.0, limit_v_percent=100.0))

    near = ("D100%", "D99.9%", "D99%", "D1%", "D0.1%", "D0.001cc")
    values = [figures.metric(name).value for name in near]

    assert all(dvh.lowest_gy <= value <= dvh.highest_gy for value in values)
    assert figures.metric(f"V{dvh.highest_gy + 0.01:.4f}Gy%").value == 0.0
    assert figures.metric(f"V{dvh.lowest_gy - 0.01:.4f}Gy%").value == 100.0
