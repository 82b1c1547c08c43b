"""The stated bound holds the true error, also where the dose is curved or noisy."""

import re

import numpy as np
import pytest
import shapely
from scipy.interpolate import RegularGridInterpolator

from engine.dicom.objects import Contour, DoseGrid, Roi, RTDose, RTStructureSet, Source
from engine.dose.compute import compute_objects
from engine.dose.parameters import Parameters
from engine.synth.curved import CurvedPhantom, curved_phantoms

pytestmark = pytest.mark.verifies("TST-032")

FIGURES = (
    "Dmean", "Dmin", "Dmax", "D99%", "D98%", "D95%", "D90%", "D50%", "D10%", "D5%", "D2%", "D1%",
    "D0.03cc", "D0.1cc", "HI",
)  # fmt: skip
CASES = [
    made
    for spacing in (1.0, 2.0, 3.0)
    for at in (0.0, 0.37)
    for made in curved_phantoms(spacing, at)
]
SAMPLES = 2_000_000
IDS = [f"{made.name}, {made.x_mm[0]:.2f}" for made in CASES]


@pytest.mark.parametrize("made", CASES, ids=IDS)
def test_every_figure_shown_lies_within_its_bound_of_the_exact_answer(made: CurvedPhantom) -> None:
    low, high = made.truth.range_gy
    doses = [f"V{dose:.3f}Gy%" for dose in np.linspace(low, high, 11)[1:-1]]
    structures = RTStructureSet(made.dose().source, "", ("frame",), (made.roi(),))

    result = compute_objects(
        structures, made.dose(), metrics=(*FIGURES, *doses), parameters=Parameters()
    )

    shown = [metric for metric in result.structures[0].metrics if metric.shown]
    beyond = [
        f"{metric.name}: {metric.value}, exactly {exact}, bound {metric.bound}"
        for metric in shown
        if abs(metric.value - (exact := made.truth.figure(metric.name))) > metric.bound
    ]
    assert beyond == []
    assert {"Dmean", "Dmin", "Dmax", "D95%", "D50%", "D5%"} <= {metric.name for metric in shown}
    if made.curve != "ripple":
        assert len(shown) == len(FIGURES) + len(doses)


def noisy_dose(spacing: float, rng: np.random.Generator) -> RTDose:
    """50 Gy with the noise of one per cent, dose point by dose point, of a Monte Carlo dose."""
    axis = np.arange(-24.0, 24.1, spacing)
    values = 50.0 + rng.normal(0.0, 0.5, (axis.size,) * 3)
    source = Source("memory", "", "", "", "", "", "", "")
    grid = DoseGrid(axis, axis.copy(), axis.copy())
    return RTDose(source, "frame", grid, values, "GY", "PHYSICAL", "PLAN", (), ())


@pytest.mark.parametrize(
    ("spacing", "apart", "radius"), [(1.0, 3.0, 10.8), (1.0, 2.0, 8.2), (3.0, 1.0, 9.8)]
)
def test_the_bound_holds_in_a_noisy_dose(spacing: float, apart: float, radius: float) -> None:
    """Held to two million random points, evenly spread; their own spread is allowed for.

    The slabs are as thin as the sampling or thinner, so that both spacings must differ in z too.
    """
    rng = np.random.default_rng(32)
    dose = noisy_dose(spacing, rng)
    heights = np.arange(-0.8 * radius, 0.8 * radius, apart)
    angle = 2 * np.pi * np.arange(72) / 72
    ring = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    roi = Roi(1, "rod", "frame", tuple(Contour(float(z), ring) for z in heights))
    structures = RTStructureSet(dose.source, "", ("frame",), (roi,))
    result = compute_objects(structures, dose, metrics=FIGURES, parameters=Parameters())

    points = np.column_stack(
        [
            rng.uniform(heights[0] - apart / 2, heights[-1] + apart / 2, SAMPLES),
            *rng.uniform(-radius, radius, (2, SAMPLES)),
        ]
    )
    points = points[shapely.contains_xy(shapely.Polygon(ring), points[:, 2], points[:, 1])]
    field = RegularGridInterpolator((dose.grid.z_mm, dose.grid.y_mm, dose.grid.x_mm), dose.dose_gy)
    values = np.sort(field(points))[::-1]
    cc = result.structures[0].volume_cc
    for metric in result.structures[0].metrics:
        size = re.fullmatch(r"D([\d.]+)(%|cc)", metric.name)
        if size is None or not metric.shown:
            continue
        share = float(size[1]) / 100 if size[2] == "%" else float(size[1]) / cc
        spread = 3 * np.sqrt(share * (1 - share) / values.size)
        at = np.clip([share - spread, share + spread], 0, 1 - 1 / values.size)
        high, low = values[(at * values.size).astype(int)]
        assert low - metric.bound <= metric.value <= high + metric.bound, metric.name
