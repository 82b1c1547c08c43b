"""Dose-volume figures against exact answers: the accuracy the device promises, and its bound."""

import numpy as np
import pytest
from scipy.integrate import quad

from engine.dicom.objects import Contour, DoseGrid, Roi, RTDose, Source
from engine.dose.dvh import structure_dvh
from engine.dose.metrics import MetricReader
from engine.dose.parameters import Between, EndCaps, Parameters
from engine.synth import closed_form
from engine.synth.phantoms import DIRECTIONS, Phantom, phantom
from engine.synth.shapes import cylinder_axial, reference_shapes, sphere
from engine.synth.truth import LinearField, StackTruth

pytestmark = pytest.mark.verifies("TST-032")

D_METRICS = ("D99%", "D98%", "D95%", "D50%", "D5%", "D2%", "D1%")


def cases() -> list[Phantom]:
    """Three grids of DS-003, each shape once on each, and the twelve askew to a shifted grid."""
    askew = [
        phantom(stack, spacing, DIRECTIONS[5], closed_form.ASKEW)
        for stack, spacing in zip(reference_shapes(), (1.0, 2.0, 3.0) * 4, strict=True)
    ]
    grids = ((1.0, closed_form.ASKEW), (2.0, closed_form.BESIDE), (3.0, closed_form.ON))
    held = [member.phantom for grid in grids for member in closed_form.linear(*grid)]
    return [*held, *askew]


@pytest.mark.parametrize("made", cases(), ids=lambda made: made.name)
def test_reference_shapes_hold_the_promised_accuracy(made: Phantom) -> None:
    truth = made.truth
    dvh = structure_dvh(made.roi(), made.dose(), Parameters())
    figures = MetricReader(dvh, Parameters())
    low, high = truth.range_gy

    assert dvh.volume_mm3 == pytest.approx(truth.volume_mm3, rel=1e-9)
    assert dvh.outside_mm3 == 0.0
    assert dvh.mean_gy == pytest.approx(truth.mean_gy, abs=1e-6)
    assert dvh.lowest_gy == pytest.approx(low, abs=1e-6)
    assert dvh.highest_gy == pytest.approx(high, abs=1e-6)
    for dose in np.linspace(low, high, 12)[1:-1]:
        name = f"V{dose:.3f}Gy%"
        exact = 100 * truth.volume_at(float(name[1:-3])) / truth.volume_mm3
        metric = figures.metric(name)
        assert metric.value == pytest.approx(exact, abs=0.4)
        assert abs(metric.value - exact) <= metric.bound
    for name in D_METRICS:
        exact = truth.dose_to(float(name[1:-1]) / 100 * truth.volume_mm3)
        metric = figures.metric(name)
        assert metric.value == pytest.approx(exact, abs=0.10)
        assert abs(metric.value - exact) <= metric.bound


def test_the_closed_form_agrees_with_numbers_worked_out_otherwise() -> None:
    """An axial cylinder askew: volume above a plane, by adaptive quadrature over z."""
    radius, length = 15.0, 40.0
    field = LinearField(50.0, (0.6, 0.0, 0.8))
    stack = cylinder_axial(radius, length, 2.0)
    truth = StackTruth(stack, field)
    heights = [layer.z_mm for layer in stack.layers]
    ends = heights[0] - 1.0, heights[-1] + 1.0

    def segment(z: float, dose: float) -> float:
        s = np.clip((dose - 50.0 - 0.8 * z) / 0.6, -radius, radius)
        return radius**2 * np.arccos(s / radius) - s * np.sqrt(radius**2 - s**2)

    for dose in (35.0, 45.0, 50.0, 58.0):
        by_quadrature = quad(segment, *ends, args=(dose,), limit=200)[0]
        # 256-gon against circle: its area is 1 - (2 pi / 256)^2 / 6 of the circle's.
        assert truth.volume_at(dose) == pytest.approx(by_quadrature, rel=3e-4)


@pytest.mark.parametrize("caps", list(EndCaps))
@pytest.mark.parametrize("between", list(Between))
def test_every_slab_model_has_the_exact_mean_of_its_own_body(
    caps: EndCaps, between: Between
) -> None:
    """An oblique stack in a linear field: the mean dose is that of the body's centroid."""
    made = phantom(reference_shapes()[7], 2.0, DIRECTIONS[6], closed_form.BESIDE)

    dvh = structure_dvh(made.roi(), made.dose(), Parameters(end_caps=caps, between=between))

    moment, total = np.zeros(3), 0.0
    for span in dvh.body.spans:
        points = dvh.body.sections[span.section].rings[0]
        area = dvh.body.sections[span.section].area_mm2
        wide = (span.weight_low + span.weight_high) / 2
        height = span.high_mm - span.low_mm
        shift = height / 12 * (span.weight_high - span.weight_low) / wide
        z = (span.low_mm + span.high_mm) / 2 + shift
        weight = area * span.length_mm
        moment += weight * np.array([*points.mean(axis=0), z])
        total += weight
    exact = made.field.at_origin_gy + np.dot(made.field.gradient, moment / total)
    assert dvh.mean_gy == pytest.approx(exact, abs=1e-5)


def test_a_gaussian_dose_is_met_within_the_curvature_of_the_grid() -> None:
    """V of a concentric sphere in D0 exp(-(r/a)^2), dose points 2 mm apart.

    Between dose points the trilinear field lies above or below the true one by h^2/12 of its
    Laplacian on average; what is left after that is the engine's own.
    """
    made = phantom(sphere(24.0, 1.0), 2.0)
    x, y, z = made.x_mm[None, None, :], made.y_mm[None, :, None], made.z_mm[:, None, None]
    values = 60.0 * np.exp(-(x**2 + y**2 + z**2) / 30.0**2)
    dose = RTDose(made.dose().source, "frame", made.dose().grid, values, "GY", "", "", (), ())

    dvh = structure_dvh(made.roi(), dose, Parameters())

    for level in (50.0, 45.0, 40.0):
        radius = 30.0 * np.sqrt(np.log(60.0 / level))
        laplacian = level * (4 * radius**2 / 30.0**4 - 6 / 30.0**2)
        slope = level * 2 * radius / 30.0**2
        moved = radius + 2.0**2 / 12 * laplacian / slope
        assert dvh.fine.volume_at(level) == pytest.approx(4 / 3 * np.pi * moved**3, rel=0.003)


def even_dose(value: float, outside_from: float = 100.0) -> tuple[Roi, RTDose]:
    grid = DoseGrid(*(np.arange(-30.0, limit, 2.0) for limit in (outside_from, 32.0, 32.0)))
    square = np.array([[-10.0, -10.0], [10.0, -10.0], [10.0, 10.0], [-10.0, 10.0]])
    roi = Roi(1, "box", "frame", tuple(Contour(z, square) for z in np.arange(-9.0, 10.0, 2.0)))
    source = Source("memory", "", "", "", "", "", "", "")
    return roi, RTDose(source, "frame", grid, np.full(grid.shape, value), "GY", "", "", (), ())


def test_an_even_dose_is_that_dose_in_every_metric() -> None:
    roi, dose = even_dose(2.0)
    figures = MetricReader(structure_dvh(roi, dose, Parameters()), Parameters())

    for name in ("Dmean", "Dmin", "Dmax", "D99%", "D50%", "D1%", "D0.03cc"):
        metric = figures.metric(name)
        assert metric.shown
        assert metric.value == pytest.approx(2.0, abs=1e-6)
    assert figures.metric("V1.9Gy%").value == pytest.approx(100.0)
    assert figures.metric("V2.1Gy%").value == 0.0


def test_outside_the_grid_dose_is_missing_and_not_zero() -> None:
    """Half the box lies beyond the grid: mean stays 2 Gy, the missing half is told and judged."""
    roi, dose = even_dose(2.0, outside_from=1.0)
    dvh = structure_dvh(roi, dose, Parameters())

    assert dvh.volume_mm3 == pytest.approx(8000.0)
    assert dvh.outside_mm3 == pytest.approx(4000.0)
    assert dvh.mean_gy == pytest.approx(2.0)
    figures = MetricReader(dvh, Parameters())
    assert not figures.metric("Dmean").shown
    assert not figures.metric("V1Gy%").shown
    assert not figures.metric("Dmin").shown
